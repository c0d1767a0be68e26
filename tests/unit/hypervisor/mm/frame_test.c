/* SPDX-License-Identifier: MIT */
/*
 * The machine's memory after start-up: what is RAM, what it costs to keep the books, what guests
 * see of the M2P; memory maps.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c
 * Links: hypervisor/mm/m2p.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c
 * Links: hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c
 * Links: hypervisor/mm/map.c tests/fake/machine.c tests/fake/tlb.c tests/fake/log.c
 * Links: tests/fake/tables.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake/machine.h"
#include "fake/tables.h"
#include "mm/buddy.h"
#include "mm/frame.h"
#include "x86/machine.h"

static int setup(void **state)
{
	(void)state;
	fake_machine_start();
	return 0;
}

static void test_only_ram_has_frames(void **state)
{
	(void)state;
	assert_null(frame_of(MFN(640 * 1024 >> 12)));
	assert_null(frame_of(MFN(FAKE_RAM_MIB << 8)));
	assert_non_null(frame_of(MFN((FAKE_RAM_MIB << 8) - 1)));
	assert_null(frame_of(MFN(mm_max_mfn())));
	assert_null(frame_of(MFN(FAKE_DEVICE_MFN)));
	assert_null(frame_of(MFN_NONE));
	assert_int_equal(mm_max_mfn(), (FAKE_RAM_MIB + 8) << 8);
	assert_int_equal(mm_total_frames(), 160 + ((FAKE_RAM_MIB - 1) << 8) + (4 << 8));
	/* all of it free but low memory and two chunks of tables */
	assert_int_equal(mm_free_frames(), mm_total_frames() - 160 - 2 * 512);
}

static void test_m2p(void **state)
{
	const uint64_t *guest = (const uint64_t *)M2P_GUEST_VA;
	struct mm_domain mm;
	mfn_t a;

	(void)state;
	mm_domain_init(&mm, 1, 10);
	a = fake_frame(&mm);
	assert_int_equal(guest[a.n], ~0ull);
	mm_m2p_set(a, 42);
	assert_int_equal(guest[a.n], 42);
	assert_int_equal(mm_m2p(a), 42);
	mm_m2p_set(MFN(FAKE_DEVICE_MFN), 1);		/* nothing there to set */
	mm_m2p_set(MFN_NONE, 1);
	assert_int_equal(mm_m2p(MFN(FAKE_DEVICE_MFN)), ~0ull);
	assert_true(mfn_eq(mm_m2p_chunk(1), MFN_NONE));
	assert_true(mfn_eq(mm_m2p_chunk(~0u), MFN_NONE));
	assert_int_equal(mm_owner(mm_m2p_chunk(0)), DOMID_XEN);
	assert_int_equal(mm_domain_teardown(&mm), 0);
}

static uint64_t ready(void)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < mm_max_mfn(); i++) {
		const struct frame *f = frame_of(MFN(i));

		n += f && frame_is_free(f) && f->type & FREE_ZERO;
	}
	return n;
}

/* Idle CPUs make a part of what the machine came with zero, which is what is given out first. */
static void test_some_memory_is_ready(void **state)
{
	uint64_t all = mm_free_frames();
	struct mm_domain mm;

	(void)state;
	mm_domain_init(&mm, 1, 4096);
	while (mm_scrub())
		;
	assert_in_range(ready(), all / 4, all / 4 + 8);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t before = ready();

		assert_false(mfn_eq(mm_alloc(&mm, 5, 0), MFN_NONE));
		assert_int_equal(ready(), before - 32);
		while (mm_scrub())
			;
		assert_in_range(ready(), mm_free_frames() / 4, before);
	}
	/* what was somebody's is made zero whatever else is */
	assert_int_equal(mm_domain_teardown(&mm), 0);
	while (mm_scrub())
		;
	assert_in_range(ready(), all / 4 + 64, all / 4 + 4 * 32 + 8);
	assert_int_equal(mm_check(NULL, NULL), 0);
}

/* More pieces than can be noted: what lies between them may be no RAM, and have no frames. */
static void test_scrubbing_over_holes(void **state)
{
	(void)state;
	lock_acquire(&heap_lock);
	for (unsigned i = 0; i < 600; i += 2)
		scrub_later(0x100 + i, 1);
	scrub_later(0x20000, 1);
	lock_release(&heap_lock);
	while (mm_scrub())
		;
	assert_int_equal(mm_check(NULL, NULL), 0);
}

static void test_boot_memory_comes_later(void **state)
{
	uint64_t before = mm_free_frames();

	(void)state;
	mm_free_range((struct mm_range){ 0, 0x9000 });
	assert_int_equal(mm_free_frames(), before + 8);	/* frame 0 stays */
	mm_free_range((struct mm_range){ 0x9800, 0xb800 });
	assert_int_equal(mm_free_frames(), before + 9);	/* whole frames only */
	/* what was in it goes when a CPU is idle */
	fake_poke(MFN(8), 511, 0x5ec2e7);
	while (mm_scrub())
		;
	assert_int_equal(fake_peek(MFN(8), 511), 0);
	assert_int_equal(mm_check(NULL, NULL), 0);
}

static void test_maps(void **state)
{
	struct mm_map_entry entry[MM_MAP_ENTRIES + 1] = { { 0, 0x9f000, 1 },
							 { 0x100000, 0x1000000, 1 } };
	uint64_t before = mm_free_frames();
	struct mm_domain mm;
	struct mm_map copy;

	(void)state;
	mm_set_machine_map(entry, 2);
	assert_int_equal(mm_machine_map.nr, 2);
	mm_set_machine_map(entry, MM_MAP_ENTRIES + 1);
	assert_int_equal(mm_machine_map.nr, MM_MAP_ENTRIES);
	mm_domain_init(&mm, 1, 10);
	assert_int_equal(mm_set_map(&mm, entry, MM_MAP_ENTRIES + 1), -EINVAL);
	assert_false(mm_get_map(&mm, &copy));
	assert_int_equal(mm_set_map(&mm, entry, 2), 0);
	assert_int_equal(mm_set_map(&mm, entry, 1), 0);
	assert_true(mm_get_map(&mm, &copy));
	assert_int_equal(copy.nr, 1);
	assert_int_equal(copy.entry[0].size, 0x9f000);
	fake_end(&mm, before);
	assert_false(mm_get_map(&mm, &copy));
	assert_int_equal(mm_set_map(&mm, entry, 1), -EINVAL);	/* nobody would free it */
	assert_int_equal(mm_free_frames(), before);
	assert_int_equal(sizeof(struct mm_map_entry), 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_some_memory_is_ready, setup),
		cmocka_unit_test_setup(test_scrubbing_over_holes, setup),
		cmocka_unit_test_setup(test_only_ram_has_frames, setup),
		cmocka_unit_test_setup(test_m2p, setup),
		cmocka_unit_test_setup(test_boot_memory_comes_later, setup),
		cmocka_unit_test_setup(test_maps, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
