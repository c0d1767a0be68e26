/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: proportional share by weight with cap and affinity, fast wake-up, work-conserving over all CPUs. It decides which
 * vCPU runs where; switching registers is domain/'s and x86/'s job. Knows struct sched_vcpu only.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "lib/cpumask.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"

/* Per domain: what its vCPUs share. weight 1..65535 (256 is normal), cap in percent of one CPU (0: none). */
struct sched_domain {
	uint16_t weight;
	uint16_t cap;
	/* owned by sched/ */
	unsigned active;
	uint64_t cap_used;
};

enum sched_state { SCHED_RUNNING, SCHED_RUNNABLE, SCHED_BLOCKED, SCHED_OFFLINE };	/* = RUNSTATE_* of abi/vcpu.h */

struct sched_vcpu {
	struct sched_domain *domain;
	unsigned cpu;			/* where it runs, or ran last */
	struct cpumask affinity;	/* where it may run */
	enum sched_state state;
	uint64_t state_since;		/* ns */
	uint64_t time_in[4];		/* ns spent in each state until state_since */
	unsigned pauses;		/* > 0: not to be run (each pauser counts one) */
	bool blocked;			/* by SCHEDOP_block or poll; a wake-up clears it */
	bool down;			/* not up (VCPUOP_up), or shut down */
	bool running;			/* on a CPU now, its registers are there */
	bool idle;
	/* owned by sched/: queue entry, virtual time, ... */
	struct list_node queue;
	uint64_t vtime;
	int64_t credit;
};
void sched_init(void);					/* after all CPUs are up */
void sched_domain_init(struct sched_domain *sd);	/* weight 256, no cap */
int sched_vcpu_init(struct sched_vcpu *sv, struct sched_domain *sd, unsigned cpu, bool idle);
void sched_vcpu_destroy(struct sched_vcpu *sv);

/* Take off every queue and wait until it is on no CPU; nestable with sched_unpause(). Not for the running vCPU: _async there. */
void sched_pause(struct sched_vcpu *sv);
void sched_pause_async(struct sched_vcpu *sv);
void sched_unpause(struct sched_vcpu *sv);
/* An event came: runnable if it was blocked. Cheap when it is running already on this CPU; else kicks the right CPU. */
void sched_wake(struct sched_vcpu *sv);
/* The running vCPU blocks, yields, goes down: takes effect at the next sched_next() on the way out (sched_due() is then true). */
void sched_block(struct sched_vcpu *sv);
void sched_yield(struct sched_vcpu *sv);
void sched_set_down(struct sched_vcpu *sv, bool down);
int sched_set_affinity(struct sched_vcpu *sv, const struct cpumask *mask);

/* On the way out of the hypervisor: is a scheduling decision due on this CPU? */
bool sched_due(void);
/* Choose who runs here next; accounts the previous, arms the slice timer, and updates runstates. Returns the chosen (may be `prev`, may be idle's). */
struct sched_vcpu *sched_next(struct sched_vcpu *prev);
/* After the switch: prev's registers are saved, it may run elsewhere. */
void sched_switched(struct sched_vcpu *prev);
/* The four runstate times until now (ns), and the state. */
void sched_runstate(const struct sched_vcpu *sv, enum sched_state *state, uint64_t *since, uint64_t time[4]);

#endif
