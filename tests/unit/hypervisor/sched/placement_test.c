/* SPDX-License-Identifier: MIT */
/*
 * Which CPU a vCPU runs on, and what makes it run or stop: affinity, pins, pauses, blocking, and a
 * wake-up in the middle of a switch.
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

/* The busiest CPU's vCPUs may not leave it: an idle one then looks at the others. */
static void test_looks_beyond_the_busiest(void **state)
{
	struct cpumask mask[] = { { .bits = { 1 } }, { .bits = { 2 } }, { .bits = { 6 } } };
	static const unsigned where[] = { 0, 0, 0, 1, 1 };

	(void)state;
	start(3);
	for (unsigned i = 0; i < ARRAY_SIZE(where); i++) {
		struct sched_vcpu *sv = &add(256, 0, 1, 0, 0)->vcpu[0].sched;

		assert_int_equal(sched_set_affinity(sv, &mask[where[i]]), 0);
	}
	run(100 * MS);
	assert_int_equal(sched_set_affinity(&guest[4].vcpu[0].sched, &mask[2]), 0);
	run(30 * MS);
	guest[3].vcpu[0].total = guest[4].vcpu[0].total = 0;
	run(1 * SEC);
	assert_share(&guest[3], 100, SEC);
	assert_share(&guest[4], 100, SEC);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks_beyond_the_busiest),
		cmocka_unit_test(test_preempted_moves_to_an_idle_cpu),
		cmocka_unit_test(test_affinity), cmocka_unit_test(test_pin_override),
		cmocka_unit_test(test_pause_counts), cmocka_unit_test(test_block_and_wake),
		cmocka_unit_test(test_wake_during_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
