/* SPDX-License-Identifier: MIT */
/*
 * The heap: what it gives is zero, aligned, nobody else's; what it gets back is all there again.
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
#include "mm/heap.h"
#include "mm/mm.h"

#define OBJECTS	500

static int setup(void **state)
{
	(void)state;
	fake_machine_start();
	return 0;
}

static bool all_are(const uint8_t *p, size_t n, uint8_t byte)
{
	while (n--)
		if (*p++ != byte)
			return false;
	return true;
}

static void test_sizes(void **state)
{
	static const size_t sizes[] = { 1, 31, 32, 33, 64, 100, 2048, 2049, 4096, 4097, 10000,
				       65536 };
	uint64_t before = mm_free_frames();

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint8_t *p = heap_alloc(sizes[i]);
		size_t align = 1;

		while (align < sizes[i] && align < 4096)
			align *= 2;
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % align, 0);
		assert_true(all_are(p, sizes[i], 0));
		memset(p, 0xff, sizes[i]);
		heap_free(p);
	}
	assert_int_equal(mm_free_frames(), before);
	heap_free(NULL);
	assert_null(heap_alloc(0));
	assert_null(heap_alloc(1ull << 40));
	assert_null(heap_alloc(~0ull));
}

static void test_objects_are_apart_and_keep_their_contents(void **state)
{
	static uint8_t *object[OBJECTS];
	static size_t size[OBJECTS];
	uint64_t before = mm_free_frames();

	(void)state;
	srand(2);
	for (unsigned n = 0; n < 20000; n++) {
		unsigned i = (unsigned)rand() % OBJECTS;

		if (object[i]) {
			assert_true(all_are(object[i], size[i], (uint8_t)i));
			heap_free(object[i]);
		}
		size[i] = 1 + (size_t)rand() % (rand() % 10 ? 300 : 9000);
		object[i] = heap_alloc(size[i]);
		if (!object[i])
			continue;
		assert_true(all_are(object[i], size[i], 0));
		memset(object[i], (int)i, size[i]);
	}
	assert_int_equal(mm_check(NULL, NULL), 0);
	for (unsigned i = 0; i < OBJECTS; i++)
		heap_free(object[i]);
	assert_int_equal(mm_free_frames(), before);
}

static void test_out_of_memory_is_null_and_no_more(void **state)
{
	uint64_t before = mm_free_frames();
	void **list = NULL, **p;

	(void)state;
	while ((p = heap_alloc(2000))) {
		*p = list;
		list = p;
	}
	assert_int_equal(mm_free_frames(), 0);
	assert_null(heap_alloc(5000));
	while (list) {
		p = *list;
		heap_free(list);
		list = p;
	}
	assert_int_equal(mm_free_frames(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sizes, setup),
		cmocka_unit_test_setup(test_objects_are_apart_and_keep_their_contents, setup),
		cmocka_unit_test_setup(test_out_of_memory_is_null_and_no_more, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
