/* SPDX-License-Identifier: MIT */
/*
 * Exceptions of a guest: what is carried out (ports, control registers, MSRs, forced CPUID), what
 * reaches its handlers and with which frame, and what ends it.
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
#include "guest_fake.h"
#include "trap/trap.h"

#define HANDLER 0xffffffff81000000ull

static uint64_t stack[64];

static struct cpu_regs at(const void *code)
{
	return (struct cpu_regs){ .rip = (uintptr_t)code,
				  .rsp = (uintptr_t)(stack + 64),
				  .cs = 0xe033,
				  .ss = 0xe02b,
				  .rflags = RFLAGS_IF | 2,
				  .rcx = 0xc,
				  .r11 = 0x11 };
}

static struct vcpu *guest(void)
{
	struct vcpu *v = fake_vcpu();

	for (unsigned i = 0; i < 256; i++)
		v->trap[i] = (struct trap_gate){ .address = HANDLER + i, .flags = 4 };
	v->kernel_sp = (uintptr_t)(stack + 64);
	return v;
}

static void raise(struct vcpu *v, struct cpu_regs *r, unsigned vector, uint32_t error_code)
{
	r->vector = vector;
	r->error_code = error_code;
	if (r->vector == 14)
		trap_guest_page_fault(v, r, 0x1234);
	else
		trap_guest_exception(v, r);
}

static void a_kernel_page_fault_gets_its_frame(void **state)
{
	struct vcpu *v = guest();
	struct cpu_regs r = at(stack);
	const uint64_t *f = stack + 64 - 8;

	(void)state;
	raise(v, &r, 14, 4);
	assert_int_equal(r.rip, HANDLER + 14);
	assert_int_equal(r.rsp, (uintptr_t)f);
	assert_int_equal(f[0], 0xc);
	assert_int_equal(f[1], 0x11);
	assert_int_equal(f[2], 0); /* the user bit is not for a kernel's fault */
	assert_int_equal(f[3], (uintptr_t)stack);
	assert_int_equal(f[4], 0xe030); /* ring 0 to its eyes, events were not masked */
	assert_int_equal(f[5] & RFLAGS_IF, RFLAGS_IF);
	assert_int_equal(f[6], (uintptr_t)(stack + 64));
	assert_int_equal(v->event.info->arch.cr2, 0x1234);
	assert_int_equal(v->event.info->evtchn_upcall_mask, 1);
}

static void a_user_fault_goes_to_the_kernel_stack(void **state)
{
	struct vcpu *v = guest();
	struct cpu_regs r = at(stack);

	(void)state;
	v->machine.kernel_mode = false;
	r.rsp = 0x1000;
	raise(v, &r, 14, 6);
	assert_true(v->machine.kernel_mode);
	assert_int_equal(r.rsp, (uintptr_t)(stack + 64 - 8));
	assert_int_equal(stack[64 - 8 + 2], 6);
	assert_int_equal(stack[64 - 8 + 4], 0xe033);
	assert_int_equal(stack[64 - 8 + 6], 0x1000);
}

static void no_room_or_no_handler_ends_the_guest(void **state)
{
	struct vcpu *v = guest();
	struct cpu_regs r = at(stack);

	(void)state;
	fake_hole = (uintptr_t)stack;
	fake_hole_size = sizeof(stack);
	raise(v, &r, 0, 0);
	assert_non_null(strstr(fake_crash, "no room"));
	v = guest();
	v->trap[0].address = 0;
	raise(v, &r, 0, 0);
	assert_non_null(strstr(fake_crash, "no handler"));
	/* A stack pointer into our own range is refused before any access. */
	v = guest();
	r = at(stack);
	r.rsp = 0xffff830000001000;
	raise(v, &r, 0, 0);
	assert_non_null(strstr(fake_crash, "no room"));
}

static void software_interrupts_obey_the_gate(void **state)
{
	static const uint8_t int80[16] = { 0xcd, 0x80 };
	struct vcpu *v = guest();
	struct cpu_regs r = at(int80);

	(void)state;
	v->machine.kernel_mode = false;
	v->trap[0x80].flags = 3;
	raise(v, &r, 13, 0x80 * 16 + 2); /* QEMU 7.2's error code */
	assert_int_equal(r.rip, HANDLER + 0x80);
	assert_int_equal(stack[64 - 7 + 2], (uintptr_t)int80 + 2);
	v = guest();
	v->machine.kernel_mode = false;
	r = at(int80);
	raise(v, &r, 13, 0x80 * 8 + 2); /* gate of ring 0: #GP at the instruction */
	assert_int_equal(r.rip, HANDLER + 13);
	assert_int_equal(stack[64 - 8 + 2], 0x80 * 8 + 2);
	assert_int_equal(stack[64 - 8 + 3], (uintptr_t)int80);
}

static void ports_are_for_the_privileged_alone(void **state)
{
	static const uint8_t outb[16] = { 0xe6, 0x70 }, inl[16] = { 0xed },
			     insb[16] = { 0xf3, 0x6c };
	struct vcpu *v = guest();
	struct cpu_regs r = at(outb);
	char buffer[8] = "";

	(void)state;
	r.rax = 0x1ab;
	raise(v, &r, 13, 0);
	assert_int_equal(fake_port, 0x70);
	assert_int_equal(fake_port_value, 0xab);
	assert_int_equal(r.rip, (uintptr_t)outb + 2);

	r = at(inl);
	r.rax = ~0ull;
	r.rdx = 0x60;
	fake_port_value = 0x55;
	raise(v, &r, 13, 0);
	assert_int_equal(r.rax, 0x55);

	r = at(insb);
	r.rcx = 5;
	r.rdi = (uintptr_t)buffer;
	fake_port_value = 'x';
	raise(v, &r, 13, 0);
	assert_string_equal(buffer, "xxxxx");
	assert_int_equal(r.rcx, 0);
	assert_int_equal(r.rip, (uintptr_t)insb + 2);

	v = guest();
	/* Others find no devices. */
	v->domain->privileged = false;
	fake_port_value = 0x77;
	r = at(outb);
	raise(v, &r, 13, 0);
	assert_int_equal(fake_port_value, 0x77);
	r = at(inl);
	raise(v, &r, 13, 0);
	assert_int_equal(r.rax, 0xffffffff);
	v->iopl = 0;
	r = at(inl);
	raise(v, &r, 13, 0);
	assert_int_equal(r.rip, HANDLER + 13);
	/* User mode of the control domain without IOPL 3. */
	v = guest();
	v->machine.kernel_mode = false;
	r = at(outb);
	raise(v, &r, 13, 0);
	assert_int_equal(r.rip, HANDLER + 13);
}

static void registers_are_the_guests_own_view(void **state)
{
	static const uint8_t rdmsr[16] = { 0x0f, 0x32 }, wrmsr[16] = { 0x0f, 0x30 },
			     cr0[16] = { 0x0f, 0x20, 0xc0 }, cr3w[16] = { 0x0f, 0x22, 0xd8 },
			     xsetbv[16] = { 0x0f, 0x01, 0xd1 };
	struct vcpu *v = guest();
	struct cpu_regs r = at(rdmsr);

	(void)state;
	r.rcx = 0xc0000080;
	raise(v, &r, 13, 0);
	assert_int_equal(r.rax, 0xd01);
	r = at(rdmsr);
	r.rcx = 0x179; /* machine checks: not for guests */
	raise(v, &r, 13, 0);
	assert_int_equal(r.rip, HANDLER + 13);
	r = at(wrmsr);
	r.rcx = 0xc0000082; /* LSTAR is ours */
	raise(v, &r, 13, 0);
	assert_int_equal(r.rip, HANDLER + 13);
	r = at(wrmsr);
	r.rcx = 0xc0000100;
	r.rax = 0x1000;
	raise(v, &r, 13, 0);
	assert_int_equal(v->machine.fs_base, 0x1000);
	r = at(cr0);
	raise(v, &r, 13, 0);
	assert_int_equal(r.rax & 0x80000001, 0x80000001);
	r = at(cr3w);
	raise(v, &r, 13, 0);
	assert_int_equal(r.rip, HANDLER + 13);
	r = at(xsetbv);
	r.rcx = 0;
	r.rax = 7;
	raise(v, &r, 13, 0);
	assert_int_equal(v->machine.xcr0, 7);
	/* None of it in user mode. */
	v->machine.kernel_mode = false;
	r = at(rdmsr);
	r.rcx = 0xc0000080;
	raise(v, &r, 13, 0);
	assert_int_equal(r.rip, HANDLER + 13);
}

static void forced_cpuid_hides_what_is_ours(void **state)
{
	static const uint8_t form[16] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };
	struct vcpu *v = guest();
	struct cpu_regs r = at(form);

	(void)state;
	r.rax = 7;
	r.rcx = 0;
	raise(v, &r, 6, 0);
	assert_int_equal(r.rip, (uintptr_t)form + 7);
	assert_int_equal(r.rbx & (1 << 0 | 1 << 7 | 1 << 10 | 1 << 20),
			 0); /* FSGSBASE SMEP INVPCID SMAP */
	for (unsigned fast = 0; fast < 2; fast++) {
		fake_fast_byte_strings = fast;
		r = at(form);
		r.rax = 7;
		r.rcx = 0;
		raise(v, &r, 6, 0);
		assert_int_equal(r.rbx >> 9 & 1, fast); /* ERMS */
		assert_int_equal(r.rdx >> 4 & 1, fast); /* FSRM */
	}
	r = at(form);
	r.rax = 1;
	r.rcx = 0;
	raise(v, &r, 6, 0);
	assert_int_equal(r.rcx & (1 << 5 | 1 << 17 | 1 << 21), 0); /* VMX PCID x2APIC */
	assert_true(r.rcx >> 31 & 1);				   /* hypervisor present */
	r = at(form);
	r.rax = 0x40000000;
	raise(v, &r, 6, 0);
	assert_memory_equal(&r.rbx, "XenV", 4);
	/* The fake CPU has leaves to 0x80000008; what null selectors do is told all the same. */
	r = at(form);
	r.rax = 0x80000000;
	raise(v, &r, 6, 0);
	assert_int_equal(r.rax, 0x80000021);
	r = at(form);
	r.rax = 0x80000009;
	raise(v, &r, 6, 0);
	assert_int_equal(r.rax | r.rbx | r.rcx | r.rdx, 0);
	r = at(form);
	r.rax = 0x80000021;
	raise(v, &r, 6, 0);
	assert_int_equal(r.rax, 1 << 6);
	/* Plain ud2 is the guest's. */
	static const uint8_t ud2[16] = { 0x0f, 0x0b, 0, 0, 0, 0, 0 };

	r = at(ud2);
	raise(v, &r, 6, 0);
	assert_int_equal(r.rip, HANDLER + 6);
}

static void events_interrupt_only_when_unmasked(void **state)
{
	struct vcpu *v = guest();
	struct cpu_regs r = at(stack);

	(void)state;
	v->callback[CALLBACKTYPE_event].address = HANDLER;
	v->event.info->evtchn_upcall_pending = 1;
	v->event.info->evtchn_upcall_mask = 1;
	trap_deliver_pending(v, &r);
	assert_int_equal(r.rip, (uintptr_t)stack);
	v->event.info->evtchn_upcall_mask = 0;
	trap_deliver_pending(v, &r);
	assert_int_equal(r.rip, HANDLER);
	assert_int_equal(v->event.info->evtchn_upcall_mask, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_page_fault_gets_its_frame),
		cmocka_unit_test(a_user_fault_goes_to_the_kernel_stack),
		cmocka_unit_test(no_room_or_no_handler_ends_the_guest),
		cmocka_unit_test(software_interrupts_obey_the_gate),
		cmocka_unit_test(ports_are_for_the_privileged_alone),
		cmocka_unit_test(registers_are_the_guests_own_view),
		cmocka_unit_test(forced_cpuid_hides_what_is_ours),
		cmocka_unit_test(events_interrupt_only_when_unmasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
