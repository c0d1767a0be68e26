/* SPDX-License-Identifier: MIT */
/* iret: a guest kernel leaves a handler; its stack holds struct iret_context. Taken on every return
 * to user mode: keep it short. */
#include "abi/xen.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"
#include "x86/machine.h"

int64_t hypercall_iret(struct hypercall *c)
{
	struct cpu_regs *regs = machine_guest_regs();
	struct vcpu *v = c->vcpu;
	struct iret_context f;

	if (unlikely(copy_from_guest(&f, (guest_ptr_t){ regs->rsp }, sizeof(f)))) {
		domain_crash(v->domain, "iret with an unreadable frame at %#lx", regs->rsp);
		return 0;
	}
	if ((f.cs & 3) == 3) {
		if (unlikely(mfn_eq(v->mm.user_table, MFN_NONE))) {
			domain_crash(v->domain, "iret to user mode without a user page table");
			return 0;
		}
		machine_vcpu_toggle_mode(&v->machine);
		machine_tables_load(v->mm.user_table, false);
	}
	regs->rip = f.rip;
	regs->cs = (f.cs & 0xffff) | 3; /* a kernel frame's CS shows ring 0 */
	regs->rflags = (f.rflags & ~(uint64_t)(RFLAGS_IOPL | RFLAGS_VM)) | RFLAGS_IF;
	regs->rsp = f.rsp;
	regs->ss = (f.ss & 0xffff) | 3;
	if (f.flags & VGCF_in_syscall) {
		regs->vector = VECTOR_SYSCALL;
		regs->cs = FLAT_USER_CS64;
		regs->ss = FLAT_USER_SS64;
	} else {
		regs->vector = 0;
		regs->r11 = f.r11;
		regs->rcx = f.rcx;
	}
	v->event.info->evtchn_upcall_mask = !(f.rflags & RFLAGS_IF);
	return (int64_t)f.rax;
}
