/* SPDX-License-Identifier: MIT */
/*
 * Descriptors: only ring-3 code and data get into a table that the CPU uses, however they come.
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
#include "x86/machine.h"

#define CODE64		0x00af9b000000ffffull	/* Linux's kernel code segment, ring 0 */
#define CODE64_USER	0x00affb000000ffffull
#define DATA		0x00cff3000000ffffull
#define TSS		0x0000890000000067ull
#define LDT		0x0000820000000fffull
#define CALL_GATE	0x0000ec00e0080000ull

static struct mm_domain mm;
static uint64_t before;
static mfn_t gdt;

static int setup(void **state)
{
	(void)state;
	fake_machine_start();
	before = mm_free_frames();
	mm_domain_init(&mm, 1, 20);
	gdt = fake_frame(&mm);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end(&mm, before);
	return 0;
}

static void test_what_is_fixed(void **state)
{
	uint64_t d = CODE64;

	(void)state;
	assert_true(mm_descriptor_fix(&d));
	assert_int_equal(d, CODE64_USER);
	d = DATA & ~(1ull << 40);
	assert_true(mm_descriptor_fix(&d));
	assert_int_equal(d, DATA);
	d = 0;
	assert_true(mm_descriptor_fix(&d));
	assert_int_equal(d, 0);
	d = CALL_GATE & ~(1ull << 47);		/* not present: no gate */
	assert_true(mm_descriptor_fix(&d));
}

static void test_what_is_refused(void **state)
{
	uint64_t bad[] = { TSS, LDT, CALL_GATE, CODE64 | 1ull << 54 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t d = bad[i];

		assert_false(mm_descriptor_fix(&d));
		assert_int_equal(mm_update_descriptor(&mm, fake_slot(gdt, 1), bad[i]), -EINVAL);
		fake_poke(gdt, 511, bad[i]);
		assert_int_equal(mm_get_descriptor_frame(&mm, gdt), -EINVAL);
	}
	fake_poke(gdt, 511, 0);
	assert_int_equal(mm_get_descriptor_frame(&mm, gdt), 0);
	mm_put_descriptor_frame(gdt);
}

static void test_a_table_in_use(void **state)
{
	(void)state;
	fake_poke(gdt, 2, CODE64);
	assert_int_equal(mm_get_descriptor_frame(&mm, gdt), 0);
	assert_int_equal(fake_peek(gdt, 2), CODE64_USER);
	assert_int_equal(mm_update_descriptor(&mm, fake_slot(gdt, 3), CODE64), 0);
	assert_int_equal(fake_peek(gdt, 3), CODE64_USER);
	assert_false(mm_get_writable(gdt, &mm));
	assert_int_equal(mm_pin(&mm, gdt, 1), -EINVAL);
	assert_int_equal(mm_get_descriptor_frame(&mm, gdt), 0);		/* on two CPUs */
	mm_put_descriptor_frame(gdt);
	assert_false(mm_get_writable(gdt, &mm));
	mm_put_descriptor_frame(gdt);
	assert_true(mm_get_writable(gdt, &mm));
	mm_put_writable(gdt);
}

static void test_where_descriptors_can_be_written(void **state)
{
	struct mm_domain other;
	struct tables t;
	mfn_t foreign;

	(void)state;
	mm_domain_init(&other, 2, 10);
	foreign = fake_frame(&other);
	fake_tables(&mm, &t);
	assert_int_equal(mm_pin(&mm, t.l1, 1), 0);
	assert_int_equal(mm_update_descriptor(&mm, fake_slot(gdt, 3), DATA), 0);
	assert_int_equal(mm_update_descriptor(&mm, fake_slot(t.l1, 3), DATA), -EINVAL);
	assert_int_equal(mm_update_descriptor(&mm, fake_slot(foreign, 3), DATA), -EINVAL);
	assert_int_equal(mm_update_descriptor(&mm, fake_slot(gdt, 3) + 4, DATA), -EINVAL);
	assert_int_equal(mm_update_descriptor(&mm, (uint64_t)FAKE_DEVICE_MFN << 12, DATA), -EINVAL);
	assert_int_equal(mm_update_descriptor(&mm, ~7ull, DATA), -EINVAL);
	assert_int_equal(mm_get_descriptor_frame(&mm, foreign), -EINVAL);
	assert_int_equal(mm_get_descriptor_frame(&mm, MFN_NONE), -EINVAL);
	assert_int_equal(mm_domain_teardown(&other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_fixed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_table_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_where_descriptors_can_be_written, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
