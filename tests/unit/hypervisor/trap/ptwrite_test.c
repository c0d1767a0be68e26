/* SPDX-License-Identifier: MIT */
/*
 * A guest's own writes to page tables: every instruction form that kernels use leaves memory,
 * registers and flags as the CPU would. The oracle is the CPU itself: the same bytes are run
 * natively on a second copy.
 *
 * Links: hypervisor/trap/ptwrite.c hypervisor/trap/decode.c hypervisor/trap/trap.c
 * Links: hypervisor/trap/frame.c hypervisor/trap/privop.c hypervisor/trap/portio.c
 * Links: hypervisor/trap/msr.c hypervisor/trap/cpuid.c hypervisor/domain/copy.c
 * Links: tests/unit/hypervisor/trap/guest_fake.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <sys/mman.h>
#include "guest_fake.h"
#include "trap/emulate.h"

struct form {
	const char *name;
	uint8_t bytes[16]; /* all address memory by (%rdi), data in rsi and rax */
	unsigned length;
};

static const struct form forms[] = {
	{ "mov rsi,(rdi)", { 0x48, 0x89, 0x37 }, 3 },
	{ "mov esi,(rdi)", { 0x89, 0x37 }, 2 },
	{ "mov sil,(rdi)", { 0x40, 0x88, 0x37 }, 3 },
	{ "movq imm,(rdi)", { 0x48, 0xc7, 0x07, 0x67, 0x45, 0x23, 0x81 }, 7 },
	{ "movb imm,(rdi)", { 0xc6, 0x07, 0x99 }, 3 },
	{ "xchg rsi,(rdi)", { 0x48, 0x87, 0x37 }, 3 },
	{ "xchg esi,(rdi)", { 0x87, 0x37 }, 2 },
	{ "lock cmpxchg rsi,(rdi)", { 0xf0, 0x48, 0x0f, 0xb1, 0x37 }, 5 },
	{ "cmpxchg esi,(rdi)", { 0x0f, 0xb1, 0x37 }, 3 },
	{ "lock and rsi,(rdi)", { 0xf0, 0x48, 0x21, 0x37 }, 4 },
	{ "lock andb imm,(rdi)", { 0xf0, 0x80, 0x27, 0xfd }, 4 },
	{ "lock orq imm8,(rdi)", { 0xf0, 0x48, 0x83, 0x0f, 0x42 }, 5 },
	{ "xorl imm32,(rdi)", { 0x81, 0x37, 0x78, 0x56, 0x34, 0x12 }, 6 },
	{ "lock btr $6,(rdi)", { 0xf0, 0x48, 0x0f, 0xba, 0x37, 0x06 }, 6 },
	{ "lock bts $1,(rdi)", { 0xf0, 0x48, 0x0f, 0xba, 0x2f, 0x01 }, 6 },
	{ "btc $63,(rdi)", { 0x48, 0x0f, 0xba, 0x3f, 0x3f }, 5 },
	{ "or rsi,(rdi)", { 0x48, 0x09, 0x37 }, 3 },
	{ "xor sil,(rdi)", { 0x40, 0x30, 0x37 }, 3 },
};

struct outcome {
	uint64_t memory, rax, rsi, flags;
};

#define FLAGS_COMPARED	 0x8c5ull /* OF SF ZF PF CF */
#define FLAGS_OF_BITS	 0x1ull	  /* the bit forms define CF alone */
#define FLAGS_OF_CMPXCHG 0x40ull  /* compared by kernels: ZF */

/* Run the bytes natively on a copy. */
static struct outcome native(const struct form *f, uint64_t memory, uint64_t rax, uint64_t rsi)
{
	uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct outcome o = { memory, rax, rsi, 0 };

	assert_true(code != MAP_FAILED);
	memcpy(code, f->bytes, f->length);
	code[f->length] = 0xc3;
	asm volatile("xor %%r8, %%r8\n\tcall *%4\n\tpushfq\n\tpop %2"
		     : "+a"(o.rax), "+S"(o.rsi), "=&r"(o.flags)
		     : "D"(&o.memory), "r"(code)
		     : "memory", "cc", "r8");
	munmap(code, 4096);
	return o;
}

static uint64_t compared_flags(const struct form *f)
{
	if (strstr(f->name, "bt"))
		return FLAGS_OF_BITS;
	if (strstr(f->name, "cmpxchg"))
		return FLAGS_OF_CMPXCHG;
	return strstr(f->name, "mov") || strstr(f->name, "xchg") ? 0 : FLAGS_COMPARED;
}

static void check_form(const struct form *f, uint64_t memory, uint64_t rax, uint64_t rsi)
{
	static uint64_t entry __attribute__((aligned(8)));
	struct vcpu *v = fake_vcpu();
	struct cpu_regs regs = { .rdi = (uintptr_t)&entry,
				 .rax = rax,
				 .rsi = rsi,
				 .rip = (uintptr_t)f->bytes,
				 .rflags = 2 };
	struct outcome want = native(f, memory, rax, rsi);
	uint64_t mask = compared_flags(f);

	entry = memory;
	assert_int_equal(emulate_table_write(v, &regs, (uintptr_t)&entry), EMULATE_DONE);
	if (entry != want.memory || regs.rax != want.rax || regs.rsi != want.rsi ||
	    (regs.rflags ^ want.flags) & mask)
		fail_msg("%s: memory %lx want %lx, rax %lx want %lx, rsi %lx want %lx, flags %lx "
			 "want %lx",
			 f->name, entry, want.memory, regs.rax, want.rax, regs.rsi, want.rsi,
			 regs.rflags & mask, want.flags & mask);
	assert_int_equal(regs.rip, (uintptr_t)f->bytes + f->length);
}

static void as_the_cpu_does(void **state)
{
	static const uint64_t values[] = {
		0, 1, 0x42, 0x8000000000000063, 0xffffffffffffffff, 0x123456789abcdef0
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(forms); i++)
		for (unsigned m = 0; m < ARRAY_SIZE(values); m++)
			for (unsigned s = 0; s < ARRAY_SIZE(values); s++)
				check_form(&forms[i], values[m],
					   values[(m + s) % ARRAY_SIZE(values)], values[s]);
}

/* A fault at an address that is not the instruction's own operand, or an instruction that isn't a
 * write, is the guest's. */
static void others_are_refused(void **state)
{
	static const struct form refused[] = {
		{ "rep movsb", { 0xf3, 0xa4 }, 2 },
		{ "mov %gs", { 0x65, 0x48, 0x89, 0x37 }, 4 },
		{ "movdqa", { 0x66, 0x0f, 0x7f, 0x07 }, 4 },
		{ "add", { 0x48, 0x01, 0x37 }, 3 },
		{ "mov ah", { 0x88, 0x27 }, 2 },
		{ "btr rsi beyond", { 0x48, 0x0f, 0xb3, 0x37 }, 4 },
	};
	static uint64_t entry[2];
	struct vcpu *v = fake_vcpu();

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		struct cpu_regs regs = { .rdi = (uintptr_t)entry,
					 .rsi = 64,
					 .rip = (uintptr_t)refused[i].bytes };

		if (emulate_table_write(v, &regs, (uintptr_t)entry) != EMULATE_REFUSED)
			fail_msg("%s was carried out", refused[i].name);
	}
	struct cpu_regs regs = { .rdi = (uintptr_t)entry, .rip = (uintptr_t)forms[0].bytes };

	assert_int_equal(emulate_table_write(v, &regs, (uintptr_t)(entry + 1)), EMULATE_REFUSED);
	regs.rdi = (uintptr_t)entry + 4; /* straddles two entries */
	assert_int_equal(emulate_table_write(v, &regs, regs.rdi), EMULATE_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_cpu_does),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
