/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of this CPU: interrupts to other CPUs, acknowledgements, the timer. xAPIC or
 * x2APIC.
 */
#ifndef X86_APIC_H
#define X86_APIC_H

#include "lib/types.h"
#include "x86/entry.h"

/*
 * Choose the mode and map the registers; boot CPU, once. `address` is what ACPI says, 0: the
 * usual.
 */
void apic_init(uint64_t address);
/* Enable this CPU's, and note its id in cpu_info. */
void apic_init_cpu(void);
/* Measure the timer's rate against the TSC; boot CPU, after tsc_init(). */
void apic_calibrate(void);
/* Raise `vector` on another CPU. */
void apic_send(unsigned cpu, uint8_t vector);
/* NMI to all others, for the end. */
void apic_send_nmi_others(void);
/*
 * INIT and start-up messages for a CPU that waits (Intel SDM 3A 8.4.4.1); `page` is the frame
 * number of its first code.
 */
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint8_t page);
/* Acknowledge the interrupt that is served. */
void apic_eoi(void);
/* Fire VECTOR_TIMER at this TSC value; ~0: never. */
void apic_timer(uint64_t tsc);

#endif
