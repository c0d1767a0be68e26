/* SPDX-License-Identifier: MIT */
/*
 * A guest that asks now and then never waits; one that floods gets its burst, then its part of the
 * time; many that flood get the part of all guests together; a dear request is paid, but not for
 * ever.
 * Links: toolstack/store/budget.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/budget.h"

#define MS 1000000ull

enum { MANY = 100 };

/*
 * Guests that flood, each turn of turn_ns, beside a daemon that is never idle, for so many ms: how
 * many of them its turns took.
 */
static uint64_t flood(struct budget *guests, unsigned int n, uint64_t turn_ns, uint64_t ms)
{
	uint64_t used = 0;

	for (uint64_t now = 0; now < ms; now++) {
		unsigned int fill = 0;

		for (unsigned int i = 0; i < n; i++)
			fill += budget_fills(&guests[i]);
		for (unsigned int i = 0; i < n; i++) {
			if (fill)
				budget_refill(&guests[i], budget_share(MS, fill));
			if (guests[i].spent)
				continue;
			budget_charge(&guests[i], turn_ns);
			used += turn_ns;
		}
	}
	return used / MS;
}

static void bounds_one(void **state)
{
	struct budget guest;
	uint64_t used;

	(void)state;
	budget_init(&guest);
	used = flood(&guest, 1, MS / 2, 100000);
	assert_in_range(used, 100 + 1900, 100 + 2100);	/* 1/50 of 100 s, and the burst */
}

static void bounds_all(void **state)
{
	struct budget guests[MANY];
	uint64_t used;

	(void)state;
	for (unsigned int i = 0; i < MANY; i++)
		budget_init(&guests[i]);
	flood(guests, MANY, MS / 2, 10000);		/* their bursts, and more */
	used = flood(guests, MANY, MS / 2, 100000);
	assert_in_range(used, 9000, 10500);		/* 1/10 of 100 s */
}

static void leaves_the_modest_alone(void **state)
{
	struct budget guests[2];

	(void)state;
	budget_init(&guests[0]);
	budget_init(&guests[1]);
	for (int i = 0; i < 1000; i++) {
		flood(guests, 1, MS, 100);
		budget_charge(&guests[1], MS);		/* 1 ms in every 100 */
		budget_refill(&guests[1], budget_share(100 * MS, 2));
		assert_false(guests[1].spent);
	}
}

static void forgives_in_time(void **state)
{
	struct budget guest;
	uint64_t wait;

	(void)state;
	budget_init(&guest);
	budget_charge(&guest, 3600000 * MS);
	assert_true(guest.spent);
	wait = budget_wait(&guest, 1);
	assert_in_range(wait, 5000 * MS, 5200 * MS);
	assert_false(budget_refill(&guest, budget_share(wait - 100 * MS, 1)));
	assert_true(budget_refill(&guest, budget_share(100 * MS, 1)));
	assert_false(guest.spent);
	assert_int_equal(budget_wait(&guest, 1), 0);
	budget_refill(&guest, budget_share(UINT64_MAX, 1));	/* no more than it holds */
	assert_int_equal(guest.left, BUDGET_BURST);
	assert_false(budget_fills(&guest));
	assert_true(budget_share(UINT64_MAX, 1) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_one),
		cmocka_unit_test(bounds_all),
		cmocka_unit_test(leaves_the_modest_alone),
		cmocka_unit_test(forgives_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
