/* SPDX-License-Identifier: MIT */
/*
 * Timers run once, in order, on the CPU where they were set; the machine's timer is armed for the
 * first and not oftener than needed; a heap of many behaves as a sorted list does.
 *
 * Links: hypervisor/time/timer.c hypervisor/time/clock.c hypervisor/lib/lock.c
 * Links: tests/fake/clock.c tests/fake/log.c
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake/clock.h"
#include "time/time.h"
#include "x86/machine.h"

#define MANY	300

struct test_timer {
	struct timer timer;
	unsigned ran;
	uint64_t order;
	uint64_t again;			/* set itself once more for this */
};

static uint64_t runs;

static void ran(struct timer *t)
{
	struct test_timer *tt = container_of(t, struct test_timer, timer);

	tt->ran++;
	tt->order = ++runs;
	if (tt->again) {
		timer_set(t, tt->again);
		tt->again = 0;
	}
}

static int start(void **state)
{
	(void)state;
	fake_clock_start(2, 1000);
	time_init();
	runs = 0;
	return 0;
}

static void make(struct test_timer *t)
{
	memset(t, 0, sizeof(*t));
	timer_init(&t->timer, ran);
}

/* The interrupt comes when the armed time has come. */
static void pass_to(uint64_t now)
{
	while (fake_clock_armed(machine_cpu()) <= now) {
		fake_clock_set(fake_clock_armed(machine_cpu()));
		fake_clock_disarm(machine_cpu());
		timer_run();
	}
	fake_clock_set(now);
}

static void test_runs_once_when_due(void **state)
{
	struct test_timer t;

	(void)state;
	make(&t);
	timer_set(&t.timer, 5000);
	assert_int_equal(fake_clock_armed(0), 5000);
	pass_to(4999);
	assert_int_equal(t.ran, 0);
	pass_to(5000);
	assert_int_equal(t.ran, 1);
	assert_false(timer_pending(&t.timer));
	pass_to(100000);
	assert_int_equal(t.ran, 1);
	assert_true(fake_clock_armed(0) == ~0ull);
}

static void test_past_fires_at_once_but_not_from_inside(void **state)
{
	struct test_timer t;

	(void)state;
	make(&t);
	timer_set(&t.timer, 1);
	assert_int_equal(t.ran, 0);
	assert_int_equal(fake_clock_armed(0), 1);
	timer_run();
	assert_int_equal(t.ran, 1);
}

static void test_moves_and_stops(void **state)
{
	struct test_timer t;

	(void)state;
	make(&t);
	timer_set(&t.timer, 5000);
	timer_set(&t.timer, 9000);
	pass_to(8999);
	assert_int_equal(t.ran, 0);
	timer_stop(&t.timer);
	timer_stop(&t.timer);
	pass_to(20000);
	assert_int_equal(t.ran, 0);
	timer_destroy(&t.timer);
}

static void test_sets_itself_again(void **state)
{
	struct test_timer t;

	(void)state;
	make(&t);
	t.again = 7000;
	timer_set(&t.timer, 5000);
	pass_to(6999);
	assert_int_equal(t.ran, 1);
	pass_to(7000);
	assert_int_equal(t.ran, 2);
}

/*
 * Setting a timer later than the armed time arms nothing: a guest that sets its timer often costs
 * no MSR writes.
 */
static void test_arms_only_for_an_earlier_first(void **state)
{
	struct test_timer a, b;
	unsigned arms;

	(void)state;
	make(&a);
	make(&b);
	timer_set(&a.timer, 5000);
	arms = fake_clock_arms(0);
	timer_set(&b.timer, 6000);
	timer_set(&a.timer, 7000);
	assert_int_equal(fake_clock_arms(0), arms);
	timer_set(&b.timer, 4000);
	assert_int_equal(fake_clock_arms(0), arms + 1);
	pass_to(7000);
	assert_int_equal(a.ran, 1);
	assert_int_equal(b.ran, 1);
}

static void test_goes_to_the_cpu_that_sets_it(void **state)
{
	struct test_timer t;

	(void)state;
	make(&t);
	timer_set(&t.timer, 5000);
	fake_clock_cpu(1);
	timer_set(&t.timer, 6000);
	assert_int_equal(fake_clock_armed(1), 6000);
	fake_clock_cpu(0);
	pass_to(7000);
	assert_int_equal(t.ran, 0);
	fake_clock_cpu(1);
	fake_clock_disarm(1);
	timer_run();
	assert_int_equal(t.ran, 1);
	timer_set(&t.timer, 8000);
	fake_clock_cpu(0);
	timer_migrate(&t.timer);
	pass_to(8000);
	assert_int_equal(t.ran, 2);
}

static int by_deadline(const void *a, const void *b)
{
	const struct test_timer *x = *(struct test_timer *const *)a,
				*y = *(struct test_timer *const *)b;

	return x->timer.deadline < y->timer.deadline ? -1 : x->timer.deadline > y->timer.deadline;
}

/* Against the plainest model: all that is left, sorted by deadline. */
static void test_many(void **state)
{
	static struct test_timer t[MANY], *left[MANY];
	unsigned n = 0;

	(void)state;
	srand(1);
	for (unsigned i = 0; i < MANY; i++) {
		make(&t[i]);
		timer_set(&t[i].timer, 2000 + (uint64_t)(rand() % 100000) * MANY + i);
	}
	for (unsigned i = 0; i < MANY; i++) {
		struct test_timer *any = &t[rand() % MANY];

		if (rand() % 2)
			timer_stop(&any->timer);
		else
			timer_set(&any->timer,
				  2000 + (uint64_t)(rand() % 100000) * MANY + (uint64_t)(any - t));
	}
	for (unsigned i = 0; i < MANY; i++)
		if (timer_pending(&t[i].timer))
			left[n++] = &t[i];
	qsort(left, n, sizeof(left[0]), by_deadline);
	pass_to(100000000);
	assert_int_equal(runs, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(left[i]->order, i + 1);
}

/* A timer whose function runs on another CPU may not be freed yet. */
static bool entered, released;

static void slow(struct timer *t)
{
	(void)t;
	__atomic_store_n(&entered, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < 100000; i++)
		machine_relax();
	__atomic_store_n(&released, true, __ATOMIC_SEQ_CST);
}

static void *run_slowly(void *arg)
{
	struct timer *t = arg;

	fake_clock_cpu(1);
	timer_set(t, 1);
	timer_run();
	return NULL;
}

static void test_destroy_waits(void **state)
{
	pthread_t thread;
	struct timer t;

	(void)state;
	fake_clock_threads(true);
	entered = released = false;
	timer_init(&t, slow);
	pthread_create(&thread, NULL, run_slowly, &t);
	while (!__atomic_load_n(&entered, __ATOMIC_SEQ_CST))
		machine_relax();
	timer_destroy(&t);
	assert_true(__atomic_load_n(&released, __ATOMIC_SEQ_CST));
	pthread_join(thread, NULL);
}

/*
 * Two CPUs set and stop the same timers: none is lost on two queues, none is freed while it runs.
 */
static struct test_timer shared[4];
static bool over;

static void *other_cpu(void *arg)
{
	unsigned seed = 7;

	(void)arg;
	fake_clock_cpu(1);
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		struct test_timer *t = &shared[(unsigned)rand_r(&seed) % 4];

		if (rand_r(&seed) % 4)
			timer_set(&t->timer, (uint64_t)rand_r(&seed) % 2000);
		else
			timer_destroy(&t->timer);
		timer_run();
	}
	return NULL;
}

static void test_two_cpus(void **state)
{
	unsigned seed = 3;
	pthread_t thread;

	(void)state;
	fake_clock_threads(true);
	for (unsigned i = 0; i < 4; i++)
		make(&shared[i]);
	over = false;
	pthread_create(&thread, NULL, other_cpu, NULL);
	for (unsigned i = 0; i < 20000; i++) {
		struct test_timer *t = &shared[(unsigned)rand_r(&seed) % 4];

		if (rand_r(&seed) % 4)
			timer_set(&t->timer, (uint64_t)rand_r(&seed) % 2000);
		else
			timer_stop(&t->timer);
		timer_run();
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < 4; i++) {
		timer_destroy(&shared[i].timer);
		assert_false(timer_pending(&shared[i].timer));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_runs_once_when_due, start),
		cmocka_unit_test_setup(test_past_fires_at_once_but_not_from_inside, start),
		cmocka_unit_test_setup(test_moves_and_stops, start),
		cmocka_unit_test_setup(test_sets_itself_again, start),
		cmocka_unit_test_setup(test_arms_only_for_an_earlier_first, start),
		cmocka_unit_test_setup(test_goes_to_the_cpu_that_sets_it, start),
		cmocka_unit_test_setup(test_many, start),
		cmocka_unit_test_setup(test_destroy_waits, start),
		cmocka_unit_test_setup(test_two_cpus, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
