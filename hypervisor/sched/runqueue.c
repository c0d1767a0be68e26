/* SPDX-License-Identifier: MIT */
/*
 * One CPU's queue: virtual time, shares, caps.
 *
 *   vtime += ns run * SHARE_NORMAL / share      share = weight * SHARE_SCALE / active vCPUs
 *
 * The queue is sorted by vtime; `vclock` is that of whoever is most behind and never goes back.
 * Virtual times compare within a queue only: who moves takes its distance to vclock along.
 *
 * Lock: the queue's; a domain's counters are atomic.
 */
#include "sched/runqueue.h"

#include "lib/assert.h"
#include "x86/machine.h"

#define SHARE_SCALE	64u
#define SHARE_NORMAL	(SCHED_WEIGHT_NORMAL * SHARE_SCALE)
#define VTIME_START	(1ull << 48)	/* far from wrapping on either side */

struct runqueue runqueues[CPU_MAX];
struct cpumask sched_idle_cpus;

static void slice_over(struct timer *t)
{
	struct runqueue *rq = container_of(t, struct runqueue, slice);

	if (rq->current == rq->idle)
		return;
	if (machine_now() < rq->slice_end)
		timer_set(t, rq->slice_end);
	else
		runqueue_set_due(rq);
}

/* A new period of caps: all that were parked may try again. */
static void unpark(struct timer *t)
{
	struct runqueue *rq = container_of(t, struct runqueue, unpark);

	lock_acquire(&rq->lock);
	list_for_each_safe(node, &rq->parked) {
		struct sched_vcpu *sv = list_entry(node, struct sched_vcpu, queue);

		runqueue_remove(rq, sv);
		runqueue_add(rq, sv);
	}
	lock_release(&rq->lock);
	runqueue_set_due(rq);
}

void runqueue_init(unsigned cpu)
{
	struct runqueue *rq = &runqueues[cpu];

	if (rq->waiting.next)
		return;
	rq->cpu = cpu;
	rq->vclock = VTIME_START;
	lock_init(&rq->lock, RANK_SCHED);
	list_init(&rq->waiting);
	list_init(&rq->parked);
	timer_init(&rq->slice, slice_over);
	timer_init(&rq->unpark, unpark);
}

struct runqueue *runqueue_lock(const struct sched_vcpu *sv)
{
	for (;;) {
		unsigned cpu = __atomic_load_n(&sv->cpu, __ATOMIC_RELAXED);

		lock_acquire(&runqueues[cpu].lock);
		if (likely(cpu == __atomic_load_n(&sv->cpu, __ATOMIC_RELAXED)))
			return &runqueues[cpu];
		lock_release(&runqueues[cpu].lock);
	}
}

uint32_t runqueue_share(const struct sched_vcpu *sv)
{
	uint32_t weight = __atomic_load_n(&sv->domain->weight, __ATOMIC_RELAXED) * SHARE_SCALE;
	uint32_t active = __atomic_load_n(&sv->domain->active, __ATOMIC_RELAXED);

	return active > 1 ? max(weight / active, 1u) : weight;
}

void runqueue_add(struct runqueue *rq, struct sched_vcpu *sv)
{
	struct list_node *where = rq->waiting.prev;

	ASSERT(!sv->queued && !sv->parked && !sv->idle && sv->cpu == rq->cpu);
	while (where != &rq->waiting &&
	       (int64_t)(list_entry(where, struct sched_vcpu, queue)->vtime - sv->vtime) > 0)
		where = where->prev;
	list_add(where, &sv->queue);
	sv->queued = true;
	sv->share = runqueue_share(sv);
	__atomic_store_n(&rq->load, rq->load + sv->share, __ATOMIC_RELAXED);
	__atomic_store_n(&rq->nr_waiting, rq->nr_waiting + 1, __ATOMIC_SEQ_CST);
}

void runqueue_remove(struct runqueue *rq, struct sched_vcpu *sv)
{
	ASSERT(sv->cpu == rq->cpu);
	list_del(&sv->queue);
	if (sv->queued) {
		__atomic_store_n(&rq->load, rq->load - sv->share, __ATOMIC_RELAXED);
		__atomic_store_n(&rq->nr_waiting, rq->nr_waiting - 1, __ATOMIC_RELAXED);
	}
	sv->queued = sv->parked = false;
}

/* Start a new period of the domain's cap if it is time. */
static void cap_refill(struct sched_domain *sd, uint32_t cap, uint64_t now)
{
	int64_t budget = (int64_t)(SCHED_CAP_PERIOD_NS / 100 * cap);
	uint64_t period = now / SCHED_CAP_PERIOD_NS;
	uint64_t last = __atomic_load_n(&sd->cap_period, __ATOMIC_RELAXED);
	int64_t left;

	if (period <= last || !__atomic_compare_exchange_n(&sd->cap_period, &last, period, false,
							   __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	left = __atomic_load_n(&sd->cap_left, __ATOMIC_RELAXED);
	left = period - last > 100 ? budget : min(left + (int64_t)(period - last) * budget, budget);
	__atomic_store_n(&sd->cap_left, left, __ATOMIC_RELAXED);
}

uint64_t runqueue_cap_left(struct sched_vcpu *sv, uint64_t now)
{
	uint32_t cap = __atomic_load_n(&sv->domain->cap, __ATOMIC_RELAXED);

	if (likely(!cap))
		return ~0ull;
	cap_refill(sv->domain, cap, now);
	return (uint64_t)max(__atomic_load_n(&sv->domain->cap_left, __ATOMIC_RELAXED), (int64_t)0);
}

static void park(struct runqueue *rq, struct sched_vcpu *sv, uint64_t now)
{
	runqueue_remove(rq, sv);
	list_add(&rq->parked, &sv->queue);
	sv->parked = true;
	if (!timer_pending(&rq->unpark))
		timer_set(&rq->unpark, (now / SCHED_CAP_PERIOD_NS + 1) * SCHED_CAP_PERIOD_NS);
}

struct sched_vcpu *runqueue_take(struct runqueue *rq, uint64_t now)
{
	while (!list_empty(&rq->waiting)) {
		struct sched_vcpu *sv = list_first(&rq->waiting, struct sched_vcpu, queue);

		if (likely(runqueue_cap_left(sv, now))) {
			runqueue_remove(rq, sv);
			return sv;
		}
		park(rq, sv, now);
	}
	return NULL;
}

uint64_t runqueue_vtime(const struct runqueue *rq, uint64_t now)
{
	uint64_t ran = now > rq->since ? now - rq->since : 0;

	return rq->current->vtime + ran * SHARE_NORMAL / runqueue_share(rq->current);
}

void runqueue_account(struct runqueue *rq, uint64_t now)
{
	struct sched_vcpu *sv = rq->current;
	uint64_t first;

	if (sv != rq->idle && now > rq->since) {
		if (unlikely(__atomic_load_n(&sv->domain->cap, __ATOMIC_RELAXED)))
			__atomic_fetch_sub(&sv->domain->cap_left, (int64_t)(now - rq->since),
					   __ATOMIC_RELAXED);
		first = sv->vtime = runqueue_vtime(rq, now);
		if (!list_empty(&rq->waiting)) {
			uint64_t waits = list_first(&rq->waiting, struct sched_vcpu, queue)->vtime;

			if ((int64_t)(waits - first) < 0)
				first = waits;
		}
		if ((int64_t)(first - rq->vclock) > 0)
			__atomic_store_n(&rq->vclock, first, __ATOMIC_RELAXED);
	}
	rq->since = now;
}

void runqueue_limit_lag(const struct runqueue *rq, struct sched_vcpu *sv)
{
	if ((int64_t)(sv->vtime - (rq->vclock - SCHED_WAKE_CREDIT_NS)) < 0)
		sv->vtime = rq->vclock - SCHED_WAKE_CREDIT_NS;
}

void runqueue_set_state(struct sched_vcpu *sv, enum sched_state state, uint64_t now)
{
	bool active = state == SCHED_RUNNING || state == SCHED_RUNNABLE;

	if (sv->state == state)
		return;
	if (now > sv->state_since) {
		sv->time_in[sv->state] += now - sv->state_since;
		sv->state_since = now;
	}
	sv->state = state;
	if (sv->domain && active != sv->active) {
		sv->active = active;
		__atomic_fetch_add(&sv->domain->active, active ? 1 : -1u, __ATOMIC_RELAXED);
	}
}
