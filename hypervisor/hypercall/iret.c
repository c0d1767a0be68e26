/* SPDX-License-Identifier: MIT */
/*
 * iret: a guest kernel leaves a handler; its stack holds struct iret_context. Taken on every return
 * to user mode: keep it short.
 */
#include "abi/xen.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"
#include "x86/machine.h"

/*
 * Would sysret load the same? It takes rip from rcx and rflags from r11, fixed selectors, and can't
 * set RF. (x86/ sees to it that rip is canonical.) Linux' system calls end so, by a frame like any
 * other: the CPU is much faster at sysret.
 */
static bool as_from_syscall(const struct iret_context *f, uint64_t rflags)
{
	return f->rcx == f->rip && f->r11 == rflags && f->cs == FLAT_USER_CS64 &&
	       f->ss == FLAT_USER_SS64 && !(rflags & (RFLAGS_RF | RFLAGS_TF));
}

void hypercall_iret(struct vcpu *v, struct cpu_regs *regs)
{
	struct iret_context f;
	uint64_t rflags;

	if (unlikely(!guest_range_ok((guest_ptr_t){ regs->rsp }, sizeof(f)) ||
		     !machine_read_iret(VADDR(regs->rsp), &f))) {
		domain_crash(v->domain, "iret with an unreadable frame at %#lx", regs->rsp);
		return;
	}
	if ((f.cs & 3) == 3) {
		if (unlikely(mfn_eq(v->mm.user_table, MFN_NONE))) {
			domain_crash(v->domain, "iret to user mode without a user page table");
			return;
		}
		machine_vcpu_toggle_mode(&v->machine);
		machine_tables_load(v->mm.user_table, false);
	}
	rflags = (f.rflags & ~(uint64_t)(RFLAGS_IOPL | RFLAGS_VM)) | RFLAGS_IF;
	regs->rax = f.rax;
	regs->rip = f.rip;
	regs->rflags = rflags;
	regs->rsp = f.rsp;
	if (likely(as_from_syscall(&f, rflags)) || f.flags & VGCF_in_syscall) {
		regs->vector = VECTOR_SYSCALL;
		regs->cs = FLAT_USER_CS64;
		regs->ss = FLAT_USER_SS64;
	} else {
		regs->vector = 0;
		regs->cs = (f.cs & 0xffff) | 3;	/* a kernel frame's CS shows ring 0 */
		regs->ss = (f.ss & 0xffff) | 3;
		regs->r11 = f.r11;
		regs->rcx = f.rcx;
	}
	v->event.info->evtchn_upcall_mask = !(f.rflags & RFLAGS_IF);
}
