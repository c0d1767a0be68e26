/* SPDX-License-Identifier: MIT */
/*
 * Who runs next, and what makes a vCPU run or stop. See sched.h for the policy, runqueue.c for its
 * sums and balance.c for the choice of CPU.
 *
 * A vCPU that leaves a CPU has `running` set until its registers are saved (sched_switched());
 * until then no other CPU may have it, and who makes it runnable leaves it to sched_switched() to
 * queue it.
 *
 * Lock: the queue of sv->cpu. `blocked` is also set without it, by the vCPU itself.
 */
#include "sched/runqueue.h"

#include "abi/errno.h"
#include "lib/assert.h"
#include "x86/machine.h"

static struct runqueue *this_queue(void)
{
	return &runqueues[machine_cpu()];
}

void sched_init(void)
{
	cpumask_for_each(cpu, machine_cpus_online())
		runqueue_init(cpu);
}

void sched_domain_init(struct sched_domain *sd)
{
	*sd = (struct sched_domain){ .weight = SCHED_WEIGHT_NORMAL };
}

int sched_domain_set(struct sched_domain *sd, unsigned weight, unsigned cap)
{
	if (weight < 1 || weight > 65535)
		return -EINVAL;
	__atomic_store_n(&sd->weight, weight, __ATOMIC_RELAXED);
	__atomic_store_n(&sd->cap, cap, __ATOMIC_RELAXED);
	return 0;
}

int sched_vcpu_init(struct sched_vcpu *sv, struct sched_domain *sd, unsigned cpu, bool idle)
{
	struct runqueue *rq;

	if (cpu >= CPU_MAX || !cpumask_test(machine_cpus_online(), cpu))
		return -EINVAL;
	runqueue_init(cpu);
	rq = &runqueues[cpu];
	*sv = (struct sched_vcpu){
		.domain = sd, .cpu = cpu, .idle = idle, .running = idle, .down = !idle, .pin = -1,
		.state = idle ? SCHED_RUNNING : SCHED_OFFLINE, .state_since = machine_now(),
		.vtime = rq->vclock,
	};
	list_init(&sv->queue);
	if (idle) {
		cpumask_set(&sv->affinity, cpu);
		rq->idle = rq->current = sv;
		cpumask_set(&sched_idle_cpus, cpu);
	} else {
		for (unsigned i = 0; i < ARRAY_SIZE(sv->affinity.bits); i++)
			sv->affinity.bits[i] = ~0ull;
	}
	return 0;
}

void sched_vcpu_destroy(struct sched_vcpu *sv)
{
	struct runqueue *rq = runqueue_lock(sv);

	ASSERT(!sv->running && !sched_runnable(sv));
	runqueue_remove(rq, sv);
	runqueue_set_state(sv, SCHED_OFFLINE, machine_now());
	lock_release(&rq->lock);
}

static enum sched_state stopped_state(const struct sched_vcpu *sv)
{
	return sv->pauses || sv->down ? SCHED_OFFLINE : SCHED_BLOCKED;
}

/* What decides whether sv may run changed: bring queue and state in line. Releases rq's lock. */
static void settle(struct runqueue *rq, struct sched_vcpu *sv)
{
	bool runs = sv->state == SCHED_RUNNING, runnable = sched_runnable(sv), place = false;

	if (!runs && runnable) {
		runqueue_set_state(sv, SCHED_RUNNABLE, machine_now());
		place = !sv->queued && !sv->parked && !sv->running;
	} else if (!runs) {
		runqueue_remove(rq, sv);
		runqueue_set_state(sv, stopped_state(sv), machine_now());
	}
	lock_release(&rq->lock);
	if (place)
		balance_place(sv);
	else if (runs && !runnable)
		runqueue_set_due(rq);
}

void sched_pause_async(struct sched_vcpu *sv)
{
	struct runqueue *rq = runqueue_lock(sv);

	sv->pauses++;
	settle(rq, sv);
}

void sched_sync(struct sched_vcpu *sv)
{
	while (__atomic_load_n(&sv->running, __ATOMIC_ACQUIRE))
		machine_relax();
}

void sched_pause(struct sched_vcpu *sv)
{
	ASSERT(this_queue()->current != sv);
	sched_pause_async(sv);
	sched_sync(sv);
}

void sched_unpause(struct sched_vcpu *sv)
{
	struct runqueue *rq = runqueue_lock(sv);

	ASSERT(sv->pauses > 0);
	sv->pauses--;
	settle(rq, sv);
}

void sched_set_down(struct sched_vcpu *sv, bool down)
{
	struct runqueue *rq = runqueue_lock(sv);

	sv->down = down;
	settle(rq, sv);
}

/*
 * The waker has set its event before it reads `blocked` and `running`; the vCPU sets `blocked`
 * before it looks for events a last time, and a CPU sets `running` before it delivers them. So the
 * fast path, which takes no lock, never loses a wake-up.
 */
void sched_wake(struct sched_vcpu *sv)
{
	struct runqueue *rq;

	if (__atomic_load_n(&sv->blocked, __ATOMIC_SEQ_CST)) {
		rq = runqueue_lock(sv);
		__atomic_store_n(&sv->blocked, false, __ATOMIC_SEQ_CST);
		settle(rq, sv);
	} else if (__atomic_load_n(&sv->running, __ATOMIC_SEQ_CST)) {
		unsigned cpu = __atomic_load_n(&sv->cpu, __ATOMIC_RELAXED);

		if (cpu != machine_cpu())
			machine_kick(cpu);
	}
}

void sched_block(struct sched_vcpu *sv)
{
	__atomic_store_n(&sv->blocked, true, __ATOMIC_SEQ_CST);
	runqueue_set_due(this_queue());
}

void sched_vcpu_yield(struct sched_vcpu *sv)
{
	struct runqueue *rq = this_queue();

	ASSERT(rq->current == sv);
	rq->yielded = true;
	runqueue_set_due(rq);
}

/* Where it may run changed: leave a CPU that is no longer allowed. Releases rq's lock. */
static void resettle(struct runqueue *rq, struct sched_vcpu *sv)
{
	bool wrong = !sched_may_run_on(sv, rq->cpu), runs = sv->state == SCHED_RUNNING,
	     waits = sv->queued || sv->parked;

	if (wrong && waits)
		runqueue_remove(rq, sv);
	lock_release(&rq->lock);
	if (wrong && runs)
		runqueue_set_due(rq);
	else if (wrong && waits)
		balance_place(sv);
}

int sched_set_affinity(struct sched_vcpu *sv, const struct cpumask *mask)
{
	const struct cpumask *online = machine_cpus_online();
	struct runqueue *rq;
	uint64_t common = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(mask->bits); i++)
		common |= mask->bits[i] & online->bits[i];
	if (!common)
		return -EINVAL;
	rq = runqueue_lock(sv);
	sv->affinity = *mask;
	resettle(rq, sv);
	return 0;
}

int sched_pin_override(struct sched_vcpu *sv, int cpu)
{
	struct runqueue *rq;

	if (cpu >= CPU_MAX || (cpu >= 0 && !cpumask_test(machine_cpus_online(), (unsigned)cpu)))
		return -EINVAL;
	rq = runqueue_lock(sv);
	sv->pin = cpu < 0 ? -1 : cpu;
	resettle(rq, sv);
	return 0;
}

bool sched_due(void)
{
	return __atomic_load_n(&this_queue()->due, __ATOMIC_RELAXED);
}

static void end_slice_at(struct runqueue *rq, uint64_t when)
{
	rq->slice_end = when;
	if (!timer_pending(&rq->slice) || rq->slice.deadline > when)
		timer_set(&rq->slice, when);
}

/*
 * Nothing speaks against `prev` going on: it may, its slice is not over, nobody is far enough
 * behind it, or it has only just begun.
 */
static bool goes_on(struct runqueue *rq, const struct sched_vcpu *prev, uint64_t now)
{
	if (prev == rq->idle || !sched_runnable(prev) || !sched_may_run_on(prev, rq->cpu) ||
	    rq->yielded || now >= rq->slice_end)
		return false;
	if (list_empty(&rq->waiting) ||
	    (int64_t)(prev->vtime - list_first(&rq->waiting, struct sched_vcpu, queue)->vtime) <=
	    (int64_t)SCHED_GRANULARITY_NS)
		return true;
	if (now >= rq->started + SCHED_RUN_MIN_NS)
		return false;
	end_slice_at(rq, min(rq->slice_end, rq->started + SCHED_RUN_MIN_NS));
	return true;
}

/*
 * `prev` is not the one any more: queue it if it may run on here. A yielding one lets another be
 * taken first.
 */
static struct sched_vcpu *leave(struct runqueue *rq, struct sched_vcpu *prev, uint64_t now)
{
	struct sched_vcpu *other = rq->yielded ? runqueue_take(rq, now) : NULL;

	rq->yielded = false;
	if (prev == rq->idle)
		return other;
	__atomic_store_n(&rq->load, rq->load - prev->share, __ATOMIC_RELAXED);
	runqueue_set_state(prev, sched_runnable(prev) ? SCHED_RUNNABLE : stopped_state(prev), now);
	if (sched_runnable(prev) && sched_may_run_on(prev, rq->cpu))
		runqueue_add(rq, prev);
	return other;
}

static void install(struct runqueue *rq, struct sched_vcpu *next, uint64_t now)
{
	rq->current = next;
	rq->since = now;
	__atomic_store_n(&next->running, true, __ATOMIC_SEQ_CST);
	if (next == rq->idle)
		return;
	cpumask_clear(&sched_idle_cpus, rq->cpu);
	runqueue_set_state(next, SCHED_RUNNING, now);
	next->share = runqueue_share(next);
	rq->started = now;
	__atomic_store_n(&rq->load, rq->load + next->share, __ATOMIC_RELAXED);
	end_slice_at(rq, now + min((uint64_t)SCHED_SLICE_NS,
				   max(runqueue_cap_left(next, now),
				       (uint64_t)SCHED_SLICE_MIN_NS)));
}

/*
 * Nobody waits here: be idle, say so, and only then look at the other CPUs. Holds rq's lock but for
 * the look.
 */
static struct sched_vcpu *take_from_others(struct runqueue *rq, uint64_t now)
{
	struct sched_vcpu *next;
	bool came;

	cpumask_set(&sched_idle_cpus, rq->cpu);
	do {
		lock_release(&rq->lock);
		came = balance_pull(rq);
		lock_acquire(&rq->lock);
		next = runqueue_take(rq, now);
	} while (came && !next);
	return next ? next : rq->idle;
}

struct sched_vcpu *sched_next(struct sched_vcpu *prev)
{
	struct runqueue *rq = this_queue();
	uint64_t now = machine_now();
	struct sched_vcpu *next;

	ASSERT(prev == rq->current);
	__atomic_store_n(&rq->due, false, __ATOMIC_SEQ_CST);
	if (prev != rq->idle && now >= rq->slice_end)
		balance_pull(rq);
	lock_acquire(&rq->lock);
	runqueue_account(rq, now);
	if (likely(goes_on(rq, prev, now))) {
		lock_release(&rq->lock);
		return prev;
	}
	next = leave(rq, prev, now);
	if (!next)
		next = runqueue_take(rq, now);
	if (!next)
		next = take_from_others(rq, now);
	if (prev == rq->idle && next != prev)
		runqueue_set_state(prev, SCHED_RUNNABLE, now);
	if (next == rq->idle)
		runqueue_set_state(next, SCHED_RUNNING, now);
	install(rq, next, now);
	lock_release(&rq->lock);
	return next;
}

void sched_switched(struct sched_vcpu *prev)
{
	if (!prev->idle)
		balance_release(prev);
}

void sched_runstate(const struct sched_vcpu *sv, enum sched_state *state, uint64_t *since,
		    uint64_t time[4])
{
	struct runqueue *rq = runqueue_lock(sv);
	uint64_t now = machine_now();

	*state = sv->state;
	*since = sv->state_since;
	for (unsigned i = 0; i < 4; i++)
		time[i] = sv->time_in[i];
	if (now > sv->state_since)
		time[sv->state] += now - sv->state_since;
	lock_release(&rq->lock);
}

uint64_t sched_idle_time(unsigned cpu)
{
	enum sched_state state;
	uint64_t since, time[4];

	if (cpu >= CPU_MAX || !runqueues[cpu].idle)
		return 0;
	sched_runstate(runqueues[cpu].idle, &state, &since, time);
	return time[SCHED_RUNNING];
}
