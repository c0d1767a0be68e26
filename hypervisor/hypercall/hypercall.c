/* SPDX-License-Identifier: MIT */
/* From the syscall instruction in guest kernel mode to the function of its number, and several in
 * one (multicall). */
#include "abi/errno.h"
#include "abi/xen.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"
#include "x86/machine.h"

#define UNASKED	      8 /* parts of a multicall after which the clock is asked */
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
	machine_budget_start();		/* a multicall's parts have theirs together */
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

/*
 * An entry of a multicall, behind its number, lies as a hypercall does: where the result goes is
 * the vCPU, then come the arguments. So one copy reads it.
 */
#define ENTRY_REST (sizeof(struct multicall_entry) - offsetof(struct multicall_entry, result))
_Static_assert(sizeof(struct hypercall) == ENTRY_REST &&
		       offsetof(struct hypercall, arg) ==
			       offsetof(struct multicall_entry, args) -
				       offsetof(struct multicall_entry, result),
	       "read as one");

/* One entry: its result, or its rewritten arguments if it is to go on. 0, -EFAULT, -ERESTART. */
static int multicall_entry(struct vcpu *v, guest_ptr_t at)
{
	struct hypercall c;
	hypercall_fn *fn;
	int64_t rc = -ENOSYS;
	uint64_t op;

	if (unlikely(!guest_range_ok(at, sizeof(struct multicall_entry)) ||
		     !machine_read_word(VADDR(at.va), &op)))
		return -EFAULT;
	at.va += offsetof(struct multicall_entry, result);
	if (unlikely(machine_copy_from_guest(&c, VADDR(at.va), sizeof(c))))
		return -EFAULT;
	c.vcpu = v;
	fn = lookup(op);
	/* A multicall in a multicall would recurse; iret has no caller to come back to. */
	if (unlikely(op == __HYPERVISOR_multicall || op == __HYPERVISOR_iret))
		rc = -EINVAL;
	else if (likely(fn))
		rc = fn(&c);
	if (likely(rc != -ERESTART))
		return machine_write_word(VADDR(at.va), (uint64_t)rc) ? 0 : -EFAULT;
	at.va += offsetof(struct hypercall, arg);
	return copy_to_guest(at, c.arg, sizeof(c.arg)) ? -EFAULT : -ERESTART;
}

/* multicall(entries, nr): each entry in order, whatever the others' results. */
int64_t hypercall_multicall(struct hypercall *c)
{
	guest_ptr_t entries = { c->arg[0] };
	uint32_t nr = (uint32_t)c->arg[1], i;
	int rc = 0;

	for (i = 0; i < nr; i++) {
		/* what is long asks by itself */
		if (i && !(i % UNASKED) && machine_budget_spent())
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
