/* SPDX-License-Identifier: MIT */
/* Page tables for tests. */
#include "fake/tables.h"

#include "abi/errno.h"
#include "fake/machine.h"
#include "lib/assert.h"
#include "x86/machine.h"

mfn_t fake_frame(struct mm_domain *mm)
{
	mfn_t mfn = mm_alloc(mm, 0, 0);

	ASSERT(!mfn_eq(mfn, MFN_NONE));
	return mfn;
}

void fake_poke(mfn_t mfn, unsigned slot, uint64_t value)
{
	((uint64_t *)machine_va(mfn))[slot] = value;
}

uint64_t fake_peek(mfn_t mfn, unsigned slot)
{
	return ((const uint64_t *)machine_va(mfn))[slot];
}

uint64_t fake_entry(mfn_t mfn, uint64_t flags)
{
	return mfn.n << PAGE_SHIFT | flags;
}

uint64_t fake_slot(mfn_t table, unsigned slot)
{
	return (table.n << PAGE_SHIFT) + slot * sizeof(uint64_t);
}

void fake_tables(struct mm_domain *mm, struct tables *t)
{
	t->l1 = fake_frame(mm);
	t->l2 = fake_frame(mm);
	t->l3 = fake_frame(mm);
	t->l4 = fake_frame(mm);
	fake_poke(t->l2, 0, fake_entry(t->l1, RW));
	fake_poke(t->l3, 0, fake_entry(t->l2, RW));
	fake_poke(t->l4, 0, fake_entry(t->l3, RW));
}

void fake_end(struct mm_domain *mm, uint64_t before)
{
	uint64_t refs, types;

	ASSERT(!FINISH(mm_domain_teardown(mm)));
	ASSERT(!mm_check(&refs, &types) && !refs && !types);
	ASSERT(!fake_tlb_check());
	ASSERT(mm_free_frames() == before);
}
