/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables: what a sound set yields, and that broken ones yield nothing and do no harm.
 *
 * Links: hypervisor/dev/acpi.c hypervisor/dev/acpi_table.c tests/fake/acpi_memory.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dev/acpi_table.h"
#include "fake/acpi_memory.h"

#define BASE	0xe0000u

/* Firmware's memory: RSDP at 0, XSDT at 64, RSDT at 256, tables from 512 on, DSDT at 4096. */
static uint8_t memory[8192];
static uint32_t next_table, nr_tables;

static void put(uint32_t at, uint64_t value, unsigned bytes)
{
	while (bytes--) {
		memory[at++] = (uint8_t)value;
		value >>= 8;
	}
}

static void fix_sum(uint32_t at, uint32_t length, uint32_t place)
{
	uint8_t sum = 0;

	memory[place] = 0;
	for (uint32_t i = at; i < at + length; i++)
		sum = (uint8_t)(sum + memory[i]);
	memory[place] = (uint8_t)-sum;
}

static void header(uint32_t at, const char *signature, uint32_t length)
{
	memcpy(memory + at, signature, 4);
	put(at + 4, length, 4);
	fix_sum(at, length, at + 9);
}

static void roots(void)
{
	memcpy(memory, "RSD PTR ", 8);
	memory[15] = 2;
	put(16, BASE + 256, 4);
	put(20, 36, 4);
	put(24, BASE + 64, 8);
	header(64, "XSDT", 36 + 8 * nr_tables);
	header(256, "RSDT", 36 + 4 * nr_tables);
	fix_sum(0, 20, 8);
	fix_sum(0, 36, 32);
}

/* The next table, of `length` bytes; what stands behind the header is in memory already. */
static uint32_t add(const char *signature, uint32_t length)
{
	uint32_t at = next_table;

	put(64 + 36 + 8 * nr_tables, BASE + at, 8);
	put(256 + 36 + 4 * nr_tables, BASE + at, 4);
	nr_tables++;
	header(at, signature, length);
	next_table += (length + 15) & ~15u;
	return at;
}

static int setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	next_table = 512;
	nr_tables = 0;
	fake_memory_reset();
	fake_memory.base = BASE;
	fake_memory.data = memory;
	fake_memory.size = sizeof(memory);
	return 0;
}

static void add_madt(void)
{
	static const uint8_t entries[] = {
		0, 8, 0, 0, 1, 0, 0, 0,			/* CPU 0 */
		0, 8, 1, 1, 0, 0, 0, 0,			/* not enabled */
		0, 8, 2, 2, 1, 0, 0, 0,
		0, 8, 3, 2, 1, 0, 0, 0,			/* the same APIC id again */
		9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0,	/* x2APIC id 256 */
		1, 12, 5, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,
		1, 12, 6, 0, 0, 0x10, 0xc0, 0xfe, 24, 0, 0, 0,
		2, 10, 0, 0, 2, 0, 0, 0, 0, 0,		/* timer on 2 */
		2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0,	/* level, active high */
		2, 10, 0, 11, 20, 0, 0, 0, 0x0f, 0,	/* level, active low */
		4, 6, 0xff, 0, 0, 1,
	};
	uint32_t at = next_table;

	put(at + 36, 0xfee00000, 4);
	put(at + 40, 1, 4);
	memcpy(memory + at + 44, entries, sizeof(entries));
	add("APIC", 44 + sizeof(entries));
}

static void start(void)
{
	roots();
	acpi_init(memory, 36);
}

static void madt_names_cpus_ioapics_and_overrides(void **state)
{
	(void)state;
	add_madt();
	start();
	assert_true(acpi.present);
	assert_int_equal(acpi.nr_cpus, 3);
	assert_int_equal(acpi.cpu[1].apic_id, 2);
	assert_int_equal(acpi.cpu[2].apic_id, 256);
	assert_int_equal(acpi.cpu[2].acpi_id, 7);
	assert_int_equal(acpi.nr_ioapics, 2);
	assert_int_equal(acpi.ioapic[1].gsi_base, 24);
	assert_int_equal(acpi.ioapic[1].address, 0xfec01000);
	assert_int_equal(acpi.lapic_address, 0xfee00000);
	assert_true(acpi.has_8259);
	assert_int_equal(acpi_isa_irq(0).gsi, 2);
	assert_int_equal(acpi_isa_irq(4).gsi, 4);
	assert_true(acpi_isa_irq(9).level);
	assert_false(acpi_isa_irq(9).active_low);
	assert_true(acpi_gsi_default(20).active_low);
	assert_int_equal(acpi_gsi_default(20).irq, 11);
	assert_false(acpi_gsi_default(4).level);
	assert_true(acpi_gsi_default(17).level && acpi_gsi_default(17).active_low);
}

static uint32_t add_fadt(void)
{
	uint32_t at = next_table;

	put(at + 40, BASE + 4096, 4);
	put(at + 56, 0x600, 4);
	put(at + 64, 0x604, 4);
	put(at + 76, 0x608, 4);
	put(at + 112, 1 << 8 | 1 << 10, 4);
	put(at + 116, 1 | 8 << 8, 4);
	put(at + 120, 0xcf9, 8);
	memory[at + 128] = 6;
	return add("FACP", 244);
}

/* A DSDT of nothing but Name (_S5, Package (4) { 5, 1, 0, 0 }). */
static void add_dsdt(void)
{
	static const uint8_t aml[] = {
		0x08, '_', 'S', '5', '_', 0x12, 0x07, 4, 0x0a, 5, 1, 0, 0,
	};

	memcpy(memory + 4096 + 36 + 8, aml, sizeof(aml));
	header(4096, "DSDT", 36 + 8 + sizeof(aml));
}

static void fadt_names_fixed_hardware(void **state)
{
	(void)state;
	add_fadt();
	add_dsdt();
	start();
	assert_int_equal(acpi.pm1a_control.address, 0x604);
	assert_int_equal(acpi.pm1b_control.address, 0);
	assert_int_equal(acpi.pm_timer.address, 0x608);
	assert_true(acpi.pm_timer_32bit);
	assert_int_equal(acpi.reset.address, 0xcf9);
	assert_int_equal(acpi.reset_value, 6);
	assert_true(acpi.s5_known);
	assert_int_equal(acpi.s5_type_a, 5);
	assert_int_equal(acpi.s5_type_b, 1);
}

static void power_off_writes_type_then_enable(void **state)
{
	(void)state;
	add_fadt();
	add_dsdt();
	start();
	acpi_power_off_by_dsdt();
	assert_int_equal(fake_memory.nr_writes, 3);
	assert_int_equal(fake_memory.write[0].port, 0x600);	/* wake status cleared */
	assert_int_equal(fake_memory.write[0].value, 0x8000);
	assert_int_equal(fake_memory.write[1].port, 0x604);
	assert_int_equal(fake_memory.write[1].value, 5 << 10 | 1);
	assert_int_equal(fake_memory.write[2].value, 1 << 13 | 5 << 10 | 1);
	assert_int_equal(fake_memory.write[2].bytes, 2);
}

static void reset_writes_the_register(void **state)
{
	(void)state;
	add_fadt();
	start();
	acpi_reset();
	assert_int_equal(fake_memory.nr_writes, 1);
	assert_int_equal(fake_memory.write[0].port, 0xcf9);
	assert_int_equal(fake_memory.write[0].value, 6);
	assert_int_equal(fake_memory.write[0].bytes, 1);
}

static void mcfg_and_hpet(void **state)
{
	uint32_t at = next_table;

	(void)state;
	put(at + 44, 0xb0000000, 8);
	memory[at + 44 + 11] = 0xff;
	put(at + 60, 0xc0000000, 8);
	memory[at + 60 + 10] = 9;	/* first bus after the last: left out */
	add("MCFG", 76);
	at = next_table;
	put(at + 44, 0xfed00000, 8);
	add("HPET", 56);
	start();
	assert_int_equal(acpi.nr_mcfg, 1);
	assert_int_equal(acpi.mcfg[0].address, 0xb0000000);
	assert_int_equal(acpi.mcfg[0].last_bus, 255);
	assert_int_equal(acpi.hpet_address, 0xfed00000);
}

static void without_a_copy_the_bios_area_is_searched(void **state)
{
	(void)state;
	add_madt();
	roots();
	memmove(memory + 7168, memory, 36);
	memset(memory, 0, 36);
	acpi_init(NULL, 0);
	assert_true(acpi.present);
	assert_int_equal(acpi.nr_cpus, 3);
}

static void a_bad_xsdt_falls_back_to_the_rsdt(void **state)
{
	(void)state;
	add_madt();
	roots();
	memory[64 + 10] ^= 1;
	acpi_init(memory, 36);
	assert_true(acpi.present);
	assert_int_equal(acpi.nr_cpus, 3);
}

static void bad_checksums_are_not_believed(void **state)
{
	(void)state;
	add_madt();
	roots();
	memory[512 + 50] ^= 1;
	acpi_init(memory, 36);
	assert_int_equal(acpi.nr_cpus, 0);
	fake_memory.nr_writes = 0;
	memory[3] ^= 1;
	acpi_init(memory, 36);
	assert_false(acpi.present);
}

static void broken_lengths_end_the_reading(void **state)
{
	uint32_t at = next_table;

	(void)state;
	memcpy(memory + at + 44, "\0\10\0\0\1\0\0\0" "\0\0\0\0", 12);	/* an entry of length 0 */
	add("APIC", 56);
	at = next_table;
	memcpy(memory + at, "HPET", 4);
	add("HPET", 40);		/* ends before the address */
	start();
	assert_int_equal(acpi.nr_cpus, 1);
	assert_int_equal(acpi.hpet_address, 0);
}

static void absurd_sizes_are_refused(void **state)
{
	(void)state;
	add_madt();
	roots();
	put(512 + 4, 0xffffffff, 4);
	acpi_init(memory, 36);
	assert_int_equal(acpi.nr_cpus, 0);
	acpi_init(memory, 19);
	assert_false(acpi.present);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(madt_names_cpus_ioapics_and_overrides, setup),
		cmocka_unit_test_setup(fadt_names_fixed_hardware, setup),
		cmocka_unit_test_setup(power_off_writes_type_then_enable, setup),
		cmocka_unit_test_setup(reset_writes_the_register, setup),
		cmocka_unit_test_setup(mcfg_and_hpet, setup),
		cmocka_unit_test_setup(without_a_copy_the_bios_area_is_searched, setup),
		cmocka_unit_test_setup(a_bad_xsdt_falls_back_to_the_rsdt, setup),
		cmocka_unit_test_setup(bad_checksums_are_not_believed, setup),
		cmocka_unit_test_setup(broken_lengths_end_the_reading, setup),
		cmocka_unit_test_setup(absurd_sizes_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
