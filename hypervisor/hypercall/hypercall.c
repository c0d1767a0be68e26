/* SPDX-License-Identifier: MIT */
/* From the syscall instruction in guest kernel mode to the function of its number, and several in
 * one (multicall). */
#include "abi/errno.h"
#include "abi/xen.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"
#include "x86/machine.h"

#define SYSCALL_BYTES 2 /* length of the instruction that a restarted hypercall issues again */

static hypercall_fn *const table[] = {
	[__HYPERVISOR_set_trap_table] = hypercall_set_trap_table,
	[__HYPERVISOR_mmu_update] = hypercall_mmu_update,
	[__HYPERVISOR_set_gdt] = hypercall_set_gdt,
	[__HYPERVISOR_stack_switch] = hypercall_stack_switch,
	[__HYPERVISOR_set_callbacks] = hypercall_set_callbacks,
	[__HYPERVISOR_fpu_taskswitch] = hypercall_fpu_taskswitch,
	[__HYPERVISOR_platform_op] = hypercall_platform_op,
	[__HYPERVISOR_set_debugreg] = hypercall_set_debugreg,
	[__HYPERVISOR_get_debugreg] = hypercall_get_debugreg,
	[__HYPERVISOR_update_descriptor] = hypercall_update_descriptor,
	[__HYPERVISOR_memory_op] = hypercall_memory_op,
	[__HYPERVISOR_multicall] = hypercall_multicall,
	[__HYPERVISOR_update_va_mapping] = hypercall_update_va_mapping,
	[__HYPERVISOR_set_timer_op] = hypercall_set_timer_op,
	[__HYPERVISOR_xen_version] = hypercall_xen_version,
	[__HYPERVISOR_console_io] = hypercall_console_io,
	[__HYPERVISOR_grant_table_op] = hypercall_grant_table_op,
	[__HYPERVISOR_vm_assist] = hypercall_vm_assist,
	[__HYPERVISOR_update_va_mapping_otherdomain] = hypercall_update_va_mapping_otherdomain,
	[__HYPERVISOR_vcpu_op] = hypercall_vcpu_op,
	[__HYPERVISOR_set_segment_base] = hypercall_set_segment_base,
	[__HYPERVISOR_mmuext_op] = hypercall_mmuext_op,
	[__HYPERVISOR_sched_op] = hypercall_sched_op,
	[__HYPERVISOR_callback_op] = hypercall_callback_op,
	[__HYPERVISOR_event_channel_op] = hypercall_event_channel_op,
	[__HYPERVISOR_physdev_op] = hypercall_physdev_op,
	[__HYPERVISOR_sysctl] = hypercall_sysctl,
	[__HYPERVISOR_domctl] = hypercall_domctl,
};

/* Those that can be long: their budget runs from their start (a multicall's from its own, not from
 * its parts'). */
#define LONG_ONES                                                                                  \
	(1ull << __HYPERVISOR_mmu_update | 1ull << __HYPERVISOR_memory_op |                        \
	 1ull << __HYPERVISOR_multicall | 1ull << __HYPERVISOR_update_va_mapping |                 \
	 1ull << __HYPERVISOR_grant_table_op |                                                     \
	 1ull << __HYPERVISOR_update_va_mapping_otherdomain | 1ull << __HYPERVISOR_vcpu_op |       \
	 1ull << __HYPERVISOR_mmuext_op | 1ull << __HYPERVISOR_domctl |                            \
	 1ull << __HYPERVISOR_sysctl | 1ull << __HYPERVISOR_set_gdt |                              \
	 1ull << __HYPERVISOR_event_channel_op)

/* The function of a number; the mask keeps a mispredicted bound from reading beyond the table
 * (Spectre v1). */
static inline hypercall_fn *lookup(uint64_t nr)
{
	uint64_t mask;

	if (unlikely(nr >= ARRAY_SIZE(table)))
		return NULL;
	asm volatile("cmp %1, %2; sbb %0, %0"
		     : "=r"(mask)
		     : "ri"((uint64_t)ARRAY_SIZE(table)), "r"(nr)
		     : "cc");
	return table[nr & mask];
}

static void call(struct vcpu *v, struct cpu_regs *regs)
{
	struct hypercall c = { v,
			       { regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9 } };
	hypercall_fn *fn = lookup(regs->rax);
	int64_t rc;

	if (unlikely(!fn)) {
		regs->rax = (uint64_t)-ENOSYS;
		return;
	}
	if (LONG_ONES >> regs->rax & 1)
		machine_budget_start();
	rc = fn(&c);
	if (likely(rc != -ERESTART)) {
		regs->rax = (uint64_t)rc;
		return;
	}
	regs->rip -= SYSCALL_BYTES;
	regs->rdi = c.arg[0];
	regs->rsi = c.arg[1];
	regs->rdx = c.arg[2];
	regs->r10 = c.arg[3];
	regs->r8 = c.arg[4];
	regs->r9 = c.arg[5];
}

void hypercall_dispatch(struct vcpu *v, struct cpu_regs *regs)
{
	if (regs->rax == __HYPERVISOR_iret)
		hypercall_iret(v, regs);
	else
		call(v, regs);
}

/* One entry: its result, or its rewritten arguments if it is to go on. 0, -EFAULT, -ERESTART. */
static int multicall_entry(struct vcpu *v, guest_ptr_t at)
{
	struct multicall_entry e;
	struct hypercall c = { .vcpu = v };
	hypercall_fn *fn;
	int64_t rc = -ENOSYS;

	if (copy_from_guest(&e, at, sizeof(e)))
		return -EFAULT;
	fn = lookup(e.op);
	/* A multicall in a multicall would recurse; iret has no caller to come back to. */
	if (e.op == __HYPERVISOR_multicall || e.op == __HYPERVISOR_iret) {
		rc = -EINVAL;
	} else if (fn) {
		for (unsigned i = 0; i < 6; i++)
			c.arg[i] = e.args[i];
		rc = fn(&c);
	}
	if (rc != -ERESTART) {
		e.result = (xen_ulong_t)rc;
		at.va += offsetof(struct multicall_entry, result);
		return copy_to_guest(at, &e.result, sizeof(e.result));
	}
	for (unsigned i = 0; i < 6; i++)
		e.args[i] = c.arg[i];
	at.va += offsetof(struct multicall_entry, args);
	return copy_to_guest(at, e.args, sizeof(e.args)) ? -EFAULT : -ERESTART;
}

/* multicall(entries, nr): each entry in order, whatever the others' results. */
int64_t hypercall_multicall(struct hypercall *c)
{
	guest_ptr_t entries = { c->arg[0] };
	uint32_t nr = (uint32_t)c->arg[1], i;
	int rc = 0;

	for (i = 0; i < nr; i++) {
		if (i && machine_budget_spent())
			rc = -ERESTART;
		if (!rc)
			rc = multicall_entry(
				c->vcpu, guest_ptr_at(entries, i, sizeof(struct multicall_entry)));
		if (rc)
			break;
	}
	c->arg[0] = guest_ptr_at(entries, i, sizeof(struct multicall_entry)).va;
	c->arg[1] = nr - i;
	return rc;
}
