/* SPDX-License-Identifier: MIT */
/*
 * Watchdogs as Linux's xen_wdt drives them: taken, visited, left to run out, given back.
 *
 * Links: hypervisor/domain/watchdog.c hypervisor/time/timer.c hypervisor/time/clock.c
 * Links: hypervisor/lib/lock.c tests/fake/clock.c tests/fake/log.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "abi/sched.h"
#include "domain/domain.h"
#include "fake/clock.h"
#include "x86/machine.h"

#define SEC	1000000000ull

static struct domain d;
static unsigned shutdowns;

void domain_shutdown(struct domain *who, unsigned reason)
{
	assert_ptr_equal(who, &d);
	assert_int_equal(reason, SHUTDOWN_watchdog);
	who->shut_down = true;
	shutdowns++;
}

static int start(void **state)
{
	(void)state;
	fake_clock_start(1, SEC);
	time_init();
	memset(&d, 0, sizeof(d));
	lock_init(&d.lock, RANK_DOMAIN);
	shutdowns = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	domain_stop_watchdogs(&d);
	return 0;
}

static void pass(uint64_t seconds)
{
	fake_clock_set(machine_now() + seconds * SEC);
	timer_run();
}

static void test_visited(void **state)
{
	int id = domain_set_watchdog(&d, 0, 10);

	(void)state;
	assert_true(id > 0);
	for (unsigned i = 0; i < 5; i++) {
		pass(9);
		assert_int_equal(domain_set_watchdog(&d, (uint32_t)id, 10), 0);
	}
	assert_int_equal(shutdowns, 0);
	pass(9);
	assert_int_equal(shutdowns, 0);
	pass(1);
	assert_int_equal(shutdowns, 1);
}

static void test_given_back(void **state)
{
	int id = domain_set_watchdog(&d, 0, 10);

	(void)state;
	assert_int_equal(domain_set_watchdog(&d, (uint32_t)id, 0), 0);
	pass(100);
	assert_int_equal(shutdowns, 0);
	assert_int_equal(domain_set_watchdog(&d, (uint32_t)id, 10), -EINVAL);
	assert_int_equal(domain_set_watchdog(&d, 0, 10), id);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(domain_set_watchdog(&d, 0, 0), -EINVAL);
	assert_int_equal(domain_set_watchdog(&d, 1, 10), -EINVAL);
	assert_int_equal(domain_set_watchdog(&d, 3, 10), -EINVAL);
	assert_int_equal(domain_set_watchdog(&d, ~0u, 10), -EINVAL);
	assert_int_equal(domain_set_watchdog(&d, 0, 10), 1);
	assert_int_equal(domain_set_watchdog(&d, 0, ~0u), 2);
	assert_int_equal(domain_set_watchdog(&d, 0, 10), -ENOSPC);
}

static void test_silent_once_down(void **state)
{
	(void)state;
	assert_int_equal(domain_set_watchdog(&d, 0, 10), 1);
	d.shut_down = true;
	pass(20);
	assert_int_equal(shutdowns, 0);
	d.dying = true;
	assert_int_equal(domain_set_watchdog(&d, 1, 10), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_visited, start, end),
		cmocka_unit_test_setup_teardown(test_given_back, start, end),
		cmocka_unit_test_setup_teardown(test_refused, start, end),
		cmocka_unit_test_setup_teardown(test_silent_once_down, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
