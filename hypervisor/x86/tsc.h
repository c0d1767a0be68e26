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
/*
 * Let another clock (read(), counting up under `mask`) run beside the TSC for some 20 ms or more:
 * how far each came. False if the other stands still.
 */
bool tsc_compare(uint64_t (*read)(void), uint64_t mask, uint64_t *tsc_ticks, uint64_t *clock_ticks);
/* Wait, by the TSC. */
void tsc_wait_us(unsigned us);

#endif
