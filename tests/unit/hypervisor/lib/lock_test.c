/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks with threads as CPUs: they exclude, they know their holder, and with lock_checks on a
 * wrong order is a panic.
 *
 * Links: hypervisor/lib/lock.c
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/assert.h"
#include "lib/lock.h"
#include "x86/machine.h"

#define CPUS	4
#define ROUNDS	20000

static __thread unsigned cpu;
static jmp_buf panicked;

unsigned machine_cpu(void)
{
	return cpu;
}

void machine_relax(void)
{
	sched_yield();
}

_Noreturn void panic(const char *fmt, ...)
{
	(void)fmt;
	longjmp(panicked, 1);
}

#define PANICS(code) do {				\
	if (!setjmp(panicked)) {			\
		code;					\
		fail_msg("no panic: %s", #code);	\
	}						\
} while (0)

static struct lock shared = LOCK_INIT(RANK_EVENT);
static unsigned long counter;

static void *count(void *index)
{
	cpu = (unsigned)(uintptr_t)index;
	for (unsigned i = 0; i < ROUNDS; i++) {
		while (i % 3 == 0 && !lock_try(&shared))
			sched_yield();
		if (i % 3)
			lock_acquire(&shared);
		counter++;
		lock_release(&shared);
	}
	return NULL;
}

static void exclusion(void **state)
{
	pthread_t thread[CPUS];

	(void)state;
	counter = 0;
	for (uintptr_t i = 0; i < CPUS; i++)
		pthread_create(&thread[i], NULL, count, (void *)i);
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(counter, CPUS * ROUNDS);
}

static void holder(void **state)
{
	struct lock lock;

	(void)state;
	lock_init(&lock, RANK_MM);
	assert_false(lock_held(&lock));
	lock_acquire(&lock);
	assert_true(lock_held(&lock));
	cpu = 1;
	assert_false(lock_held(&lock));
	assert_false(lock_try(&lock));
	PANICS(lock_release(&lock));
	cpu = 0;
	lock_release(&lock);
	assert_true(lock_try(&lock));
	lock_release(&lock);
	assert_false(lock_held(&lock));
}

static void order(void **state)
{
	struct lock low = LOCK_INIT(RANK_EVENT), high = LOCK_INIT(RANK_HEAP),
		    high2 = LOCK_INIT(RANK_HEAP);

	(void)state;
	lock_acquire(&low);
	lock_acquire(&high);
	PANICS(lock_acquire(&low));
	PANICS(lock_acquire(&high2));
	lock_release(&low);		/* not in the order of acquisition: allowed */
	PANICS(lock_acquire(&low));
	lock_release(&high);
	lock_acquire(&low);
	lock_release(&low);
}

static void two(void **state)
{
	struct lock a = LOCK_INIT(RANK_GRANT), b = LOCK_INIT(RANK_GRANT);

	(void)state;
	lock_two(&a, 5, &b, 3);
	assert_true(lock_held(&a) && lock_held(&b));
	unlock_two(&a, &b);
	assert_false(lock_held(&a) || lock_held(&b));
	lock_two(&a, 1, &a, 1);
	assert_true(lock_held(&a));
	unlock_two(&a, &a);
	assert_false(lock_held(&a));
}

static int checks_on(void **state)
{
	(void)state;
	lock_checks = true;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exclusion),
		cmocka_unit_test_setup(holder, checks_on),
		cmocka_unit_test(order),
		cmocka_unit_test(two),
		cmocka_unit_test(exclusion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
