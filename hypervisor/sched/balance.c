/* SPDX-License-Identifier: MIT */
/*
 * Which CPU: where a vCPU that wakes up goes, and what a CPU takes from others when it has nothing
 * to do or at the end of a slice. CPUs that have enough of their own never meet here.
 *
 * No CPU idles while a vCPU that may run there waits: who queues one looks for an idle CPU
 * afterwards, and who goes idle says so before it looks at the others' queues.
 *
 * Lock: one queue's at a time. While a vCPU is on its way from one to another it is on no queue: if
 * we pull it, `running` is set and keeps others from queueing it and its memory from going; if we
 * were asked to place it, others may be faster, and we notice.
 */
#include "sched/runqueue.h"

#include "lib/assert.h"
#include "x86/machine.h"

/* Make an idle CPU ours to wake; false if another was faster. */
static bool claim_idle(unsigned cpu)
{
	uint64_t bit = 1ull << cpu % 64;

	return cpumask_test(&sched_idle_cpus, cpu) &&
	       __atomic_fetch_and(&sched_idle_cpus.bits[cpu / 64], ~bit, __ATOMIC_SEQ_CST) & bit;
}

/* An idle CPU where sv may run, claimed; CPU_MAX if there is none. */
static unsigned find_idle(const struct sched_vcpu *sv)
{
	if (sched_may_run_on(sv, sv->cpu) && claim_idle(sv->cpu))
		return sv->cpu;
	cpumask_for_each(cpu, &sched_idle_cpus) {
		if (sched_may_run_on(sv, cpu) && claim_idle(cpu))
			return cpu;
	}
	return CPU_MAX;
}

/* A CPU where sv may run: its own, else the least loaded. */
static unsigned find_busy(const struct sched_vcpu *sv)
{
	unsigned best = sv->cpu;
	uint32_t least = ~0u;

	if (sched_may_run_on(sv, sv->cpu))
		return sv->cpu;
	cpumask_for_each(cpu, machine_cpus_online()) {
		uint32_t load = __atomic_load_n(&runqueues[cpu].load, __ATOMIC_RELAXED);

		if (sched_may_run_on(sv, cpu) && load < least) {
			best = cpu;
			least = load;
		}
	}
	return best;
}

/* Under from's lock: sv, on no queue, is of CPU `to` from now on. */
static void move(struct runqueue *from, struct sched_vcpu *sv, unsigned to)
{
	sv->vtime += __atomic_load_n(&runqueues[to].vclock, __ATOMIC_RELAXED) - from->vclock;
	__atomic_store_n(&sv->cpu, to, __ATOMIC_RELAXED);
}

/* Under rq's lock: queue sv. True if it goes before whoever runs there. */
static bool queue(struct runqueue *rq, struct sched_vcpu *sv)
{
	int64_t ahead;

	runqueue_limit_lag(rq, sv);
	runqueue_add(rq, sv);
	if (rq->current == rq->idle)
		return true;
	ahead = (int64_t)(runqueue_vtime(rq, machine_now()) - sv->vtime);
	return ahead > (int64_t)SCHED_GRANULARITY_NS;
}

static bool wants_queue(const struct sched_vcpu *sv)
{
	return sched_runnable(sv) && !sv->running && !sv->queued && !sv->parked;
}

void balance_place(struct sched_vcpu *sv)
{
	unsigned idle = find_idle(sv), cpu = idle < CPU_MAX ? idle : find_busy(sv);
	struct runqueue *rq = runqueue_lock(sv);
	bool poke = false;

	if (wants_queue(sv) && cpu != rq->cpu && sched_may_run_on(sv, cpu)) {
		move(rq, sv, cpu);
		lock_release(&rq->lock);
		rq = runqueue_lock(sv);
	}
	if (wants_queue(sv)) {
		poke = queue(rq, sv);
		if (idle == CPU_MAX)		/* one that went idle before it was there */
			idle = find_idle(sv);
	}
	lock_release(&rq->lock);
	if (poke)
		runqueue_set_due(rq);
	if (idle < CPU_MAX && (!poke || idle != rq->cpu))
		runqueue_set_due(&runqueues[idle]);
}

void balance_release(struct sched_vcpu *sv)
{
	struct runqueue *rq = runqueue_lock(sv);
	unsigned idle = CPU_MAX;
	bool poke = false;

	while (sched_runnable(sv) && unlikely(!sched_may_run_on(sv, rq->cpu))) {
		move(rq, sv, find_busy(sv));
		lock_release(&rq->lock);
		rq = runqueue_lock(sv);
	}
	if (sched_runnable(sv)) {
		if (!sv->queued && !sv->parked) {
			runqueue_set_state(sv, SCHED_RUNNABLE, machine_now());
			poke = queue(rq, sv);
		}
		idle = sv->queued ? find_idle(sv) : CPU_MAX;
	}
	__atomic_store_n(&sv->running, false, __ATOMIC_SEQ_CST);
	lock_release(&rq->lock);
	if (poke)
		runqueue_set_due(rq);
	if (idle < CPU_MAX)
		runqueue_set_due(&runqueues[idle]);
}

/* The CPU with the most to do of those where somebody waits. */
static struct runqueue *busiest(const struct runqueue *self)
{
	struct runqueue *found = NULL;
	uint32_t most = 0;

	cpumask_for_each(cpu, machine_cpus_online()) {
		struct runqueue *rq = &runqueues[cpu];
		uint32_t load = __atomic_load_n(&rq->load, __ATOMIC_RELAXED);

		if (rq != self && __atomic_load_n(&rq->nr_waiting, __ATOMIC_SEQ_CST) &&
		    load > most) {
			found = rq;
			most = load;
		}
	}
	return found;
}

/*
 * The waiting vCPU whose move to `self` leaves the two loads most even (first come first); NULL if
 * none helps.
 */
static struct sched_vcpu *pick(const struct runqueue *from, const struct runqueue *self)
{
	int64_t gap = (int64_t)from->load - (int64_t)__atomic_load_n(&self->load, __ATOMIC_RELAXED);
	struct sched_vcpu *best = NULL;
	int64_t best_left = gap;

	list_for_each(node, &from->waiting) {
		struct sched_vcpu *sv = list_entry(node, struct sched_vcpu, queue);
		int64_t left = gap - 2 * (int64_t)sv->share;

		left = left < 0 ? -left : left;
		if (sv->running || !sched_may_run_on(sv, self->cpu))
			continue;
		if (left < best_left || (left == gap && !best)) {
			best = sv;
			best_left = left;
		}
	}
	return best;
}

/* Take one of `from` into our hands, already of our CPU; NULL if none may or should come. */
static struct sched_vcpu *pull_from(struct runqueue *from, const struct runqueue *self)
{
	struct sched_vcpu *sv;

	lock_acquire(&from->lock);
	sv = pick(from, self);
	if (sv) {
		runqueue_remove(from, sv);
		move(from, sv, self->cpu);
		sv->running = true;
	}
	lock_release(&from->lock);
	return sv;
}

bool balance_pull(struct runqueue *rq)
{
	struct runqueue *from = busiest(rq);
	struct sched_vcpu *sv;

	ASSERT(!lock_held(&rq->lock));
	if (!from)
		return false;
	sv = pull_from(from, rq);
	/* Where the busiest may give us none (affinity), an idle CPU looks everywhere. */
	if (unlikely(!sv) && !rq->load) {
		cpumask_for_each(cpu, machine_cpus_online()) {
			from = &runqueues[cpu];
			if (from != rq && __atomic_load_n(&from->nr_waiting, __ATOMIC_SEQ_CST))
				sv = pull_from(from, rq);
			if (sv)
				break;
		}
	}
	if (sv)
		balance_release(sv);
	return sv != NULL;
}
