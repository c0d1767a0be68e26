/* SPDX-License-Identifier: MIT */
/*
 * The part of the machine's seam that routes device interrupts: IO-APIC lines, the messages that
 * reach a CPU, the acknowledgement. x86/ioapic.c on iron; unit tests of irq/ bring their own.
 * Callers serialise calls for one line; different lines may be handled on different CPUs at once.
 */
#ifndef X86_MACHINE_IRQ_H
#define X86_MACHINE_IRQ_H

#include "lib/types.h"

/* What a device writes to interrupt a CPU (Intel SDM 3A 11.11). */
struct msi_message {
	uint64_t address;
	uint32_t data;
};

/* Find the IO-APICs that ACPI names, mask all their lines and both 8259s. */
void machine_ioapic_init(void);
/* The number after the highest line; some below may not exist. */
unsigned machine_gsi_count(void);
bool machine_gsi_exists(unsigned gsi);
/* Send line `gsi` to `vector` on `cpu`. Leaves it masked. */
void machine_gsi_route(unsigned gsi, unsigned cpu, uint8_t vector, bool level, bool active_low);
void machine_gsi_mask(unsigned gsi, bool masked);
/* Read a register (0: id, 1: version, 0x10..: entries) of the IO-APIC at `paddr`. 0 or -ENODEV. */
int machine_ioapic_read(uint64_t paddr, unsigned reg, uint32_t *value);
/* The message that raises `vector` on `cpu`. */
struct msi_message machine_msi_message(unsigned cpu, uint8_t vector);
/* Can devices interrupt this CPU? (An APIC id of 255 or more needs interrupt remapping.) */
bool machine_irq_reaches(unsigned cpu);
/* The local APIC's id, as ACPI names it. */
uint32_t machine_apic_id(unsigned cpu);
/* Acknowledge the interrupt that this CPU is serving. */
void machine_irq_ack(void);

#endif
