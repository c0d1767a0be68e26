/* SPDX-License-Identifier: MIT */
/* Instructions that a deprivileged guest kernel can't run itself, carried out for it. */
#ifndef TRAP_EMULATE_H
#define TRAP_EMULATE_H

#include "trap/decode.h"
#include "trap/trap.h"

enum emulated {
	EMULATE_DONE,	 /* carried out, rip is after it (or at it: a repeated one goes on) */
	EMULATE_REFUSED, /* not ours: the guest gets the exception */
	EMULATE_FAULT,	 /* another exception was injected */
};

/* Fetch what can be read of the instruction at rip. */
void emulate_fetch(struct insn *in, const struct cpu_regs *regs);
/* A #GP with error code 0 in a guest: port I/O, control and debug registers, MSRs, and the like.
 * privop.c */
enum emulated emulate_privileged(struct vcpu *v, struct cpu_regs *regs);
/* in, out, ins, outs; `in` has its opcode decoded. portio.c */
enum emulated emulate_port(struct vcpu *v, struct cpu_regs *regs, struct insn *in);
/* rdmsr, wrmsr by number: false is a #GP for the guest. msr.c */
bool emulate_msr_read(struct vcpu *v, uint32_t msr, uint64_t *value);
bool emulate_msr_write(struct vcpu *v, uint32_t msr, uint64_t value);
/* A write fault at `va` which may be the guest's own update of a page table. ptwrite.c */
enum emulated emulate_table_write(struct vcpu *v, struct cpu_regs *regs, uint64_t va);

#endif
