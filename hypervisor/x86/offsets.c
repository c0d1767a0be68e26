/* SPDX-License-Identifier: MIT */
/*
 * Offsets of C structures for assembly; never linked. The makefile picks the lines with "->"
 * out of the compiler's output.
 */
#include "x86/cpu.h"

#define DEFINE(name, value)	asm volatile(".ascii \"->" #name " %0\"" : : "i"(value))

void offsets(void);

void offsets(void)
{
	DEFINE(REGS_SIZE, sizeof(struct cpu_regs));
	DEFINE(REGS_VECTOR, offsetof(struct cpu_regs, vector));
	DEFINE(REGS_RIP, offsetof(struct cpu_regs, rip));
	DEFINE(REGS_CS, offsetof(struct cpu_regs, cs));
	DEFINE(REGS_RFLAGS, offsetof(struct cpu_regs, rflags));
	DEFINE(REGS_RCX, offsetof(struct cpu_regs, rcx));
	DEFINE(REGS_R11, offsetof(struct cpu_regs, r11));
	DEFINE(INFO_FROM_TOP, sizeof(struct cpu_info) - offsetof(struct cpu_info, regs));
	DEFINE(CPUS, CPU_MAX);
}
