/* SPDX-License-Identifier: MIT */
/* The smallest user mode. */
#include "hypercall.h"
#include "mem.h"
#include "page.h"
#include "test.h"
#include "user.h"

void *user_l4;
char *user_code, *user_stack;

void user_init(void)
{
	user_l4 = page_table(NULL);
	user_code = page_alloc();
	user_stack = page_alloc();
	page_map_in(user_l4, USER_CODE, page_entry(user_code, PTE_RO));
	page_map_in(user_l4, USER_STACK, page_entry(user_stack, PTE_RW | PTE_NX));
	if (page_ext(MMUEXT_PIN_L4_TABLE, user_l4))
		fail("the user L4 would not be pinned");
	if (page_ext(MMUEXT_NEW_USER_BASEPTR, user_l4))
		fail("NEW_USER_BASEPTR refused");
}

void user_load(const char *from, const char *to)
{
	memcpy(user_code, from, (size_t)(to - from));
}

struct regs user_regs(void)
{
	return (struct regs){
		.rip = USER_CODE,
		.cs = FLAT_USER_CS | 3,
		.rflags = 0x202,
		.rsp = USER_STACK + PAGE_SIZE,
		.ss = FLAT_USER_SS | 3,
	};
}

struct regs user_run(const char *from, const char *to)
{
	struct regs regs = user_regs();

	user_load(from, to);
	trap_run(&regs);
	return regs;
}
