/* SPDX-License-Identifier: MIT */
/*
 * The end of the hypervisor, told on the console. Only x86/ includes this; everybody else has
 * panic() of lib/assert.h.
 */
#ifndef X86_PANIC_H
#define X86_PANIC_H

#include "lib/types.h"
#include "x86/regs.h"

/* An exception of our own that nobody expected. */
_Noreturn void panic_by_trap(const struct cpu_regs *regs, uint64_t cr2);
/* In the NMI handler: another CPU panics and wants us to stop. */
void panic_stop_if_asked(void);

#endif
