/* SPDX-License-Identifier: MIT */
/*
 * A machine under a simulated clock for tests of the scheduler: CPUs that take their timer and
 * their kicks, vCPUs that compute without end or compute and sleep in turn.
 */
#ifndef SCHED_SIM_H
#define SCHED_SIM_H

#include "sched/runqueue.h"

#define MS	1000000ull
#define SEC	(1000 * MS)
#define CPUS	4
#define GUESTS	8
#define STEP	(MS / 50)

/* A domain of one or two vCPUs. */
struct guest {
	struct sched_domain domain;
	struct sim_vcpu {
		struct sched_vcpu sched;
		uint64_t run, sleep;	/* computes and sleeps so long in turn; 0: never sleeps */
		uint64_t left;		/* of the present run */
		uint64_t wake_at;	/* ~0: not asleep */
		uint64_t woken;		/* when, if it has not run since; or 0 */
		uint64_t worst_latency, total;
	} vcpu[2];
	unsigned nr;
};

extern struct guest guest[GUESTS];
extern struct sched_vcpu idle[CPUS], *current[CPUS];
extern unsigned switches;
/* CPU time that was idle while somebody waited. */
extern uint64_t wasted;

/* Begin anew with so many CPUs, all idle. */
void start(unsigned cpus);
/* A new domain whose vCPUs are up. `run` and `sleep` as above. */
struct guest *add(unsigned weight, unsigned cap, unsigned vcpus, uint64_t run, uint64_t sleep);
/* What x86/ does on the way out: schedule until nothing is due. */
void leave_hypervisor(unsigned cpu);
void run(uint64_t duration);
/* CPU time that its vCPUs got. */
uint64_t total(const struct guest *g);
/* Within 2 % of `percent` of one CPU over `duration`. */
void assert_share(const struct guest *g, double percent, uint64_t duration);
/* All vCPUs go, so that the next test finds empty queues. */
void stop(void);

#endif
