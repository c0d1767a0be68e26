/* SPDX-License-Identifier: MIT */
/*
 * What users rely on of the scheduler: shares by weight, caps, no idle CPU while somebody waits,
 * quick wake-up, runstates.
 *
 * Links: hypervisor/sched/sched.c hypervisor/sched/runqueue.c hypervisor/sched/balance.c
 * Links: hypervisor/time/timer.c hypervisor/time/clock.c hypervisor/lib/lock.c
 * Links: tests/unit/hypervisor/sched/sim.c tests/fake/clock.c tests/fake/log.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake/clock.h"
#include "sim.h"
#include "x86/machine.h"

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

/* The same does not let a guest run on when its cap says that it is over. */
static void test_wakers_do_not_lengthen_a_cap(void **state)
{
	int64_t least = 0;
	struct guest *capped;

	(void)state;
	start(1);
	capped = add(256, 25, 1, 0, 0);
	add(1024, 0, 1, STEP, 5 * STEP);
	for (unsigned i = 0; i < 2 * SEC / STEP; i++) {
		run(STEP);
		least = min(least, capped->domain.cap_left);
	}
	assert_share(capped, 25, 2 * SEC);
	assert_true(-least <= (int64_t)(SCHED_SLICE_MIN_NS + 2 * STEP));
	stop();
}

/* Wake-ups every tenth of a millisecond are not as many switches: who has just begun goes on. */
static void test_wakers_come_together(void **state)
{
	struct guest *waker;

	(void)state;
	start(1);
	add(256, 0, 1, 0, 0);
	waker = add(256, 0, 1, STEP, 5 * STEP);
	run(SEC);
	assert_true(switches < 2 * 1100);
	assert_true(waker->vcpu[0].worst_latency <= SCHED_RUN_MIN_NS + 2 * STEP);
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
		cmocka_unit_test(test_wakers_come_together),
		cmocka_unit_test(test_wakers_do_not_lengthen_a_cap),
		cmocka_unit_test(test_sleeping_brings_no_profit),
		cmocka_unit_test(test_long_sleep_is_forgotten), cmocka_unit_test(test_yield),
		cmocka_unit_test(test_runstate), cmocka_unit_test(test_goes_on_cheaply),
		cmocka_unit_test(test_bad_weights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
