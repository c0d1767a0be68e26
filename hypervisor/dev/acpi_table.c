/* SPDX-License-Identifier: MIT */
/*
 * Readers of single ACPI tables. Every access goes through acpi_field(), which knows the table's
 * end, so that no table, however broken, is read beyond it. What has no room is logged.
 */
#include "dev/acpi_table.h"

#include "console/log.h"

uint64_t acpi_field(const struct acpi_table *t, uint32_t offset, unsigned bytes)
{
	uint64_t value = 0;

	if (offset > t->length || bytes > t->length - offset)
		return 0;
	while (bytes--)
		value = value << 8 | t->data[offset + bytes];
	return value;
}

bool acpi_checksum_ok(const uint8_t *data, uint32_t length)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum == 0;
}

/* -- MADT, 5.2.12 -- */

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_ADDRESS = 5,
       MADT_X2APIC = 9 };

#define MADT_CPU_ENABLED	(1u << 0)
#define MADT_PCAT_COMPAT	(1u << 0)

static void add_cpu(struct acpi_info *info, uint64_t apic_id, uint64_t acpi_id, uint64_t flags)
{
	if (!(flags & MADT_CPU_ENABLED))
		return;
	for (unsigned i = 0; i < info->nr_cpus; i++)
		if (info->cpu[i].apic_id == apic_id)
			return;
	if (info->nr_cpus == CPU_MAX) {
		log_warning("acpi: more than %u CPUs, APIC id %u is left out", CPU_MAX,
			    (unsigned)apic_id);
		return;
	}
	info->cpu[info->nr_cpus++] = (struct acpi_cpu){ (uint32_t)apic_id, (uint32_t)acpi_id };
}

static void add_ioapic(struct acpi_info *info, uint64_t id, uint64_t address, uint64_t gsi_base)
{
	if (info->nr_ioapics == ACPI_MAX_IOAPICS || !address) {
		log_warning("acpi: IO-APIC %u is left out", (unsigned)id);
		return;
	}
	info->ioapic[info->nr_ioapics++] = (struct acpi_ioapic){
		.id = (uint32_t)id, .gsi_base = (uint32_t)gsi_base, .address = address,
	};
}

/* MPS INTI flags, table 5.26: 0 means as the bus does, which for ISA is edge and active high. */
static void add_override(struct acpi_info *info, uint64_t irq, uint64_t gsi, uint64_t flags)
{
	if (info->nr_overrides == ACPI_MAX_OVERRIDES || irq > 15) {
		log_warning("acpi: override of interrupt %u is left out", (unsigned)irq);
		return;
	}
	info->override[info->nr_overrides++] = (struct acpi_override){
		.irq = (uint32_t)irq, .gsi = (uint32_t)gsi,
		.level = (flags >> 2 & 3) == 3, .active_low = (flags & 3) == 3,
	};
}

void acpi_read_madt(struct acpi_info *info, const struct acpi_table *t)
{
	uint32_t length;

	info->lapic_address = acpi_field(t, 36, 4);
	info->has_8259 = acpi_field(t, 40, 4) & MADT_PCAT_COMPAT;
	for (uint32_t at = 44; at + 2 <= t->length; at += length) {
		length = (uint32_t)acpi_field(t, at + 1, 1);
		if (length < 2 || length > t->length - at) {
			log_warning("acpi: MADT entry at %u has length %u", at, length);
			return;
		}
		switch (acpi_field(t, at, 1)) {
		case MADT_LAPIC:
			add_cpu(info, acpi_field(t, at + 3, 1), acpi_field(t, at + 2, 1),
				acpi_field(t, at + 4, 4));
			break;
		case MADT_X2APIC:
			add_cpu(info, acpi_field(t, at + 4, 4), acpi_field(t, at + 12, 4),
				acpi_field(t, at + 8, 4));
			break;
		case MADT_IOAPIC:
			add_ioapic(info, acpi_field(t, at + 2, 1), acpi_field(t, at + 4, 4),
				   acpi_field(t, at + 8, 4));
			break;
		case MADT_OVERRIDE:
			add_override(info, acpi_field(t, at + 3, 1), acpi_field(t, at + 4, 4),
				     acpi_field(t, at + 8, 2));
			break;
		case MADT_LAPIC_ADDRESS:
			info->lapic_address = acpi_field(t, at + 4, 8);
			break;
		default:
			break;
		}
	}
}

/* -- MCFG (PCI Firmware Specification 3.2, 4.1.2), HPET (IA-PC HPET 1.0a, 3.2.4) -- */

void acpi_read_mcfg(struct acpi_info *info, const struct acpi_table *t)
{
	for (uint32_t at = 44; at + 16 <= t->length; at += 16) {
		struct acpi_mcfg m = {
			.address = acpi_field(t, at, 8),
			.segment = (uint16_t)acpi_field(t, at + 8, 2),
			.first_bus = (uint8_t)acpi_field(t, at + 10, 1),
			.last_bus = (uint8_t)acpi_field(t, at + 11, 1),
		};

		if (info->nr_mcfg == ACPI_MAX_MCFG || !m.address || m.last_bus < m.first_bus)
			log_warning("acpi: MCFG window of segment %u is left out", m.segment);
		else
			info->mcfg[info->nr_mcfg++] = m;
	}
}

void acpi_read_hpet(struct acpi_info *info, const struct acpi_table *t)
{
	if (acpi_field(t, 40, 1) == ACPI_SPACE_MEMORY)
		info->hpet_address = acpi_field(t, 44, 8);
}

/* -- FADT, 5.2.9 -- */

#define FADT_TIMER_32BIT	(1u << 8)
#define FADT_RESET_SUPPORTED	(1u << 10)

static struct acpi_register generic_address(const struct acpi_table *t, uint32_t at)
{
	return (struct acpi_register){
		.space = (uint8_t)acpi_field(t, at, 1),
		.bits = (uint8_t)acpi_field(t, at + 1, 1),
		.address = acpi_field(t, at + 4, 8),
	};
}

/* A block that newer tables describe at `extended` and older ones as a port at `legacy`. */
static struct acpi_register block(const struct acpi_table *t, uint32_t extended, uint32_t legacy,
				  uint8_t bits)
{
	struct acpi_register r = generic_address(t, extended);

	if (!r.address || r.space > ACPI_SPACE_IO)
		r = (struct acpi_register){ ACPI_SPACE_IO, bits, acpi_field(t, legacy, 4) };
	return r;
}

void acpi_read_fadt(struct acpi_info *info, const struct acpi_table *t, uint64_t *dsdt)
{
	uint32_t flags = (uint32_t)acpi_field(t, 112, 4);

	info->pm1a_event = block(t, 148, 56, 32);
	info->pm1b_event = block(t, 160, 60, 32);
	info->pm1a_control = block(t, 172, 64, 16);
	info->pm1b_control = block(t, 184, 68, 16);
	info->pm_timer = block(t, 208, 76, 32);
	info->pm_timer_32bit = flags & FADT_TIMER_32BIT;
	info->sleep_control = generic_address(t, 244);
	if (flags & FADT_RESET_SUPPORTED) {
		info->reset = generic_address(t, 116);
		info->reset_value = (uint8_t)acpi_field(t, 128, 1);
	}
	*dsdt = acpi_field(t, 140, 8);
	if (!*dsdt)
		*dsdt = acpi_field(t, 40, 4);
}

/* -- \_S5 in the DSDT: Name (_S5, Package (n) { SLP_TYPa, SLP_TYPb, ... }), 7.4.2, 20.2 -- */

enum { AML_ZERO = 0x00, AML_ONE = 0x01, AML_NAME = 0x08, AML_BYTE = 0x0a, AML_PACKAGE = 0x12 };

/* One constant at *at, which moves behind it. */
static bool aml_byte(const struct acpi_table *t, uint32_t *at, uint8_t *value)
{
	uint64_t op = acpi_field(t, *at, 1);

	if (*at >= t->length || (op != AML_ZERO && op != AML_ONE && op != AML_BYTE))
		return false;
	*value = (uint8_t)op;
	if (op == AML_BYTE)
		*value = (uint8_t)acpi_field(t, ++*at, 1);
	++*at;
	return *value <= 7;		/* SLP_TYP has three bits */
}

void acpi_read_s5(struct acpi_info *info, const struct acpi_table *t)
{
	static const uint32_t name = '_' | 'S' << 8 | '5' << 16 | (uint32_t)'_' << 24;

	for (uint32_t at = ACPI_HEADER_BYTES + 2; at + 7 <= t->length; at++) {
		uint32_t p = at + 5;
		uint64_t before = acpi_field(t, at - 1, 1);
		uint8_t a, b;

		if (acpi_field(t, at, 4) != name || acpi_field(t, at + 4, 1) != AML_PACKAGE)
			continue;
		if (before == '\\')
			before = acpi_field(t, at - 2, 1);
		if (before != AML_NAME)
			continue;
		/* PkgLength: the top bits of its first byte count the bytes that follow it. */
		p += 1 + (uint32_t)(acpi_field(t, p, 1) >> 6);
		p += 1;			/* NumElements */
		if (aml_byte(t, &p, &a) && aml_byte(t, &p, &b)) {
			info->s5_known = true;
			info->s5_type_a = a;
			info->s5_type_b = b;
			return;
		}
	}
}
