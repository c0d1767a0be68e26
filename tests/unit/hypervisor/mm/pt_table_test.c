/* SPDX-License-Identifier: MIT */
/*
 * Validating tables and letting them go, in pieces of any size: what comes out is the same as in
 * one go, a half-done table is never met, and nothing is lost when a call is not issued again.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c
 * Links: hypervisor/mm/m2p.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c
 * Links: hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c
 * Links: tests/fake/machine.c tests/fake/tlb.c tests/fake/log.c tests/fake/tables.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/machine.h"
#include "fake/tables.h"
#include "x86/machine.h"

static struct mm_domain mm;
static struct tables t;
static uint64_t before;

static int setup(void **state)
{
	(void)state;
	fake_machine_start();
	fake_budget(~0u);
	before = mm_free_frames();
	mm_domain_init(&mm, 1, 1000);
	fake_tables(&mm, &t);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end(&mm, before);
	fake_budget(~0u);
	return 0;
}

static unsigned level_of(mfn_t mfn)
{
	bool pinned;

	return mm_table_level(mfn, &pinned);
}

/* How often a pin has to be issued with a budget. */
static unsigned pin_in_pieces(mfn_t mfn, unsigned level, unsigned budget, int *rc)
{
	unsigned n = 0;

	fake_budget(budget);
	do {
		machine_budget_start();
		*rc = mm_pin(&mm, mfn, level);
		assert_int_equal(mm_check(NULL, NULL), 0);
		assert_true(n++ < 100);
	} while (*rc == -ERESTART);
	fake_budget(~0u);
	return n;
}

static void test_a_tree_is_validated(void **state)
{
	(void)state;
	assert_int_equal(mm_pin(&mm, t.l4, 4), 0);
	assert_int_equal(level_of(t.l4), 4);
	assert_int_equal(level_of(t.l3), 3);
	assert_int_equal(level_of(t.l2), 2);
	assert_int_equal(level_of(t.l1), 1);
	assert_int_equal(mm_unpin(&mm, t.l4), 0);
	assert_int_equal(level_of(t.l4), 0);
	assert_int_equal(level_of(t.l1), 0);
}

static void test_what_a_tree_shares_lives_as_long_as_its_users(void **state)
{
	(void)state;
	fake_poke(t.l2, 5, fake_entry(t.l1, RO));
	assert_int_equal(mm_pin(&mm, t.l4, 4), 0);
	assert_int_equal(mm_update_entry(&mm, &mm, fake_slot(t.l2, 0), 0, false), 0);
	assert_int_equal(level_of(t.l1), 1);
	assert_int_equal(mm_update_entry(&mm, &mm, fake_slot(t.l2, 5), 0, false), 0);
	assert_int_equal(level_of(t.l1), 0);
}

static void test_validation_can_be_interrupted_anywhere(void **state)
{
	unsigned most = 0;
	int rc;

	(void)state;
	for (unsigned budget = 1; budget < 40; budget++) {
		unsigned n = pin_in_pieces(t.l4, 4, budget, &rc);

		assert_int_equal(rc, 0);
		most = n > most ? n : most;
		fake_budget(budget);
		assert_int_equal(FINISH(mm_unpin(&mm, t.l4)), 0);
		fake_budget(~0u);
		assert_int_equal(FINISH(mm_unpin(&mm, t.l4)), -EINVAL);
		assert_int_equal(level_of(t.l1), 0);
	}
	assert_true(most > 4);
}

static void test_failure_in_pieces_takes_everything_back(void **state)
{
	mfn_t data = fake_frame(&mm);
	int rc;

	(void)state;
	for (unsigned i = 0; i < 400; i++)
		fake_poke(t.l1, i, fake_entry(data, RW));
	fake_poke(t.l1, 400, fake_entry(t.l2, RW));		/* a table, writable */
	for (unsigned budget = 1; budget < 30; budget += 4) {
		assert_true(pin_in_pieces(t.l4, 4, budget, &rc) > 1 || budget > 10);
		assert_int_equal(rc, -EINVAL);
		assert_int_equal(mm_pin(&mm, data, 1), 0);	/* no reference is left */
		assert_int_equal(mm_unpin(&mm, data), 0);
	}
}

/* Class A, 290, 299: nobody meets the half-done table, whatever they ask of it. */
static void test_others_finish_what_was_begun(void **state)
{
	mfn_t other = fake_frame(&mm);

	(void)state;
	fake_budget(1);
	machine_budget_start();
	assert_int_equal(mm_pin(&mm, t.l4, 4), -ERESTART);
	fake_budget(~0u);
	assert_int_equal(mm_pin(&mm, other, 1), 0);
	assert_int_equal(level_of(t.l4), 4);		/* finished, and kept for who began it */
	assert_int_equal(mm_pin(&mm, t.l4, 4), 0);
	assert_int_equal(mm.pending.done, 0);
}

static void test_half_done_tables_are_nothing_else(void **state)
{
	(void)state;
	fake_budget(12);
	machine_budget_start();
	assert_int_equal(mm_pin(&mm, t.l4, 4), -ERESTART);
	assert_false(mm_get_writable(t.l4, &mm));
	assert_false(mm_get_writable(t.l3, &mm));
	assert_int_equal(mm_get_descriptor_frame(&mm, t.l3), -EINVAL);
	assert_false(mm_take(&mm, t.l3));
	assert_true(mm_release(&mm, t.l3));		/* given up, and still no one's to take */
	fake_budget(~0u);
	assert_int_equal(mm_pin(&mm, t.l4, 4), 0);
	assert_int_equal(level_of(t.l3), 3);
}

/* What is finished and never claimed goes when the next one ends. */
static void test_an_unclaimed_walk_is_let_go(void **state)
{
	struct tables second;
	int rc;

	(void)state;
	fake_tables(&mm, &second);
	fake_budget(1);
	machine_budget_start();
	assert_int_equal(mm_pin(&mm, t.l4, 4), -ERESTART);
	pin_in_pieces(second.l4, 4, 3, &rc);
	assert_int_equal(rc, 0);
	assert_int_equal(mm_unpin(&mm, second.l4), 0);
	assert_int_equal(level_of(t.l4), 0);
}

static void test_teardown_in_the_middle_of_everything(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 512; i++)
		fake_poke(t.l1, i, fake_entry(fake_frame(&mm), RW));
	fake_budget(9);
	machine_budget_start();
	assert_int_equal(mm_pin(&mm, t.l4, 4), -ERESTART);
	fake_budget(2);
}

static void test_l4_gets_our_entries_and_loses_them(void **state)
{
	uint64_t ours[512];

	(void)state;
	machine_l4_install(ours);
	/* what the guest had there does not count */
	fake_poke(t.l4, 260, fake_entry(t.l1, RW));
	assert_int_equal(mm_pin(&mm, t.l4, 4), 0);
	for (unsigned i = 256; i <= 271; i++)
		assert_int_equal(fake_peek(t.l4, i), ours[i]);
	assert_int_equal(mm_unpin(&mm, t.l4), 0);
	assert_int_equal(fake_peek(t.l4, 260), 0);
}

static void test_foreign_tables_are_refused(void **state)
{
	struct mm_domain other;
	mfn_t foreign;

	(void)state;
	mm_domain_init(&other, 2, 10);
	foreign = fake_frame(&other);
	fake_poke(t.l2, 511, fake_entry(foreign, RW));
	assert_int_equal(mm_pin(&mm, t.l4, 4), -EINVAL);
	assert_int_equal(mm_pin(&mm, foreign, 1), -EINVAL);
	assert_int_equal(mm_pin(&mm, MFN(FAKE_DEVICE_MFN), 1), -EINVAL);
	assert_int_equal(mm_pin(&mm, MFN(~0ull >> 12), 1), -EINVAL);
	assert_int_equal(mm_pin(&mm, MFN(0), 1), -EINVAL);
	assert_int_equal(FINISH(mm_domain_teardown(&other)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_a_tree_is_validated),
		TEST(test_what_a_tree_shares_lives_as_long_as_its_users),
		TEST(test_validation_can_be_interrupted_anywhere),
		TEST(test_failure_in_pieces_takes_everything_back),
		TEST(test_others_finish_what_was_begun),
		TEST(test_half_done_tables_are_nothing_else),
		TEST(test_an_unclaimed_walk_is_let_go),
		TEST(test_teardown_in_the_middle_of_everything),
		TEST(test_l4_gets_our_entries_and_loses_them),
		TEST(test_foreign_tables_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
