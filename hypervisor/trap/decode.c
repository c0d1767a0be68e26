/* SPDX-License-Identifier: MIT */
/* Instruction decoding, see decode.h. 64-bit mode only: all guest kernels that we run are 64-bit.
 */
#include "lib/string.h"
#include "trap/decode.h"

static bool next(struct insn *in, uint8_t *byte)
{
	if (in->length >= in->fetched)
		return false;
	*byte = in->bytes[in->length++];
	return true;
}

bool decode_opcode(struct insn *in)
{
	uint8_t b;

	for (;;) {
		if (!next(in, &b))
			return false;
		if (b == 0x66)
			in->operand16 = true;
		else if (b == 0x67)
			in->address32 = true;
		else if (b == 0xf0)
			in->lock = true;
		else if (b == 0xf3 || b == 0xf2)
			in->rep = true;
		else if (b == 0x64 || b == 0x65)
			in->segment = true;
		else if (b != 0x2e && b != 0x36 && b != 0x3e && b != 0x26)
			break;
	}
	if ((b & 0xf0) == 0x40) {
		in->rex = b;
		if (!next(in, &b))
			return false;
	}
	in->opcode = b;
	if (b == 0x0f) {
		if (!next(in, &b))
			return false;
		in->opcode = 0x0f00 | b;
	}
	return true;
}

bool decode_immediate(struct insn *in, unsigned bytes, uint64_t *value)
{
	int32_t v = 0;

	if (in->length + bytes > in->fetched)
		return false;
	memcpy(&v, &in->bytes[in->length], bytes);
	in->length += bytes;
	*value = bytes == 1 ? (uint64_t)(int64_t)(int8_t)v : (uint64_t)(int64_t)v;
	return true;
}

/* The SIB byte after a modrm with rm 4. */
static bool decode_sib(struct insn *in, const struct cpu_regs *regs, bool *disp32)
{
	unsigned base, index;
	uint8_t sib;

	if (!next(in, &sib))
		return false;
	index = (sib >> 3 & 7) | (in->rex & 2) << 2;
	base = (sib & 7) | (in->rex & 1) << 3;
	if (index != 4)
		in->ea += *decode_register(regs, index) << (sib >> 6);
	if ((sib & 7) == 5 && in->modrm >> 6 == 0)
		*disp32 = true;
	else
		in->ea += *decode_register(regs, base);
	return true;
}

bool decode_modrm(struct insn *in, const struct cpu_regs *regs, unsigned immediate)
{
	unsigned mod, rm;
	uint64_t disp = 0;
	bool disp32, relative = false;

	if (!next(in, &in->modrm))
		return false;
	mod = in->modrm >> 6;
	rm = in->modrm & 7;
	in->memory = mod != 3;
	in->ea = 0;
	if (!in->memory)
		return true;
	disp32 = mod == 2;
	if (rm == 4) {
		if (!decode_sib(in, regs, &disp32))
			return false;
	} else if (rm == 5 && mod == 0) {
		disp32 = relative = true;
	} else {
		in->ea = *decode_register(regs, decode_rm(in));
	}
	if ((disp32 || mod == 1) && !decode_immediate(in, disp32 ? 4 : 1, &disp))
		return false;
	in->ea += disp;
	if (relative)
		in->ea += regs->rip + in->length + immediate;
	if (in->address32)
		in->ea = (uint32_t)in->ea;
	return true;
}

uint64_t *decode_register(const struct cpu_regs *regs, unsigned n)
{
	static const uint16_t offset[16] = {
		offsetof(struct cpu_regs, rax), offsetof(struct cpu_regs, rcx),
		offsetof(struct cpu_regs, rdx), offsetof(struct cpu_regs, rbx),
		offsetof(struct cpu_regs, rsp), offsetof(struct cpu_regs, rbp),
		offsetof(struct cpu_regs, rsi), offsetof(struct cpu_regs, rdi),
		offsetof(struct cpu_regs, r8),	offsetof(struct cpu_regs, r9),
		offsetof(struct cpu_regs, r10), offsetof(struct cpu_regs, r11),
		offsetof(struct cpu_regs, r12), offsetof(struct cpu_regs, r13),
		offsetof(struct cpu_regs, r14), offsetof(struct cpu_regs, r15),
	};

	return (uint64_t *)((char *)regs + offset[n & 15]);
}
