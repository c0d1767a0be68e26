/* SPDX-License-Identifier: MIT */
/*
 * One entry: each of its 64 bits at each level is either kept, changed or refused as the ABI and
 * the CPU's manual have it.
 *
 * Links: hypervisor/mm/pt_entry.c hypervisor/mm/page_type.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/buddy.c
 * Links: hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/heap.c hypervisor/mm/m2p.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c hypervisor/mm/pt_update.c hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c tests/fake/machine.c tests/fake/tlb.c tests/fake/log.c
 * Links: tests/fake/tables.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/machine.h"
#include "fake/tables.h"
#include "mm/pt_entry.h"

static struct mm_domain guest = { .id = 1 }, control = { .id = 0, .privileged = true };

/* What becomes of a bit that a guest sets in a present entry: -1 refused, 0 dropped, 1 kept. */
static int fate(const struct mm_domain *mm, unsigned level, unsigned bit)
{
	uint64_t entry = PTE_PRESENT | 1ull << bit;

	if (!pt_flags(mm, level, &entry))
		return -1;
	assert_int_equal(entry & ~(1ull << bit), PTE_PRESENT | (bit == 2 ? 0 : PTE_USER));
	return entry >> bit & 1;
}

static int expected(const struct mm_domain *mm, unsigned level, unsigned bit)
{
	switch (bit) {
	case 3: case 4:			/* PWT, PCD */
		return level > 1 ? -1 : mm->privileged;
	case 7:				/* PS; PAT at level 1 */
		return level > 1 ? -1 : mm->privileged;
	case 8:				/* global */
		return level > 1 ? -1 : 0;
	case 40 ... 51:			/* more than the fake machine's addresses have */
		return -1;
	default:
		return 1;
	}
}

static void test_every_bit_at_every_level(void **state)
{
	(void)state;
	fake_machine_start();
	for (unsigned level = 1; level <= 4; level++) {
		for (unsigned bit = 1; bit < 64; bit++) {
			if (bit >= 12 && bit < 40)
				continue;		/* the address */
			assert_int_equal(fate(&guest, level, bit), expected(&guest, level, bit));
			assert_int_equal(fate(&control, level, bit),
					 expected(&control, level, bit));
		}
	}
}

static void test_l1_references(void **state)
{
	uint64_t before, entry;
	struct mm_domain mm;
	struct frame *f;

	(void)state;
	fake_machine_start();
	before = mm_free_frames();
	mm_domain_init(&mm, 1, 10);
	f = frame_of(fake_frame(&mm));
	entry = fake_entry(frame_mfn(f), RO);
	assert_int_equal(pt_l1_get(&mm, &mm, &entry), 0);
	assert_int_equal(f->refs & REFS_COUNT, 2);
	assert_int_equal(f->type & TYPE_COUNT, 0);
	pt_l1_put(entry);
	entry |= PTE_WRITE;
	assert_int_equal(pt_l1_get(&mm, &mm, &entry), 0);
	assert_int_equal(f->type & TYPE_COUNT, TYPE_ONE);
	pt_l1_put(entry);
	assert_int_equal(f->refs & REFS_COUNT, 1);
	entry = fake_entry(MFN(FAKE_DEVICE_MFN), RW);
	pt_l1_put(entry);			/* no RAM, no reference */
	fake_end(&mm, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_bit_at_every_level),
		cmocka_unit_test(test_l1_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
