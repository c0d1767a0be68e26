/* SPDX-License-Identifier: MIT */
/*
 * What the firmware's ACPI tables say about the machine: CPUs, IO-APICs, fixed hardware, PCI
 * windows. Read once by acpi_init() on the boot CPU, constant afterwards. Nothing in the tables is
 * trusted: every length is checked, and what makes no sense is left out with one warning. Numbers
 * and layouts are those of the ACPI specification 6.4, chapter 5. AML is dom0's business; all that
 * is read of it is \_S5.
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
	uint64_t address;		/* port, physical, or device << 32 | function << 16 | reg */
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

/* ISA interrupt `irq` is wired to `gsi` (MADT type 2); by default irq == gsi, edge, active high. */
struct acpi_override {
	uint32_t irq;
	uint32_t gsi;
	bool level;
	bool active_low;
};

/* Configuration space in memory: 1 MiB for each bus, the first at address + (first_bus << 20). */
struct acpi_mcfg {
	uint64_t address;
	uint16_t segment;
	uint8_t first_bus, last_bus;
};

struct acpi_info {
	bool present;			/* tables were found; else all below is 0 */
	unsigned nr_cpus, nr_ioapics, nr_overrides, nr_mcfg;
	struct acpi_cpu cpu[CPU_MAX];
	struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
	struct acpi_override override[ACPI_MAX_OVERRIDES];
	struct acpi_mcfg mcfg[ACPI_MAX_MCFG];
	uint64_t lapic_address;
	bool has_8259;			/* MADT PCAT_COMPAT: the two PICs exist */
	uint64_t hpet_address;		/* 0: none */
	struct acpi_register pm_timer;	/* 3579545 Hz */
	bool pm_timer_32bit;		/* it counts 32 bits, else 24 */
	struct acpi_register pm1a_control, pm1b_control;
	struct acpi_register pm1a_event, pm1b_event;
	struct acpi_register sleep_control;	/* of hardware-reduced machines */
	struct acpi_register reset;
	uint8_t reset_value;
	bool s5_known;			/* \_S5 was found in the DSDT: sleep types for power off */
	uint8_t s5_type_a, s5_type_b;
};

/* Constant after acpi_init(). */
extern struct acpi_info acpi;

/*
 * Find and read the tables. `rsdp` is the copy that the boot loader handed over (multiboot2 tags 14
 * and 15), `size` bytes of it; NULL: look in the BIOS areas. Needs machine_map_device(), nothing
 * else. Without tables acpi.present stays false and a warning is logged.
 */
void acpi_init(const void *rsdp, size_t size);

/* Where ISA interrupt `irq` (0-15) arrives, and how: its override, or identity. */
struct acpi_override acpi_isa_irq(unsigned irq);
/* How line `gsi` signals if nobody says otherwise: as its ISA interrupt, or level, low as PCI. */
struct acpi_override acpi_gsi_default(unsigned gsi);

/*
 * Enter sleep state 5 by the PM1 control registers (4.8.3.2.1); the values are whole register
 * contents, as Linux gives them. Returns only if the hardware did not obey.
 */
void acpi_power_off(uint16_t val_a, uint16_t val_b);
/* The same by the sleep control register of hardware-reduced machines (4.8.3.7). */
void acpi_power_off_extended(uint8_t type);
/* The same with the values of \_S5, if they are known. */
void acpi_power_off_by_dsdt(void);
/* Write the reset register. Returns only if there is none or it did not work. */
void acpi_reset(void);

#endif
