/* SPDX-License-Identifier: MIT */
/*
 * A whole PV kernel in one file: what a port to this ABI costs before it has drivers. It greets on
 * its console, tells its uptime, answers typed lines and ends when it is asked to (by the line
 * "poweroff", or by the toolstack through xenstore). As the control domain it has the hypervisor's
 * console and no xenstore.
 *
 * One vCPU and one loop: events stay masked, and the loop sleeps in SCHEDOP_poll until its ports
 * are pending or a time has come. A kernel with interrupts would register a callback
 * (../start/start64.S does).
 */
#include <stdarg.h>
#include <stdbool.h>

#include "abi/event_channel.h"
#include "abi/io/console.h"
#include "abi/io/xs_wire.h"
#include "abi/sched.h"
#include "abi/xen.h"

#define VIRT_BASE	0xffffffff80000000UL	/* as in ../start/pv64.lds */
#define SECOND		1000000000UL
#define TICK		(5 * SECOND)

/* --- The entry, and the notes that the domain builder reads --- */

#define NOTE(type, desc)							\
	asm(".section .note.Xen, \"a\", @note\n"				\
	    ".balign 4; .long 4, 8f - 7f, " #type "; .asciz \"Xen\"\n"		\
	    "7: " desc "\n8: .balign 4; .previous")

NOTE(6, ".asciz \"mini\"");			/* XEN_ELFNOTE_GUEST_OS */
NOTE(5, ".asciz \"xen-3.0\"");			/* XEN_ELFNOTE_XEN_VERSION */
NOTE(8, ".asciz \"generic\"");			/* XEN_ELFNOTE_LOADER */
NOTE(3, ".quad 0xffffffff80000000");		/* XEN_ELFNOTE_VIRT_BASE */
NOTE(1, ".quad _start");			/* XEN_ELFNOTE_ENTRY */
NOTE(17, ".long 1 << 11");			/* XEN_ELFNOTE_SUPPORTED_FEATURES: dom0 */

asm(".globl _start\n"
    "_start: lea stack + 16384(%rip), %rsp\n"
    "	mov %rsi, %rdi\n"			/* start_info */
    "	call main\n"
    "trap_entry:\n"				/* any exception ends us */
    "	mov 16(%rsp), %rdi\n"
    "	mov 24(%rsp), %rsi\n"
    "	and $-16, %rsp\n"
    "	call die\n");
extern char trap_entry[];
char stack[16384] __attribute__((aligned(16)));

static long hypercall(unsigned long nr, unsigned long a, unsigned long b, unsigned long c)
{
	asm volatile("syscall" : "+a"(nr), "+D"(a), "+S"(b), "+d"(c)
		     : : "rcx", "r8", "r10", "r11", "memory");
	return (long)nr;
}

/* --- What we share with others --- */

static struct start_info *start_info;
/* Alone in its page (../start/pv64.lds), over which the hypervisor's is mapped. */
static volatile struct shared_info shared_info __attribute__((aligned(4096), section(".bss.page")));

/* Null in the control domain. */
static volatile struct xencons_interface *console;
static volatile struct xenstore_domain_interface *store;

static bool is_dom0(void)
{
	return start_info->flags & SIF_INITDOMAIN;
}

/* The domain builder mapped all that it made from VIRT_BASE on; M2P tells where a frame is. */
static void *mapped_frame(unsigned long mfn)
{
	return (void *)(VIRT_BASE + (((volatile unsigned long *)MACH2PHYS_VIRT_START)[mfn] << 12));
}

static void notify(evtchn_port_t port)
{
	struct evtchn_send send = { .port = port };

	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&send, 0);
}

static void __attribute__((noreturn)) shut_down(unsigned int reason)
{
	struct sched_shutdown op = { .reason = reason };

	for (;;)
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&op, 0);
}

/* Sleep until a port of ours is pending or a system time has come. */
static void sleep_until(unsigned long time)
{
	evtchn_port_t ports[2] = { 0 };
	struct sched_poll poll = { .ports = GUEST_PTR(ports), .timeout = time };

	if (console)
		ports[poll.nr_ports++] = start_info->console.domU.evtchn;
	if (store)
		ports[poll.nr_ports++] = start_info->store_evtchn;
	hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (unsigned long)&poll, 0);
	for (unsigned int i = 0; i < poll.nr_ports; i++)
		asm volatile("lock btrq %1, %0" : "+m"(shared_info.evtchn_pending[ports[i] / 64])
			     : "r"((unsigned long)ports[i] % 64) : "memory", "cc");
}

/* --- Time --- */

static unsigned long now(void)
{
	volatile struct vcpu_time_info *t = &shared_info.vcpu_info[0].time;
	unsigned int version, low, high;
	unsigned long delta, ns;

	do {
		version = t->version & ~1u;
		asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
		delta = ((unsigned long)high << 32 | low) - t->tsc_timestamp;
		delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
		ns = t->system_time +
			(unsigned long)((__uint128_t)delta * t->tsc_to_system_mul >> 32);
		asm volatile("lfence" : : : "memory");
	} while (version != t->version);
	return ns;
}

/* --- Console --- */

static void put(const char *text, unsigned int n)
{
	if (!console)
		hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, n, (unsigned long)text);
	while (console && n) {
		unsigned int prod = console->out_prod;

		if (prod - console->out_cons >= sizeof(console->out)) {
			hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
			continue;
		}
		console->out[MASK_XENCONS_IDX(prod, console->out)] = *text++;
		asm volatile("" : : : "memory");
		console->out_prod = prod + 1;
		if (!--n)
			notify(start_info->console.domU.evtchn);
	}
}

/* One typed character, or -1. */
static int get(void)
{
	char c;

	if (!console)
		return hypercall(__HYPERVISOR_console_io, CONSOLEIO_read, 1,
				 (unsigned long)&c) == 1 ? c : -1;
	if (console->in_cons == console->in_prod)
		return -1;
	c = console->in[MASK_XENCONS_IDX(console->in_cons, console->in)];
	asm volatile("" : : : "memory");
	console->in_cons++;
	return c;
}

/* %s and %lu; lines end in "\r\n", as a terminal wants them. */
static void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (const char *at = format; *at; at++) {
		char digits[20], *d = digits + sizeof(digits);

		if (at[0] == '%' && at[1] == 's') {
			const char *s = va_arg(args, const char *);

			at++;
			put(s, (unsigned int)__builtin_strlen(s));
		} else if (at[0] == '%') {
			unsigned long n = va_arg(args, unsigned long);

			at += 2;
			do
				*--d = (char)('0' + n % 10);
			while (n /= 10);
			put(d, (unsigned int)(digits + sizeof(digits) - d));
		} else {
			put(*at == '\n' ? "\r\n" : at, *at == '\n' ? 2 : 1);
		}
	}
	va_end(args);
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

void __attribute__((used)) die(unsigned long a, unsigned long b)
{
	print("mini: an exception (%lu, %lu)\n", a, b);
	shut_down(SHUTDOWN_crash);
}

/* --- Xenstore: one watch, on what the toolstack asks us to do --- */

static void store_put(const void *data, unsigned int n)
{
	const char *from = data;

	while (n--) {
		while (store->req_prod - store->req_cons >= XENSTORE_RING_SIZE)
			hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
		store->req[MASK_XENSTORE_IDX(store->req_prod)] = *from++;
		asm volatile("" : : : "memory");
		store->req_prod++;
	}
}

/* n bytes, of which the first `room` go to data. */
static void store_get(void *data, unsigned int room, unsigned int n)
{
	char *to = data;

	for (unsigned int i = 0; i < n; i++) {
		char c;

		while (store->rsp_prod == store->rsp_cons)
			hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
		c = store->rsp[MASK_XENSTORE_IDX(store->rsp_cons)];
		asm volatile("" : : : "memory");
		store->rsp_cons++;
		if (i < room)
			to[i] = c;
	}
}

static void store_send(unsigned int type, const char *text, unsigned int n)
{
	struct xsd_sockmsg head = { .type = type, .len = n };

	store_put(&head, sizeof(head));
	store_put(text, n);
	notify(start_info->store_evtchn);
}

/* Take one message: watch events make us ask for the value, values are carried out. */
static void store_take(void)
{
	static const char path[] = "control/shutdown";
	struct xsd_sockmsg head;
	char value[64] = "";

	if (store->rsp_prod == store->rsp_cons)
		return;
	store_get(&head, sizeof(head), sizeof(head));
	store_get(value, sizeof(value) - 1, head.len);
	notify(start_info->store_evtchn);
	if (head.type == XS_WATCH_EVENT) {
		store_send(XS_READ, path, sizeof(path));
	} else if (head.type == XS_READ && value[0]) {
		value[head.len < sizeof(value) ? head.len : sizeof(value) - 1] = 0;
		print("mini: the toolstack says %s\n", value);
		store_send(XS_WRITE, path, sizeof(path));	/* empty: we have seen it */
		if (same(value, "reboot"))
			shut_down(SHUTDOWN_reboot);
		if (same(value, "poweroff") || same(value, "halt"))
			shut_down(SHUTDOWN_poweroff);
	}
}

/* --- The kernel --- */

static void command(const char *line)
{
	if (same(line, "poweroff"))
		shut_down(SHUTDOWN_poweroff);
	else if (same(line, "reboot"))
		shut_down(SHUTDOWN_reboot);
	else if (same(line, "crash"))
		asm volatile("ud2");
	else if (same(line, "uptime"))
		print("%lu ms since the host started\n", now() / 1000000);
	else if (same(line, "memory"))
		print("%lu KiB\n", start_info->nr_pages * 4);
	else if (*line)
		print("There are: uptime memory poweroff reboot crash\n");
	print("mini> ");
}

static void type(int c)
{
	static char line[80];
	static unsigned int n;
	char echo = (char)c;

	if (c == '\r' || c == '\n') {
		print("\n");
		line[n] = 0;
		n = 0;
		command(line);
	} else if ((c == 8 || c == 127) && n) {
		n--;
		print("\b \b");
	} else if (c >= ' ' && c < 127 && n < sizeof(line) - 1) {
		line[n++] = echo;
		put(&echo, 1);
	}
}

static void set_up(void)
{
	static struct trap_info traps[33];
	static const char watch[] = "control/shutdown\0mini";

	for (unsigned int i = 0; i < 32; i++)
		traps[i] = (struct trap_info){
			.vector = (uint8_t)i, .cs = FLAT_KERNEL_CS,
			.address = (unsigned long)trap_entry,
		};
	hypercall(__HYPERVISOR_set_trap_table, (unsigned long)traps, 0, 0);
	hypercall(__HYPERVISOR_update_va_mapping, (unsigned long)&shared_info,
		  start_info->shared_info | 7,
		  UVMF_INVLPG);
	shared_info.vcpu_info[0].evtchn_upcall_mask = 1;
	if (is_dom0())
		return;
	console = mapped_frame(start_info->console.domU.mfn);
	store = mapped_frame(start_info->store_mfn);
	store_send(XS_WATCH, watch, sizeof(watch));
}

void __attribute__((used, noreturn)) main(struct start_info *info)
{
	unsigned long start, tick;

	start_info = info;
	set_up();
	start = now();
	tick = start + TICK;
	print("\nmini: a PV kernel under %s, %lu MiB. Type help.\nmini> ", info->magic,
	      info->nr_pages / 256);
	for (;;) {
		for (int c; (c = get()) >= 0;)
			type(c);
		if (store)
			store_take();
		if (now() >= tick) {
			print("\rmini: up for %lu s\nmini> ", (now() - start) / SECOND);
			tick += TICK;
		}
		if (!store || store->rsp_prod == store->rsp_cons)
			sleep_until(is_dom0() ? now() + SECOND / 10 : tick);
	}
}
