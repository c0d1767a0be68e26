/* SPDX-License-Identifier: MIT */
/*
 * What the firmware's ACPI tables say about the machine: CPUs, IO-APICs, fixed hardware, PCI windows. Read once by acpi_init() on the boot CPU,
 * constant afterwards. Nothing in the tables is trusted: every length is checked, and what makes no sense is left out with one warning.
 * Numbers and layouts are those of the ACPI specification 6.4, chapter 5. AML is dom0's business; all that is read of it is \_S5.
 */
#ifndef DEV_ACPI_H
#define DEV_ACPI_H

#include "lib/cpumask.h"
#include "lib/types.h"

#define ACPI_MAX_IOAPICS	64
#define ACPI_MAX_OVERRIDES	24
#define ACPI_MAX_MCFG		16

enum acpi_space { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1, ACPI_SPACE_PCI = 2 };

/* A register (generic address structure, 5.2.3.2); address 0: there is none. */
struct acpi_register {
	uint8_t space;			/* enum acpi_space */
	uint8_t bits;			/* its width */
	uint64_t address;		/* port, physical address, or device << 32 | function << 16 | offset on bus 0 */
};

/* An enabled CPU (MADT types 0 and 9), the boot CPU among them. */
struct acpi_cpu {
	uint32_t apic_id;
	uint32_t acpi_id;
};

struct acpi_ioapic {
	uint32_t id;
	uint32_t gsi_base;
	uint64_t address;
};

/* ISA interrupt `irq` is wired to `gsi` (MADT type 2); without an entry irq == gsi, edge, active high. */
struct acpi_override {
	uint32_t irq;
	uint32_t gsi;
	bool level;
	bool active_low;
};

/* A window of memory-mapped configuration space: 1 MiB for each bus, the first at address + (first_bus << 20). */
struct acpi_mcfg {
	uint64_t address;
	uint16_t segment;
	uint8_t first_bus, last_bus;
};

struct acpi_info {
	bool present;			/* tables were found; else all below is 0 */
	unsigned nr_cpus, nr_ioapics, nr_overrides, nr_mcfg;
	struct acpi_cpu cpu[CPU_MAX];
	struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];	/* by ascending gsi_base */
	struct acpi_override override[ACPI_MAX_OVERRIDES];
	struct acpi_mcfg mcfg[ACPI_MAX_MCFG];
	uint64_t lapic_address;
	bool has_8259;			/* MADT PCAT_COMPAT: mask the two PICs */
	uint64_t hpet_address;		/* 0: none */
	unsigned sci_irq;		/* the ISA number or GSI of the system control interrupt */
	struct acpi_register pm_timer;
	bool pm_timer_32bit;		/* it counts 32 bits, else 24; 3579545 Hz */
	struct acpi_register pm1a_control, pm1b_control;
	struct acpi_register pm1a_event, pm1b_event;	/* status in the lower half, enable in the upper */
	uint8_t pm1_event_bytes;	/* of each event block, both halves */
	struct acpi_register reset;
	uint8_t reset_value;
	bool no_8042;			/* FADT says that there is no keyboard controller */
	bool no_vga;			/* FADT says: don't touch VGA */
	bool s5_known;			/* \_S5 was found in the DSDT: SLP_TYP values for power off */
	uint8_t s5_type_a, s5_type_b;
};

/* Constant after acpi_init(). */
extern struct acpi_info acpi;

/*
 * Find and read the tables. `rsdp` is the copy that the boot loader handed over (multiboot2 tags 14 and 15), `size` bytes of it; NULL: look in the
 * BIOS areas. Needs machine_map_device(), nothing else. Without tables acpi.present stays false and a warning is logged.
 */
void acpi_init(const void *rsdp, size_t size);

/* Where ISA interrupt `irq` (0-15) arrives, and how: its override, or identity. */
struct acpi_override acpi_isa_irq(unsigned irq);

/*
 * Enter sleep state 5 by writing SLP_TYP and SLP_EN to the PM1 control registers (4.8.3.2.1). `val_a`, `val_b` are whole register values as Linux gives
 * them. Returns only if the hardware did not obey.
 */
void acpi_power_off(uint16_t val_a, uint16_t val_b);
/* Write the reset register. Returns only if there is none or it did not work. */
void acpi_reset(void);

#endif
