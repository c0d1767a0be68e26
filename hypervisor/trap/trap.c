/* SPDX-License-Identifier: MIT */
/* Exceptions that the CPU raised while a guest ran: what we carry out ourselves, and what the
 * guest's handlers get. */
#include "abi/xen.h"
#include "domain/copy.h"
#include "lib/string.h"
#include "trap/emulate.h"
#include "trap/frame.h"

enum {
	VECTOR_DB = 1,
	VECTOR_NMI = 2,
	VECTOR_UD = 6,
	VECTOR_NM = 7,
	VECTOR_GP = 13,
	VECTOR_PF = 14
};

#define PF_PRESENT  (1u << 0)
#define PF_WRITE    (1u << 1)
#define PF_USER	    (1u << 2)
#define PF_RESERVED (1u << 3)

void emulate_fetch(struct insn *in, const struct cpu_regs *regs)
{
	unsigned to_page_end = PAGE_SIZE - (regs->rip & (PAGE_SIZE - 1));

	*in = (struct insn){ .fetched = INSN_MAX };
	if (!copy_from_guest(in->bytes, (guest_ptr_t){ regs->rip }, sizeof(in->bytes)))
		return;
	in->fetched = min(to_page_end, (unsigned)INSN_MAX);
	if (in->fetched && copy_from_guest(in->bytes, (guest_ptr_t){ regs->rip }, in->fetched))
		in->fetched = 0;
}

/* ud2, "xen", cpuid: the forced-emulation form (XEN_EMULATE_PREFIX of abi/xen.h). */
static bool forced_cpuid(struct vcpu *v, struct cpu_regs *regs)
{
	static const uint8_t form[] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };
	uint8_t bytes[sizeof(form)];
	uint32_t out[4];

	if (copy_from_guest(bytes, (guest_ptr_t){ regs->rip }, sizeof(bytes)) ||
	    memcmp(bytes, form, sizeof(form)))
		return false;
	trap_cpuid(v, (uint32_t)regs->rax, (uint32_t)regs->rcx, out);
	regs->rax = out[0];
	regs->rbx = out[1];
	regs->rcx = out[2];
	regs->rdx = out[3];
	regs->rip += sizeof(form);
	return true;
}

/*
 * int n through a gate that the guest may not use on the CPU: #GP with error code n * 8 + 2.
 * QEMU 7.2 reports n * 16 + 2, so the number is read from the instruction.
 */
static bool software_interrupt(struct vcpu *v, struct cpu_regs *regs)
{
	uint8_t bytes[2];
	unsigned vector, dpl;

	if (copy_from_guest(bytes, (guest_ptr_t){ regs->rip }, 2) || bytes[0] != 0xcd)
		return false;
	vector = bytes[1];
	dpl = v->trap[vector].flags & 3;
	if (!v->trap[vector].address || dpl < (v->machine.kernel_mode ? 1u : 3u)) {
		trap_inject(v, regs, VECTOR_GP, vector * 8 + 2);
		return true;
	}
	regs->rip += 2;
	trap_inject(v, regs, vector, 0);
	return true;
}

static void general_protection(struct vcpu *v, struct cpu_regs *regs)
{
	uint32_t error_code = regs->error_code;

	if ((error_code & 3) == 2 && software_interrupt(v, regs))
		return;
	if (!error_code && emulate_privileged(v, regs) != EMULATE_REFUSED)
		return;
	trap_inject(v, regs, VECTOR_GP, error_code);
}

void trap_guest_page_fault(struct vcpu *v, struct cpu_regs *regs, uint64_t cr2)
{
	uint32_t error_code = regs->error_code;

	if (unlikely(error_code & PF_RESERVED)) {
		domain_crash(v->domain, "reserved bit in a page table at %#lx", cr2);
		return;
	}
	if ((error_code & (PF_PRESENT | PF_WRITE)) == (PF_PRESENT | PF_WRITE) &&
	    v->machine.kernel_mode && guest_range_ok((guest_ptr_t){ cr2 }, 8) &&
	    emulate_table_write(v, regs, cr2) != EMULATE_REFUSED)
		return;
	v->event.info->arch.cr2 = cr2;
	if (v->machine.kernel_mode)
		error_code &= ~PF_USER;
	trap_inject(v, regs, VECTOR_PF, error_code);
}

void trap_guest_exception(struct vcpu *v, struct cpu_regs *regs)
{
	switch (regs->vector) {
	case VECTOR_GP:
		general_protection(v, regs);
		break;
	case VECTOR_UD:
		if (!forced_cpuid(v, regs))
			trap_inject(v, regs, VECTOR_UD, 0);
		break;
	case VECTOR_NM:
		machine_vcpu_fpu_own(&v->machine);
		if (v->machine.ts) {
			/* As the ABI says, delivering #NM clears the guest's TS. */
			machine_vcpu_set_ts(&v->machine, false);
			trap_inject(v, regs, VECTOR_NM, 0);
		}
		break;
	default:
		trap_inject(v, regs, regs->vector, regs->error_code);
	}
}
