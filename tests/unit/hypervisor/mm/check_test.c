/* SPDX-License-Identifier: MIT */
/*
 * The checker itself: each way of breaking the invariant by hand is seen.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c
 * Links: hypervisor/mm/m2p.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c
 * Links: hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c
 * Links: tests/fake/machine.c tests/fake/tlb.c tests/fake/log.c tests/fake/tables.c
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
#include "mm/frame.h"
#include "x86/machine.h"

static struct mm_domain mm;
static struct tables t;
static uint64_t before;

static int setup(void **state)
{
	(void)state;
	fake_machine_start();
	before = mm_free_frames();
	mm_domain_init(&mm, 1, 50);
	fake_tables(&mm, &t);
	assert_int_equal(mm_pin(&mm, t.l4, 4), 0);
	assert_int_equal(mm_check(NULL, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end(&mm, before);
	return 0;
}

/* Change a word, see that it is noticed, and that it is sound again after it. */
static void seen(uint64_t *word, uint64_t broken)
{
	uint64_t sound = *word;

	*word = broken;
	assert_true(mm_check(NULL, NULL) > 0);
	*word = sound;
	assert_int_equal(mm_check(NULL, NULL), 0);
}

static void test_broken_tables_are_seen(void **state)
{
	uint64_t *l1 = machine_va(t.l1), *l2 = machine_va(t.l2), *l4 = machine_va(t.l4);
	mfn_t data = fake_frame(&mm);

	(void)state;
	seen(&l1[3], fake_entry(t.l2, RW));		/* a writable table */
	seen(&l1[3], fake_entry(data, RO));		/* a reference that nobody holds */
	seen(&l1[3], fake_entry(MFN((FAKE_RAM_MIB << 8) - 1), RO));	/* free memory */
	seen(&l2[3], fake_entry(data, RW));
	seen(&l2[3], fake_entry(t.l1, RW));
	seen(&l2[3], fake_entry(MFN(FAKE_DEVICE_MFN), RW));
	seen(&l2[0], fake_entry(t.l1, RW | 0x80));
	seen(&l2[0], fake_entry(t.l1, P | W));
	seen(&l4[256], 0);
}

static void test_broken_frames_are_seen(void **state)
{
	struct frame *f = frame_of(t.l2), *data = frame_of(fake_frame(&mm));

	(void)state;
	seen(&f->type, f->type - TYPE_ONE);
	seen(&f->type, f->type & ~TYPE_VALID);
	seen(&f->type, (uint64_t)TYPE_WRITABLE << TYPE_SHIFT | TYPE_VALID | TYPE_ONE);
	seen(&data->type, TYPE_PINNED);
	seen(&data->type, TYPE_VALID);
	seen(&mm.pages, 3);
}

static void test_surplus_is_told(void **state)
{
	mfn_t data = fake_frame(&mm);
	uint64_t refs, types;

	(void)state;
	assert_true(mm_get(data, &mm));
	assert_true(mm_get_writable(data, &mm));
	assert_int_equal(mm_check(&refs, &types), 0);
	assert_int_equal(refs, 2);
	assert_int_equal(types, 1);
	mm_put_writable(data);
	mm_put(data);
	assert_int_equal(mm_check(&refs, &types), 0);
	assert_int_equal(refs + types, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_broken_tables_are_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_frames_are_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_surplus_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
