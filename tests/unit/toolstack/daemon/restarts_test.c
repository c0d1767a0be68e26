/* SPDX-License-Identifier: MIT */
/*
 * A guest that starts again and again without living in between is in a loop; one that reboots now
 * and then is not.
 * Links: toolstack/daemon/restarts.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/restarts.h"

static void quick_restarts_are_a_loop(void **state)
{
	struct restarts restarts = { .count = 0 };
	const uint8_t uuid[16] = { 1 }, other[16] = { 2 };
	long now = 1000;
	int starts = 0;

	(void)state;
	while (!restarts_is_loop(&restarts, uuid, now) && starts < 100) {
		restarts_note(&restarts, uuid, now);
		now += RESTARTS_QUICK_MS - 1;
		starts++;
	}
	assert_int_equal(starts, RESTARTS_PATIENCE + 1);
	assert_false(restarts_is_loop(&restarts, other, now));
	/* It has lived long enough meanwhile. */
	assert_false(restarts_is_loop(&restarts, uuid, now + 1));
	restarts_note(&restarts, uuid, now + 1);
	assert_false(restarts_is_loop(&restarts, uuid, now + 2));
}

static void slow_restarts_are_none(void **state)
{
	struct restarts restarts = { .count = 0 };
	const uint8_t uuid[16] = { 1 };

	(void)state;
	for (long now = 0; now < 100L * RESTARTS_QUICK_MS; now += RESTARTS_QUICK_MS) {
		assert_false(restarts_is_loop(&restarts, uuid, now));
		restarts_note(&restarts, uuid, now);
	}
}

static void many_guests_find_place(void **state)
{
	struct restarts restarts = { .count = 0 };

	(void)state;
	for (int i = 0; i < 3 * RESTARTS_MAX; i++) {
		const uint8_t uuid[16] = { (uint8_t)i, (uint8_t)(i >> 8) };

		restarts_note(&restarts, uuid, i);
		assert_false(restarts_is_loop(&restarts, uuid, i));
	}
	assert_int_equal(restarts.count, RESTARTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quick_restarts_are_a_loop),
		cmocka_unit_test(slow_restarts_are_none),
		cmocka_unit_test(many_guests_find_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
