/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's whole state in and out, in the ABI's form (struct vcpu_guest_context). What is taken is
 * checked first: whatever a toolstack, a save file or a guest (VCPUOP_initialise) puts there can
 * only break that guest.
 */
#include "abi/errno.h"
#include "abi/xen.h"
#include "domain/domain.h"
#include "lib/string.h"
#include "x86/machine.h"

#define DR6_FIXED   0xffff0ff0ull
#define DR7_FIXED   0x400ull
#define DR7_REFUSED 0xffffffff0000f800ull /* reserved bits, GD, and what debuggers don't know */

bool vcpu_code_address_ok(uint64_t a)
{
	return canonical(a) && (a < HYPERVISOR_VIRT_START || a >= HYPERVISOR_VIRT_END);
}

int vcpu_set_debug(struct vcpu *v, unsigned reg, uint64_t value)
{
	switch (reg) {
	case 0:
	case 1:
	case 2:
	case 3:
		if (!vcpu_code_address_ok(value) || !vcpu_code_address_ok(value + 7))
			return -EINVAL;
		break;
	case 6:
		value = (value & 0xe00f) | DR6_FIXED;
		break;
	case 7:
		if (value & DR7_REFUSED)
			return -EINVAL;
		/* An I/O breakpoint (type 2) needs CR4.DE, which guests don't get. */
		for (unsigned i = 0; i < 4; i++)
			if ((value >> (16 + i * 4) & 3) == 2 && (value >> i * 2 & 3))
				return -EINVAL;
		value |= DR7_FIXED;
		break;
	default:
		return -EINVAL;
	}
	v->machine.dr[reg] = value;
	if (v == vcpu_current())
		machine_vcpu_load_debug(&v->machine);
	return 0;
}

int vcpu_set_trap(struct vcpu *v, const struct trap_info *ti)
{
	if (!vcpu_code_address_ok(ti->address))
		return -EINVAL;
	v->trap[ti->vector] =
		(struct trap_gate){ .address = ti->address, .cs = ti->cs, .flags = ti->flags };
	return 0;
}

static int check(const struct vcpu_guest_context *c)
{
	if (!vcpu_code_address_ok(c->event_callback_eip) ||
	    !vcpu_code_address_ok(c->failsafe_callback_eip) ||
	    !vcpu_code_address_ok(c->syscall_callback_eip))
		return -EINVAL;
	if (!canonical(c->fs_base) || !canonical(c->gs_base_kernel) || !canonical(c->gs_base_user))
		return -EINVAL;
	if (c->gdt_ents > FIRST_RESERVED_GDT_ENTRY || c->ldt_ents > 8192 || !canonical(c->ldt_base))
		return -EINVAL;
	for (unsigned i = 0; i < 256; i++)
		if (!vcpu_code_address_ok(c->trap_ctxt[i].address))
			return -EINVAL;
	return 0;
}

/* Page-table roots, then descriptor frames: each holds references, each may refuse. */
static int set_tables(struct vcpu *v, const struct vcpu_guest_context *c)
{
	struct mm_domain *mm = &v->domain->mm;
	mfn_t kernel = MFN(xen_cr3_to_pfn(c->ctrlreg[3]));
	mfn_t user = c->ctrlreg[1] ? MFN(xen_cr3_to_pfn(c->ctrlreg[1])) : MFN_NONE;
	int rc;

	if (v->initialised && (!mfn_eq(v->mm.kernel_table, kernel) ||
			       !mfn_eq(v->mm.user_table, user)))
		return -EOPNOTSUPP;
	if (!mfn_eq(v->mm.kernel_table, kernel)) {
		rc = mm_set_root(mm, &v->mm, kernel, false, false);
		if (rc)
			return rc;
	}
	if (!mfn_eq(v->mm.user_table, user)) {
		rc = mm_set_root(mm, &v->mm, user, true, false);
		if (rc)
			return rc;
	}
	rc = vcpu_set_gdt(v, c->gdt_frames, (unsigned)c->gdt_ents);
	if (!rc)
		rc = vcpu_set_ldt(v, VADDR(c->ldt_base), (unsigned)c->ldt_ents);
	return rc;
}

static void set_registers(struct vcpu *v, const struct cpu_user_regs *u)
{
	struct cpu_regs *r = &v->machine.regs;

	memcpy(r, u, offsetof(struct cpu_regs, error_code)); /* r15 to rdi lie alike in both */
	r->error_code = r->vector = 0;
	r->rip = u->rip;
	r->cs = u->cs | 3;
	r->rflags = (u->rflags & ~(uint64_t)(RFLAGS_IOPL | RFLAGS_VM | RFLAGS_NT)) | RFLAGS_IF | 2;
	v->iopl = u->rflags >> 12 & 3; /* never in the real flags: see PHYSDEVOP_set_iopl */
	r->rsp = u->rsp;
	r->ss = u->ss | 3;
	v->machine.ds = u->ds;
	v->machine.es = u->es;
	v->machine.fs = u->fs;
	v->machine.gs = u->gs;
}

int vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
	int rc = check(c);

	if (!rc)
		rc = set_tables(v, c);
	if (rc)
		return rc;
	set_registers(v, &c->user_regs);
	v->machine.kernel_mode = c->flags & VGCF_in_kernel || mfn_eq(v->mm.user_table, MFN_NONE);
	for (unsigned i = 0; i < TRAP_GATES; i++)
		v->trap[c->trap_ctxt[i].vector] = (struct trap_gate){ 0 };
	for (unsigned i = 0; i < TRAP_GATES; i++)
		if (c->trap_ctxt[i].address && vcpu_set_trap(v, &c->trap_ctxt[i]))
			return -EINVAL;
	v->kernel_sp = c->kernel_sp;
	v->kernel_ss = (uint16_t)c->kernel_ss | 3;
	v->callback[CALLBACKTYPE_event] = (struct guest_callback){ c->event_callback_eip, true };
	v->callback[CALLBACKTYPE_failsafe] = (struct guest_callback){
		c->failsafe_callback_eip, c->flags & VGCF_failsafe_disables_events };
	v->callback[CALLBACKTYPE_syscall] = (struct guest_callback){
		c->syscall_callback_eip, c->flags & VGCF_syscall_disables_events };
	v->machine.fs_base = c->fs_base;
	v->machine.gs_base_kernel = c->gs_base_kernel;
	v->machine.gs_base_user = c->gs_base_user;
	if (c->flags & VGCF_i387_valid)
		machine_vcpu_set_fxsave(&v->machine, &c->fpu_ctxt);
	for (unsigned i = 0; i < 8; i++)
		if (i != 4 && i != 5 && vcpu_set_debug(v, i, c->debugreg[i]))
			return -EINVAL;
	if (v->id == 0)
		v->domain->vm_assist = c->vm_assist;
	if (c->flags & VGCF_online)
		sched_set_down(&v->sched, false);
	v->initialised = true;
	return 0;
}

void vcpu_get_context(struct vcpu *v, struct vcpu_guest_context *c)
{
	const struct cpu_regs *r = vcpu_regs(v);
	const struct guest_callback *failsafe = &v->callback[CALLBACKTYPE_failsafe];
	const struct guest_callback *syscall = &v->callback[CALLBACKTYPE_syscall];
	struct cpu_user_regs *u = &c->user_regs;

	memset(c, 0, sizeof(*c));
	memcpy(u, r, offsetof(struct cpu_regs, error_code));
	u->rip = r->rip;
	u->cs = (uint16_t)r->cs;
	u->rflags = r->rflags | (uint64_t)v->iopl << 12;
	u->rsp = r->rsp;
	u->ss = (uint16_t)r->ss;
	u->ds = v->machine.ds;
	u->es = v->machine.es;
	u->fs = v->machine.fs;
	u->gs = v->machine.gs;
	c->flags = (v->machine.kernel_mode ? VGCF_in_kernel : 0) |
		   (v->sched.down ? 0 : VGCF_online) |
		   (failsafe->masks ? VGCF_failsafe_disables_events : 0) |
		   (syscall->masks ? VGCF_syscall_disables_events : 0) | VGCF_i387_valid;
	machine_vcpu_get_fxsave(&v->machine, &c->fpu_ctxt);
	for (unsigned i = 0; i < TRAP_GATES; i++)
		c->trap_ctxt[i] = (struct trap_info){ .vector = (uint8_t)i,
						      .flags = v->trap[i].flags,
						      .cs = v->trap[i].cs,
						      .address = v->trap[i].address };
	c->gdt_ents = v->machine.gdt_entries;
	for (unsigned i = 0; i < GDT_GUEST_FRAMES && i * 512 < v->machine.gdt_entries; i++)
		c->gdt_frames[i] = v->machine.gdt[i].n;
	c->ldt_base = v->machine.ldt_base.a;
	c->ldt_ents = v->machine.ldt_entries;
	c->kernel_ss = v->kernel_ss;
	c->kernel_sp = v->kernel_sp;
	c->ctrlreg[0] = 0x80050033 | (v->machine.ts ? 8 : 0);
	c->ctrlreg[1] = mfn_eq(v->mm.user_table, MFN_NONE) ? 0 : xen_pfn_to_cr3(v->mm.user_table.n);
	c->ctrlreg[3] = xen_pfn_to_cr3(v->mm.kernel_table.n);
	c->ctrlreg[4] = v->machine.cr4;
	for (unsigned i = 0; i < 8; i++)
		c->debugreg[i] = v->machine.dr[i];
	c->event_callback_eip = v->callback[CALLBACKTYPE_event].address;
	c->failsafe_callback_eip = failsafe->address;
	c->syscall_callback_eip = syscall->address;
	if (v->id == 0)
		c->vm_assist = v->domain->vm_assist;
	c->fs_base = v->machine.fs_base;
	c->gs_base_kernel = v->machine.gs_base_kernel;
	c->gs_base_user = v->machine.gs_base_user;
}
