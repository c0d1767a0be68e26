/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls by the syscall instruction, one inline function for each. Results are those of the
 * ABI.
 */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#include "abi/errno.h"
#include "abi/xen.h"

static inline long hypercall(unsigned long nr, unsigned long a, unsigned long b, unsigned long c,
			     unsigned long d, unsigned long e)
{
	register unsigned long r10 asm("r10") = d;
	register unsigned long r8 asm("r8") = e;

	asm volatile("syscall" : "+a"(nr), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
		     : : "rcx", "r11", "memory");
	return (long)nr;
}

static inline long hyp_set_trap_table(const struct trap_info *traps)
{
	return hypercall(__HYPERVISOR_set_trap_table, (unsigned long)traps, 0, 0, 0, 0);
}

static inline long hyp_mmu_update(const struct mmu_update *reqs, unsigned int count,
				  unsigned int *done,
				  unsigned int foreign)
{
	return hypercall(__HYPERVISOR_mmu_update, (unsigned long)reqs, count, (unsigned long)done,
			 foreign, 0);
}

static inline long hyp_set_gdt(const xen_pfn_t *frames, unsigned int entries)
{
	return hypercall(__HYPERVISOR_set_gdt, (unsigned long)frames, entries, 0, 0, 0);
}

static inline long hyp_stack_switch(unsigned long ss, unsigned long rsp)
{
	return hypercall(__HYPERVISOR_stack_switch, ss, rsp, 0, 0, 0);
}

static inline long hyp_fpu_taskswitch(int set)
{
	return hypercall(__HYPERVISOR_fpu_taskswitch, (unsigned long)set, 0, 0, 0, 0);
}

static inline long hyp_set_debugreg(int reg, unsigned long value)
{
	return hypercall(__HYPERVISOR_set_debugreg, (unsigned long)reg, value, 0, 0, 0);
}

static inline unsigned long hyp_get_debugreg(int reg)
{
	return (unsigned long)hypercall(__HYPERVISOR_get_debugreg, (unsigned long)reg, 0, 0, 0, 0);
}

static inline long hyp_update_descriptor(uint64_t maddr, uint64_t descriptor)
{
	return hypercall(__HYPERVISOR_update_descriptor, maddr, descriptor, 0, 0, 0);
}

static inline long hyp_memory_op(unsigned int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_memory_op, cmd, (unsigned long)arg, 0, 0, 0);
}

static inline long hyp_multicall(struct multicall_entry *calls, unsigned int nr)
{
	return hypercall(__HYPERVISOR_multicall, (unsigned long)calls, nr, 0, 0, 0);
}

static inline long hyp_update_va_mapping(unsigned long va, uint64_t entry, unsigned long flags)
{
	return hypercall(__HYPERVISOR_update_va_mapping, va, entry, flags, 0, 0);
}

static inline long hyp_set_timer_op(uint64_t timeout)
{
	return hypercall(__HYPERVISOR_set_timer_op, timeout, 0, 0, 0, 0);
}

static inline long hyp_xen_version(unsigned int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_xen_version, cmd, (unsigned long)arg, 0, 0, 0);
}

static inline long hyp_console_io(int cmd, unsigned int count, char *text)
{
	return hypercall(__HYPERVISOR_console_io, (unsigned long)cmd, count, (unsigned long)text, 0,
			 0);
}

static inline long hyp_grant_table_op(unsigned int cmd, void *ops, unsigned int count)
{
	return hypercall(__HYPERVISOR_grant_table_op, cmd, (unsigned long)ops, count, 0, 0);
}

static inline long hyp_vm_assist(unsigned int cmd, unsigned int type)
{
	return hypercall(__HYPERVISOR_vm_assist, cmd, type, 0, 0, 0);
}

static inline long hyp_vcpu_op(unsigned int cmd, unsigned int vcpu, void *arg)
{
	return hypercall(__HYPERVISOR_vcpu_op, cmd, vcpu, (unsigned long)arg, 0, 0);
}

static inline long hyp_set_segment_base(unsigned int which, unsigned long base)
{
	return hypercall(__HYPERVISOR_set_segment_base, which, base, 0, 0, 0);
}

static inline long hyp_mmuext_op(const struct mmuext_op *ops, unsigned int count,
				 unsigned int *done,
				 unsigned int foreign)
{
	return hypercall(__HYPERVISOR_mmuext_op, (unsigned long)ops, count, (unsigned long)done,
			 foreign, 0);
}

static inline long hyp_sched_op(unsigned int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_sched_op, cmd, (unsigned long)arg, 0, 0, 0);
}

static inline long hyp_callback_op(unsigned int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_callback_op, cmd, (unsigned long)arg, 0, 0, 0);
}

static inline long hyp_event_channel_op(unsigned int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_event_channel_op, cmd, (unsigned long)arg, 0, 0, 0);
}

static inline long hyp_physdev_op(unsigned int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_physdev_op, cmd, (unsigned long)arg, 0, 0, 0);
}

#endif
