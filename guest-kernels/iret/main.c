/* SPDX-License-Identifier: MIT */
/*
 * The iret hypercall: what it loads, what it must not grant, and frames that no CPU would return
 * to. A bad frame must come back as an exception or the failsafe callback; a frame that cannot be
 * read ends the domain, so that is not here.
 */
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "test.h"
#include "user.h"

#define NONCANONICAL	0x800000000000UL
#define EFLAGS_IF	0x200

USER_PROGRAM(stop_here, "1: ud2");
USER_PROGRAM(show_flags, "pushf; pop %rax; ud2");
USER_PROGRAM(push_something, "push %rax; ud2");
USER_PROGRAM(code32, ".code32; mov %esp, %eax; ud2; .code64");
USER_PROGRAM(step, "nop; nop; ud2");

static void loads_registers(void)
{
	struct regs r = user_regs(), want;

	user_load(stop_here, stop_here_end);
	r.rax = 0x1111, r.rbx = 0x2222, r.rcx = 0x3333, r.rdx = 0x4444, r.rsi = 0x5555,
		r.rdi = 0x6666;
	r.rbp = 0x7777, r.r8 = 0x8888, r.r9 = 0x9999, r.r10 = 0xaaaa, r.r11 = 0xbbbb,
		r.r12 = 0xcccc;
	r.r13 = 0xdddd, r.r14 = 0xeeee, r.r15 = 0xffff;
	want = r;
	trap_run(&r);
	check_eq(r.vector, TRAP_UD, "user mode was reached");
	check(r.rax == want.rax && r.rcx == want.rcx && r.r11 == want.r11,
	      "rax, rcx, r11 come from the frame");
	check(r.rbx == want.rbx && r.rdx == want.rdx && r.rsi == want.rsi && r.rdi == want.rdi &&
	      r.rbp == want.rbp && r.r8 == want.r8 && r.r9 == want.r9 && r.r10 == want.r10 &&
	      r.r12 == want.r12 && r.r13 == want.r13 && r.r14 == want.r14 && r.r15 == want.r15,
	      "all others are left alone");
	check(r.rip == want.rip && r.rsp == want.rsp, "rip and rsp");
	check_eq(r.cs & 0xffff, FLAT_USER_CS | 3, "cs");
	check_eq(r.ss & 0xffff, FLAT_USER_SS | 3, "ss");

	r = want;
	r.error = VGCF_in_syscall;
	trap_run(&r);
	check(r.vector == TRAP_UD && r.rax == want.rax && r.rbx == want.rbx,
	      "VGCF_in_syscall returns too");
	r = want;
	r.error = ~0UL;
	trap_run(&r);
	check_eq(r.vector, TRAP_UD, "all flags set");
}

static uint64_t flags_seen(uint64_t rflags)
{
	struct regs r = user_regs();

	r.rflags = rflags;
	trap_run(&r);
	check_eq(r.vector, TRAP_UD, "rflags %lx", rflags);
	return r.rax;
}

static void flags(void)
{
	uint64_t seen;

	user_load(show_flags, show_flags_end);
	seen = flags_seen(0x202 | 0x8d5);
	check_eq(seen & 0xcd5, 0x8d5, "the arithmetic flags are loaded");
	check((flags_seen(0x3202) & 0x3000) == 0, "IOPL is not");
	check((flags_seen(0x202) & EFLAGS_IF) != 0, "the CPU's IF is on");
	check((flags_seen(0x002) & EFLAGS_IF) != 0, "even with the frame's IF clear");
	flags_seen(0x4202);
	flags_seen(0x20202);
	flags_seen(0x10202);
	flags_seen(0x80202);
	flags_seen(0x100202);
	flags_seen(0x240202);
	check((flags_seen(0x202) & 0x24000) == 0, "NT and AC don't stay behind");
	flags_seen(0xfffffffffffffeffUL);
	check((flags_seen(0x202) & 0x3000) == 0, "nothing stays behind from all of them");
	user_load(step, step_end);
	struct regs r = user_regs();
	r.rflags |= 0x100;
	trap_run(&r);
	check(r.vector == TRAP_DB && r.rip == USER_CODE + 1,
	      "TF steps one instruction of user mode");
}

/* Whatever comes of it, it must come back here. */
static void bad_frame(struct regs r, const char *name)
{
	trap_run(&r);
	check(r.vector == TRAP_FAILSAFE || r.vector == TRAP_GP || r.vector == TRAP_SS ||
	      r.vector == TRAP_PF ||
	      r.vector == TRAP_NP, "%s: vector %lu error %lx", name, r.vector, r.error);
}

static void bad_frames(void)
{
	static const uint16_t selectors[] = {
		0, 3, 0xe008, 0xe00b, 0xe010, 0xe013, 0xe019, 0xe02b, 0xe030 | 1, 0xe040, 0xe043,
		0xe053,
		0x7, 0x1003, 0xfff8, 0xffff,
	};
	struct regs r;

	user_load(push_something, push_something_end);
	for (unsigned int i = 0; i < sizeof(selectors) / sizeof(*selectors); i++) {
		r = user_regs();
		r.cs = selectors[i] | 3;
		trap_run(&r);
		check((r.vector != TRAP_UD) == ((selectors[i] | 3) != (FLAT_USER_CS | 3)),
		      "cs %x: vector %lu error %lx", selectors[i] | 3, r.vector, r.error);
		r = user_regs();
		r.ss = selectors[i];
		trap_run(&r);
		check((r.vector != TRAP_UD) == ((selectors[i] | 3) != (FLAT_USER_SS | 3)),
		      "ss %x: vector %lu error %lx", selectors[i], r.vector, r.error);
	}
	r = user_regs();
	r.rip = NONCANONICAL;
	bad_frame(r, "a non-canonical rip");
	r.error = VGCF_in_syscall;
	bad_frame(r, "a non-canonical rip by sysret");
	r.rip = 0xdeadbeef00000000UL;
	bad_frame(r, "another non-canonical rip by sysret");
	r = user_regs();
	r.rip = 0xffff830000000000UL;
	bad_frame(r, "rip in the hypervisor");
	r = user_regs();
	r.rip = 0xffffffff80100000UL;
	bad_frame(r, "user mode in the kernel's text");
	r = user_regs();
	r.rsp = NONCANONICAL;
	bad_frame(r, "a non-canonical rsp");
	r.rsp = 0xffff830000001000UL;
	bad_frame(r, "rsp in the hypervisor");
	r = user_regs();
	r.rip = NONCANONICAL;
	r.cs = FLAT_KERNEL_CS & ~3;
	r.ss = FLAT_KERNEL_SS;
	r.rsp = (uint64_t)user_stack + 4096;
	bad_frame(r, "a non-canonical rip in kernel mode");
}

static void compatibility_mode(void)
{
	struct regs r = user_regs();

	user_load(code32, code32_end);
	r.cs = FLAT_USER_CS32 | 3;
	trap_run(&r);
	check_eq(r.vector, TRAP_UD, "32-bit user code runs");
	check_eq(r.cs & 0xffff, FLAT_USER_CS32 | 3, "with its own cs");
	check_eq((int64_t)r.rax, (int64_t)USER_STACK + 4096, "and its esp");
}

static unsigned int masked;

static void on_event(evtchn_port_t port)
{
	(void)port;
	masked += vcpu_info->evtchn_upcall_mask;
}

static void events(void)
{
	evtchn_port_t port = event_bind_ipi(0);
	struct regs r = user_regs();

	event_handle(port, on_event);
	event_unmask(port);
	event_disable();
	event_send(port);
	check_eq(event_count(port), 0, "no upcall while masked");
	user_load(stop_here, stop_here_end);
	trap_run(&r);
	check_eq(event_count(port), 1, "an iret that unmasks delivers what is pending");
	check_eq(masked, 1, "events are masked in the upcall");
	check_eq(r.vector, TRAP_UD, "then user mode goes on");
	check((r.rflags & EFLAGS_IF) != 0, "user mode shows IF");
	event_disable();
	event_send(port);
	r = user_regs();
	r.rflags = 2;
	trap_run(&r);
	check(event_count(port) == 0 && !(r.rflags & EFLAGS_IF), "an iret that masks keeps it");
	event_enable();
	check_eq(event_count(port), 1, "until events are enabled");
	event_disable();
	event_close(port);
}

void test_main(void)
{
	user_init();
	loads_registers();
	flags();
	compatibility_mode();
	events();
	bad_frames();
}
