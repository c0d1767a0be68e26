/* SPDX-License-Identifier: MIT */
/*
 * The map of a file's data covers every byte that is not zero, leaves out long stretches that are,
 * and a kept map that is damaged or of another file is not used.
 * Links: toolstack/build/data.c toolstack/build/cache.c toolstack/lib/file.c
 * Links: tests/unit/support/failing_alloc.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build/cache.h"
#include "build/data.h"
#include "unit/support/failing_alloc.h"

enum { SIZE = 1 << 20 };

static char folder[] = "/tmp/data_test-XXXXXX", path[64];

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	cache_folder = folder;
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* A file that is zero but for one byte at each of the places. */
static int make(const uint64_t *places, size_t n)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(ftruncate(fd, SIZE), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(pwrite(fd, "x", 1, (off_t)places[i]), 1);
	return fd;
}

static void runs_are_where_data_is(void **state)
{
	const uint64_t places[] = { 5, 8192, 300000, SIZE - 1 };
	struct data_map map;
	int fd = make(places, 4);

	(void)state;
	for (int i = 0; i < 2; i++) {	/* new, and kept */
		assert_int_equal(data_map_open(&map, fd, SIZE), 0);
		assert_int_equal(map.count, 3);
		assert_int_equal(map.run[0].start, 0);
		assert_int_equal(map.run[0].end, 12288);	/* a short gap is copied */
		assert_int_equal(map.run[1].start, 300000 / 4096 * 4096);
		assert_int_equal(map.run[1].end, map.run[1].start + 4096);
		assert_int_equal(map.run[2].end, SIZE);
		data_map_free(&map);
	}
	close(fd);
	fd = make(places, 0);
	assert_int_equal(data_map_open(&map, fd, SIZE), 0);
	assert_int_equal(map.count, 0);
	data_map_free(&map);
	close(fd);
}

static void small_files_are_mapped_without_the_cache(void **state)
{
	struct data_map map;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	(void)state;
	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(data_map_open(&map, fd, 3), 0);
	assert_int_equal(map.count, 1);
	assert_int_equal(map.run[0].end, 3);
	data_map_free(&map);
	assert_int_equal(data_map_open(&map, fd, 4), -ENODATA);
	close(fd);
}

/* Every byte of a kept map is changed in turn: the map that comes out still covers the data. */
static void damaged_maps_never_leave_data_out(void **state)
{
	const uint64_t places[] = { 100000, 700000 };
	char name[PATH_MAX], bytes[200];
	int fd = make(places, 2), kept;
	struct data_map map;
	ssize_t len;

	(void)state;
	assert_int_equal(data_map_open(&map, fd, SIZE), 0);
	data_map_free(&map);
	assert_int_equal(cache_path("data", fd, name), 0);
	kept = open(name, O_RDWR);
	len = read(kept, bytes, sizeof(bytes));
	assert_int_equal(len, 24 + 2 * 16);
	close(kept);
	for (ssize_t i = 0; i < 24; i++) {
		bytes[i] ^= 0x10;
		kept = open(name, O_WRONLY | O_TRUNC);
		assert_int_equal(write(kept, bytes, (size_t)len), len);
		close(kept);
		bytes[i] ^= 0x10;
		assert_int_equal(data_map_open(&map, fd, SIZE), 0);
		assert_int_equal(map.count, 2);
		assert_true(map.run[0].start <= 100000 && map.run[0].end > 100000);
		assert_true(map.run[1].start <= 700000 && map.run[1].end > 700000);
		data_map_free(&map);
	}
	/* Runs that are not in order, or beyond the file. */
	memset(bytes + 24, 0xff, 8);
	kept = open(name, O_WRONLY | O_TRUNC);
	assert_int_equal(write(kept, bytes, (size_t)len), len);
	close(kept);
	assert_int_equal(data_map_open(&map, fd, SIZE), 0);
	assert_int_equal(map.run[0].start, 100000 / 4096 * 4096);
	data_map_free(&map);
	close(fd);
}

static void allocations_may_fail(void **state)
{
	const uint64_t places[] = { 0, 500000 };
	struct data_map map;
	int fd = make(places, 2);

	(void)state;
	cache_folder = "/nonexistent";
	for (unsigned n = 1;; n++) {
		int rc;

		failing_alloc_arm(n);
		rc = data_map_open(&map, fd, SIZE);
		if (!failing_alloc_hit()) {
			assert_int_equal(rc, 0);
			data_map_free(&map);
			break;
		}
		if (!rc)
			assert_int_equal(map.count, 2);
		data_map_free(&map);
	}
	failing_alloc_arm(0);
	cache_folder = folder;
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_are_where_data_is),
		cmocka_unit_test(small_files_are_mapped_without_the_cache),
		cmocka_unit_test(damaged_maps_never_leave_data_out),
		cmocka_unit_test(allocations_may_fail),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
