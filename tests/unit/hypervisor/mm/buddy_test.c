/* SPDX-License-Identifier: MIT */
/*
 * The page allocator: blocks don't overlap, are aligned, obey their limit, come together again;
 * high memory goes first.
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
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake/machine.h"
#include "mm/buddy.h"
#include "mm/frame.h"
#include "mm/mm.h"

#define BLOCKS	4000

static struct block {
	mfn_t mfn;
	unsigned order;
} blocks[BLOCKS];
static unsigned nr_blocks;

static int setup(void **state)
{
	(void)state;
	fake_machine_start();
	nr_blocks = 0;
	return 0;
}

static bool take(unsigned order, unsigned bits)
{
	struct block *b = &blocks[nr_blocks];

	lock_acquire(&heap_lock);
	b->mfn = buddy_alloc(order, bits);
	b->order = order;
	for (unsigned i = 0; !mfn_eq(b->mfn, MFN_NONE) && i < 1u << order; i++) {
		assert_true(frame_at(b->mfn.n + i)->state == FRAME_FREE_REST);
		frame_at(b->mfn.n + i)->state = FRAME_RESERVED;
	}
	assert_int_equal(buddy_check(), 0);
	lock_release(&heap_lock);
	if (mfn_eq(b->mfn, MFN_NONE))
		return false;
	assert_int_equal(b->mfn.n & ((1u << order) - 1), 0);
	nr_blocks++;
	return true;
}

static void give(unsigned i)
{
	lock_acquire(&heap_lock);
	buddy_free(blocks[i].mfn, blocks[i].order);
	assert_int_equal(buddy_check(), 0);
	lock_release(&heap_lock);
	blocks[i] = blocks[--nr_blocks];
}

static void test_everything_can_be_had_and_comes_back(void **state)
{
	uint64_t all = buddy_free_frames();
	unsigned largest = BUDDY_ORDER_MAX;

	(void)state;
	while (!take(largest, 0))
		largest--;
	give(0);
	while (take(0, 0))
		;
	assert_int_equal(nr_blocks, all);
	assert_int_equal(buddy_free_frames(), 0);
	while (nr_blocks)
		give((unsigned)rand() % nr_blocks);
	assert_int_equal(buddy_free_frames(), all);
	assert_true(take(largest, 0));		/* whole again */
	give(0);
}

static void test_random_sizes(void **state)
{
	uint64_t all = buddy_free_frames();

	(void)state;
	srand(1);
	for (unsigned i = 0; i < 3000; i++) {
		if (rand() % 2 || !nr_blocks)
			take((unsigned)rand() % 7, rand() % 3 ? 0 : 20 + (unsigned)rand() % 5);
		else
			give((unsigned)rand() % nr_blocks);
	}
	while (nr_blocks)
		give(0);
	assert_int_equal(buddy_free_frames(), all);
}

static void test_limits(void **state)
{
	(void)state;
	assert_true(take(0, 0));
	assert_true(blocks[0].mfn.n >= 1 << 10);		/* the highest zone that there is */
	while (take(0, 22))
		assert_true(blocks[nr_blocks - 1].mfn.n < 1 << 10);
	assert_true(take(0, 0));
	assert_false(take(0, 11));
	assert_false(take(0, 1));
	assert_false(take(BUDDY_ORDER_MAX + 1, 0));
	assert_false(take(~0u, 0));
	while (nr_blocks)
		give(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_everything_can_be_had_and_comes_back, setup),
		cmocka_unit_test_setup(test_random_sizes, setup),
		cmocka_unit_test_setup(test_limits, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
