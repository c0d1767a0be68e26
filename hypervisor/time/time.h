/* SPDX-License-Identifier: MIT */
/* Per-CPU timers to nanosecond deadlines, the wall clock, and what guests read of the time. */
#ifndef TIME_TIME_H
#define TIME_TIME_H

#include "abi/vcpu.h"
#include "abi/xen.h"
#include "lib/types.h"

/*
 * A one-shot timer: fn runs on `cpu` with interrupts off, once, at or soon after `deadline` (ns of machine_now()).
 * It must not be freed while set; timer_stop() may be called from any CPU and from fn.
 */
struct timer {
	uint64_t deadline;
	unsigned cpu;
	unsigned index;			/* place in the CPU's heap + 1, 0: not set */
	void (*fn)(struct timer *t);
};
void time_init(void);
void timer_init(struct timer *t, void (*fn)(struct timer *t));
/* Set (or move) on this CPU. */
void timer_set(struct timer *t, uint64_t deadline);
void timer_stop(struct timer *t);
/* Move a vCPU's timer to another CPU. */
void timer_migrate(struct timer *t, unsigned cpu);
/* Run what is due on this CPU and arm the machine's timer for the next; called from the timer interrupt's pending work. */
void timer_run(void);

/* Wall clock in shared_info: ns since 1970 at system time 0, versioned. */
void time_set_wallclock(uint64_t sec, uint32_t nsec, uint64_t system_time);
void time_write_wallclock(struct shared_info *shared, int64_t offset_seconds);
/* Bring a vcpu_time_info up to date (versioned as the ABI says): scale, stamp, stable flag. */
void time_write_vcpu(struct vcpu_time_info *info);

#endif
