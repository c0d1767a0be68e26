/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU timers to nanosecond deadlines, the wall clock, and what guests read of the time.
 * All times are nanoseconds of machine_now(), the guests' system time, unless said otherwise.
 */
#ifndef TIME_TIME_H
#define TIME_TIME_H

#include "abi/vcpu.h"
#include "abi/xen.h"
#include "lib/types.h"

/*
 * A one-shot timer: fn runs with interrupts off, once, at or soon after `deadline`, on the CPU
 * where it was set. fn may set and stop timers, its own too.
 */
struct timer {
	uint64_t deadline;
	unsigned cpu;			/* whose queue it is or was last on */
	void (*fn)(struct timer *t);
	/*
	 * owned by timer.c: a place in that CPU's pairing heap; `prev` is NULL when it is on none
	 */
	struct timer *child, *next, *prev;
};

/*
 * Read the machine's clock scale and wall clock, make the timer queues. Before the first timer is
 * set.
 */
void time_init(void);
void timer_queues_init(void);		/* time_init()'s own */

void timer_init(struct timer *t, void (*fn)(struct timer *t));
/*
 * Set on this CPU, wherever it was set before. A deadline in the past: fn runs soon, never from
 * inside.
 */
void timer_set(struct timer *t, uint64_t deadline);
/* It won't run any more, but if it is running on another CPU just now it may still be. */
void timer_stop(struct timer *t);
/* The same, and it is not running: it may be freed. The caller holds no lock that fn takes. */
void timer_destroy(struct timer *t);
/* If it is set, move it to this CPU, where its owner runs now. */
void timer_migrate(struct timer *t);
/* Whether it is set (a hint, if others set and stop it). */
static inline bool timer_pending(const struct timer *t)
{
	return __atomic_load_n(&t->prev, __ATOMIC_RELAXED) != NULL;
}
/*
 * Run what is due on this CPU and arm the machine's timer for the next; called when it has fired.
 */
void timer_run(void);

/*
 * The wall clock: it is `sec`.`nsec` since 1970 at `system_time`. Guests see it by
 * time_write_wallclock().
 */
void time_set_wallclock(uint64_t sec, uint32_t nsec, uint64_t system_time);
/*
 * Bring shared_info's record up to date: the wall clock at system time 0, `offset_seconds` added.
 */
void time_write_wallclock(struct shared_info *shared, int64_t offset_seconds);
/*
 * Bring a vcpu_time_info up to date, on the CPU that runs the vCPU. Where the machine's ticks are
 * stable this writes once and is a few comparisons from then on.
 */
void time_write_vcpu(struct vcpu_time_info *info);

#endif
