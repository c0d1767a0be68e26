/* SPDX-License-Identifier: MIT */
/*
 * Frames that hold a guest's segment descriptors, seen by the CPU through its GDT and LDT windows.
 * While a frame is one, each of its descriptors is either not present, or a code or data segment of
 * ring 3 with its accessed bit set (so that the CPU never writes to it). Gates, task and LDT
 * descriptors are refused: the first would be doors into ring 0, the others are of no use in ring
 * 3. Lock: the owner's mm lock.
 */
#include "abi/errno.h"
#include "mm/pt_entry.h"
#include "x86/machine.h"

/* Intel SDM 3A, figure 3-8, as one 64-bit word. */
#define DESC_ACCESSED	(1ull << 40)
#define DESC_CODE	(1ull << 43)
#define DESC_S		(1ull << 44)	/* code or data; clear: system */
#define DESC_DPL3	(3ull << 45)
#define DESC_PRESENT	(1ull << 47)
#define DESC_L		(1ull << 53)
#define DESC_D		(1ull << 54)

#define DESC_PER_FRAME	(PAGE_SIZE / sizeof(uint64_t))

bool mm_descriptor_fix(uint64_t *d)
{
	if (!(*d & DESC_PRESENT))
		return true;
	if (!(*d & DESC_S))
		return false;
	if ((*d & DESC_CODE) && (*d & DESC_L) && (*d & DESC_D))
		return false;
	*d |= DESC_DPL3 | DESC_ACCESSED;
	return true;
}

static bool descriptors_fix(uint64_t *d)
{
	for (unsigned i = 0; i < DESC_PER_FRAME; i++) {
		uint64_t fixed = d[i];

		if (!mm_descriptor_fix(&fixed))
			return false;
		if (fixed != d[i])
			d[i] = fixed;
	}
	return true;
}

int mm_get_descriptor_frame(struct mm_domain *mm, mfn_t mfn)
{
	struct frame *f = frame_of(mfn);
	enum type_result got;

	if (!f || !frame_get(f, mm->id))
		return -EINVAL;
	lock_acquire(&mm->lock);
	got = type_get(f, TYPE_SEGDESC, mm);
	if (got == TYPE_NEW && descriptors_fix(machine_va(mfn))) {
		type_validate(f);
	} else if (got == TYPE_NEW) {
		type_put(f);
		got = TYPE_REFUSED;
	}
	lock_release(&mm->lock);
	if (got != TYPE_REFUSED)
		return 0;
	frame_put(f);
	return -EINVAL;
}

void mm_put_descriptor_frame(mfn_t mfn)
{
	type_put(frame_at(mfn.n));
	frame_put(frame_at(mfn.n));
}

/*
 * Under the lock, with a reference: a descriptor frame stays one, and anything else must be had as
 * data.
 */
static int descriptor_write(const struct mm_domain *mm, struct frame *f, uint64_t ptr,
			    uint64_t descriptor)
{
	uint64_t word = frame_word(f);
	bool data = word_type(word) != TYPE_SEGDESC || !(word & TYPE_COUNT);
	uint64_t *d = machine_va(frame_mfn(f));

	if (data && !type_get_writable(f, mm))
		return -EINVAL;
	__atomic_store_n(&d[(ptr & ~PAGE_MASK) / sizeof(*d)], descriptor, __ATOMIC_RELAXED);
	if (data)
		type_put(f);
	return 0;
}

int mm_update_descriptor(struct mm_domain *mm, uint64_t ptr, uint64_t descriptor)
{
	struct frame *f = frame_of(MFN(ptr >> PAGE_SHIFT));
	int rc;

	if (ptr % sizeof(uint64_t) || !mm_descriptor_fix(&descriptor) || !f ||
	    !frame_get(f, mm->id))
		return -EINVAL;
	lock_acquire(&mm->lock);
	rc = descriptor_write(mm, f, ptr, descriptor);
	lock_release(&mm->lock);
	frame_put(f);
	return rc;
}
