/* SPDX-License-Identifier: MIT */
/*
 * What a frame may be used for. A type is taken by reference; while the count is above zero all
 * users agree on it, so a frame is never writable and a table at once. Only at zero may it change,
 * and whoever changes it flushes what TLBs may remember of the old use (a writable mapping, or a
 * table in the paging-structure caches) before the new use begins. Lock: table and descriptor types
 * are taken and put under the owner's mm lock; writable ones by anybody.
 */
#include "lib/assert.h"
#include "mm/frame.h"
#include "x86/machine.h"

/* Flush what may be stale of the use that ended with `word`. */
static void flush_use(uint64_t word, const struct mm_domain *mm, bool foreign)
{
	flush_stale(foreign ? *machine_cpus_online() : mm->cpus, (uint32_t)word);
}

enum type_result type_get(struct frame *f, enum frame_type type, const struct mm_domain *mm)
{
	uint64_t foreign = f->owner == mm->id ? 0 : TYPE_FOREIGN;
	uint64_t word = frame_word(f), new;
	bool stale;

	for (;;) {
		if (word & TYPE_COUNT) {
			if (word_type(word) != type || (word & TYPE_COUNT) == TYPE_COUNT)
				return TYPE_REFUSED;
			if (!(word & TYPE_VALID) && type != TYPE_WRITABLE)
				return TYPE_REFUSED;
			if (!(word & TYPE_VALID)) {	/* another CPU is flushing for it */
				machine_relax();
				word = frame_word(f);
				continue;
			}
			if (word_change(f, &word, (word + TYPE_ONE) | foreign))
				return TYPE_HELD;
			continue;
		}
		stale = word_type(word) != type && word_type(word) != TYPE_NONE;
		new = (uint64_t)type << TYPE_SHIFT | TYPE_ONE | (word & TYPE_STAMP) | foreign;
		if (!stale)
			new |= word & TYPE_FOREIGN;
		if (word_change(f, &word, new))
			break;
	}
	if (stale)
		flush_use(word, mm, foreign || word & TYPE_FOREIGN);
	return TYPE_NEW;
}

void type_validate(struct frame *f)
{
	__atomic_fetch_or(&f->type, TYPE_VALID, __ATOMIC_RELEASE);
}

inline bool type_get_writable(struct frame *f, const struct mm_domain *mm)
{
	if (likely(type_get_again(f, TYPE_WRITABLE, f->owner == mm->id ? 0 : TYPE_FOREIGN)))
		return true;
	switch (type_get(f, TYPE_WRITABLE, mm)) {
	case TYPE_HELD:
		return true;
	case TYPE_NEW:
		type_validate(f);
		return true;
	default:
		return false;
	}
}

inline void type_put(struct frame *f)
{
	uint64_t word = frame_word(f), new;

	do {
		ASSERT(word & TYPE_COUNT);
		new = ((word - TYPE_ONE) & ~TYPE_STAMP) | machine_tlb_stamp();
		if (!(new & TYPE_COUNT))
			new &= ~TYPE_VALID;
	} while (!word_change(f, &word, new));
}

void type_last_put(struct frame *f)
{
	ASSERT(!(frame_word(f) & TYPE_PINNED));
	__atomic_fetch_and(&f->type, ~TYPE_VALID, __ATOMIC_RELEASE);
}

bool type_pin(struct frame *f, bool pin)
{
	uint64_t word = pin ? __atomic_fetch_or(&f->type, TYPE_PINNED, __ATOMIC_RELAXED) :
			      __atomic_fetch_and(&f->type, ~TYPE_PINNED, __ATOMIC_RELAXED);

	return !(word & TYPE_PINNED) == pin;
}

bool mm_get_writable(mfn_t mfn, const struct mm_domain *mm)
{
	struct frame *f = frame_of(mfn);

	if (!f || !frame_get(f, mm->id))
		return false;
	if (type_get_writable(f, mm))
		return true;
	frame_put(f);
	return false;
}

void mm_put_writable(mfn_t mfn)
{
	type_put(frame_at(mfn.n));
	frame_put(frame_at(mfn.n));
}

unsigned mm_table_level(mfn_t mfn, bool *pinned)
{
	const struct frame *f = frame_of(mfn);
	uint64_t word = f ? frame_word(f) : 0;

	*pinned = word & TYPE_PINNED;
	return word_level(word);
}
