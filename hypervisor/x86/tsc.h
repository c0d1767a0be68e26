/* SPDX-License-Identifier: MIT */
/*
 * The time-stamp counter as the clock of the machine. Only x86/ and boot/main.c include this;
 * others see machine_now().
 */
#ifndef X86_TSC_H
#define X86_TSC_H

#include "lib/types.h"

/*
 * Measure its rate against HPET, PM timer or PIT (whichever is there, in this order); boot CPU,
 * after acpi_init(). Time starts here.
 */
void tsc_init(void);
uint64_t tsc_khz(void);
/*
 * Compare this CPU's counter with the boot CPU's: called by both at once, for the CPU that
 * comes up. Notes any disagreement.
 */
void tsc_check_boot_cpu(void);
void tsc_check_new_cpu(void);
/* Wait, by the TSC. */
void tsc_wait_us(unsigned us);

#endif
