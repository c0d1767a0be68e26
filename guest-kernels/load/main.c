/* SPDX-License-Identifier: MIT */
/*
 * A guest that keeps a CPU busy and says how far it got: the well-behaved one and two of the
 * ill-behaved ones of the scale and isolation benchmarks (tests/bench/scale.py). Its command line
 * names its work: "spin", "touch" (writes all over its memory) or "events" (sends itself events
 * without a pause). Each half second of system time, which all guests of a host share, it writes
 * "load TIME UNITS", the time in microseconds and the units of work done since it started.
 */
#include "abi/event_channel.h"
#include "clock.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"

#define REPORT_NS	500000000UL
#define TOUCHED_PAGES	128

static char *touched[TOUCHED_PAGES];
static evtchn_port_t port;

static void spin(void)
{
	for (unsigned int i = 0; i < 5000; i++)
		asm volatile("" : "+r"(i));
}

static void touch(void)
{
	for (unsigned int i = 0; i < TOUCHED_PAGES; i++)
		for (unsigned int at = 0; at < PAGE_SIZE; at += 64)
			((volatile char *)touched[i])[at]++;
}

static void send_events(void)
{
	for (unsigned int i = 0; i < 20; i++)
		event_send(port);
}

static void set_up_nothing(void)
{
}

static void set_up_touch(void)
{
	for (unsigned int i = 0; i < TOUCHED_PAGES; i++)
		touched[i] = page_alloc();
}

static void set_up_events(void)
{
	port = event_bind_ipi(0);
	event_unmask(port);
	event_enable();
}

static const struct work {
	const char *name;
	void (*set_up)(void);
	void (*unit)(void);
} works[] = {
	{ "spin", set_up_nothing, spin },
	{ "touch", set_up_touch, touch },
	{ "events", set_up_events, send_events },
};

void kernel_main(void)
{
	const char *line = (const char *)start_info->cmd_line;
	const struct work *work = &works[0];
	unsigned long units = 0;
	uint64_t next;

	for (unsigned int i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (!memcmp(line, works[i].name, strlen(works[i].name)))
			work = &works[i];
	work->set_up();
	print("load %s\n", work->name);
	for (next = clock_now();; units++) {
		work->unit();
		if (clock_now() >= next) {
			print("load %lu %lu\n", clock_now() / 1000, units);
			next += REPORT_NS;
		}
	}
}
