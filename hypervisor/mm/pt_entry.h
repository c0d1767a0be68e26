/* SPDX-License-Identifier: MIT */
/*
 * Entries and tables; mm/ only. An entry (Intel SDM 3A 4.5, tables 4-15 to 4-20):
 *
 *    63  62      52 51          12 11 9  8   7    6  5   4   3   2  1  0
 *   +--+----------+---------------+----+---+-------+--+---+---+---+--+--+
 *   |NX| guest's  | frame number  | gu | G |PAT/PS| D| A |PCD|PWT|U |W |P |
 *   +--+----------+---------------+----+---+-------+--+---+---+---+--+--+
 *
 * What is not present is the guest's own business and kept as it is.
 */
#ifndef MM_PT_ENTRY_H
#define MM_PT_ENTRY_H

#include "mm/frame.h"

#define PTE_PRESENT	(1ull << 0)
#define PTE_WRITE	(1ull << 1)
#define PTE_USER	(1ull << 2)
#define PTE_PWT		(1ull << 3)
#define PTE_PCD		(1ull << 4)
#define PTE_ACCESSED	(1ull << 5)
#define PTE_DIRTY	(1ull << 6)
#define PTE_AD		(PTE_ACCESSED | PTE_DIRTY)
#define PTE_PS		(1ull << 7)	/* levels 2 and 3: maps a large page; level 1: PAT */
#define PTE_PAT		PTE_PS
#define PTE_GLOBAL	(1ull << 8)
#define PTE_NX		(1ull << 63)
#define PTE_ADDRESS	0x000ffffffffff000ull

#define PT_ENTRIES	512

/* The bits of mmu_update.ptr that say what to do (MMU_* of abi/xen.h). */
#define MMU_COMMAND	3ull

/* The slots of an L4 that are ours (ARCHITECTURE.md, addresses). */
#define L4_SLOT_FIRST	256
#define L4_SLOT_LAST	271

static inline mfn_t pte_mfn(uint64_t entry)
{
	return MFN((entry & PTE_ADDRESS) >> PAGE_SHIFT);
}

static inline bool pt_slot_ours(unsigned level, unsigned slot)
{
	return level == 4 && slot >= L4_SLOT_FIRST && slot <= L4_SLOT_LAST;
}

static inline unsigned pt_slot(vaddr_t va, unsigned level)
{
	return va.a >> (PAGE_SHIFT + 9 * (level - 1)) & (PT_ENTRIES - 1);
}

/*
 * Check and normalise the flags of a present entry at `level`: false if a guest may not have them.
 */
bool must_check pt_flags(const struct mm_domain *mm, unsigned level, uint64_t *entry);
/*
 * Take the references that a present L1 entry stands for, normalising it; drop them. 0, -EINVAL,
 * -EPERM.
 */
int must_check pt_l1_get(const struct mm_domain *mm, const struct mm_domain *frames,
			 uint64_t *entry);
void pt_l1_put(uint64_t entry);

/* Learn from the CPU which bits it reserves. */
void pt_start(void);

/* -- pt_table.c; all with the mm lock held -- */

/* Finish what is pending: 0, or -ERESTART. */
int must_check pt_finish(struct mm_domain *mm);
static inline int must_check pt_drain(struct mm_domain *mm)
{
	return likely(!mm->pending.depth && !mm->pending.queue) ? 0 : pt_finish(mm);
}
/*
 * A reference to `mfn` as a valid table of `level`, validating it if need be. 0, -EINVAL,
 * -ERESTART.
 */
int must_check pt_table_get(struct mm_domain *mm, mfn_t mfn, unsigned level);
void pt_table_put(struct mm_domain *mm, struct frame *f);
/* Drop what an entry stands for (nothing, if it is not present). */
void pt_entry_put(struct mm_domain *mm, unsigned level, uint64_t entry);
/* Give the finished but unclaimed walk up. */
void pt_forget(struct mm_domain *mm);

#endif
