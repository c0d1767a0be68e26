/* SPDX-License-Identifier: MIT */
/* Small pieces of the calling vCPU's state: kernel stack, TS, segment bases, debug registers,
 * assists. */
#include "abi/errno.h"
#include "abi/xen.h"
#include "hypercall/hypercall.h"

/* stack_switch(ss, sp): the stack on which user mode's exceptions arrive. */
int64_t hypercall_stack_switch(struct hypercall *c)
{
	c->vcpu->kernel_ss = (uint16_t)c->arg[0] | 3;
	c->vcpu->kernel_sp = c->arg[1];
	return 0;
}

/* fpu_taskswitch(set): the guest's CR0.TS. */
int64_t hypercall_fpu_taskswitch(struct hypercall *c)
{
	machine_vcpu_set_ts(&c->vcpu->machine, c->arg[0]);
	return 0;
}

/* set_segment_base(which, value): SEGBASE_*; GS_USER_SEL loads a selector. */
int64_t hypercall_set_segment_base(struct hypercall *c)
{
	return machine_vcpu_set_base(&c->vcpu->machine, (unsigned)min(c->arg[0], 255ull),
				     c->arg[1]);
}

int64_t hypercall_set_debugreg(struct hypercall *c)
{
	unsigned reg = (unsigned)min(c->arg[0], 255ull);

	return vcpu_set_debug(c->vcpu, reg == 4 || reg == 5 ? reg + 2 : reg, c->arg[1]);
}

int64_t hypercall_get_debugreg(struct hypercall *c)
{
	uint64_t reg = c->arg[0];

	if (reg == 4 || reg == 5)
		reg += 2;
	return reg < 8 ? (int64_t)c->vcpu->machine.dr[reg] : -EINVAL;
}

/*
 * vm_assist(cmd, type): only what changes nothing for a 64-bit guest, or is honoured
 * (runstate_update_flag). m2p_strict is refused: here user mode may read the M2P, and no kernel
 * should believe otherwise.
 */
int64_t hypercall_vm_assist(struct hypercall *c)
{
	static const uint64_t known =
		1ull << VMASST_TYPE_4gb_segments | 1ull << VMASST_TYPE_4gb_segments_notify |
		1ull << VMASST_TYPE_writable_pagetables | 1ull << VMASST_TYPE_pae_extended_cr3 |
		1ull << VMASST_TYPE_runstate_update_flag;
	uint64_t type = c->arg[1];

	if (type >= 64 || !(known >> type & 1))
		return -EINVAL;
	switch (c->arg[0]) {
	case VMASST_CMD_enable:
		__atomic_fetch_or(&c->vcpu->domain->vm_assist, 1ull << type, __ATOMIC_RELAXED);
		return 0;
	case VMASST_CMD_disable:
		__atomic_fetch_and(&c->vcpu->domain->vm_assist, ~(1ull << type), __ATOMIC_RELAXED);
		return 0;
	default:
		return -ENOSYS;
	}
}
