/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: proportional share by weight with cap and affinity, fast wake-up, work-conserving
 * over all CPUs. It decides which vCPU runs where; switching registers is domain/'s and x86/'s job.
 * Knows struct sched_vcpu only.
 *
 * A domain's weight is shared by those of its vCPUs that want to run. Each vCPU has a virtual time,
 * which grows by what it ran, divided by its share; the one that is most behind runs next. Who
 * wakes up goes before whoever ran long, but never gets more than its share by it.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "lib/cpumask.h"
#include "lib/list.h"
#include "lib/types.h"

#define SCHED_WEIGHT_NORMAL	256

/* Per domain: what its vCPUs share. All words are read and changed atomically, no lock. */
struct sched_domain {
	uint32_t weight;		/* 1..65535 */
	uint32_t cap;			/* percent of one CPU, 0: none */
	/* owned by sched/ */
	uint32_t active;		/* vCPUs that run or want to */
	uint64_t cap_period;		/* number of the period that cap_left counts for */
	int64_t cap_left;		/* ns that may still be used in it; overdrafts carry over */
};

/* RUNSTATE_* of abi/vcpu.h */
enum sched_state { SCHED_RUNNING, SCHED_RUNNABLE, SCHED_BLOCKED, SCHED_OFFLINE };

/*
 * All under the lock of the queue of `cpu`, but for `blocked` and `running`, which may be read
 * without.
 */
struct sched_vcpu {
	struct sched_domain *domain;
	unsigned cpu;			/* where it runs, waits or ran last */
	struct cpumask affinity;	/* where it may run */
	enum sched_state state;
	uint64_t state_since;		/* ns */
	uint64_t time_in[4];		/* ns spent in each state until state_since */
	unsigned pauses;		/* > 0: not to be run (each pauser counts one) */
	bool blocked;			/* by SCHEDOP_block or poll; a wake-up clears it */
	bool down;			/* not up (VCPUOP_up); true at first */
	bool running;			/* its registers are on a CPU, until sched_switched() */
	bool idle;
	/* owned by sched/ */
	bool queued, parked;		/* on the list of those that wait, or are over their cap */
	bool active;			/* counted in domain->active */
	int pin;			/* the only CPU it may run on, or -1: none */
	struct list_node queue;
	uint64_t vtime;			/* ns times normal weight over share; of its queue only */
	uint32_t share;			/* its part of the domain's weight when it was queued */
};

/* After time_init(), when all CPUs are up. */
void sched_init(void);
void sched_domain_init(struct sched_domain *sd);	/* normal weight, no cap */
/* -EINVAL if the weight is not in 1..65535. */
int sched_domain_set(struct sched_domain *sd, unsigned weight, unsigned cap);
/*
 * Down, on `cpu`, free to run anywhere. An idle one is `cpu`'s own, for ever, and taken to be
 * running there; it has no domain (NULL). -EINVAL if the CPU is not online.
 */
int must_check sched_vcpu_init(struct sched_vcpu *sv, struct sched_domain *sd, unsigned cpu,
			       bool idle);
/* It is paused or down, and runs on no CPU. */
void sched_vcpu_destroy(struct sched_vcpu *sv);

/*
 * Take off every queue and wait until it is on no CPU; nestable with sched_unpause(). Not for the
 * running vCPU: _async there. The caller of sched_pause() holds no lock.
 */
void sched_pause(struct sched_vcpu *sv);
void sched_pause_async(struct sched_vcpu *sv);
void sched_unpause(struct sched_vcpu *sv);
/* Wait until it is on no CPU, after sched_pause_async() or sched_set_down(); no lock held. */
void sched_sync(struct sched_vcpu *sv);

/*
 * An event came: runnable if it was blocked. If it runs on another CPU, that one is kicked, so that
 * it looks at its pending events; if on this one nothing is to be done. Any lock below RANK_SCHED
 * may be held.
 */
void sched_wake(struct sched_vcpu *sv);
/*
 * The running vCPU blocks: takes effect at the next sched_next() on the way out. The caller then
 * looks once more whether what it waits for has come, and if so calls sched_wake().
 */
void sched_block(struct sched_vcpu *sv);
/*
 * The running vCPU lets the others on its CPU go first. (The C library has a sched_yield() of its
 * own.)
 */
void sched_vcpu_yield(struct sched_vcpu *sv);
void sched_set_down(struct sched_vcpu *sv, bool down);
/* -EINVAL if no CPU of the mask is online. */
int must_check sched_set_affinity(struct sched_vcpu *sv, const struct cpumask *mask);
/*
 * Run the running vCPU on `cpu` only, whatever its affinity, until called with -1. -EINVAL: not
 * online.
 */
int must_check sched_pin_override(struct sched_vcpu *sv, int cpu);

/* After a kick, on the way out of the hypervisor: is a scheduling decision due on this CPU? */
bool sched_due(void);
/*
 * Choose who runs here next; `prev` is who runs now. Accounts it, arms the slice timer and updates
 * runstates. If the result is not `prev` the caller switches and then calls sched_switched(prev).
 */
struct sched_vcpu *sched_next(struct sched_vcpu *prev);
/* After the switch: prev's registers are saved, it may run elsewhere. */
void sched_switched(struct sched_vcpu *prev);

/* The four runstate times until now (ns), the state, and since when. */
void sched_runstate(const struct sched_vcpu *sv, enum sched_state *state, uint64_t *since,
		    uint64_t time[4]);
/* ns that `cpu` has idled. */
uint64_t sched_idle_time(unsigned cpu);

#endif
