/* SPDX-License-Identifier: MIT */
/* See clock.h. */
#include "fake/clock.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/assert.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define TICKS_BASE	1000u		/* ticks at time 0; 2 ticks are a nanosecond */

static __thread unsigned this_cpu;
static struct cpumask online;
static uint64_t time_now, armed[CPU_MAX];
static unsigned arms[CPU_MAX], kicks[CPU_MAX];
static bool threads, stable = true;
static unsigned budget = ~0u, asked, heap_left = ~0u, heap_used;

void fake_clock_start(unsigned cpus, uint64_t now)
{
	memset(&online, 0, sizeof(online));
	for (unsigned cpu = 0; cpu < cpus; cpu++)
		cpumask_set(&online, cpu);
	memset(armed, 0xff, sizeof(armed));
	memset(arms, 0, sizeof(arms));
	memset(kicks, 0, sizeof(kicks));
	time_now = now;
	this_cpu = 0;
	threads = false;
	stable = true;
	budget = heap_left = ~0u;
}

void fake_clock_set(uint64_t now)
{
	ASSERT(now >= time_now);
	__atomic_store_n(&time_now, now, __ATOMIC_RELAXED);
}

void fake_clock_cpu(unsigned cpu)
{
	this_cpu = cpu;
}

uint64_t fake_clock_armed(unsigned cpu)
{
	return armed[cpu];
}

unsigned fake_clock_arms(unsigned cpu)
{
	return arms[cpu];
}

void fake_clock_disarm(unsigned cpu)
{
	armed[cpu] = ~0ull;
}

unsigned fake_clock_kicks(unsigned cpu)
{
	return __atomic_exchange_n(&kicks[cpu], 0, __ATOMIC_RELAXED);
}

void fake_clock_threads(bool on)
{
	threads = on;
}

void fake_clock_budget(unsigned questions)
{
	budget = questions;
	asked = 0;
}

void fake_clock_stable(bool on)
{
	stable = on;
}

void fake_heap_fails_after(unsigned n)
{
	heap_left = n;
}

unsigned fake_heap_blocks(void)
{
	return heap_used;
}

unsigned machine_cpu(void)
{
	return this_cpu;
}

const struct cpumask *machine_cpus_online(void)
{
	return &online;
}

void machine_relax(void)
{
	if (!threads)
		panic("waiting for another CPU");
	sched_yield();
}

void machine_kick(unsigned cpu)
{
	__atomic_fetch_add(&kicks[cpu], 1, __ATOMIC_RELAXED);
}

void machine_budget_start(void)
{
	asked = 0;
}

bool machine_budget_spent(void)
{
	return budget != ~0u && asked++ >= budget;
}

uint64_t machine_now(void)
{
	return __atomic_load_n(&time_now, __ATOMIC_RELAXED);
}

uint64_t machine_ticks(void)
{
	return TICKS_BASE + machine_now() * 2;
}

uint64_t machine_ticks_base(void)
{
	return TICKS_BASE;
}

void machine_ticks_scale(uint32_t *mul, int8_t *shift)
{
	*mul = 0x80000000u;
	*shift = 0;
}

bool machine_ticks_stable(void)
{
	return stable;
}

uint64_t machine_wallclock(void)
{
	return 1700000000;
}

void machine_timer_arm(uint64_t deadline)
{
	armed[this_cpu] = deadline;
	arms[this_cpu]++;
}

void *heap_alloc(size_t size)
{
	void *p;

	if (heap_left != ~0u && (!heap_left || !heap_left--))
		return NULL;
	p = calloc(1, size);
	if (p)
		heap_used++;
	return p;
}

void heap_free(void *p)
{
	if (p)
		heap_used--;
	free(p);
}
