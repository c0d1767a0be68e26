/* SPDX-License-Identifier: MIT */
/*
 * Configuration space by ports and by memory, and what is written into devices to make them send
 * messages. The machine here has one device at 00:01.0, seen by both ways, and its MSI-X table.
 *
 * Links: hypervisor/dev/pci.c hypervisor/dev/pci_msi.c hypervisor/lib/lock.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dev/acpi.h"
#include "dev/pci.h"
#include "lib/assert.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define DEVFN		0x08
#define MSI_AT		0x50
#define MSIX_AT		0x70
#define BAR		0xfeb00000u
#define TABLE_OFFSET	0x800u
#define ENTRIES		4u

struct acpi_info acpi;

/* Bus 0 of the memory-mapped window; the device's part of it is its configuration space. */
static uint8_t bus[1 << 20] __attribute__((aligned(4096)));
static uint8_t *const config = bus + DEVFN * 4096;
static uint32_t table[ENTRIES][4];
static uint32_t address_register;
static unsigned port_accesses, maps;
static const struct pci_address device = { 0, 0, DEVFN };

static void put(unsigned reg, uint32_t value, unsigned bytes)
{
	memcpy(config + reg, &value, bytes);
}

static uint32_t get(unsigned reg, unsigned bytes)
{
	uint32_t value = 0;

	memcpy(&value, config + reg, bytes);
	return value;
}

uint32_t machine_port_in(uint16_t port, unsigned bytes)
{
	unsigned reg = (address_register & 0xfc) + (port & 3);

	port_accesses++;
	if (port == 0xcf8)
		return address_register;
	if (!(address_register >> 31) || (address_register >> 8 & 0xffff) != DEVFN)
		return ~0u;
	return get(reg, bytes);
}

void machine_port_out(uint16_t port, unsigned bytes, uint32_t value)
{
	port_accesses++;
	if (port == 0xcf8)
		address_register = value & ~3u;
	else if (address_register >> 31 && (address_register >> 8 & 0xffff) == DEVFN)
		put((address_register & 0xfc) + (port & 3), value, bytes);
}

void *machine_map_device(uint64_t paddr, uint64_t size, bool write_combining)
{
	(void)write_combining;
	maps++;
	if (paddr == 0xb0000000)
		return bus;
	assert_int_equal(paddr, BAR + TABLE_OFFSET);
	assert_int_equal(size, sizeof(table));
	return table;
}

unsigned machine_paddr_bits(void)
{
	return 40;
}

unsigned machine_cpu(void)
{
	return 0;
}

void machine_relax(void)
{
}

void *heap_alloc(size_t size)
{
	return calloc(1, size);
}

void heap_free(void *p)
{
	free(p);
}

_Noreturn void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

static int setup(void **state)
{
	(void)state;
	memset(bus, 0xff, sizeof(bus));
	memset(config, 0, 4096);
	memset(table, 0, sizeof(table));
	for (unsigned i = 0; i < ENTRIES; i++)
		table[i][3] = 1;
	put(0, 0x10008086, 4);
	put(4, 2, 2);			/* decodes memory */
	put(6, 1 << 4, 2);		/* has capabilities */
	put(0x34, MSI_AT, 1);
	put(MSI_AT, 5 | MSIX_AT << 8, 2);
	put(MSI_AT + 2, 1 << 8 | 1 << 7 | 3 << 1, 2);	/* maskable, wide, 8 messages */
	put(MSIX_AT, 0x11, 2);
	put(MSIX_AT + 2, ENTRIES - 1, 2);
	put(MSIX_AT + 4, TABLE_OFFSET | 1, 4);
	acpi.nr_mcfg = 0;
	port_accesses = maps = 0;
	return 0;
}

static int setup_memory(void **state)
{
	setup(state);
	acpi.nr_mcfg = 1;
	acpi.mcfg[0] = (struct acpi_mcfg){ .address = 0xb0000000, .last_bus = 3 };
	return 0;
}

static void ports_reach_256_bytes(void **state)
{
	(void)state;
	put(0x43, 0xab, 1);
	assert_int_equal(pci_read(device, 0, 4), 0x10008086);
	assert_int_equal(pci_read(device, 0x43, 1), 0xab);
	pci_write(device, 0x42, 2, 0x1234);
	assert_int_equal(get(0x42, 2), 0x1234);
	assert_int_equal(pci_read(device, 0x100, 4), ~0u);
	assert_int_equal(pci_read((struct pci_address){ 1, 0, DEVFN }, 0, 4), ~0u);
	assert_int_equal(pci_read((struct pci_address){ 0, 0, 0x10 }, 0, 4), ~0u);
}

static void memory_reaches_all_and_touches_no_port(void **state)
{
	(void)state;
	put(0x104, 0xcafe, 2);
	assert_int_equal(pci_read(device, 0x104, 2), 0xcafe);
	pci_update(device, 0x104, 2, 0xf0, 0x01);
	assert_int_equal(get(0x104, 2), 0xca0f);
	assert_int_equal(pci_read((struct pci_address){ 0, 0, 0x10 }, 0, 4), ~0u);
	assert_int_equal(port_accesses, 0);
	/* A bus beyond the window: ports. */
	assert_int_equal(pci_read((struct pci_address){ 0, 9, 0 }, 0, 4), ~0u);
	assert_int_equal(port_accesses, 2);
}

static void our_use_of_the_ports_does_not_show(void **state)
{
	uint32_t value = 0;

	(void)state;
	assert_true(pci_port_out(0xcf8, 4, 0x80000843));
	assert_int_equal(pci_read(device, 0, 2), 0x8086);
	assert_true(pci_port_in(0xcf8, 4, &value));
	assert_int_equal(value, 0x80000840);
	put(0x42, 0x55, 1);
	assert_true(pci_port_in(0xcfe, 1, &value));
	assert_int_equal(value, 0x55);
	assert_int_equal(pci_read(device, 0, 2), 0x8086);
	assert_true(pci_port_out(0xcfe, 1, 0x66));
	assert_int_equal(get(0x42, 1), 0x66);
	assert_false(pci_port_out(0xcf9, 1, 6));
	assert_false(pci_port_in(0xd00, 4, &value));
	assert_false(pci_port_in(0xcf8, 1, &value));
}

static void capabilities_are_found_and_loops_end(void **state)
{
	(void)state;
	assert_int_equal(pci_capability(device, PCI_CAP_MSI), MSI_AT);
	assert_int_equal(pci_capability(device, PCI_CAP_MSIX), MSIX_AT);
	assert_int_equal(pci_capability(device, 0x10), 0);
	put(MSIX_AT + 1, MSI_AT, 1);
	assert_int_equal(pci_capability(device, 0x10), 0);
	put(6, 0, 2);
	assert_int_equal(pci_capability(device, PCI_CAP_MSI), 0);
	assert_int_equal(pci_capability((struct pci_address){ 0, 0, 0x10 }, PCI_CAP_MSI), 0);
}

static void msi_is_written_masked(void **state)
{
	struct pci_msi_place place = { .at = device };
	struct msi_message message = { 0x1fee01000, 0x48 };
	struct pci_msi m;

	(void)state;
	assert_int_equal(pci_msi_find(&m, &place, 16), -EINVAL);
	assert_int_equal(pci_msi_find(&m, &place, 4), 0);
	put(MSI_AT + 2, get(MSI_AT + 2, 2) | 1, 2);
	pci_msi_write(&m, &message, 4);
	assert_int_equal(get(MSI_AT + 4, 4), 0xfee01000);
	assert_int_equal(get(MSI_AT + 8, 4), 1);
	assert_int_equal(get(MSI_AT + 12, 2), 0x48);
	assert_int_equal(get(MSI_AT + 16, 4), 0xf);
	assert_int_equal(get(MSI_AT + 2, 2) >> 4 & 7, 2);
	assert_int_equal(get(MSI_AT + 2, 2) & 1, 1);
	assert_true(pci_msi_mask(&m, 2, false));
	assert_int_equal(get(MSI_AT + 16, 4), 0xb);
	pci_msi_disable(&m);
	assert_int_equal(get(MSI_AT + 2, 2) & 1, 0);
}

static void plain_msi_has_its_data_elsewhere_and_no_mask(void **state)
{
	struct pci_msi_place place = { .at = device };
	struct msi_message message = { 0xfee01000, 0x48 };
	struct pci_msi m;

	(void)state;
	put(MSI_AT + 2, 0, 2);
	put(MSI_AT + 12, 0x7777, 2);
	assert_int_equal(pci_msi_find(&m, &place, 1), 0);
	pci_msi_write(&m, &message, 1);
	assert_int_equal(get(MSI_AT + 8, 2), 0x48);
	assert_int_equal(get(MSI_AT + 12, 2), 0x7777);
	assert_false(pci_msi_mask(&m, 0, true));
}

static void msix_entries_are_written_masked(void **state)
{
	struct pci_msi_place place = { device, true, 2, BAR };
	struct msi_message message = { 0xfee02000, 0x51 };
	struct pci_msi m, first;

	(void)state;
	assert_int_equal(pci_msi_find(&m, &place, 1), 0);
	pci_msi_write(&m, &message, 1);
	assert_int_equal(table[2][0], 0xfee02000);
	assert_int_equal(table[2][2], 0x51);
	assert_int_equal(table[2][3], 1);
	assert_true(pci_msi_mask(&m, 0, false));
	assert_int_equal(table[2][3], 0);
	place.entry = 0;
	assert_int_equal(pci_msi_find(&first, &place, 1), 0);
	pci_msi_write(&first, &message, 1);
	assert_int_equal(table[2][3], 0);
	pci_msi_disable(&m);
	assert_int_equal(table[2][3], 1);
	/* One mapping serves all entries, for ever. */
	assert_true(maps <= 1);
}

static void bad_places_are_refused(void **state)
{
	struct pci_msi_place place = { device, true, ENTRIES, BAR };
	struct pci_msi m;

	(void)state;
	assert_int_equal(pci_msi_find(&m, &place, 1), -EINVAL);
	place.entry = 0;
	assert_int_equal(pci_msi_find(&m, &place, 2), -EINVAL);
	place.table_base = 0;
	assert_int_equal(pci_msi_find(&m, &place, 1), -EINVAL);
	place.table_base = 1ull << 40;
	assert_int_equal(pci_msi_find(&m, &place, 1), -EINVAL);
	place.table_base = BAR;
	put(4, 0, 2);
	assert_int_equal(pci_msi_find(&m, &place, 1), -ENXIO);
	place.at.devfn = 0x10;
	assert_int_equal(pci_msi_find(&m, &place, 1), -ENODEV);
	assert_int_equal(maps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bad_places_are_refused, setup),
		cmocka_unit_test_setup(ports_reach_256_bytes, setup),
		cmocka_unit_test_setup(memory_reaches_all_and_touches_no_port, setup_memory),
		cmocka_unit_test_setup(our_use_of_the_ports_does_not_show, setup),
		cmocka_unit_test_setup(capabilities_are_found_and_loops_end, setup),
		cmocka_unit_test_setup(msi_is_written_masked, setup),
		cmocka_unit_test_setup(plain_msi_has_its_data_elsewhere_and_no_mask, setup),
		cmocka_unit_test_setup(msix_entries_are_written_masked, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
