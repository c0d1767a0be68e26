/* SPDX-License-Identifier: MIT */
/*
 * Finding the ACPI tables, and the few registers of them that the hypervisor itself writes: power
 * off and reset. Tables lie wherever the firmware put them, so each is mapped as device memory,
 * first its header, then as much as the header says (up to a limit). Runs on the boot CPU; no lock.
 */
#include "dev/acpi.h"

#include "console/log.h"
#include "dev/acpi_table.h"
#include "dev/pci.h"
#include "lib/string.h"
#include "x86/machine.h"

#define TABLE_MAX	(4u << 20)	/* the largest DSDTs are well below */
#define TABLES_MAX	256		/* entries of a root table that are looked at */

#define PM1_STATUS_WAKE	(1u << 15)
#define PM1_SLEEP_TYPE	(7u << 10)
#define PM1_SLEEP_ENABLE (1u << 13)
#define SLEEP_CONTROL_ENABLE (1u << 5)

struct acpi_info acpi;

/* Map a table. False (and one warning) if there is none that can be believed. */
static bool map_table(uint64_t address, struct acpi_table *t)
{
	const uint8_t *header;

	header = address ? machine_map_device(address, ACPI_HEADER_BYTES, false) : NULL;
	if (!header)
		return false;
	t->data = header;
	t->length = ACPI_HEADER_BYTES;
	t->length = (uint32_t)acpi_field(t, 4, 4);
	if (t->length >= ACPI_HEADER_BYTES && t->length <= TABLE_MAX) {
		t->data = machine_map_device(address, t->length, false);
		if (t->data && acpi_checksum_ok(t->data, t->length))
			return true;
	}
	log_warning("acpi: bad table %.4s at %#lx, %u bytes", (const char *)header,
		    (unsigned long)address, t->length);
	return false;
}

static bool has_signature(const struct acpi_table *t, const char *signature)
{
	return memcmp(t->data, signature, 4) == 0;
}

static void read_table(uint64_t address)
{
	struct acpi_table t, dsdt_table;
	uint64_t dsdt;

	if (!map_table(address, &t))
		return;
	if (has_signature(&t, "APIC") && !acpi.nr_cpus) {
		acpi_read_madt(&acpi, &t);
	} else if (has_signature(&t, "MCFG") && !acpi.nr_mcfg) {
		acpi_read_mcfg(&acpi, &t);
	} else if (has_signature(&t, "HPET") && !acpi.hpet_address) {
		acpi_read_hpet(&acpi, &t);
	} else if (has_signature(&t, "FACP")) {
		acpi_read_fadt(&acpi, &t, &dsdt);
		if (map_table(dsdt, &dsdt_table) && has_signature(&dsdt_table, "DSDT"))
			acpi_read_s5(&acpi, &dsdt_table);
	}
}

/* RSDT and XSDT (5.2.7, 5.2.8): addresses of 4 or 8 bytes behind the header. */
static bool read_root(uint64_t address, unsigned entry_bytes)
{
	struct acpi_table root;
	uint32_t n;

	if (!map_table(address, &root))
		return false;
	n = (root.length - ACPI_HEADER_BYTES) / entry_bytes;
	if (n > TABLES_MAX) {
		log_warning("acpi: %u tables, %u of them are read", n, TABLES_MAX);
		n = TABLES_MAX;
	}
	for (uint32_t i = 0; i < n; i++)
		read_table(acpi_field(&root, ACPI_HEADER_BYTES + i * entry_bytes, entry_bytes));
	return true;
}

/* The root pointer (5.2.5.3): 20 bytes with the RSDT; from revision 2 on, 36 with the XSDT. */
static bool read_rsdp(const uint8_t *rsdp, size_t size)
{
	struct acpi_table t = { rsdp, (uint32_t)min(size, (size_t)36) };

	if (size < 20 || memcmp(rsdp, "RSD PTR ", 8) || !acpi_checksum_ok(rsdp, 20))
		return false;
	if (size >= 36 && rsdp[15] >= 2 && acpi_checksum_ok(rsdp, 36) &&
	    read_root(acpi_field(&t, 24, 8), 8))
		return true;
	return read_root(acpi_field(&t, 16, 4), 4);
}

/* Try each 16-byte boundary of [start, start + size). */
static bool scan(uint64_t start, uint64_t size)
{
	const uint8_t *area = machine_map_device(start, size, false);

	if (!area)
		return false;
	for (uint64_t at = 0; at + 20 <= size; at += 16)
		if (read_rsdp(area + at, size - at))
			return true;
	return false;
}

/* 5.2.5.1: the first KiB of the EBDA (its segment is at 0x40e), then 0xe0000-0xfffff. */
static bool scan_bios(void)
{
	const uint8_t *segment = machine_map_device(0x40e, 2, false);
	uint64_t ebda = segment ? (uint64_t)(segment[0] | segment[1] << 8) << 4 : 0;

	if (ebda >= 0x80000 && ebda < 0xa0000 && scan(ebda, 1024))
		return true;
	return scan(0xe0000, 0x20000);
}

void acpi_init(const void *rsdp, size_t size)
{
	acpi.present = rsdp ? read_rsdp(rsdp, size) : scan_bios();
	if (!acpi.present) {
		log_warning("acpi: no tables; one CPU and no device interrupts");
		return;
	}
	log_info("acpi: %u CPUs, %u IO-APICs, %u PCI windows%s%s", acpi.nr_cpus, acpi.nr_ioapics,
		 acpi.nr_mcfg, acpi.hpet_address ? ", HPET" : "", acpi.s5_known ? ", S5" : "");
}

struct acpi_override acpi_isa_irq(unsigned irq)
{
	for (unsigned i = 0; i < acpi.nr_overrides; i++)
		if (acpi.override[i].irq == irq)
			return acpi.override[i];
	return (struct acpi_override){ .irq = irq, .gsi = irq };
}

struct acpi_override acpi_gsi_default(unsigned gsi)
{
	for (unsigned i = 0; i < acpi.nr_overrides; i++)
		if (acpi.override[i].gsi == gsi)
			return acpi.override[i];
	return (struct acpi_override){ .irq = gsi, .gsi = gsi, .level = gsi > 15,
				       .active_low = gsi > 15 };
}

/* -- registers -- */

static uint32_t register_read(const struct acpi_register *r, unsigned bytes)
{
	if (r->space == ACPI_SPACE_IO)
		return machine_port_in((uint16_t)r->address, bytes);
	return 0;
}

static void register_write(const struct acpi_register *r, unsigned bytes, uint32_t value)
{
	volatile void *va;

	if (!r->address)
		return;
	if (r->space == ACPI_SPACE_IO) {
		machine_port_out((uint16_t)r->address, bytes, value);
	} else if (r->space == ACPI_SPACE_PCI) {
		struct pci_address at = { .devfn = (uint8_t)((r->address >> 32 & 0x1f) << 3 |
							     (r->address >> 16 & 7)) };

		pci_write(at, r->address & 0xffff, bytes, value);
	} else if (r->space == ACPI_SPACE_MEMORY) {
		va = machine_map_device(r->address, bytes, false);
		if (va && bytes == 1)
			*(volatile uint8_t *)va = (uint8_t)value;
		else if (va)
			*(volatile uint16_t *)va = (uint16_t)value;
	}
}

/* Give the hardware a moment to obey. */
static void wait_ms(unsigned ms)
{
	uint64_t until = machine_now() + ms * 1000000ull;

	while (machine_now() < until)
		machine_relax();
}

void acpi_power_off(uint16_t val_a, uint16_t val_b)
{
	register_write(&acpi.pm1a_event, 2, PM1_STATUS_WAKE);
	register_write(&acpi.pm1b_event, 2, PM1_STATUS_WAKE);
	register_write(&acpi.pm1a_control, 2, val_a & ~PM1_SLEEP_ENABLE);
	register_write(&acpi.pm1b_control, 2, val_b & ~PM1_SLEEP_ENABLE);
	register_write(&acpi.pm1a_control, 2, val_a | PM1_SLEEP_ENABLE);
	register_write(&acpi.pm1b_control, 2, val_b | PM1_SLEEP_ENABLE);
	wait_ms(1000);
}

void acpi_power_off_extended(uint8_t type)
{
	register_write(&acpi.sleep_control, 1, (uint32_t)(type & 7) << 2 | SLEEP_CONTROL_ENABLE);
	wait_ms(1000);
}

void acpi_power_off_by_dsdt(void)
{
	uint32_t a = register_read(&acpi.pm1a_control, 2) & ~PM1_SLEEP_TYPE;
	uint32_t b = register_read(&acpi.pm1b_control, 2) & ~PM1_SLEEP_TYPE;

	if (!acpi.s5_known)
		return;
	if (acpi.pm1a_control.address)
		acpi_power_off((uint16_t)(a | acpi.s5_type_a << 10),
			       (uint16_t)(b | acpi.s5_type_b << 10));
	acpi_power_off_extended(acpi.s5_type_a);
}

void acpi_reset(void)
{
	register_write(&acpi.reset, 1, acpi.reset_value);
	wait_ms(100);
}
