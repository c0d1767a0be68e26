/* SPDX-License-Identifier: MIT */
/*
 * Changing page tables: single entries (by machine address, by virtual address, by a trapped
 * write), pins and roots. Each takes what the new value names, writes, and drops what the old one
 * named: prepare, then commit. The CPU may set accessed and dirty bits at any moment; what they
 * stand for never changes under the domain's mm lock but by us.
 */
#include "abi/errno.h"
#include "lib/assert.h"
#include "mm/pt_entry.h"
#include "x86/machine.h"

/* How an entry is replaced. */
enum write_mode {
	WRITE_STORE,
	WRITE_PRESERVE_AD,		/* accessed and dirty bits that are set stay */
	WRITE_COMPARE,			/* only if it is what the guest took it for: else -EAGAIN */
	WRITE_EXCHANGE,			/* whatever it is, the guest learns that */
};

/* Both present and naming the same thing with the same rights: no reference moves. */
static bool same_target(unsigned level, uint64_t a, uint64_t b)
{
	uint64_t relevant = PTE_PRESENT | PTE_ADDRESS | (level == 1 ? PTE_WRITE : 0);

	return a & PTE_PRESENT && !((a ^ b) & relevant);
}

/* Take the references of a new entry in a table of `level`. */
static int entry_get(struct mm_domain *mm, const struct mm_domain *frames, unsigned level,
		     uint64_t *entry)
{
	if (!(*entry & PTE_PRESENT))
		return 0;
	if (level == 1)
		return pt_l1_get(mm, frames, entry);
	if (!pt_flags(mm, level, entry))
		return -EINVAL;
	return pt_table_get(mm, pte_mfn(*entry), level - 1);
}

/* *old: what it is taken for, and with WRITE_EXCHANGE what it was. */
static inline bool entry_store(uint64_t *p, enum write_mode mode, uint64_t *old, uint64_t new)
{
	uint64_t cur = *old;

	switch (mode) {
	case WRITE_COMPARE:
		return __atomic_compare_exchange_n(p, &cur, new, false, __ATOMIC_SEQ_CST,
						   __ATOMIC_SEQ_CST);
	case WRITE_PRESERVE_AD:
		while (!__atomic_compare_exchange_n(p, &cur, new | (cur & PTE_AD), false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;		/* only the CPU's own bits can change: twice at most */
		return true;
	case WRITE_EXCHANGE:
		*old = __atomic_exchange_n(p, new, __ATOMIC_SEQ_CST);
		return true;
	default:
		__atomic_store_n(p, new, __ATOMIC_RELEASE);
		return true;
	}
}

/*
 * Write the entry at p, `slot` of f, which is a valid table of `level`; nothing is pending.
 * *known: for WRITE_COMPARE what the guest took it for, by WRITE_EXCHANGE what it was; else NULL.
 * Made for each caller here: most know level and mode.
 */
static inline __attribute__((always_inline)) int
entry_write_at(struct mm_domain *mm, const struct mm_domain *frames, struct frame *f,
	       unsigned level, unsigned slot, uint64_t new, enum write_mode mode, uint64_t *known)
{
	uint64_t *p = (uint64_t *)machine_va(frame_mfn(f)) + slot;
	uint64_t old = __atomic_load_n(p, __ATOMIC_RELAXED);
	bool same = same_target(level, old, new);
	int rc = 0;

	if (pt_slot_ours(level, slot))
		return -EPERM;
	if (mode == WRITE_COMPARE && old != *known)
		return -EAGAIN;
	if (!same)
		rc = entry_get(mm, frames, level, &new);
	else if (!pt_flags(mm, level, &new))
		rc = -EINVAL;
	if (unlikely(rc))
		return rc;
	if (level > 1)			/* that may have been long work */
		ASSERT(word_level(frame_word(f)) == level);
	if (!entry_store(p, mode, &old, new))
		rc = -EAGAIN;
	if (!same)
		pt_entry_put(mm, level, rc ? new : old);
	if (mode == WRITE_EXCHANGE)
		*known = old;
	return rc;
}

/* The same for the upper levels, which are rare. */
static __attribute__((noinline)) int upper_write(struct mm_domain *mm,
						 const struct mm_domain *frames, struct frame *f,
						 unsigned level, unsigned slot, uint64_t new,
						 enum write_mode mode, uint64_t *known)
{
	return entry_write_at(mm, frames, f, level, slot, new, mode, known);
}

static inline __attribute__((always_inline)) int
entry_write(struct mm_domain *mm, const struct mm_domain *frames, struct frame *f, unsigned level,
	    unsigned slot, uint64_t new, enum write_mode mode, uint64_t *known)
{
	if (likely(level == 1))
		return entry_write_at(mm, frames, f, 1, slot, new, mode, known);
	return upper_write(mm, frames, f, level, slot, new, mode, known);
}

/* Eight bytes of plain data. */
static __attribute__((noinline)) int data_write(const struct mm_domain *mm, struct frame *f,
						unsigned slot, uint64_t value)
{
	if (!type_get_writable(f, mm))
		return -EINVAL;
	__atomic_store_n((uint64_t *)machine_va(frame_mfn(f)) + slot, value, __ATOMIC_RELAXED);
	type_put(f);
	return 0;
}

/* Under the lock, on a frame of the domain's that we hold: an entry if it is a table, else data. */
static int update(struct mm_domain *mm, const struct mm_domain *frames, struct frame *f,
		  const struct mmu_update *u)
{
	bool preserve_ad = (u->ptr & MMU_COMMAND) == MMU_PT_UPDATE_PRESERVE_AD;
	enum write_mode mode = preserve_ad ? WRITE_PRESERVE_AD : WRITE_STORE;
	unsigned slot = (u->ptr & ~PAGE_MASK) / sizeof(uint64_t);
	unsigned level;
	int rc = pt_drain(mm);

	if (rc)
		return rc;
	if ((u->ptr & ~MMU_COMMAND) % sizeof(uint64_t))
		return -EINVAL;
	level = word_level(frame_word(f));
	if (!level)
		return data_write(mm, f, slot, u->val);
	return entry_write(mm, frames, f, level, slot, u->val, mode, NULL);
}

int mm_update_entries(struct mm_domain *mm, struct mm_domain *frames, const struct mmu_update *u,
		      unsigned n, unsigned *done)
{
	struct frame *held = NULL, *f;
	int rc = 0;

	lock_acquire(&mm->lock);
	for (*done = 0; *done < n && !rc; *done += !rc) {
		f = frame_of(MFN(u[*done].ptr >> PAGE_SHIFT));
		if (f != held) {		/* a batch mostly stays in one table */
			if (held)
				frame_put(held);
			held = f && frame_get(f, mm->id) ? f : NULL;
		}
		rc = !f ? -EINVAL : !held ? -EPERM : update(mm, frames, f, &u[*done]);
	}
	lock_release(&mm->lock);
	if (held)
		frame_put(held);
	return rc;
}

int mm_update_entry(struct mm_domain *mm, struct mm_domain *frames, uint64_t ptr, uint64_t value,
		    bool preserve_ad)
{
	const uint64_t command = preserve_ad ? MMU_PT_UPDATE_PRESERVE_AD : MMU_NORMAL_PT_UPDATE;
	const struct mmu_update u = { ptr | command, value };
	unsigned done;

	return ptr & MMU_COMMAND ? -EINVAL : mm_update_entries(mm, frames, &u, 1, &done);
}

/* One level down: false if the entry for va is not present, else its table. */
static inline __attribute__((always_inline)) bool walk(const uint64_t **table, vaddr_t va,
						       unsigned level, uint64_t *entry)
{
	*entry = (*table)[pt_slot(va, level)];
	if (unlikely(!(*entry & PTE_PRESENT)))
		return false;
	*table = machine_va(pte_mfn(*entry));
	return true;
}

/*
 * The L1 entry for va under a root that is in use, and the table that it is in; or NULL. Under the
 * lock, with nothing pending: then what a present entry of a valid table names is a valid table one
 * level below.
 */
static inline __attribute__((always_inline)) const uint64_t *l1_entry(mfn_t root, vaddr_t va,
								      struct frame **l1)
{
	const uint64_t *table;
	uint64_t entry;

	if (unlikely(mfn_eq(root, MFN_NONE) || pt_slot_ours(4, pt_slot(va, 4))))
		return NULL;
	ASSERT(word_level(frame_word(frame_at(root.n))) == 4);
	table = machine_va(root);
	if (!walk(&table, va, 4, &entry) || !walk(&table, va, 3, &entry) ||
	    !walk(&table, va, 2, &entry))
		return NULL;
	*l1 = frame_at(pte_mfn(entry).n);
	return &table[pt_slot(va, 1)];
}

int mm_update_va(struct mm_domain *mm, struct mm_domain *frames, mfn_t root, vaddr_t va,
		 uint64_t value)
{
	struct frame *l1;
	int rc;

	if (!canonical(va.a))
		return -EINVAL;
	lock_acquire(&mm->lock);
	rc = pt_drain(mm);
	if (likely(!rc && l1_entry(root, va, &l1))) {
		ASSERT(word_level(frame_word(l1)) == 1);
		rc = entry_write_at(mm, frames, l1, 1, pt_slot(va, 1), value, WRITE_STORE, NULL);
	} else if (!rc) {
		rc = -EINVAL;
	}
	lock_release(&mm->lock);
	return rc;
}

/* The table of the domain's own that is mapped at va, and its level; or NULL. */
static inline __attribute__((always_inline)) struct frame *
table_at(const struct mm_domain *mm, mfn_t root, vaddr_t va, unsigned *level)
{
	struct frame *f;
	const uint64_t *entry = l1_entry(root, va, &f);

	if (unlikely(!entry || !(*entry & PTE_PRESENT)))
		return NULL;
	f = frame_of(pte_mfn(*entry));
	if (unlikely(!f || f->owner != mm->id))
		return NULL;
	*level = word_level(frame_word(f));
	return likely(*level) ? f : NULL;
}

/* The guest's write to the table entry at va, in one of the two modes that it can be in. */
static inline __attribute__((always_inline)) int
emulate(struct mm_domain *mm, mfn_t root, vaddr_t va, uint64_t new, enum write_mode mode,
	uint64_t *known)
{
	unsigned slot = (va.a & ~PAGE_MASK) / sizeof(uint64_t);
	unsigned level;
	struct frame *f;
	int rc;

	if (!canonical(va.a) || va.a % sizeof(uint64_t))
		return -ENOENT;
	lock_acquire(&mm->lock);
	rc = pt_drain(mm);
	if (!rc) {
		f = table_at(mm, root, va, &level);
		rc = likely(f) ? entry_write(mm, mm, f, level, slot, new, mode, known) : -ENOENT;
	}
	lock_release(&mm->lock);
	return rc;
}

int mm_emulate_cmpxchg(struct mm_domain *mm, mfn_t root, vaddr_t va, uint64_t old, uint64_t new)
{
	return emulate(mm, root, va, new, WRITE_COMPARE, &old);
}

int mm_emulate_exchange(struct mm_domain *mm, mfn_t root, vaddr_t va, uint64_t new, uint64_t *old)
{
	return emulate(mm, root, va, new, WRITE_EXCHANGE, old);
}

int mm_pin(struct mm_domain *mm, mfn_t mfn, unsigned level)
{
	int rc;

	if (!level || level > 4)
		return -EINVAL;
	lock_acquire(&mm->lock);
	rc = mm->dying ? -EINVAL : pt_table_get(mm, mfn, level);
	if (!rc && !type_pin(frame_at(mfn.n), true)) {
		pt_table_put(mm, frame_at(mfn.n));
		rc = -EINVAL;
	}
	lock_release(&mm->lock);
	return rc;
}

/* Do what the budget allows now; the next operation does the rest. */
static void drain_some(struct mm_domain *mm)
{
	if (pt_drain(mm))
		return;
}

int mm_unpin(struct mm_domain *mm, mfn_t mfn)
{
	struct frame *f = frame_of(mfn);
	int rc;

	if (!f || !frame_get(f, mm->id))
		return -EINVAL;
	lock_acquire(&mm->lock);
	rc = pt_drain(mm);
	if (!rc && !(word_level(frame_word(f)) && type_pin(f, false)))
		rc = -EINVAL;
	if (!rc) {
		pt_table_put(mm, f);
		drain_some(mm);
	}
	lock_release(&mm->lock);
	frame_put(f);
	return rc;
}

int mm_set_root(struct mm_domain *mm, struct mm_vcpu *mv, mfn_t mfn, bool user, bool load)
{
	mfn_t *root = user ? &mv->user_table : &mv->kernel_table;
	bool none = mfn_eq(mfn, MFN_NONE);
	mfn_t old;
	int rc;

	lock_acquire(&mm->lock);
	rc = none ? pt_drain(mm) : mm->dying ? -EINVAL : pt_table_get(mm, mfn, 4);
	if (!rc) {
		old = *root;
		*root = mfn;
		if (load)
			machine_tables_load(none ? machine_tables_idle() : mfn, true);
		if (!mfn_eq(old, MFN_NONE))
			pt_table_put(mm, frame_at(old.n));
		drain_some(mm);
	}
	lock_release(&mm->lock);
	return rc;
}

int mm_walk(mfn_t root, vaddr_t va, uint64_t *entry, uint64_t *entry_maddr)
{
	mfn_t table = root;

	if (!canonical(va.a))
		return -ENOENT;
	for (unsigned level = 4; ; level--) {
		unsigned slot = pt_slot(va, level);

		if (!frame_of(table) || pt_slot_ours(level, slot))
			return -ENOENT;
		*entry = __atomic_load_n((const uint64_t *)machine_va(table) + slot,
					 __ATOMIC_RELAXED);
		*entry_maddr = (table.n << PAGE_SHIFT) + slot * sizeof(uint64_t);
		if (!(*entry & PTE_PRESENT))
			return -ENOENT;
		if (level == 1)
			return 0;
		table = pte_mfn(*entry);
	}
}
