/* SPDX-License-Identifier: MIT */
/*
 * Types of frames: one at a time, changed only at zero, flushed when and only when something may be
 * stale.
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
#include "mm/frame.h"
#include "x86/machine.h"

static struct mm_domain mm, other;
static struct frame *f;
static uint64_t before;

static int setup(void **state)
{
	(void)state;
	fake_machine_start();
	fake_run_on(0);
	before = mm_free_frames();
	mm_domain_init(&mm, 1, 100);
	mm_domain_init(&other, 2, 100);
	cpumask_set(&mm.cpus, 0);
	cpumask_set(&mm.cpus, 1);
	cpumask_set(&other.cpus, 2);
	f = frame_of(fake_frame(&mm));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(FINISH(mm_domain_teardown(&other)), 0);
	fake_end(&mm, before);
	return 0;
}

static unsigned flushes(unsigned cpu)
{
	static unsigned last[FAKE_CPUS];
	unsigned n = fake_flushes(cpu) - last[cpu];

	last[cpu] = fake_flushes(cpu);
	return n;
}

static void test_one_type_at_a_time(void **state)
{
	(void)state;
	for (enum frame_type have = TYPE_L1; have <= TYPE_SEGDESC; have++) {
		assert_int_equal(type_get(f, have, &mm), TYPE_NEW);
		type_validate(f);
		for (enum frame_type want = TYPE_L1; want <= TYPE_SEGDESC; want++) {
			assert_int_equal(type_get(f, want, &mm), want == have ? TYPE_HELD :
					 TYPE_REFUSED);
			if (want == have)
				type_put(f);
		}
		type_put(f);
	}
}

static void test_what_is_not_valid_yet_is_nobodys(void **state)
{
	(void)state;
	assert_int_equal(type_get(f, TYPE_L1, &mm), TYPE_NEW);
	assert_int_equal(type_get(f, TYPE_L1, &mm), TYPE_REFUSED);
	assert_false(type_get_writable(f, &mm));
	type_put(f);
}

static void test_flushes_where_something_may_be_stale(void **state)
{
	(void)state;
	flushes(0), flushes(1), flushes(2);
	assert_true(type_get_writable(f, &mm));		/* from nothing: nothing is stale */
	type_put(f);
	assert_true(type_get_writable(f, &mm));		/* the same again */
	type_put(f);
	assert_int_equal(flushes(0) + flushes(1) + flushes(2), 0);
	assert_int_equal(type_get(f, TYPE_L2, &mm), TYPE_NEW);
	assert_int_equal(flushes(0), 1);
	assert_int_equal(flushes(1), 1);
	assert_int_equal(flushes(2), 0);
	type_put(f);
	assert_true(type_get_writable(f, &mm));		/* back: the table may be cached */
	assert_int_equal(flushes(0), 1);
	type_put(f);
	machine_tlb_flush(&mm.cpus);			/* the guest does it itself */
	flushes(0), flushes(1);
	assert_int_equal(type_get(f, TYPE_L1, &mm), TYPE_NEW);
	assert_int_equal(flushes(0) + flushes(1), 0);
	type_put(f);
}

/* Class B, 241: the stamp is that of the last put. */
static void test_only_flushes_after_the_last_put_count(void **state)
{
	(void)state;
	assert_true(type_get_writable(f, &mm));
	assert_true(type_get_writable(f, &mm));
	type_put(f);
	machine_tlb_flush(&mm.cpus);
	type_put(f);
	flushes(0);
	assert_int_equal(type_get(f, TYPE_L1, &mm), TYPE_NEW);
	assert_int_equal(flushes(0), 1);
	type_put(f);
}

/* Another domain wrote to it, on CPUs that its owner has never seen. */
static void test_foreign_writers_are_flushed_too(void **state)
{
	(void)state;
	assert_true(type_get_writable(f, &other));
	type_put(f);
	assert_true(type_get_writable(f, &mm));
	type_put(f);
	flushes(2);
	assert_int_equal(type_get(f, TYPE_L1, &mm), TYPE_NEW);
	assert_int_equal(flushes(2), 1);
	type_put(f);
	assert_true(type_get_writable(f, &mm));		/* forgotten with the flush */
	type_put(f);
	assert_int_equal(type_get(f, TYPE_L1, &mm), TYPE_NEW);
	assert_int_equal(flushes(2), 0);
	type_put(f);
}

/* Class A, 385: counts that are full refuse. */
static void test_counts_do_not_wrap(void **state)
{
	uint64_t word;

	(void)state;
	assert_true(type_get_writable(f, &mm));
	word = f->type;
	f->type |= TYPE_COUNT;
	assert_false(type_get_writable(f, &mm));
	f->type = word;
	type_put(f);
	f->refs |= REFS_COUNT;
	assert_false(frame_get(f, mm.id));
	f->refs = REFS_ALLOCATED | 1;
}

static void test_pins_are_counted_once(void **state)
{
	(void)state;
	assert_int_equal(type_get(f, TYPE_L1, &mm), TYPE_NEW);
	type_validate(f);
	assert_true(type_pin(f, true));
	assert_false(type_pin(f, true));
	assert_true(type_pin(f, false));
	assert_false(type_pin(f, false));
	type_last_put(f);			/* still typed, not valid */
	assert_int_equal(type_get(f, TYPE_L1, &mm), TYPE_REFUSED);
	type_put(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_one_type_at_a_time),
		TEST(test_what_is_not_valid_yet_is_nobodys),
		TEST(test_flushes_where_something_may_be_stale),
		TEST(test_only_flushes_after_the_last_put_count),
		TEST(test_foreign_writers_are_flushed_too),
		TEST(test_counts_do_not_wrap),
		TEST(test_pins_are_counted_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
