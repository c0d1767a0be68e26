/* SPDX-License-Identifier: MIT */
/*
 * Decode: the only layer that knows guest pointers, `current` and privilege. One file per hypercall
 * reads its arguments, checks them, and calls what performs with plain values.
 *
 * A hypercall returns its result for the guest's rax (0 or more, or -errno). Long ones return
 * -ERESTART after writing where to go on into c->arg[]: the dispatcher then puts arg[] back into
 * the guest's registers (or its multicall entry) and lets the guest issue the same call again.
 */
#ifndef HYPERCALL_HYPERCALL_H
#define HYPERCALL_HYPERCALL_H

#include "abi/errno.h" /* ERESTART stays inside: no guest ever sees it */
#include "domain/domain.h"

struct hypercall {
	struct vcpu *vcpu; /* the caller, == vcpu_current() */
	uint64_t arg[6];   /* rdi rsi rdx r10 r8 r9 */
};

typedef int64_t hypercall_fn(struct hypercall *c);

/* One per number of abi/xen.h (__HYPERVISOR_*), each in the file of its name: hypercall/<name>.c */
hypercall_fn hypercall_set_trap_table, hypercall_mmu_update, hypercall_set_gdt,
	hypercall_stack_switch, hypercall_set_callbacks, hypercall_fpu_taskswitch,
	hypercall_platform_op, hypercall_set_debugreg, hypercall_get_debugreg,
	hypercall_update_descriptor, hypercall_memory_op, hypercall_multicall,
	hypercall_update_va_mapping, hypercall_update_va_mapping_otherdomain,
	hypercall_set_timer_op, hypercall_xen_version, hypercall_console_io,
	hypercall_grant_table_op, hypercall_vm_assist, hypercall_vcpu_op,
	hypercall_set_segment_base, hypercall_mmuext_op, hypercall_sched_op, hypercall_callback_op,
	hypercall_event_channel_op, hypercall_physdev_op, hypercall_sysctl, hypercall_domctl;

/* Our own command line, for XENVER_commandline; set at boot. */
extern const char *host_command_line;

/* Called by x86/ for a syscall made in guest kernel mode: number in rax, result to rax. */
void hypercall_dispatch(struct vcpu *v, struct cpu_regs *regs);
/* Number __HYPERVISOR_iret, which has no arguments and no result. */
void hypercall_iret(struct vcpu *v, struct cpu_regs *regs);

#endif
