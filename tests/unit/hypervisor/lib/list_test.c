/* SPDX-License-Identifier: MIT */
/*
 * Lists and bitmaps.
 *
 * Links: hypervisor/lib/bitmap.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/bitmap.h"
#include "lib/list.h"

struct item {
	int value;
	struct list_node node;
};

static void lists(void **state)
{
	struct list_node head = LIST_INIT(head);
	struct item item[4] = { { .value = 0 }, { .value = 1 }, { .value = 2 }, { .value = 3 } };
	int expected = 0;

	(void)state;
	assert_true(list_empty(&head));
	list_add_tail(&head, &item[1].node);
	list_add_tail(&head, &item[3].node);
	list_add(&head, &item[0].node);
	list_add(&item[1].node, &item[2].node);
	list_for_each(pos, &head)
		assert_int_equal(list_entry(pos, struct item, node)->value, expected++);
	assert_int_equal(expected, 4);
	list_for_each_safe(pos, &head)
		if (list_entry(pos, struct item, node)->value % 2)
			list_del(pos);
	assert_int_equal(list_first(&head, struct item, node)->value, 0);
	assert_true(list_empty(&item[1].node));
	list_del(&item[1].node);
	list_del(&item[0].node);
	list_del(&item[2].node);
	assert_true(list_empty(&head));
}

static void bitmaps(void **state)
{
	uint64_t map[BITMAP_WORDS(130)] = { 0 };

	(void)state;
	assert_int_equal(bitmap_next_set(map, 130, 0), 130);
	assert_int_equal(bitmap_next_clear(map, 130, 129), 129);
	bitmap_set(map, 5);
	bitmap_set(map, 64);
	bitmap_set(map, 129);
	assert_true(bitmap_test(map, 64));
	assert_false(bitmap_test(map, 63));
	assert_int_equal(bitmap_next_set(map, 130, 0), 5);
	assert_int_equal(bitmap_next_set(map, 130, 6), 64);
	assert_int_equal(bitmap_next_set(map, 130, 65), 129);
	assert_int_equal(bitmap_next_set(map, 129, 65), 129);
	assert_int_equal(bitmap_next_set(map, 130, 130), 130);
	bitmap_clear(map, 64);
	assert_int_equal(bitmap_next_set(map, 130, 6), 129);
	for (unsigned i = 0; i < 130; i++)
		bitmap_set(map, i);
	assert_int_equal(bitmap_next_clear(map, 130, 0), 130);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lists), cmocka_unit_test(bitmaps) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
