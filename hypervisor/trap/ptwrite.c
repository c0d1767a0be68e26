/* SPDX-License-Identifier: MIT */
/*
 * A guest kernel's own write to one of its page tables. The tables are mapped read-only, so the
 * instruction faulted; the forms that kernels use on entries (mov, xchg, cmpxchg, and/or/xor,
 * btr/bts/btc: Linux's pgtable helpers) are carried out as a checked update. An entry is always
 * handled as the aligned quadword that holds the bytes written.
 */
#include "abi/errno.h"
#include "domain/copy.h"
#include "lib/string.h"
#include "trap/emulate.h"
#include "x86/machine.h"

/* What the instruction does: combine the old value of the operand with a source. */
enum action { SET, EXCHANGE, COMPARE_EXCHANGE, AND, OR, XOR, BIT_RESET, BIT_SET, BIT_COMPLEMENT };

struct table_write {
	enum action action;
	unsigned bytes; /* operand size */
	uint64_t source;
	uint64_t *reg; /* where EXCHANGE puts the old value */
};

/* The immediate group 80, 81, 83: and, or, xor only. */
static bool decode_group1(struct insn *in, const struct cpu_regs *regs, struct table_write *w)
{
	static const uint8_t action[8] = { [1] = OR, [4] = AND, [6] = XOR };
	unsigned immediate;

	w->bytes = decode_size(in, in->opcode == 0x80);
	immediate = in->opcode == 0x81 ? 4 : 1;
	if (in->operand16 || !decode_modrm(in, regs, immediate) ||
	    !decode_immediate(in, immediate, &w->source))
		return false;
	w->action = action[in->modrm >> 3 & 7];
	return w->action != SET;
}

/* bt group with an immediate (0f ba /5 /6 /7) or a register; a register's bit number must lie
 * inside the operand. */
static bool decode_bits(struct insn *in, const struct cpu_regs *regs, struct table_write *w)
{
	bool immediate = in->opcode == 0x0fba;
	unsigned form;

	w->bytes = decode_size(in, false);
	if (!decode_modrm(in, regs, immediate ? 1 : 0))
		return false;
	if (immediate) {
		if (!decode_immediate(in, 1, &w->source))
			return false;
		form = in->modrm >> 3 & 7;
		w->source &= w->bytes * 8 - 1;
	} else {
		form = in->opcode >> 3 & 7;
		w->source = *decode_register(regs, decode_reg(in));
	}
	if (form < 5 || w->source >= w->bytes * 8)
		return false;
	w->action = form == 5 ? BIT_SET : form == 6 ? BIT_RESET : BIT_COMPLEMENT;
	return true;
}

static bool decode_write(struct insn *in, const struct cpu_regs *regs, struct table_write *w)
{
	bool byte = !(in->opcode & 1);

	switch (in->opcode) {
	case 0x80:
	case 0x81:
	case 0x83:
		return decode_group1(in, regs, w);
	case 0x0fab:
	case 0x0fb3:
	case 0x0fbb:
	case 0x0fba:
		return decode_bits(in, regs, w);
	case 0xc6:
	case 0xc7:
		w->action = SET;
		w->bytes = decode_size(in, byte);
		if (w->bytes == 2)
			return false;
		return decode_modrm(in, regs, byte ? 1 : 4) &&
		       decode_immediate(in, byte ? 1 : 4, &w->source);
	case 0x88:
	case 0x89:
		w->action = SET;
		break;
	case 0x86:
	case 0x87:
		w->action = EXCHANGE;
		break;
	case 0x0fb0:
	case 0x0fb1:
		w->action = COMPARE_EXCHANGE;
		break;
	case 0x08:
	case 0x09:
		w->action = OR;
		break;
	case 0x20:
	case 0x21:
		w->action = AND;
		break;
	case 0x30:
	case 0x31:
		w->action = XOR;
		break;
	default:
		return false;
	}
	w->bytes = decode_size(in, byte);
	if (!decode_modrm(in, regs, 0) || (w->bytes == 1 && !in->rex && decode_reg(in) >= 4))
		return false; /* ah..bh: nobody writes entries with them */
	w->reg = decode_register(regs, decode_reg(in));
	w->source = *w->reg;
	return true;
}

static uint64_t result(const struct table_write *w, uint64_t old)
{
	switch (w->action) {
	case AND:
		return old & w->source;
	case OR:
		return old | w->source;
	case XOR:
		return old ^ w->source;
	case BIT_SET:
		return old | 1ull << w->source;
	case BIT_RESET:
		return old & ~(1ull << w->source);
	case BIT_COMPLEMENT:
		return old ^ 1ull << w->source;
	default:
		return w->source;
	}
}

/* Flags as the instruction leaves them, as far as kernels look: ZF SF of the logic forms, CF of the
 * bit forms, ZF of cmpxchg. */
static void set_flags(struct cpu_regs *regs, const struct table_write *w, uint64_t old,
		      uint64_t new, bool equal)
{
	const uint64_t cf = 1, pf = 4, af = 0x10, zf = 0x40, sf = 0x80, of = 0x800;
	uint64_t mask = w->bytes == 8 ? ~0ull : (1ull << w->bytes * 8) - 1;

	switch (w->action) {
	case SET:
	case EXCHANGE:
		break;
	case BIT_SET:
	case BIT_RESET:
	case BIT_COMPLEMENT:
		regs->rflags = (regs->rflags & ~cf) | (old >> w->source & 1);
		break;
	case COMPARE_EXCHANGE:
		regs->rflags = (regs->rflags & ~zf) | (equal ? zf : 0);
		break;
	default:
		regs->rflags &= ~(cf | pf | af | zf | sf | of);
		regs->rflags |= !(new &mask) ? zf : 0;
		regs->rflags |= new >> (w->bytes * 8 - 1) & 1 ? sf : 0;
		regs->rflags |= __builtin_parity(new & 0xff) ? 0 : pf;
	}
}

/* Put `value` of w->bytes into a register as the CPU would: 32-bit results clear the upper half. */
static void set_register(uint64_t *reg, unsigned bytes, uint64_t value)
{
	if (bytes >= 4)
		*reg = bytes == 8 ? value : (uint32_t)value;
	else
		memcpy(reg, &value, bytes);
}

/* Replace the entry at `va` by what the instruction makes of it: as mm_emulate_cmpxchg(). */
static int write_entry(struct vcpu *v, const struct cpu_regs *regs, const struct table_write *w,
		       uint64_t va, uint64_t *old, uint64_t *new)
{
	uint64_t mask = w->bytes == 8 ? ~0ull : (1ull << w->bytes * 8) - 1, entry;
	unsigned shift = (va & 7) * 8;

	if (copy_from_guest(&entry, (guest_ptr_t){ va & ~7ull }, 8))
		return -ENOENT;
	*old = entry >> shift & mask;
	*new = result(w, *old) & mask;
	if (w->action == COMPARE_EXCHANGE && *old != (regs->rax & mask))
		*new = *old;
	return mm_emulate_cmpxchg(&v->domain->mm, v->mm.kernel_table, VADDR(va & ~7ull), entry,
				  (entry & ~(mask << shift)) | *new << shift);
}

/* Registers and flags after it. */
static void finish(struct cpu_regs *regs, const struct table_write *w, uint64_t old, uint64_t new)
{
	uint64_t mask = w->bytes == 8 ? ~0ull : (1ull << w->bytes * 8) - 1;
	bool equal = old == (regs->rax & mask);

	if (w->action == EXCHANGE)
		set_register(w->reg, w->bytes, old);
	if (w->action == COMPARE_EXCHANGE && !equal)
		set_register(&regs->rax, w->bytes, old);
	set_flags(regs, w, old, new, equal);
}

/*
 * What nearly all are, at one look: mov or xchg of a 64-bit register, addressed by another with or
 * without an 8-bit displacement.
 *
 *   0100 1 R 0 B | 1000 10 0 1 mov   | mod reg rm | displacement, if mod is 1
 *                | 1000 01 1 1 xchg  |
 *
 * True if it was one and is done, or is to be issued again.
 */
static inline bool write_at_once(struct vcpu *v, struct cpu_regs *regs, uint64_t va)
{
	uint64_t code, ea, old, *reg;
	unsigned mod, rm;
	int rc;

	if (unlikely(!guest_range_ok((guest_ptr_t){ regs->rip }, 8) ||
		     !machine_read_word(VADDR(regs->rip), &code)))
		return false;
	mod = code >> 22 & 3;
	rm = code >> 16 & 7;
	if (((code & 0xfffa) != 0x8948 && (code & 0xfffa) != 0x8748) || mod > 1 || rm == 4 ||
	    (rm == 5 && !mod))
		return false;
	ea = *decode_register(regs, rm | (code & 1) << 3);
	if (mod)
		ea += (uint64_t)(int8_t)(code >> 24);
	if (unlikely(ea != va))
		return false;
	reg = decode_register(regs, (code >> 19 & 7) | (code & 4) << 1);
	rc = mm_emulate_exchange(&v->domain->mm, v->mm.kernel_table, VADDR(va), *reg, &old);
	if (unlikely(rc))
		return rc == -ERESTART;
	if ((code & 0xff00) == 0x8700)
		*reg = old;
	regs->rip += 3 + mod;
	return true;
}

/* The same for all forms that are known, by the decoder. */
static __attribute__((noinline)) enum emulated write_decoded(struct vcpu *v, struct cpu_regs *regs,
							     uint64_t va)
{
	struct table_write w = { .reg = NULL };
	uint64_t old = 0, new = 0;
	struct insn in;
	int rc = -EAGAIN;

	emulate_fetch(&in, regs);
	if (!decode_opcode(&in) || in.segment || in.rep || !decode_write(&in, regs, &w))
		return EMULATE_REFUSED;
	if (!in.memory || in.ea != va || (va & 7) + w.bytes > 8)
		return EMULATE_REFUSED;
	/* Another vCPU may change the entry meanwhile; if it does so again and again the guest runs
	 * the instruction once more. */
	for (unsigned tries = 0; rc == -EAGAIN && tries < 16; tries++)
		rc = write_entry(v, regs, &w, va, &old, &new);
	if (rc == -ERESTART || rc == -EAGAIN)
		return EMULATE_DONE; /* rip stays */
	if (rc)
		return EMULATE_REFUSED;
	finish(regs, &w, old, new);
	regs->rip += in.length;
	return EMULATE_DONE;
}

__attribute__((noinline)) enum emulated emulate_table_write(struct vcpu *v, struct cpu_regs *regs,
							    uint64_t va)
{
	machine_budget_start();
	return likely(write_at_once(v, regs, va)) ? EMULATE_DONE : write_decoded(v, regs, va);
}
