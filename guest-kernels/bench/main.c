/* SPDX-License-Identifier: MIT */
/*
 * How long the hypervisor's primitives take. A line for each: "bench ROW VALUE ns", the median of
 * some runs, each of many operations, by the TSC and the hypervisor's own scale of it. (With QEMU's
 * -icount shift=1,sleep=off one instruction is 2 ns, and runs repeat exactly.) Where the kernel
 * takes part (system calls and faults of user mode, upcalls) it does so with as few instructions
 * as the ABI allows, so that the figures are the hypervisor's.
 *
 * As the control domain, or alone: everything that one domain can do; with two vCPUs on one CPU
 * vcpu_round_trip is two context switches. "ping=DOMID" and "pong=DOMID" on the command lines of
 * two guests measure the same between domains; pong is started first and never ends. "only=ROW"
 * does nothing but that row, for a minute or so: for whoever looks at its instructions.
 */
#include "abi/callback.h"
#include "abi/sched.h"
#include "bench.h"
#include "clock.h"
#include "event.h"
#include "grant.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"
#include "test.h"
#include "user.h"
#include "vcpu.h"

#define RUNS		7
#define NOWHERE		0x600000UL	/* not mapped in user mode */

static unsigned int refusals;

void done(long result)
{
	refusals += result < 0;
}

/* --- the kernel's part, at its shortest --- */

extern char lean_event[], lean_syscall[], lean_fault[];

asm(".pushsection .text\n"
    /* rcx r11 rip cs rflags rsp ss: back with rax r11 rcx flags in front of rip */
    "lean_event:\n"
    "	movb $0, vcpu_info_shared(%rip)\n"
    "	movq $0, vcpu_info_shared + 8(%rip)\n"
    "	movq $0, shared_info + 64 * 32(%rip)\n"	/* evtchn_pending[0] */
    "lean_syscall:\n"
    "	pop %rcx\n"
    "	pop %r11\n"
    "lean_iret:\n"
    "	push $0\n"
    "	push %rcx\n"
    "	push %r11\n"
    "	push %rax\n"
    "	mov $23, %eax\n"
    "	syscall\n"
    /* rcx r11 error rip ...: over the two bytes of the instruction */
    "lean_fault:\n"
    "	pop %rcx\n"
    "	pop %r11\n"
    "	add $8, %rsp\n"
    "	addq $2, (%rsp)\n"
    "	jmp lean_iret\n"
    ".popsection\n"
    ".set vcpu_info_shared, shared_info\n");

static void set_callback(uint16_t type, const char *entry)
{
	struct callback_register cb = {
		.type = type, .flags = CALLBACKF_mask_events, .address = (unsigned long)entry,
	};

	done(hyp_callback_op(CALLBACKOP_register, &cb));
}

static void set_gate(unsigned int vector, const char *entry)
{
	struct trap_info gates[2] = { {
		.vector = (uint8_t)vector, .cs = FLAT_KERNEL_CS, .address = (unsigned long)entry,
	} };

	done(hyp_set_trap_table(gates));
}

/* --- hypercalls --- */

static void null_hypercall(unsigned int n)
{
	while (n--)
		hyp_xen_version(0, NULL);
}

static void multicall_8(unsigned int n)
{
	struct multicall_entry calls[8];

	for (unsigned int i = 0; i < 8; i++)
		calls[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	while (n--)
		done(hyp_multicall(calls, 8));
}

static void set_segment_base(unsigned int n)
{
	while (n--)
		done(hypercall(__HYPERVISOR_set_segment_base, SEGBASE_FS, 0x1000, 0, 0, 0));
}

static void fpu_taskswitch(unsigned int n)
{
	while (n--) {
		hyp_fpu_taskswitch(1);
		hyp_fpu_taskswitch(0);
	}
}

static void set_timer(unsigned int n)
{
	uint64_t never = clock_now() + 1000000000000;

	while (n--)
		hyp_set_timer_op(never);
	hyp_set_timer_op(0);
}

static void get_runstate(unsigned int n)
{
	struct vcpu_runstate_info info;

	while (n--)
		done(hyp_vcpu_op(VCPUOP_get_runstate_info, 0, &info));
}

/* --- events --- */

static evtchn_port_t to_self;

static void event_send_masked(unsigned int n)
{
	event_mask(to_self);
	while (n--)
		event_send(to_self);
	event_clear(to_self);
}

/* Sent, delivered, returned from. */
static void event_self(unsigned int n)
{
	set_callback(CALLBACKTYPE_event, lean_event);
	event_clear(to_self);
	event_unmask(to_self);
	event_enable();
	while (n--)
		event_send(to_self);
	event_disable();
	event_mask(to_self);
	set_callback(CALLBACKTYPE_event, entry_event);
}

static evtchn_port_t to_second, to_first;

static void wait_for(const evtchn_port_t *port)
{
	struct sched_poll poll = { .ports = GUEST_PTR(port), .nr_ports = 1 };

	do
		hyp_sched_op(SCHEDOP_poll, &poll);
	while (!event_pending(*port));
	event_clear(*port);
}

/* vCPU 1: answers. */
static void __attribute__((noreturn)) second(void)
{
	for (;;) {
		wait_for(&to_second);
		event_send(to_first);
	}
}

static void round_trips(unsigned int n)
{
	while (n--) {
		event_send(to_second);
		wait_for(&to_first);
	}
}

/* --- time --- */

static evtchn_port_t timer_port;

/* By how much later than asked a vCPU that waits goes on: it tells so itself, in TSC ticks. */
static uint64_t timer_lateness(unsigned int n)
{
	uint64_t late = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t deadline = clock_now() + 200000;

		hyp_set_timer_op(deadline);
		wait_for(&timer_port);
		late += clock_now() - deadline;
	}
	return late;
}

/* --- user mode --- */

USER_PROGRAM(user_calls, "1: syscall; dec %ebx; jnz 1b; ud2");
USER_PROGRAM(user_faults, "1: movb (%rdi), %al; dec %ebx; jnz 1b; ud2");
USER_PROGRAM(user_traps, "1: int $0x80; dec %ebx; jnz 1b; ud2");

static void run_user(const char *from, const char *to, unsigned int n)
{
	struct regs r = user_regs();

	user_load(from, to);
	r.rbx = n;
	r.rdi = NOWHERE;
	trap_run(&r);
	refusals += r.vector != TRAP_UD;
}

static void user_syscall(unsigned int n)
{
	set_callback(CALLBACKTYPE_syscall, lean_syscall);
	run_user(user_calls, user_calls_end, n);
	set_callback(CALLBACKTYPE_syscall, entry_syscall);
}

static void user_fault(unsigned int n)
{
	set_gate(TRAP_PF, lean_fault);
	run_user(user_faults, user_faults_end, n);
	trap_init();
}

static void user_int(unsigned int n)
{
	struct trap_info gates[2] = { {
		.vector = 0x80, .cs = FLAT_KERNEL_CS, .flags = 3,
		.address = (unsigned long)lean_syscall,
	} };

	done(hyp_set_trap_table(gates));
	run_user(user_traps, user_traps_end, n);
	trap_init();
}

/* --- grants --- */

static domid_t self;

static void grant_map(unsigned int n)
{
	while (n--) {
		struct gnttab_map_grant_ref map = { .host_addr = TEST_VA, .dom = self, .ref = 9,
						    .flags = GNTMAP_host_map };
		struct gnttab_unmap_grant_ref unmap = { .host_addr = TEST_VA };

		done(hyp_grant_table_op(GNTTABOP_map_grant_ref, &map, 1));
		unmap.handle = map.handle;
		done(hyp_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1));
		done(map.status);
		done(unmap.status);
	}
}

static void grant_copies(unsigned int n, uint16_t length)
{
	struct gnttab_copy op = {
		.source = { .u.ref = 9, .domid = self },
		.dest = { .u.gmfn = page_mfn(frame_b), .domid = DOMID_SELF },
		.len = length, .flags = GNTCOPY_source_gref,
	};

	while (n--) {
		done(hyp_grant_table_op(GNTTABOP_copy, &op, 1));
		done(op.status);
	}
}

static void grant_copy_64(unsigned int n)
{
	grant_copies(n, 64);
}

static void grant_copy_4096(unsigned int n)
{
	grant_copies(n, 4096);
}

/* --- rows --- */

static const struct row {
	const char *name;
	unsigned int n;
	void (*run)(unsigned int n);
} rows[] = {
	{ "null_hypercall", 2000, null_hypercall },
	{ "multicall_8", 500, multicall_8 },
	{ "set_segment_base", 1000, set_segment_base },
	{ "fpu_taskswitch_pair", 1000, fpu_taskswitch },
	{ "set_timer", 1000, set_timer },
	{ "get_runstate", 1000, get_runstate },
	{ "user_syscall", 2000, user_syscall },
	{ "user_page_fault", 2000, user_fault },
	{ "user_int", 2000, user_int },
	{ "event_send_masked", 1000, event_send_masked },
	{ "event_self", 1000, event_self },
	{ "update_va_mapping", 1000, update_va_mapping },
	{ "update_va_protection", 1000, update_va_protection },
	{ "mmu_update_1", 1000, mmu_update_1 },
	{ "mmu_update_8", 500, mmu_update_8 },
	{ "mmu_update_32", 200, mmu_update_32 },
	{ "pte_write", 1000, pte_write },
	{ "pte_exchange", 1000, pte_exchange },
	{ "pte_protect_pair", 500, pte_protect },
	{ "tlb_flush", 1000, tlb_flush },
	{ "invlpg", 1000, invlpg },
	{ "pin_unpin", 20, pin_unpin },
	{ "process_switch", 500, process_switch },
	{ "grant_map_unmap", 500, grant_map },
	{ "grant_copy_64", 500, grant_copy_64 },
	{ "grant_copy_4096", 200, grant_copy_4096 },
};

static uint64_t to_ns(uint64_t ticks)
{
	int shift = vcpu_info->time.tsc_shift;

	ticks = shift >= 0 ? ticks << shift : ticks >> -shift;
	return (uint64_t)(((__uint128_t)ticks * vcpu_info->time.tsc_to_system_mul) >> 32);
}

static uint64_t median(uint64_t *values)
{
	for (unsigned int i = 1; i < RUNS; i++)
		for (unsigned int j = i; j && values[j - 1] > values[j]; j--) {
			uint64_t lower = values[j];

			values[j] = values[j - 1];
			values[j - 1] = lower;
		}
	return values[RUNS / 2];
}

/* ns for n operations, as ns and hundredths for one. */
static void report(const char *name, uint64_t ns, unsigned int n)
{
	uint64_t hundredths = ns * 100 / n;

	print("bench %s %lu.%02lu ns\n", name, hundredths / 100, hundredths % 100);
	check(!refusals, "%s: nothing was refused", name);
	refusals = 0;
}

static void measure(const char *name, unsigned int n, void (*run)(unsigned int n))
{
	uint64_t times[RUNS];

	run(4);
	for (unsigned int i = 0; i < RUNS; i++) {
		uint64_t start = clock_tsc();

		run(n);
		times[i] = to_ns(clock_tsc() - start);
	}
	report(name, median(times), n);
}

static void measure_timer(void)
{
	uint64_t times[RUNS];

	for (unsigned int i = 0; i < RUNS; i++)
		times[i] = timer_lateness(50);
	report("timer_lateness", median(times), 50);
}

static void set_up_grants(void)
{
	struct gnttab_set_version version = { .version = 1 };
	xen_pfn_t frame = 0;
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1,
					    .frame_list = GUEST_PTR(&frame) };

	done(hyp_grant_table_op(GNTTABOP_set_version, &version, 1));
	done(hyp_grant_table_op(GNTTABOP_setup_table, &setup, 1));
	grant_map_table(frame);
	self = grant_own_id();
	grant_give(9, self, frame_a, GTF_permit_access);
}

static void set_up(void)
{
	hyp_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	to_self = event_bind_ipi(0);
	timer_port = event_bind_virq(VIRQ_TIMER, 0);
	user_init();
	set_up_paging();
	set_up_grants();
	check(!refusals, "set-up");
}

/* "name=TEXT" on the command line: where TEXT begins, or NULL. */
static const char *argument(const char *name)
{
	const char *at = (const char *)start_info->cmd_line;
	size_t length = strlen(name);

	while (*at && memcmp(at, name, length))
		at++;
	return *at ? at + length : NULL;
}

static bool is_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	return !memcmp(text, word, length) && (!text[length] || text[length] == ' ');
}

static void one_row(const char *name)
{
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (unsigned int n = 0; n < 1000 && is_word(name, rows[i].name); n++)
			rows[i].run(rows[i].n * 10);
}

static void one_domain(void)
{
	set_up();
	if (argument("only="))
		return one_row(argument("only="));
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		measure(rows[i].name, rows[i].n, rows[i].run);
	measure_timer();
	to_first = event_bind_ipi(0);
	to_second = event_bind_ipi(1);
	if (to_second && vcpu_start(second))
		measure("vcpu_round_trip", 300, round_trips);
}

/* --- two domains --- */

static domid_t number(const char *text)
{
	unsigned int value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (unsigned int)(*text - '0');
	return (domid_t)value;
}

static void pong(domid_t other)
{
	struct evtchn_alloc_unbound open = { .dom = DOMID_SELF, .remote_dom = other };

	check_eq(hyp_event_channel_op(EVTCHNOP_alloc_unbound, &open), 0, "a channel for %u", other);
	to_second = to_first = open.port;
	print("pong: port %u\n", open.port);
	second();
}

static void ping(domid_t other)
{
	struct evtchn_bind_interdomain bind = { .remote_dom = other };
	long result = -1;

	for (unsigned int port = 1; result && port < 64; port++) {
		bind.remote_port = port;
		result = hyp_event_channel_op(EVTCHNOP_bind_interdomain, &bind);
	}
	check_eq(result, 0, "channel %u of %u", bind.remote_port, other);
	to_second = to_first = bind.local_port;
	wait_for(&to_first);		/* binding it sent one */
	measure("domain_round_trip", 300, round_trips);
}

void test_main(void)
{
	if (argument("pong="))
		pong(number(argument("pong=")));
	else if (argument("ping="))
		ping(number(argument("ping=")));
	else
		one_domain();
}
