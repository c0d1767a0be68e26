/* SPDX-License-Identifier: MIT */
/*
 * What a domain owns: limits hold, what it gives up is gone for it and clean for the next, and its
 * end leaves nothing.
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

#include "abi/xen.h"
#include "fake/machine.h"
#include "fake/tables.h"
#include "mm/buddy.h"
#include "x86/machine.h"

static struct mm_domain mm, other;
static uint64_t before;

static int setup(void **state)
{
	(void)state;
	fake_machine_start();
	fake_budget(~0u);
	before = mm_free_frames();
	mm_domain_init(&mm, 1, 100);
	mm_domain_init(&other, 2, 1000);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(FINISH(mm_domain_teardown(&other)), 0);
	fake_end(&mm, before);
	return 0;
}

static void test_frames_are_clean_and_counted(void **state)
{
	mfn_t a = mm_alloc(&mm, 3, 0);

	(void)state;
	assert_false(mfn_eq(a, MFN_NONE));
	assert_int_equal(a.n % 8, 0);
	assert_int_equal(mm.pages, 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(mm_owner(MFN(a.n + i)), 1);
		assert_int_equal(mm_m2p(MFN(a.n + i)), ~0ull);
		for (unsigned k = 0; k < 512; k++)
			assert_int_equal(fake_peek(MFN(a.n + i), k), 0);
	}
	fake_poke(a, 3, 0x5ec2e7);
	mm_m2p_set(a, 77);
	assert_true(mm_release(&mm, a));
	assert_int_equal(mm.pages, 7);
	assert_int_equal(mm_owner(a), DOMID_INVALID);
	assert_int_equal(mm_m2p(a), ~0ull);
	for (mfn_t b; !mfn_eq(b = mm_alloc(&other, 0, 0), MFN_NONE); )
		for (unsigned k = 0; k < 512; k++)
			assert_int_equal(fake_peek(b, k), 0);
}

static void test_max_pages_holds(void **state)
{
	(void)state;
	assert_true(mfn_eq(mm_alloc(&mm, 7, 0), MFN_NONE));
	assert_false(mfn_eq(mm_alloc(&mm, 6, 0), MFN_NONE));
	assert_true(mfn_eq(mm_alloc(&mm, 6, 0), MFN_NONE));
	mm.max_pages = 10;
	assert_true(mfn_eq(mm_alloc(&mm, 0, 0), MFN_NONE));
	assert_true(mfn_eq(mm_alloc(&mm, 63, 0), MFN_NONE));
	assert_true(mfn_eq(mm_alloc(&mm, ~0u, 0), MFN_NONE));
	assert_int_equal(mm.pages, 64);
	assert_int_equal(mm.peak_pages, 64);
}

static void test_low_memory_is_for_those_who_need_it(void **state)
{
	mfn_t low = mm_alloc(&mm, 0, 21), any = mm_alloc(&mm, 0, 0);

	(void)state;
	assert_true(low.n < 1ull << (21 - 12));
	assert_true(any.n >= 1ull << (22 - 12));
	assert_true(mfn_eq(mm_alloc(&mm, 0, 12), MFN_NONE));
	assert_true(mfn_eq(mm_alloc(&mm, 0, 1), MFN_NONE));
}

/* Giving up what it still maps gains a domain nothing. */
static void test_what_is_mapped_is_still_counted(void **state)
{
	mfn_t a = fake_frame(&mm);

	(void)state;
	assert_true(mm_get(a, &mm));
	assert_true(mm_release(&mm, a));
	assert_false(mm_release(&mm, a));
	assert_int_equal(mm.pages, 1);
	assert_int_equal(mm_owner(a), 1);
	mm_put(a);
	assert_int_equal(mm.pages, 0);
	assert_false(mm_get(a, &mm));
	assert_false(mm_release(&mm, a));
}

static void test_only_what_is_its_own(void **state)
{
	mfn_t a = fake_frame(&other);

	(void)state;
	assert_false(mm_release(&mm, a));
	assert_false(mm_get(a, &mm));
	assert_false(mm_get_writable(a, &mm));
	assert_false(mm_take(&mm, a));
	assert_false(mm_release(&mm, MFN(FAKE_DEVICE_MFN)));
	assert_false(mm_release(&mm, MFN(0)));
	assert_false(mm_release(&mm, MFN_NONE));
	assert_int_equal(mm_owner(MFN(FAKE_DEVICE_MFN)), DOMID_IO);
	assert_int_equal(mm_owner(MFN_NONE), DOMID_IO);
}

/* Class A, 214, 287: a frame changes hands only when nothing refers to it. */
static void test_taking_frames(void **state)
{
	mfn_t a = fake_frame(&mm), out;

	(void)state;
	assert_true(mm_get_writable(a, &mm));
	assert_false(mm_take(&mm, a));
	mm_put_writable(a);
	assert_true(mm_take(&mm, a));
	assert_false(mm_take(&mm, a));
	assert_false(mm_get(a, &mm));
	assert_int_equal(mm_pin(&mm, a, 1), -EINVAL);
	mm_untake(a);
	assert_true(mm_get(a, &mm));
	mm_put(a);
	mm.max_pages = 1;
	assert_true(mm_take(&mm, a));
	out = mm_alloc_exchange(&mm, 0, 0);
	assert_false(mfn_eq(out, MFN_NONE));
	mm_free_taken(a);
	assert_int_equal(mm.pages, 1);
}

static void test_claims_keep_memory_for_others(void **state)
{
	uint64_t free = mm_free_frames();

	(void)state;
	assert_int_equal(mm_claim(&mm, free + 1), -ENOMEM);
	assert_int_equal(mm_claim(&mm, 50), 0);
	assert_int_equal(mm_claim(&other, free - 49), -ENOMEM);
	other.max_pages = free;
	for (uint64_t i = 0; i < free - 50; i++)
		assert_false(mfn_eq(mm_alloc(&other, 0, 0), MFN_NONE));
	assert_true(mfn_eq(mm_alloc(&other, 0, 0), MFN_NONE));
	assert_false(mfn_eq(mm_alloc(&mm, 3, 0), MFN_NONE));
	assert_int_equal(mm.claim, 42);
	assert_int_equal(mm_claim(&mm, 0), 0);
	assert_false(mfn_eq(mm_alloc(&other, 0, 0), MFN_NONE));
}

static void test_shared_frames(void **state)
{
	void *page = mm_alloc_shared(&mm);
	mfn_t mfn = machine_mfn(page);

	(void)state;
	assert_int_equal(mm.pages, 0);
	assert_int_equal(mm_owner(mfn), 1);
	assert_false(mm_release(&mm, mfn));
	assert_false(mm_take(&mm, mfn));
	assert_int_equal(mm_pin(&mm, mfn, 1), -EINVAL);
	assert_int_equal(mm_get_descriptor_frame(&mm, mfn), -EINVAL);
	assert_true(mm_get_writable(mfn, &mm));
	mm_free_shared(page);
	assert_false(mm_get(mfn, &mm));		/* still mapped, and nobody's to map again */
	mm_put_writable(mfn);
	mm_free_shared(NULL);
}

/* Others' mappings outlive a domain, its frames come back when the last one goes. */
static void test_the_end_of_a_domain(void **state)
{
	struct tables t;
	mfn_t mapped;
	uint64_t free;

	(void)state;
	fake_tables(&mm, &t);
	assert_int_equal(mm_pin(&mm, t.l4, 4), 0);
	mapped = fake_frame(&mm);
	assert_true(mm_get_writable(mapped, &mm));
	fake_budget(1);
	assert_int_equal(FINISH(mm_domain_teardown(&mm)), 0);
	fake_budget(~0u);
	assert_int_equal(mm.pages, 0);
	assert_true(mfn_eq(mm_alloc(&mm, 0, 0), MFN_NONE));
	free = mm_free_frames();
	assert_int_equal(free, before - 1);
	assert_false(mm_get(mapped, &mm));
	mm_put_writable(mapped);
	assert_int_equal(mm_free_frames(), before);
}

/*
 * Tables pinned at both ends of a long list: what they map goes with them, in as many calls as it
 * takes; where the look for them has stopped a frame may be freed meanwhile, and somebody else's.
 */
static void test_the_end_of_pinned_tables(void **state)
{
	struct tables first, last;
	mfn_t mapped, left;

	(void)state;
	mm.max_pages = 4096;
	fake_tables(&mm, &first);
	mapped = fake_frame(&mm);
	assert_int_equal(mm_update_entry(&mm, &mm, fake_slot(first.l1, 3), fake_entry(mapped, RW),
					 false), 0);
	left = fake_frame(&mm);
	for (unsigned i = 0; i < 510; i++)
		fake_frame(&mm);
	fake_tables(&mm, &last);
	assert_int_equal(mm_pin(&mm, first.l4, 4), 0);
	assert_int_equal(mm_pin(&mm, last.l2, 2), 0);
	assert_true(mm_get(left, &mm));
	assert_true(mm_release(&mm, left));
	fake_budget(0);
	do {
		machine_budget_start();
		assert_int_equal(mm_domain_teardown(&mm), -ERESTART);
	} while (mm.unpinned != left.n);
	mm_put(left);
	for (unsigned i = 0; !mfn_eq(mm_alloc(&other, 0, 0), left); i++)
		assert_true(i < 4096);
	assert_int_equal(FINISH(mm_domain_teardown(&mm)), 0);
	fake_budget(~0u);
	assert_int_equal(mm.pages, 0);
}

/* Blocks are freed as blocks, but for what others hold of them: in the middle, first and last. */
static void test_the_end_of_blocks(void **state)
{
	static const uint64_t kept[] = { 0, 100, 101, 191, 255 };
	mfn_t mfn;

	(void)state;
	mm.max_pages = 4096;
	mfn = mm_alloc(&mm, 8, 0);
	assert_false(mfn_eq(mfn, MFN_NONE));
	assert_false(mfn_eq(mm_alloc(&mm, 4, 0), MFN_NONE));
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		assert_true(mm_get(MFN(mfn.n + kept[i]), &mm));
	fake_budget(1);
	assert_int_equal(FINISH(mm_domain_teardown(&mm)), 0);
	fake_budget(~0u);
	assert_int_equal(mm.pages, 0);
	assert_int_equal(mm_free_frames(), before - ARRAY_SIZE(kept));
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		mm_put(MFN(mfn.n + kept[i]));
	assert_int_equal(mm_free_frames(), before);
	lock_acquire(&heap_lock);
	assert_int_equal(buddy_check(), 0);
	lock_release(&heap_lock);
}

static bool is_zero(mfn_t mfn)
{
	for (unsigned k = 0; k < 512; k++)
		if (fake_peek(mfn, k))
			return false;
	return true;
}

/* An idle CPU zeroes what a domain has left, after a flush, and nothing that is in use again. */
static void test_scrubbing(void **state)
{
	const unsigned n = 64;
	unsigned flushes, steps = 0;
	mfn_t mfn, again;

	(void)state;
	while (mm_scrub())
		;
	mfn = mm_alloc(&mm, 6, 0);
	assert_false(mfn_eq(mfn, MFN_NONE));
	for (unsigned i = 0; i < n; i++)
		fake_poke(MFN(mfn.n + i), i, 0x5ec2e7);
	assert_int_equal(FINISH(mm_domain_teardown(&mm)), 0);
	flushes = fake_flushes(1);
	assert_true(mm_scrub());
	assert_int_equal(fake_flushes(1) - flushes, 1);
	again = mm_alloc(&other, 0, 0);
	assert_true(is_zero(again));
	fake_poke(again, 3, 0x11fe);
	while (mm_scrub())
		steps++;
	assert_in_range(steps, 2, n);
	assert_int_equal(fake_flushes(1) - flushes, 1);
	assert_int_equal(fake_peek(again, 3), 0x11fe);
	for (unsigned i = 0; i < n; i++)
		assert_true(mfn.n + i == again.n || is_zero(MFN(mfn.n + i)));
	assert_int_equal(mm_check(NULL, NULL), 0);
	/* who gets them now does not wait for any TLB */
	flushes = fake_flushes(1);
	for (unsigned i = 1; i < n; i++)
		assert_true(is_zero(mm_alloc(&other, 0, 0)));
	assert_int_equal(fake_flushes(1), flushes);
}

/* Memory in more pieces than are noted one by one. */
static void test_scrubbing_pieces(void **state)
{
	const unsigned n = 512;
	mfn_t mfn[2];

	(void)state;
	while (mm_scrub())
		;
	mm.max_pages = 4096;
	for (unsigned k = 0; k < 2; k++) {
		mfn[k] = mm_alloc(&mm, 9, 0);
		assert_false(mfn_eq(mfn[k], MFN_NONE));
		for (unsigned i = 0; i < n; i++) {
			fake_poke(MFN(mfn[k].n + i), i, 0x5ec2e7);
			if (i % 2)
				assert_true(mm_get(MFN(mfn[k].n + i), &mm));
		}
	}
	assert_int_equal(FINISH(mm_domain_teardown(&mm)), 0);
	while (mm_scrub())
		;
	for (unsigned i = 0; i < 2 * n; i++)
		assert_true(is_zero(MFN(mfn[i / n].n + i % n)) == !(i % 2));
	for (unsigned i = 1; i < 2 * n; i += 2)
		mm_put(MFN(mfn[i / n].n + i % n));
	/* and what others have held for longer than the domain was there */
	while (mm_scrub())
		;
	for (unsigned i = 1; i < 2 * n; i += 2)
		assert_true(is_zero(MFN(mfn[i / n].n + i % n)));
	assert_int_equal(mm_check(NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_frames_are_clean_and_counted),
		TEST(test_max_pages_holds),
		TEST(test_low_memory_is_for_those_who_need_it),
		TEST(test_what_is_mapped_is_still_counted),
		TEST(test_only_what_is_its_own),
		TEST(test_taking_frames),
		TEST(test_claims_keep_memory_for_others),
		TEST(test_shared_frames),
		TEST(test_the_end_of_a_domain),
		TEST(test_the_end_of_pinned_tables),
		TEST(test_the_end_of_blocks),
		TEST(test_scrubbing),
		TEST(test_scrubbing_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
