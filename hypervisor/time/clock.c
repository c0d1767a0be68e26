/* SPDX-License-Identifier: MIT */
/*
 * What guests read of the time: the scale from ticks to system time in vcpu_time_info, and the wall
 * clock.
 *
 * Both records are versioned: odd while they change. The guest may scribble on them; it fools only
 * itself, and a record that differs from what we would write is written again at the next switch.
 *
 * Where the machine's ticks are stable, system time is a linear function of them for ever, so the
 * record names one moment of start-up and never changes. Elsewhere each switch stamps the present.
 *
 * Lock: `wall_lock` for the wall clock; a vCPU's record is written by the CPU that runs it.
 */
#include "time/time.h"

#include "lib/lock.h"
#include "x86/machine.h"

#define NS_PER_SEC	1000000000ull

static struct {
	uint64_t ticks, ns;		/* at one moment, computed as guests do */
	uint32_t mul;
	int8_t shift;
	bool stable;
} scale;

static struct lock wall_lock = LOCK_INIT(RANK_TIMER);
static uint64_t wall_at_zero;		/* ns since 1970 at system time 0 */

static uint64_t ticks_to_ns(uint64_t ticks)
{
	ticks = scale.shift < 0 ? ticks >> -scale.shift : ticks << scale.shift;
	return (uint64_t)((unsigned __int128)ticks * scale.mul >> 32);
}

void time_init(void)
{
	timer_queues_init();
	machine_ticks_scale(&scale.mul, &scale.shift);
	scale.ticks = machine_ticks();
	scale.ns = ticks_to_ns(scale.ticks - machine_ticks_base());
	scale.stable = machine_ticks_stable();
	time_set_wallclock(machine_wallclock(), 0, machine_now());
}

void time_set_wallclock(uint64_t sec, uint32_t nsec, uint64_t system_time)
{
	lock_acquire(&wall_lock);
	wall_at_zero = sec * NS_PER_SEC + nsec - system_time;
	lock_release(&wall_lock);
}

void time_write_wallclock(struct shared_info *shared, int64_t offset_seconds)
{
	volatile struct shared_info *to = shared;
	uint64_t sec, ns;
	uint32_t version;

	lock_acquire(&wall_lock);
	ns = wall_at_zero;
	sec = ns / NS_PER_SEC + (uint64_t)offset_seconds;
	version = to->wc_version | 1;
	to->wc_version = version;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	to->wc_sec = (uint32_t)sec;
	to->wc_sec_hi = (uint32_t)(sec >> 32);
	to->wc_nsec = (uint32_t)(ns % NS_PER_SEC);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	to->wc_version = version + 1;
	lock_release(&wall_lock);
}

static void write_record(volatile struct vcpu_time_info *to, uint64_t ticks, uint64_t system_time)
{
	uint32_t version = to->version | 1;

	to->version = version;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	to->tsc_timestamp = ticks;
	to->system_time = system_time;
	to->tsc_to_system_mul = scale.mul;
	to->tsc_shift = scale.shift;
	to->flags = scale.stable ? XEN_PVCLOCK_TSC_STABLE_BIT : 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	to->version = version + 1;
}

void time_write_vcpu(struct vcpu_time_info *info)
{
	volatile struct vcpu_time_info *to = info;

	if (!scale.stable)
		write_record(to, machine_ticks(), machine_now());
	else if (unlikely(to->tsc_timestamp != scale.ticks || to->system_time != scale.ns ||
			  to->tsc_to_system_mul != scale.mul || to->tsc_shift != scale.shift ||
			  to->flags != XEN_PVCLOCK_TSC_STABLE_BIT || (to->version & 1)))
		write_record(to, scale.ticks, scale.ns);
}
