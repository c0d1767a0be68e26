/* SPDX-License-Identifier: MIT */
/*
 * What entry.S saves. The frame, from low to high address, as it stands at the top of a CPU's
 * stack when it came from a guest:
 *
 *   r15 r14 r13 r12 rbp rbx | r11 r10 r9 r8 rax rcx rdx rsi rdi |
 *   error_code vector | rip cs rflags rsp ss
 *
 * The last five are what the CPU pushes (Intel SDM 3A 6.14.2). A syscall stub builds the same
 * frame.
 */
#ifndef X86_REGS_H
#define X86_REGS_H

#ifndef __ASSEMBLY__

#include <stdint.h>

struct cpu_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint32_t error_code, vector;
	uint64_t rip, cs, rflags, rsp, ss;
};

#endif

/*
 * cpu_regs.vector of a frame that came by the syscall instruction: outside the 256 vectors, so
 * it may return by sysret.
 */
#define VECTOR_SYSCALL	0x100
/* The same for the 32-bit system call entries. */
#define VECTOR_SYSCALL32 0x101
#define VECTOR_SYSENTER	0x102

#define RFLAGS_CF	(1 << 0)
#define RFLAGS_TF	(1 << 8)
#define RFLAGS_IF	(1 << 9)
#define RFLAGS_DF	(1 << 10)
#define RFLAGS_IOPL	(3 << 12)
#define RFLAGS_NT	(1 << 14)
#define RFLAGS_RF	(1 << 16)
#define RFLAGS_VM	(1 << 17)
#define RFLAGS_AC	(1 << 18)

#endif
