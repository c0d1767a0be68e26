/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the host's start: no wait where nothing says that it starts, and none once it is
 * ready; else until it is, or too long, and told once.
 * Links: toolstack/vm/await.c toolstack/lib/
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/error.h"
#include "vm/await.h"

static char folder[] = "/tmp/await_test-XXXXXX", starting[64], ready[64];
static int told;

static void make(const char *path)
{
	close(open(path, O_WRONLY | O_CREAT, 0600));
}

static void on_alarm(int number)
{
	(void)number;
	make(ready);
}

static void tell(void)
{
	told++;
}

static int fresh(void **state)
{
	(void)state;
	unlink(starting);
	unlink(ready);
	told = 0;
	return 0;
}

static void nothing_starts(void **state)
{
	(void)state;
	assert_int_equal(vm_await_host(0, tell, NULL), 0);
	assert_int_equal(told, 0);
}

static void it_is_ready(void **state)
{
	(void)state;
	make(starting);
	make(ready);
	assert_int_equal(vm_await_host(0, tell, NULL), 0);
	assert_int_equal(told, 0);
}

static void it_becomes_ready(void **state)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 50000 } };
	struct error err = { 0 };

	(void)state;
	make(starting);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &soon, NULL);
	assert_int_equal(vm_await_host(60000, tell, &err), 0);
	assert_int_equal(told, 1);
}

static void it_does_not(void **state)
{
	struct error err = { 0 };

	(void)state;
	make(starting);
	assert_int_equal(vm_await_host(200, NULL, &err), -1);
	assert_int_equal(err.code, ERROR_TIMEOUT);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(starting, sizeof(starting), "%s/starting", folder);
	snprintf(ready, sizeof(ready), "%s/ready", folder);
	vm_host_starting_file = starting;
	vm_host_ready_file = ready;
	return 0;
}

static int remove_folder(void **state)
{
	fresh(state);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_starts, fresh),
		cmocka_unit_test_setup(it_is_ready, fresh),
		cmocka_unit_test_setup(it_becomes_ready, fresh),
		cmocka_unit_test_setup(it_does_not, fresh),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
