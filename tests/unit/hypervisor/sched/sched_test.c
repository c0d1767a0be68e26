/* SPDX-License-Identifier: MIT */
/*
 * The scheduler under a simulated clock: CPUs that take their timer and their kicks, vCPUs that
 * compute without end or compute and sleep in turn. What users rely on: shares by weight, caps, no
 * idle CPU while somebody waits, quick wake-up.
 *
 * Links: hypervisor/sched/sched.c hypervisor/sched/runqueue.c hypervisor/sched/balance.c
 * Links: hypervisor/time/timer.c hypervisor/time/clock.c hypervisor/lib/lock.c
 * Links: tests/fake/clock.c tests/fake/log.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake/clock.h"
#include "sched/runqueue.h"
#include "time/time.h"
#include "x86/machine.h"

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

static struct guest guest[GUESTS];
static struct sim_vcpu *all[2 * GUESTS];
static unsigned nr_guests, nr_all, nr_cpus, switches;
static struct sched_vcpu idle[CPUS], *current[CPUS];
static uint64_t wasted;			/* CPU time that was idle while somebody waited */

static struct sim_vcpu *sim(struct sched_vcpu *sv)
{
	return container_of(sv, struct sim_vcpu, sched);
}

static void start(unsigned cpus)
{
	static uint64_t epoch;

	/* queues live as long as the process: time goes on from test to test */
	epoch += 1000000 * SEC;
	fake_clock_start(cpus, epoch);
	memset(&sched_idle_cpus, 0, sizeof(sched_idle_cpus));
	time_init();
	sched_init();
	nr_cpus = cpus;
	nr_guests = nr_all = switches = 0;
	wasted = 0;
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		fake_clock_cpu(cpu);
		timer_run();
		assert_int_equal(sched_vcpu_init(&idle[cpu], NULL, cpu, true), 0);
		current[cpu] = &idle[cpu];
	}
	fake_clock_cpu(0);
}

static struct guest *add(unsigned weight, unsigned cap, unsigned vcpus, uint64_t run,
			 uint64_t sleep)
{
	struct guest *g = &guest[nr_guests++];

	memset(g, 0, sizeof(*g));
	g->nr = vcpus;
	sched_domain_init(&g->domain);
	assert_int_equal(sched_domain_set(&g->domain, weight, cap), 0);
	for (unsigned i = 0; i < vcpus; i++) {
		struct sim_vcpu *v = all[nr_all++] = &g->vcpu[i];

		assert_int_equal(sched_vcpu_init(&v->sched, &g->domain, i % nr_cpus, false), 0);
		v->run = v->left = run;
		v->sleep = sleep;
		v->wake_at = ~0ull;
		sched_set_down(&v->sched, false);
	}
	return g;
}

/* What x86/ does on the way out: until nothing is due. */
static void leave_hypervisor(unsigned cpu)
{
	fake_clock_cpu(cpu);
	for (unsigned rounds = 0; sched_due(); rounds++) {
		struct sched_vcpu *prev = current[cpu], *next = sched_next(prev);

		assert_true(rounds < 10);
		if (next == prev)
			continue;
		current[cpu] = next;
		switches++;
		if (!next->idle && sim(next)->woken) {
			uint64_t latency = machine_now() - sim(next)->woken;

			sim(next)->worst_latency = max(sim(next)->worst_latency, latency);
			sim(next)->woken = 0;
		}
		sched_switched(prev);
	}
}

/* `step` ns of what the vCPU on this CPU does. */
static void compute(unsigned cpu, uint64_t step)
{
	struct sim_vcpu *v;

	if (current[cpu]->idle) {
		for (unsigned i = 0; i < nr_all; i++)
			if (all[i]->sched.state == SCHED_RUNNABLE && !all[i]->sched.parked &&
			    cpumask_test(&all[i]->sched.affinity, cpu))
				wasted += step;
		return;
	}
	v = sim(current[cpu]);
	v->total += step;
	if (!v->sleep)
		return;
	v->left -= min(v->left, step);
	if (!v->left) {
		v->left = v->run;
		v->wake_at = machine_now() + v->sleep;
		fake_clock_cpu(cpu);
		sched_block(&v->sched);
	}
}

static void wake_sleepers(unsigned cpu)
{
	for (unsigned i = 0; i < nr_all; i++) {
		if (all[i]->wake_at > machine_now())
			continue;
		all[i]->wake_at = ~0ull;
		all[i]->woken = machine_now();
		fake_clock_cpu(cpu);
		sched_wake(&all[i]->sched);
	}
}

static void run(uint64_t duration)
{
	uint64_t end = machine_now() + duration;

	while (machine_now() < end) {
		for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
			compute(cpu, STEP);
		fake_clock_set(machine_now() + STEP);
		/* device interrupts that wake somebody come to CPU 0 */
		wake_sleepers(0);
		for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
			if (fake_clock_armed(cpu) <= machine_now()) {
				fake_clock_cpu(cpu);
				fake_clock_disarm(cpu);
				timer_run();
			}
			leave_hypervisor(cpu);
		}
	}
}

static uint64_t total(const struct guest *g)
{
	return g->vcpu[0].total + g->vcpu[1].total;
}

/* Within 2 % of `percent` of one CPU over `duration`. */
static void assert_share(const struct guest *g, double percent, uint64_t duration)
{
	double got = 100.0 * (double)total(g) / (double)duration;

	if (got < percent * 0.98 || got > percent * 1.02)
		fail_msg("guest %d got %.2f %% of a CPU, not %.2f %%", (int)(g - guest), got,
			 percent);
}

/* All runnable vCPUs leave, so that the next test finds empty queues. */
static void stop(void)
{
	for (unsigned i = 0; i < nr_all; i++)
		sched_set_down(&all[i]->sched, true);
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		leave_hypervisor(cpu);
	for (unsigned i = 0; i < nr_all; i++)
		sched_vcpu_destroy(&all[i]->sched);
	for (unsigned g = 0; g < nr_guests; g++)
		assert_int_equal(guest[g].domain.active, 0);
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		assert_ptr_equal(current[cpu], &idle[cpu]);
}

static void test_shares_by_weight(void **state)
{
	struct guest *a, *b, *c;

	(void)state;
	start(1);
	a = add(256, 0, 1, 0, 0);
	b = add(512, 0, 1, 0, 0);
	c = add(1280, 0, 1, 0, 0);
	run(20 * SEC);
	assert_share(a, 12.5, 20 * SEC);
	assert_share(b, 25, 20 * SEC);
	assert_share(c, 62.5, 20 * SEC);
	/* and not by switching all the time */
	assert_true(switches < 20 * 200);
	stop();
}

/* The weight is the domain's: a second vCPU brings it nothing where there is one CPU. */
static void test_vcpus_share_their_weight(void **state)
{
	struct guest *one, *two;

	(void)state;
	start(1);
	one = add(256, 0, 1, 0, 0);
	two = add(256, 0, 2, 0, 0);
	run(20 * SEC);
	assert_share(one, 50, 20 * SEC);
	assert_share(two, 50, 20 * SEC);
	stop();
}

static void test_equals_on_two_cpus(void **state)
{
	(void)state;
	start(2);
	for (unsigned i = 0; i < 3; i++)
		add(256, 0, 1, 0, 0);
	run(30 * SEC);
	for (unsigned i = 0; i < 3; i++)
		assert_share(&guest[i], 200.0 / 3, 30 * SEC);
	assert_true(wasted <= 3 * 2 * STEP);	/* before the first choice */
	stop();
}

static void test_weights_on_two_cpus(void **state)
{
	(void)state;
	start(2);
	add(512, 0, 1, 0, 0);
	add(256, 0, 1, 0, 0);
	add(256, 0, 1, 0, 0);
	run(30 * SEC);
	assert_share(&guest[0], 100, 30 * SEC);
	assert_share(&guest[1], 50, 30 * SEC);
	assert_share(&guest[2], 50, 30 * SEC);
	stop();
}

static void test_cap(void **state)
{
	struct guest *capped, *other;

	(void)state;
	start(2);
	capped = add(1024, 30, 2, 0, 0);
	other = add(256, 0, 1, 0, 0);
	run(20 * SEC);
	assert_share(capped, 30, 20 * SEC);
	assert_share(other, 100, 20 * SEC);
	assert_int_equal(sched_domain_set(&capped->domain, 1024, 0), 0);
	capped->vcpu[0].total = capped->vcpu[1].total = 0;
	run(1 * SEC);
	assert_true(total(capped) > SEC / 2);
	stop();
}

/* Nobody waits while a CPU that could run it idles; checked at every step of a mixed load. */
static void test_work_conserving(void **state)
{
	(void)state;
	start(4);
	add(256, 0, 2, 3 * MS, 2 * MS);
	add(256, 0, 2, 7 * MS, 5 * MS);
	add(512, 0, 2, 11 * MS, 13 * MS);
	add(64, 0, 1, 0, 0);
	run(10 * SEC);
	if (wasted > 10 * SEC / 1000)
		fail_msg("%.3f %% of a CPU was idle while somebody waited",
			 (double)wasted / (10.0 * SEC) * 100);
	stop();
}

/*
 * A guest that mostly sleeps runs at once when it wakes, though others never stop; and gets all it
 * asks for.
 */
static void test_wakes_quickly(void **state)
{
	struct guest *light;

	(void)state;
	start(1);
	add(256, 0, 1, 0, 0);
	add(256, 0, 1, 0, 0);
	light = add(256, 0, 1, MS / 5, 5 * MS);
	run(10 * SEC);
	assert_true(light->vcpu[0].worst_latency <= MS);
	assert_share(light, 100.0 * 0.2 / 5.2, 10 * SEC);
	assert_share(&guest[0], 50 * (1 - 0.2 / 5.2), 10 * SEC);
	stop();
}

/* Sleeping now and then must not be a way to get more than one's share. */
static void test_sleeping_brings_no_profit(void **state)
{
	struct guest *tricky;

	(void)state;
	start(1);
	add(256, 0, 1, 0, 0);
	tricky = add(256, 0, 1, 9 * MS, MS / 10);
	run(20 * SEC);
	if (total(tricky) > total(&guest[0]) * 102 / 100)
		fail_msg("%lu ms against %lu", total(tricky) / MS, total(&guest[0]) / MS);
	stop();
}

/* A long sleep is no claim to all that was missed: others go on to get theirs. */
static void test_long_sleep_is_forgotten(void **state)
{
	struct guest *other, *sleeper;

	(void)state;
	start(1);
	other = add(256, 0, 1, 0, 0);
	sleeper = add(256, 0, 1, 0, 0);
	run(20 * MS);
	sched_set_down(&sleeper->vcpu[0].sched, true);
	run(5 * SEC);
	sched_set_down(&sleeper->vcpu[0].sched, false);
	other->vcpu[0].total = 0;
	run(100 * MS);
	assert_true(total(other) > 35 * MS);
	stop();
}

/* Who is pushed off its CPU goes to an idle one at once. */
static void test_preempted_moves_to_an_idle_cpu(void **state)
{
	struct cpumask first = { .bits = { 1 } }, both = { .bits = { 3 } };
	struct guest *bound, *hog;

	(void)state;
	start(2);
	bound = add(256, 0, 1, 20 * MS, 100 * MS);
	hog = add(256, 0, 1, 0, 0);
	assert_int_equal(sched_set_affinity(&bound->vcpu[0].sched, &first), 0);
	assert_int_equal(sched_set_affinity(&hog->vcpu[0].sched, &first), 0);
	run(60 * MS);
	assert_int_equal(bound->vcpu[0].sched.state, SCHED_BLOCKED);
	assert_ptr_equal(current[0], &hog->vcpu[0].sched);
	assert_int_equal(sched_set_affinity(&hog->vcpu[0].sched, &both), 0);
	while (bound->vcpu[0].sched.state != SCHED_RUNNING)
		run(STEP);
	run(2 * STEP);
	assert_ptr_equal(current[0], &bound->vcpu[0].sched);
	assert_ptr_equal(current[1], &hog->vcpu[0].sched);
	stop();
}

static void test_affinity(void **state)
{
	struct cpumask only = { .bits = { 1 << 1 } }, none = { .bits = { 1 << 5 } };
	struct guest *a;

	(void)state;
	start(2);
	a = add(256, 0, 2, 0, 0);
	run(10 * MS);
	assert_int_equal(sched_set_affinity(&a->vcpu[0].sched, &none), -EINVAL);
	assert_int_equal(sched_set_affinity(&a->vcpu[0].sched, &only), 0);
	assert_int_equal(sched_set_affinity(&a->vcpu[1].sched, &only), 0);
	run(1 * MS);
	a->vcpu[0].total = a->vcpu[1].total = 0;
	run(1 * SEC);
	assert_ptr_equal(current[0], &idle[0]);
	assert_share(a, 100, SEC);
	stop();
}

static void test_pin_override(void **state)
{
	struct guest *a;

	(void)state;
	start(2);
	a = add(256, 0, 1, 0, 0);
	run(10 * MS);
	for (int cpu = 0; cpu < 2; cpu++) {
		fake_clock_cpu(a->vcpu[0].sched.cpu);
		assert_int_equal(sched_pin_override(&a->vcpu[0].sched, cpu), 0);
		run(1 * MS);
		assert_ptr_equal(current[cpu], &a->vcpu[0].sched);
	}
	assert_int_equal(sched_pin_override(&a->vcpu[0].sched, 2), -EINVAL);
	assert_int_equal(sched_pin_override(&a->vcpu[0].sched, -1), 0);
	stop();
}

static void test_pause_counts(void **state)
{
	struct sched_vcpu *sv;

	(void)state;
	start(2);
	sv = &add(256, 0, 1, 0, 0)->vcpu[0].sched;
	run(1 * MS);
	assert_true(sv->running);
	sched_pause_async(sv);
	sched_pause_async(sv);
	run(1 * MS);
	assert_false(sv->running);
	assert_int_equal(sv->state, SCHED_OFFLINE);
	sched_unpause(sv);
	sched_wake(sv);
	run(1 * MS);
	assert_false(sv->running);
	sched_unpause(sv);
	run(1 * MS);
	assert_true(sv->running);
	/* paused and unpaused before its CPU noticed: goes on */
	sched_pause_async(sv);
	sched_unpause(sv);
	run(1 * MS);
	assert_true(sv->running);
	stop();
}

static void test_block_and_wake(void **state)
{
	struct sched_vcpu *sv;

	(void)state;
	start(2);
	sv = &add(256, 0, 1, 0, 0)->vcpu[0].sched;
	run(1 * MS);
	fake_clock_cpu(sv->cpu);
	/* the event came before it left: it stays */
	sched_block(sv);
	sched_wake(sv);
	leave_hypervisor(sv->cpu);
	assert_ptr_equal(current[sv->cpu], sv);
	/* blocked for good */
	sched_block(sv);
	leave_hypervisor(sv->cpu);
	assert_int_equal(sv->state, SCHED_BLOCKED);
	/* woken from another CPU: that one kicks */
	fake_clock_cpu(!sv->cpu);
	fake_clock_kicks(sv->cpu);
	sched_wake(sv);
	assert_int_equal(fake_clock_kicks(sv->cpu), 1);
	leave_hypervisor(sv->cpu);
	assert_ptr_equal(current[sv->cpu], sv);
	/* an event for one that runs elsewhere: kicked, so that it looks; here: nothing */
	fake_clock_cpu(!sv->cpu);
	sched_wake(sv);
	assert_int_equal(fake_clock_kicks(sv->cpu), 1);
	fake_clock_cpu(sv->cpu);
	sched_wake(sv);
	assert_int_equal(fake_clock_kicks(sv->cpu), 0);
	assert_false(sched_due());
	stop();
}

/*
 * Woken between the choice of another and the end of the switch: it is queued when its registers
 * are safe.
 */
static void test_wake_during_switch(void **state)
{
	struct sched_vcpu *sv, *next;
	unsigned cpu;

	(void)state;
	start(2);
	sv = &add(256, 0, 1, 0, 0)->vcpu[0].sched;
	run(1 * MS);
	cpu = sv->cpu;
	fake_clock_cpu(cpu);
	sched_block(sv);
	next = sched_next(sv);
	assert_ptr_equal(next, &idle[cpu]);
	current[cpu] = next;
	fake_clock_cpu(!cpu);
	sched_wake(sv);
	assert_false(sv->queued);
	leave_hypervisor(!cpu);
	assert_ptr_equal(current[!cpu], &idle[!cpu]);
	fake_clock_cpu(cpu);
	sched_switched(sv);
	leave_hypervisor(cpu);
	leave_hypervisor(!cpu);
	assert_true(sv->running);
	stop();
}

static void test_yield(void **state)
{
	struct sched_vcpu *first;

	(void)state;
	start(1);
	for (unsigned i = 0; i < 2; i++)
		add(256, 0, 1, 0, 0);
	run(15 * MS);
	first = current[0];
	fake_clock_cpu(0);
	sched_vcpu_yield(first);
	leave_hypervisor(0);
	assert_ptr_not_equal(current[0], first);
	assert_false(current[0]->idle);
	stop();
}

static void test_runstate(void **state)
{
	uint64_t since, time[4];
	enum sched_state now;
	struct guest *a;

	(void)state;
	start(1);
	a = add(256, 0, 1, 0, 0);
	add(256, 0, 1, 0, 0);
	run(2 * SEC);
	sched_runstate(&a->vcpu[0].sched, &now, &since, time);
	assert_true(time[SCHED_RUNNING] > SEC * 98 / 100 && time[SCHED_RUNNING] < SEC * 102 / 100);
	assert_int_equal(time[SCHED_RUNNING] + time[SCHED_RUNNABLE], 2 * SEC);
	assert_int_equal(time[SCHED_BLOCKED], 0);
	assert_true(sched_idle_time(0) <= STEP);
	stop();
}

/* Nothing changes, nothing is done: the same vCPU goes on, without a word to the timer. */
static void test_goes_on_cheaply(void **state)
{
	unsigned arms;

	(void)state;
	start(1);
	add(256, 0, 1, 0, 0);
	run(1 * MS);
	arms = fake_clock_arms(0);
	for (unsigned i = 0; i < 100; i++)
		assert_ptr_equal(sched_next(current[0]), current[0]);
	assert_int_equal(fake_clock_arms(0), arms);
	stop();
}

static void test_bad_weights(void **state)
{
	struct sched_domain sd;

	(void)state;
	sched_domain_init(&sd);
	assert_int_equal(sched_domain_set(&sd, 0, 0), -EINVAL);
	assert_int_equal(sched_domain_set(&sd, 65536, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares_by_weight),
		cmocka_unit_test(test_vcpus_share_their_weight),
		cmocka_unit_test(test_equals_on_two_cpus),
		cmocka_unit_test(test_weights_on_two_cpus), cmocka_unit_test(test_cap),
		cmocka_unit_test(test_work_conserving), cmocka_unit_test(test_wakes_quickly),
		cmocka_unit_test(test_sleeping_brings_no_profit),
		cmocka_unit_test(test_long_sleep_is_forgotten),
		cmocka_unit_test(test_preempted_moves_to_an_idle_cpu),
		cmocka_unit_test(test_affinity), cmocka_unit_test(test_pin_override),
		cmocka_unit_test(test_pause_counts), cmocka_unit_test(test_block_and_wake),
		cmocka_unit_test(test_wake_during_switch), cmocka_unit_test(test_yield),
		cmocka_unit_test(test_runstate), cmocka_unit_test(test_goes_on_cheaply),
		cmocka_unit_test(test_bad_weights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
