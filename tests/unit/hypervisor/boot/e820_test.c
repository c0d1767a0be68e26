/* SPDX-License-Identifier: MIT */
/*
 * What firmware says of memory and what we make of it.
 *
 * Links: hypervisor/boot/e820.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "boot/e820.h"

static struct e820_map in, out;

static int setup(void **state)
{
	(void)state;
	in.n = out.n = 0;
	return 0;
}

static void expect(unsigned i, uint64_t start, uint64_t end, enum e820_type type)
{
	assert_true(i < out.n);
	assert_int_equal(out.entry[i].start, start);
	assert_int_equal(out.entry[i].end, end);
	assert_int_equal(out.entry[i].type, type);
}

static void sorted_and_joined(void **state)
{
	(void)state;
	e820_add(&in, 0x200000, 0x100000, E820_RAM);
	e820_add(&in, 0x100000, 0x100000, E820_RAM);
	e820_add(&in, 0, 0x9f000, E820_RAM);
	assert_int_equal(e820_sanitise(&out, &in), 0);
	assert_int_equal(out.n, 2);
	expect(0, 0, 0x9f000, E820_RAM);
	expect(1, 0x100000, 0x300000, E820_RAM);
}

static void what_is_not_ram_wins(void **state)
{
	(void)state;
	e820_add(&in, 0x100000, 0x900000, E820_RAM);
	e820_add(&in, 0x200000, 0x100000, E820_RESERVED);
	e820_add(&in, 0x280000, 0x100000, E820_NVS);
	assert_int_equal(e820_sanitise(&out, &in), 0);
	assert_int_equal(out.n, 4);
	expect(0, 0x100000, 0x200000, E820_RAM);
	expect(1, 0x200000, 0x280000, E820_RESERVED);
	expect(2, 0x280000, 0x380000, E820_NVS);
	expect(3, 0x380000, 0xa00000, E820_RAM);
}

static void ram_is_whole_pages(void **state)
{
	(void)state;
	e820_add(&in, 0x1234, 0x3000, E820_RAM);
	e820_add(&in, 0x10001, 0xffe, E820_RAM);
	e820_add(&in, 0x20010, 0x10, E820_ACPI);
	assert_int_equal(e820_sanitise(&out, &in), 0);
	assert_int_equal(out.n, 2);
	expect(0, 0x2000, 0x4000, E820_RAM);
	expect(1, 0x20010, 0x20020, E820_ACPI);
}

static void nonsense_is_left_out(void **state)
{
	(void)state;
	e820_add(&in, 0x1000, 0, E820_RAM);
	e820_add(&in, ~0ull - 10, 100, E820_RAM);
	e820_add(&in, ~0ull - 0xff, 0xc0, E820_RAM);
	e820_add(&in, (1ull << 52) - 0x1000, 0x2000, E820_RAM);
	assert_int_equal(in.n, 0);
	e820_add(&in, 0x1000, 0x1000, 0);
	e820_add(&in, 0x3000, 0x1000, 77);
	assert_int_equal(e820_sanitise(&out, &in), 0);
	expect(0, 0x1000, 0x2000, E820_RESERVED);
	expect(1, 0x3000, 0x4000, E820_RESERVED);
}

static void full_map_is_refused(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < E820_MAX; i++)
		assert_int_equal(e820_add(&in, i << 20, 0x1000, E820_RAM), 0);
	assert_int_equal(e820_add(&in, 1ull << 40, 0x1000, E820_RAM), -ENOSPC);
	/* One range with a hole in each of the others: more pieces than there is place for. */
	in.n--;
	e820_add(&in, 0, 1ull << 40, E820_RESERVED);
	assert_int_equal(e820_sanitise(&out, &in), 0);
	assert_int_equal(out.n, 1);
	in.entry[in.n - 1].type = E820_RAM;
	for (unsigned i = 0; i < in.n - 1; i++)
		in.entry[i].type = E820_RESERVED;
	assert_int_equal(e820_sanitise(&out, &in), -ENOSPC);
}

static void reserving(void **state)
{
	(void)state;
	e820_add(&out, 0x1000, 0x4000, E820_RAM);
	e820_add(&out, 0x5000, 0x1000, E820_RESERVED);
	e820_add(&out, 0x6000, 0x4000, E820_RAM);
	e820_reserve(&out, 0x2000, 0x3000);		/* a hole */
	assert_int_equal(out.n, 4);
	expect(0, 0x1000, 0x2000, E820_RAM);
	expect(1, 0x3000, 0x5000, E820_RAM);
	expect(2, 0x5000, 0x6000, E820_RESERVED);
	e820_reserve(&out, 0x4000, 0x7000);		/* over three entries */
	expect(1, 0x3000, 0x4000, E820_RAM);
	expect(2, 0x5000, 0x6000, E820_RESERVED);
	expect(3, 0x7000, 0xa000, E820_RAM);
	e820_reserve(&out, 0x7000, 0xb000);		/* one whole */
	assert_true(out.entry[3].start == out.entry[3].end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sorted_and_joined, setup),
		cmocka_unit_test_setup(what_is_not_ram_wins, setup),
		cmocka_unit_test_setup(ram_is_whole_pages, setup),
		cmocka_unit_test_setup(nonsense_is_left_out, setup),
		cmocka_unit_test_setup(full_map_is_refused, setup),
		cmocka_unit_test_setup(reserving, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
