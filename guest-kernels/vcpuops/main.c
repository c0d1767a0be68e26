/* SPDX-License-Identifier: MIT */
/*
 * vCPUs: starting one, stopping it, what contexts are refused, the records that a vCPU shares
 * (vcpu_info, runstate) and where they may lie, NMIs.
 */
#include "abi/sched.h"
#include "clock.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"
#include "test.h"
#include "trap.h"
#include "vcpu.h"

#define MS		1000000UL
#define NONCANONICAL	0x800000000000UL
#define MFN_NOWHERE	(1UL << 39)

static struct vcpu_guest_context context;
static evtchn_port_t to_second;
static volatile unsigned int second_rounds;

/* Runs on vCPU 1, with events masked: answers each event by counting. */
static void __attribute__((noreturn)) second(void)
{
	for (;;) {
		struct sched_poll poll = { .ports = GUEST_PTR(&to_second), .nr_ports = 1 };

		hyp_sched_op(SCHEDOP_poll, &poll);
		event_clear(to_second);
		second_rounds++;
	}
}

static void good_context(void)
{
	vcpu_context(&context, second);
}

static void refused(const char *name)
{
	check_refused(hyp_vcpu_op(VCPUOP_initialise, 1, &context), name);
	good_context();
}

static void bad_contexts(void)
{
	good_context();
	context.ctrlreg[3] = xen_pfn_to_cr3(MFN_NOWHERE);
	refused("a context whose CR3 is nowhere");
	context.ctrlreg[3] = xen_pfn_to_cr3(page_mfn(page_alloc()));
	refused("one whose CR3 is a writable page");
	context.gdt_ents = FIRST_RESERVED_GDT_ENTRY + 1;
	refused("one with a GDT of too many entries");
	context.gdt_ents = 512;
	context.gdt_frames[0] = MFN_NOWHERE;
	refused("one with a GDT that is nowhere");
	context.gdt_ents = 512;
	context.gdt_frames[0] = page_mfn(page_alloc());
	refused("one with a writable GDT");
	context.ldt_ents = 8193;
	context.ldt_base = (uint64_t)page_alloc();
	refused("one with an LDT of too many entries");
	context.ctrlreg[1] = xen_pfn_to_cr3(MFN_NOWHERE) | 1;
	refused("one whose user table is nowhere");
	context.fs_base = NONCANONICAL;
	refused("one with a non-canonical FS");
	context.gs_base_kernel = NONCANONICAL;
	refused("one with a non-canonical kernel GS");
	context.gs_base_user = NONCANONICAL;
	refused("one with a non-canonical user GS");
	context.event_callback_eip = NONCANONICAL;
	refused("one with a non-canonical event callback");
	context.failsafe_callback_eip = NONCANONICAL;
	refused("one with a non-canonical failsafe callback");
	context.syscall_callback_eip = NONCANONICAL;
	refused("one with a non-canonical syscall callback");
	check_eq(hyp_vcpu_op(VCPUOP_is_up, 1, NULL), 0, "vCPU 1 is down after all that");
	check_eq(hyp_vcpu_op(VCPUOP_up, 1, NULL), -EINVAL, "it can't be started without a context");
}

static bool answers(void)
{
	unsigned int before = second_rounds;
	uint64_t end = clock_now() + 2000 * MS;

	event_send(to_second);
	while (second_rounds == before && clock_now() < end)
		hyp_sched_op(SCHEDOP_yield, NULL);
	return second_rounds != before;
}

static void second_vcpu(void)
{
	good_context();
	to_second = event_bind_ipi(1);
	check(to_second != 0, "an IPI to vCPU 1");
	check_eq(hyp_vcpu_op(VCPUOP_initialise, 1, &context), 0, "give it a context");
	check_refused(hyp_vcpu_op(VCPUOP_initialise, 1, &context), "a second one");
	check_eq(hyp_vcpu_op(VCPUOP_is_up, 1, NULL), 0, "it is down");
	check_eq(hyp_vcpu_op(VCPUOP_up, 1, NULL), 0, "start it");
	check_eq(hyp_vcpu_op(VCPUOP_is_up, 1, NULL), 1, "it is up");
	check(answers(), "it answers");
	for (unsigned int i = 0; i < 100; i++)
		if (!answers())
			fail("one of 100 messages");
	check(true, "100 messages");
	check_eq(hyp_vcpu_op(VCPUOP_up, 1, NULL), 0, "starting what runs is no error");
	check_eq(hyp_vcpu_op(VCPUOP_down, 1, NULL), 0, "stop it");
	check_eq(hyp_vcpu_op(VCPUOP_is_up, 1, NULL), 0, "it is down");
	unsigned int before = second_rounds;
	event_send(to_second);
	clock_spin(20 * MS);
	check(second_rounds == before, "and silent");
	check_eq(hyp_vcpu_op(VCPUOP_up, 1, NULL), 0, "start it again");
	check(answers(), "it goes on where it was");
	hyp_vcpu_op(VCPUOP_down, 1, NULL);
}

static long register_info(unsigned int vcpu, uint64_t mfn, uint32_t offset)
{
	struct vcpu_register_vcpu_info op = { .mfn = mfn, .offset = offset };

	return hyp_vcpu_op(VCPUOP_register_vcpu_info, vcpu, &op);
}

static void info_record(void)
{
	char *page = page_alloc();
	uint64_t mfn = page_mfn(page);
	evtchn_port_t port = event_bind_ipi(0);

	check_refused(register_info(0, mfn, 4096), "vcpu_info beyond its page");
	check_refused(register_info(0, mfn, 4096 - 32), "across the end of its page");
	check_refused(register_info(0, mfn, ~63u), "far beyond its page");
	check_refused(register_info(0, mfn, 4), "not aligned to 8");
	check_refused(register_info(0, mfn, 3), "not aligned at all");
	check_refused(register_info(0, MFN_NOWHERE, 0), "in no memory");
	check_refused(register_info(0, ~0UL, 0), "in frame -1");
	check_refused(register_info(0, page_mfn(page_root()), 0), "in a page table");
	check_refused(register_info(4000, mfn, 0), "of a vCPU that isn't there");
	check_eq(register_info(0, mfn, 128), 0, "in a page of ours");
	vcpu_info = (struct vcpu_info *)(page + 128);
	check(vcpu_info->evtchn_upcall_mask == 1, "the mask came along");
	check(vcpu_info->time.tsc_to_system_mul != 0 && clock_now() != 0, "so did the time");
	check_refused(register_info(0, mfn, 256), "a second time");
	check(page_ext(MMUEXT_PIN_L1_TABLE, page) < 0, "the page can't become a table");
	event_unmask(port);
	event_enable();
	event_send(port);
	check_eq(event_count(port), 1, "events work there");
	event_disable();
	event_close(port);
}

static void runstate(void)
{
	static struct vcpu_runstate_info area, got;
	struct vcpu_register_runstate_memory_area op = { .addr.h = GUEST_PTR(&area) };
	struct vcpu_set_singleshot_timer timer;
	evtchn_port_t port = event_bind_virq(VIRQ_TIMER, 0);
	uint64_t blocked, sum, now;

	hyp_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	check_eq(hyp_vcpu_op(VCPUOP_get_runstate_info, 0, &got), 0, "get_runstate_info");
	now = clock_now();
	check_eq(got.state, RUNSTATE_running, "we run");
	sum = got.time[0] + got.time[1] + got.time[2] + got.time[3];
	check(sum && sum <= now, "the states' times add up to %lu of %lu ms", sum / MS, now / MS);
	check(got.state_entry_time && got.state_entry_time <= now, "since a time that is past");
	check_eq(hyp_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op), 0, "register an area");
	check(area.state == RUNSTATE_running && area.state_entry_time, "it is filled in at once");
	blocked = area.time[RUNSTATE_blocked];
	event_unmask(port);
	timer = (struct vcpu_set_singleshot_timer){ .timeout_abs_ns = clock_now() + 30 * MS };
	hyp_vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer);
	while (clock_now() < timer.timeout_abs_ns)	/* a console may wake us, too */
		hyp_sched_op(SCHEDOP_block, NULL);
	event_disable();
	check(area.time[RUNSTATE_blocked] - blocked >= 15 * MS, "it counts %lu us of blocking",
	      (area.time[RUNSTATE_blocked] - blocked) / 1000);
	if (hyp_vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag) == 0) {
		hyp_sched_op(SCHEDOP_yield, NULL);
		check(!(area.state_entry_time & XEN_RUNSTATE_UPDATE),
		      "the update flag is down at rest");
	}
	check_eq(hyp_vcpu_op(VCPUOP_get_runstate_info, 4000, &got), -ENOENT,
		 "of a vCPU that isn't there");
	op.addr.p = 0xffff830000000000;
	check_refused(hyp_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op),
		      "an area in the hypervisor");
	op.addr.p = 0;
	hyp_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op);
	event_close(port);
}

static volatile unsigned int nmis;

static void on_nmi(struct regs *regs)
{
	(void)regs;
	nmis++;
}

static void others(void)
{
	struct vcpu_get_physid id = { 0 };
	long result;

	trap_handle(TRAP_NMI, on_nmi);
	trap_handle(2, on_nmi);
	result = hyp_vcpu_op(VCPUOP_send_nmi, 0, NULL);
	if (result == 0)
		check_eq(nmis, 1, "an NMI to ourselves arrives");
	else
		check(result == -ENOSYS, "send_nmi: %ld", result);
	result = hyp_vcpu_op(VCPUOP_get_physid, 0, &id);
	check(result == 0 || result == -EINVAL || result == -ENOSYS, "get_physid: %ld", result);
	check_eq(hyp_vcpu_op(VCPUOP_is_up, 0, NULL), 1, "vCPU 0 is up");
	check_eq(hyp_vcpu_op(VCPUOP_is_up, 4000, NULL), -ENOENT, "vCPU 4000 isn't there");
	check_eq(hyp_vcpu_op(VCPUOP_is_up, ~0u, NULL), -ENOENT, "nor is vCPU -1");
	check_eq(hyp_vcpu_op(VCPUOP_down, 4000, NULL), -ENOENT, "nor can it be stopped");
	check_eq(hyp_vcpu_op(99, 0, NULL), -ENOSYS, "command 99");
	check_refused(hyp_vcpu_op(VCPUOP_initialise, 0, &context),
		      "a new context for a vCPU that runs");
}

void test_main(void)
{
	runstate();
	info_record();
	good_context();
	others();
	if (hyp_vcpu_op(VCPUOP_is_up, 1, NULL) < 0) {
		print("note: there is no vCPU 1, so none is started\n");
		return;
	}
	bad_contexts();
	second_vcpu();
}
