/* SPDX-License-Identifier: MIT */
/* What a guest sees of exceptions, events and system calls: frames built on its stacks with
 * fault-tolerant copies. */
#ifndef TRAP_TRAP_H
#define TRAP_TRAP_H

#include "domain/domain.h"

/* A page fault at cr2 that the CPU raised while the vCPU ran; any other exception. */
void trap_guest_page_fault(struct vcpu *v, struct cpu_regs *regs, uint64_t cr2);
void trap_guest_exception(struct vcpu *v, struct cpu_regs *regs);
/* The syscall instruction (or its 32-bit forms, by regs->vector) in guest user mode: go to the
 * registered callback. */
void trap_guest_syscall(struct vcpu *v, struct cpu_regs *regs);
/* Inject an exception as if the CPU had raised it. */
void trap_inject(struct vcpu *v, struct cpu_regs *regs, unsigned vector, uint32_t error_code);
/* On the way back to a guest: deliver a pending, unmasked event upcall (and NMI). Called until
 * nothing is left to do. */
void trap_deliver_pending(struct vcpu *v, struct cpu_regs *regs);
/* The way back to the guest faulted on what it gave (selectors, stack): its failsafe callback, or
 * #GP if it has none. */
void trap_failsafe(struct vcpu *v, struct cpu_regs *regs);

/* CPUID as guests see it: out = eax ebx ecx edx. trap/cpuid.c has the policy, bit by bit. */
void trap_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

#endif
