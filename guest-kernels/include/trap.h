/* SPDX-License-Identifier: MIT */
/*
 * Exceptions. One raised by an instruction under TRY() is recorded in trap_last and the instruction
 * is skipped; any other goes to the handler of its vector, or ends the kernel with a dump.
 */
#ifndef TRAP_H
#define TRAP_H

#include <stdbool.h>
#include <stdint.h>

/* Registers at an exception, in the order in which start64.S pushes them. */
struct regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector;		/* 0-255 or TRAP_* */
	uint64_t error;			/* error code; for regs_enter(): VGCF_* flags of the iret */
	uint64_t rip, cs, rflags, rsp, ss;
};

#define TRAP_EVENT	256
#define TRAP_SYSCALL	257
#define TRAP_FAILSAFE	258
#define TRAP_NMI	259
#define TRAP_NONE	~0u

#define TRAP_DE		0
#define TRAP_DB		1
#define TRAP_BP		3
#define TRAP_OF		4
#define TRAP_BR		5
#define TRAP_UD		6
#define TRAP_NM		7
#define TRAP_TS		10
#define TRAP_NP		11
#define TRAP_SS		12
#define TRAP_GP		13
#define TRAP_PF		14
#define TRAP_MF		16
#define TRAP_AC		17
#define TRAP_XM		19

/* The last exception under TRY(); vector is TRAP_NONE if there was none. */
struct trap {
	unsigned int vector;
	uint32_t error;
	uint64_t cr2;
	bool events_masked;		/* evtchn_upcall_mask in the handler */
	struct regs regs;
};
extern struct trap trap_last;

struct fixup {
	uint64_t from, to;
};

/* Run one instruction that may fault; operands as for asm. Then look at trap_last. */
#define TRY(instruction, ...) do {					\
	trap_last.vector = TRAP_NONE;					\
	asm volatile("" : : : "memory");				\
	asm volatile("1: " instruction "\n2:\n"				\
		     ".pushsection .fixups, \"a\"\n"			\
		     ".quad 1b, 2b\n"					\
		     ".popsection" __VA_ARGS__);			\
	asm volatile("" : : : "memory");				\
} while (0)

/* Read or write 8 bytes at any address: true if it worked. */
bool try_read(uint64_t va, uint64_t *value);
bool try_write(uint64_t va, uint64_t value);

/*
 * All vectors and callbacks to start64.S; int n is for everyone from 0x80 on, and int3 and int 4.
 */
void trap_init(void);
/*
 * Call fn in place of the default for a vector or TRAP_*; what it changes in regs is where we go
 * on.
 */
void trap_handle(unsigned int vector, void (*fn)(struct regs *regs));
/* From start64.S. */
void trap_entry(struct regs *regs);

/*
 * Go on with *regs (in user mode, if regs->cs says so) until the first entry but events: then *regs
 * is the state at that entry, regs->vector what it was. Events are enabled as regs->rflags says,
 * and masked after.
 */
void trap_run(struct regs *regs);

/* start64.S */
void regs_enter(struct regs *regs);
void regs_leave(void) __attribute__((noreturn));
extern char trap_stubs[], entry_event[], entry_syscall[], entry_failsafe[], entry_nmi[];

#endif
