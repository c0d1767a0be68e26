/* SPDX-License-Identifier: MIT */
/* Inside sched/: one CPU's queue. */
#ifndef SCHED_RUNQUEUE_H
#define SCHED_RUNQUEUE_H

#include "lib/lock.h"
#include "sched/sched.h"
#include "time/time.h"
#include "x86/machine.h"

/* How long one runs while others wait; the least before a cap (what is overdrawn is paid back). */
#define SCHED_SLICE_NS		10000000ull
#define SCHED_SLICE_MIN_NS	200000ull
#define SCHED_CAP_PERIOD_NS	30000000ull
/* How long one runs at least before a waker takes its CPU: wake-ups in a row are one switch. */
#define SCHED_RUN_MIN_NS	1000000ull
/* In virtual time: how far behind a waker must be to preempt, and how far a sleeper may stay. */
#define SCHED_GRANULARITY_NS	500000ull
#define SCHED_WAKE_CREDIT_NS	10000000ull

struct runqueue {
	struct lock lock;		/* RANK_SCHED; never two at once */
	unsigned cpu;
	struct sched_vcpu *current;	/* who was chosen last */
	struct sched_vcpu *idle;
	struct list_node waiting;	/* by ascending vtime; without `current` */
	struct list_node parked;	/* over their domain's cap until its next period */
	uint64_t vclock;		/* the vtime of who is most behind; never goes back */
	uint64_t since;			/* when `current`'s time was last accounted */
	uint64_t started, slice_end;	/* of `current`'s time here */
	bool yielded;			/* `current` lets another go first */
	struct timer slice, unpark;
	/* written under the lock, read by all CPUs without it */
	unsigned nr_waiting;
	uint32_t load;			/* the shares of those that wait and the one that runs */
	bool due;			/* written by all CPUs */
} __attribute__((aligned(64)));

extern struct runqueue runqueues[CPU_MAX];
/* CPUs whose current is their idle vCPU. */
extern struct cpumask sched_idle_cpus;

/* -- runqueue.c: all under the queue's lock -- */

/* Does nothing the second time. */
void runqueue_init(unsigned cpu);
/* Lock the queue of sv->cpu, which changes only under that lock. */
struct runqueue *runqueue_lock(const struct sched_vcpu *sv);
/* Put on the queue by virtual time; take off whichever it is on (or none). */
void runqueue_add(struct runqueue *rq, struct sched_vcpu *sv);
void runqueue_remove(struct runqueue *rq, struct sched_vcpu *sv);
/*
 * Take the first that may run; NULL if there is none. Parks those that are over their cap. On its
 * own CPU.
 */
struct sched_vcpu *runqueue_take(struct runqueue *rq, uint64_t now);
/* Charge `current` for the time until now. */
void runqueue_account(struct runqueue *rq, uint64_t now);
/* The virtual time of `current` now. */
uint64_t runqueue_vtime(const struct runqueue *rq, uint64_t now);
/* A waker keeps its virtual time, but is not let too far behind. */
void runqueue_limit_lag(const struct runqueue *rq, struct sched_vcpu *sv);
/* ns that `sv` may run before its domain's cap ends it; ~0 if it has none. */
uint64_t runqueue_cap_left(struct sched_vcpu *sv, uint64_t now);
/* Its part of its domain's weight just now. */
uint32_t runqueue_share(const struct sched_vcpu *sv);
void runqueue_set_state(struct sched_vcpu *sv, enum sched_state state, uint64_t now);

/*
 * Have the queue's CPU decide again before it next runs a guest. The kick also for ourselves: on
 * the way out a CPU looks at `due` only if it was kicked.
 */
static inline void runqueue_set_due(struct runqueue *rq)
{
	__atomic_store_n(&rq->due, true, __ATOMIC_SEQ_CST);
	machine_kick(rq->cpu);
}

static inline bool sched_runnable(const struct sched_vcpu *sv)
{
	return !sv->pauses && !sv->down && !__atomic_load_n(&sv->blocked, __ATOMIC_RELAXED);
}

/* Where it may run now. */
static inline bool sched_may_run_on(const struct sched_vcpu *sv, unsigned cpu)
{
	return sv->pin >= 0 ? (unsigned)sv->pin == cpu : cpumask_test(&sv->affinity, cpu);
}

/* -- balance.c: no queue's lock held -- */

/*
 * Put a runnable vCPU where it best runs, unless somebody did so meanwhile or it is still in a
 * CPU's hands (`running`). The caller keeps it from being freed.
 */
void balance_place(struct sched_vcpu *sv);
/*
 * Take it out of our CPU's hands: queued if it is runnable, on a CPU where it may run. Not touched
 * afterwards.
 */
void balance_release(struct sched_vcpu *sv);
/*
 * Bring a waiting vCPU of another CPU to this one's queue if that evens the load. True if one came.
 */
bool balance_pull(struct runqueue *rq);
#endif
