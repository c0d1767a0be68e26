/* SPDX-License-Identifier: MIT */
/* Decoding of the few x86-64 instructions that we carry out for a guest (SDM 2A chapter 2). No side
 * effects. */
#ifndef TRAP_DECODE_H
#define TRAP_DECODE_H

#include "lib/types.h"
#include "x86/regs.h"

#define INSN_MAX 15

struct insn {
	uint8_t bytes[16];
	unsigned fetched; /* how many of them are valid, at most INSN_MAX */
	unsigned length;  /* decoded so far; of the whole instruction after decode_*() */
	uint16_t opcode;  /* 0x0fXX for two-byte ones */
	uint8_t rex, modrm;
	bool operand16, address32, rep, lock, segment;
	bool memory; /* the modrm names memory, at ea */
	uint64_t ea;
};

/* Prefixes and opcode. False: the bytes run out, or a prefix that no emulated instruction takes. */
bool must_check decode_opcode(struct insn *in);
/* A modrm byte (and SIB, displacement): sets memory and ea. `immediate` bytes follow (for
 * rip-relative addresses). */
bool must_check decode_modrm(struct insn *in, const struct cpu_regs *regs, unsigned immediate);
/* A sign-extended immediate of 1 or 4 bytes. */
bool must_check decode_immediate(struct insn *in, unsigned bytes, uint64_t *value);

/* General register n (0 rax .. 15 r15) of a frame. */
uint64_t *decode_register(const struct cpu_regs *regs, unsigned n);

static inline unsigned decode_reg(const struct insn *in)
{
	return (in->modrm >> 3 & 7) | (in->rex & 4) << 1;
}

static inline unsigned decode_rm(const struct insn *in)
{
	return (in->modrm & 7) | (in->rex & 1) << 3;
}

/* Operand size in bytes, for opcodes whose low bit 0 means a byte. */
static inline unsigned decode_size(const struct insn *in, bool byte)
{
	return byte ? 1 : in->rex & 8 ? 8 : in->operand16 ? 2 : 4;
}

#endif
