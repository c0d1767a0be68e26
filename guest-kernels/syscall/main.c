/* SPDX-License-Identifier: MIT */
/*
 * The syscall instruction: a hypercall in kernel mode, the guest's callback in user mode, on a page
 * table of its own each. And the places where others broke: the end of the canonical range (XSA-7),
 * 32-bit forms.
 */
#include "abi/callback.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "test.h"
#include "user.h"

#define CANONICAL_END	0x800000000000UL

USER_PROGRAM(call, "syscall; ud2");
USER_PROGRAM(call_values, "mov $0x1234, %eax; mov $0x5678, %ebx; mov $0x9abc, %r10d; syscall; ud2");
USER_PROGRAM(enter32, ".code32; sysenter; ud2; .code64");
USER_PROGRAM(call32, ".code32; syscall; ud2; .code64");
USER_PROGRAM(enter64, "sysenter; ud2");
USER_PROGRAM(return64, "sysretq");
USER_PROGRAM(int82, "int $0x82");
USER_PROGRAM(pages, "mov 0x500000, %rax; syscall; ud2");

static void register_callback(uint16_t flags)
{
	struct callback_register cb = {
		.type = CALLBACKTYPE_syscall, .flags = flags,
		.address = (unsigned long)entry_syscall,
	};

	check_eq(hyp_callback_op(CALLBACKOP_register, &cb), 0,
		 "register the syscall callback, flags %u", flags);
}

static void kernel_mode(void)
{
	static const unsigned long numbers[] = { 11, 43, 47, 56, 63, 64, 100, 0xffff, 0x7fffffff,
						 0x80000000,
						 0xffffffff, 1UL << 32, 1UL << 63, ~0UL };

	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		check_eq(hypercall(numbers[i], 0, 0, 0, 0, 0), -ENOSYS, "hypercall %lx",
			 numbers[i]);
	check(hyp_xen_version(0, NULL) >= 4 << 16, "xen_version: %lx", hyp_xen_version(0, NULL));
}

static void user_mode(void)
{
	struct regs r = user_run(call, call_end);
	uint64_t value;

	check_eq(r.vector, TRAP_SYSCALL, "syscall in user mode");
	check_eq((int64_t)r.rip, USER_CODE + 2, "rip");
	check_eq((int64_t)r.rsp, USER_STACK + PAGE_SIZE, "rsp");
	check_eq(r.rflags & 0xffff, 0x202, "rflags");
	check((r.cs & 3) == 3 && (r.ss & 3) == 3, "cs %lx ss %lx are user mode's", r.cs, r.ss);
	check(trap_last.events_masked, "events are masked on entry, as the flag says");
	r = user_run(call_values, call_values_end);
	check(r.rax == 0x1234 && r.rbx == 0x5678 && r.r10 == 0x9abc, "registers pass through");
	check_eq((int64_t)r.rcx, (int64_t)r.rip, "rcx is the return address");
	check(((r.r11 ^ r.rflags) & 0xcd5) == 0, "r11 is the flags");
	check(!try_read(USER_STACK, &value), "the kernel's table has no user pages");
	*(uint64_t *)user_stack = 0x4242;
	r = user_run(pages, pages_end);
	check(r.vector == TRAP_SYSCALL && r.rax == 0x4242, "the user's table has them");

	register_callback(0);
	user_run(call, call_end);
	check(trap_last.vector == TRAP_SYSCALL && !trap_last.events_masked,
	      "events stay enabled without the flag");
	register_callback(CALLBACKF_mask_events);
}

/*
 * sysret to the first non-canonical address faults in ring 0 on Intel, with the user's rsp loaded.
 */
static void canonical_end(void)
{
	struct regs r = user_regs();
	char *page = page_alloc();

	memcpy(page + PAGE_SIZE - 2, call, 2);
	page_map_in(user_l4, CANONICAL_END - PAGE_SIZE, page_entry(page, PTE_RO));
	r.rip = CANONICAL_END - 2;
	trap_run(&r);
	check(r.vector == TRAP_SYSCALL && r.rip == CANONICAL_END,
	      "syscall in the last two canonical bytes: %lu",
	      r.vector);
	r.cs = FLAT_USER_CS | 3;
	r.ss = FLAT_USER_SS | 3;
	r.error = VGCF_in_syscall;
	trap_run(&r);
	check(r.vector == TRAP_GP || r.vector == TRAP_PF || r.vector == TRAP_FAILSAFE,
	      "returning there is the guest's fault only: %lu", r.vector);
}

static void odd_stacks(void)
{
	static const uint64_t stacks[] = { 0, 1, CANONICAL_END, 0xffff830000000000UL, ~0UL,
					   0xdeadbeefdeadbeefUL };

	for (unsigned int i = 0; i < sizeof(stacks) / sizeof(*stacks); i++) {
		struct regs r = user_regs();

		user_load(call, call_end);
		r.rsp = stacks[i];
		trap_run(&r);
		check(r.vector == TRAP_SYSCALL && r.rsp == stacks[i], "syscall with rsp %lx",
		      stacks[i]);
	}
	struct regs r = user_regs();
	r.rflags |= 0x4500;		/* NT, DF, TF */
	trap_run(&r);
	check(r.vector == TRAP_DB || r.vector == TRAP_SYSCALL, "syscall with NT, DF and TF: %lu",
	      r.vector);
}

static void other_ways_in(void)
{
	struct regs r = user_run(enter64, enter64_end);

	check(r.vector == TRAP_UD || r.vector == TRAP_GP, "sysenter without a callback: %lu",
	      r.vector);
	r = user_run(return64, return64_end);
	check(r.vector == TRAP_UD || r.vector == TRAP_GP, "sysret: %lu", r.vector);
	r = user_run(int82, int82_end);
	check(r.vector < 256, "int 0x82 comes back (this emulator may take n for another): %lu",
	      r.vector);
	user_load(enter32, enter32_end);
	r = user_regs();
	r.cs = FLAT_USER_CS32 | 3;
	trap_run(&r);
	check(r.vector == TRAP_UD || r.vector == TRAP_GP, "32-bit sysenter without a callback: %lu",
	      r.vector);
	user_load(call32, call32_end);
	r = user_regs();
	r.cs = FLAT_USER_CS32 | 3;
	trap_run(&r);
	check(r.vector == TRAP_UD || r.vector == TRAP_GP, "32-bit syscall without a callback: %lu",
	      r.vector);
}

static long base_pointer(unsigned int cmd, uint64_t mfn)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn };

	return hyp_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

static void tables(void)
{
	void *kernel_l4 = page_root(), *copy = page_table(kernel_l4);
	char *plain = page_alloc();

	check_refused(base_pointer(MMUEXT_NEW_USER_BASEPTR, page_mfn(plain)),
		      "a writable page as user table");
	check_refused(base_pointer(MMUEXT_NEW_USER_BASEPTR, ~0UL >> 12), "no memory as user table");
	check_refused(base_pointer(MMUEXT_NEW_BASEPTR, page_mfn(plain)),
		      "a writable page as kernel table");
	check_refused(base_pointer(MMUEXT_NEW_BASEPTR, 1UL << 40), "no memory as kernel table");
	check_eq(user_run(call, call_end).vector, TRAP_SYSCALL, "after refusals all is as it was");
	check_eq(base_pointer(MMUEXT_NEW_BASEPTR, page_mfn(copy)), 0, "run on a copy of the L4");
	page_set_root(copy);
	check_eq(user_run(call, call_end).vector, TRAP_SYSCALL, "user mode from there");
	check_eq(base_pointer(MMUEXT_NEW_BASEPTR, page_mfn(kernel_l4)), 0, "back on the old one");
	page_set_root(kernel_l4);
	for (unsigned int i = 0; i < 100; i++)
		if (user_run(call, call_end).vector != TRAP_SYSCALL)
			fail("one of 100 round trips");
	check(true, "100 round trips");
}

void test_main(void)
{
	user_init();
	kernel_mode();
	user_mode();
	odd_stacks();
	canonical_end();
	other_ways_in();
	tables();
}
