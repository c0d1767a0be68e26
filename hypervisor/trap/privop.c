/* SPDX-License-Identifier: MIT */
/* Privileged instructions of a guest kernel: control and debug registers, MSRs, cache and flag
 * instructions. */
#include "abi/xen.h"
#include "trap/emulate.h"
#include "x86/machine.h"

#define CR0_GUEST 0x80050033ull /* PE MP ET NE WP AM PG as Linux expects to read */
#define CR0_TS	  (1ull << 3)

/* mov from a control register. */
static bool control_read(const struct vcpu *v, unsigned cr, uint64_t *value)
{
	switch (cr) {
	case 0:
		*value = CR0_GUEST | (v->machine.ts ? CR0_TS : 0);
		return true;
	case 2:
		*value = v->event.info->arch.cr2;
		return true;
	case 3:
		*value = v->mm.kernel_table.n << PAGE_SHIFT;
		return true;
	case 4:
		*value = v->machine.cr4;
		return true;
	default:
		return false;
	}
}

static bool control_write(struct vcpu *v, unsigned cr, uint64_t value)
{
	switch (cr) {
	case 0:
		/* Only TS is the guest's. */
		machine_vcpu_set_ts(&v->machine, value & CR0_TS);
		return true;
	case 2:
		v->event.info->arch.cr2 = value;
		return true;
	case 4:
		return machine_vcpu_set_cr4(&v->machine, value);
	default:
		return false; /* CR3: NEW_BASEPTR is the way */
	}
}

static bool debug_access(struct vcpu *v, unsigned dr, uint64_t *reg, bool write)
{
	if (dr == 4 || dr == 5)
		dr += 2;
	if (dr > 7)
		return false;
	if (write)
		return vcpu_set_debug(v, dr, *reg) == 0;
	*reg = v->machine.dr[dr];
	return true;
}

static bool msr_access(struct vcpu *v, struct cpu_regs *regs, bool write)
{
	uint64_t value = regs->rdx << 32 | (uint32_t)regs->rax;

	if (write)
		return emulate_msr_write(v, (uint32_t)regs->rcx, value);
	if (!emulate_msr_read(v, (uint32_t)regs->rcx, &value))
		return false;
	regs->rax = (uint32_t)value;
	regs->rdx = value >> 32;
	return true;
}

static bool moves(struct vcpu *v, struct cpu_regs *regs, struct insn *in)
{
	uint64_t *reg;
	bool write = in->opcode & 2;

	if (!decode_modrm(in, regs, 0))
		return false;
	reg = decode_register(regs, decode_rm(in));
	if (in->opcode & 1)
		return debug_access(v, decode_reg(in), reg, write);
	return write ? control_write(v, decode_reg(in), *reg)
		     : control_read(v, decode_reg(in), reg);
}

static bool two_byte(struct vcpu *v, struct cpu_regs *regs, struct insn *in)
{
	switch (in->opcode) {
	case 0x0f06: /* clts */
		machine_vcpu_set_ts(&v->machine, false);
		return true;
	case 0x0f08:
	case 0x0f09: /* invd, wbinvd: nothing of a guest's needs it, see the ABI README */
		return true;
	case 0x0f20:
	case 0x0f21:
	case 0x0f22:
	case 0x0f23:
		return moves(v, regs, in);
	case 0x0f30:
	case 0x0f32:
		return msr_access(v, regs, in->opcode == 0x0f30);
	case 0x0f01: /* d1: xsetbv */
		if (in->length >= in->fetched || in->bytes[in->length++] != 0xd1 ||
		    (uint32_t)regs->rcx)
			return false;
		return machine_vcpu_set_xcr0(&v->machine, regs->rdx << 32 | (uint32_t)regs->rax);
	default:
		return false;
	}
}

enum emulated emulate_privileged(struct vcpu *v, struct cpu_regs *regs)
{
	struct insn in;

	emulate_fetch(&in, regs);
	if (!decode_opcode(&in) || in.lock)
		return EMULATE_REFUSED;
	switch (in.opcode) {
	case 0x6c:
	case 0x6d:
	case 0x6e:
	case 0x6f:
	case 0xe4:
	case 0xe5:
	case 0xe6:
	case 0xe7:
	case 0xec:
	case 0xed:
	case 0xee:
	case 0xef:
		return emulate_port(v, regs, &in);
	case 0xfa:
	case 0xfb: /* cli, sti: a PV kernel masks events; kept harmless with IOPL, as the ABI does
		    */
		if (v->iopl < (v->machine.kernel_mode ? 1 : 3))
			return EMULATE_REFUSED;
		break;
	default:
		if (!v->machine.kernel_mode || !two_byte(v, regs, &in))
			return EMULATE_REFUSED;
	}
	regs->rip += in.length;
	return EMULATE_DONE;
}
