/* SPDX-License-Identifier: MIT */
/*
 * The UEFI system table: what is taken from a sound one, and that others are not believed.
 *
 * Links: hypervisor/dev/efi.c tests/fake/acpi_memory.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dev/acpi.h"
#include "dev/efi.h"
#include "fake/acpi_memory.h"

#define BASE	0x7f000000u

struct acpi_info acpi;	/* fake/acpi_memory.c resets it */
static uint8_t memory[1024];

static void put(uint32_t at, uint64_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

static int setup(void **state)
{
	static const uint16_t vendor[] = { 'E', 'D', 'K', 0 };

	(void)state;
	memset(&efi, 0, sizeof(efi));
	memset(memory, 0, sizeof(memory));
	memcpy(memory, "IBI SYST", 8);
	put(8, 2u << 16 | 70);
	put(24, BASE + 512);		/* vendor */
	put(32, 0x10000);
	put(88, BASE + 256);		/* run-time services */
	put(104, 11);
	put(112, BASE + 768);
	put(256 + 8, 2u << 16 | 60);
	memcpy(memory + 512, vendor, sizeof(vendor));
	fake_memory_reset();
	fake_memory.base = BASE;
	fake_memory.data = memory;
	fake_memory.size = sizeof(memory);
	return 0;
}

static void a_table_is_read(void **state)
{
	(void)state;
	efi_init(BASE);
	assert_true(efi.present);
	assert_int_equal(efi.version, 2 << 16 | 70);
	assert_int_equal(efi.runtime_version, 2 << 16 | 60);
	assert_int_equal(efi.vendor_revision, 0x10000);
	assert_int_equal(efi.vendor[2], 'K');
	assert_int_equal(efi.config_entries, 11);
	assert_int_equal(efi.config_table, BASE + 768);
}

static void a_bios_has_none(void **state)
{
	(void)state;
	efi_init(0);
	assert_false(efi.present);
	efi_init(0x1000);
	assert_false(efi.present);
}

static void nonsense_is_not_believed(void **state)
{
	(void)state;
	put(104, 1ull << 32);
	efi_init(BASE);
	assert_false(efi.present);
	put(104, 11);
	memory[0] = 'X';
	efi_init(BASE);
	assert_false(efi.present);
}

static void pieces_may_be_missing(void **state)
{
	(void)state;
	put(24, 0x10);		/* not memory */
	put(88, 0);
	efi_init(BASE);
	assert_true(efi.present);
	assert_int_equal(efi.runtime_version, 0);
	assert_int_equal(efi.vendor[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_table_is_read, setup),
		cmocka_unit_test_setup(a_bios_has_none, setup),
		cmocka_unit_test_setup(nonsense_is_not_believed, setup),
		cmocka_unit_test_setup(pieces_may_be_missing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
