/* SPDX-License-Identifier: MIT */
/* A user mode to run a few instructions in: its own L4 with one page of code and one of stack. */
#ifndef USER_H
#define USER_H

#include <stddef.h>

#include "trap.h"

#define USER_CODE	0x400000UL
#define USER_STACK	0x500000UL	/* the page; the stack pointer starts at its end */

/* Build the address space and make it this vCPU's; once. */
void user_init(void);
/* The L4, and the pages as the kernel sees them. */
extern void *user_l4;
extern char *user_code, *user_stack;

/* Code between two labels of an asm statement becomes the code page. */
void user_load(const char *from, const char *to);
/* A fresh set of registers at the start of the code page, events enabled. */
struct regs user_regs(void);
/* user_load() and trap_run() with such registers; the state at the first entry. */
struct regs user_run(const char *from, const char *to);

/* Names a piece of code: USER_PROGRAM(name, "instructions"), then user_run(name, name##_end). */
#define USER_PROGRAM(name, text)					\
	asm(".pushsection .rodata\n" #name ":\n" text "\n"		\
	    #name "_end:\n.popsection\n");				\
	extern const char name[], name##_end[]

#endif
