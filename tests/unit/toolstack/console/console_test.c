/* SPDX-License-Identifier: MIT */
/*
 * Consoles: the ring with a hostile guest, the scroll-back over restarts, and the log with its
 * limit.
 *
 * Links: toolstack/console/ring.c toolstack/console/backlog.c toolstack/console/log.c
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "console/backlog.h"
#include "console/log.h"
#include "console/ring.h"

static char path[] = "/tmp/enso-console-XXXXXX";
static int dir;

static int setup(void **state)
{
	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	if (!mkdtemp(path))
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	return dir < 0;
}

static int teardown(void **state)
{
	DIR *list = fdopendir(dir);
	const struct dirent *entry;

	(void)state;
	while ((entry = readdir(list)))
		unlinkat(dir, entry->d_name, 0);
	closedir(list);
	return rmdir(path);
}

static void carries_bytes_both_ways(void **state)
{
	static struct xencons_interface page;
	struct console_ring ring;
	char bytes[2048];
	unsigned char next_out = 0, next_in = 0;

	(void)state;
	page.out_cons = page.out_prod = 0xfffffff0; /* wraps on the way */
	page.in_cons = page.in_prod = 0xffffff00;
	console_ring_adopt(&ring, &page);
	assert_int_equal(console_ring_peek(&ring, bytes, sizeof(bytes)), 0);
	assert_int_equal(console_ring_space(&ring), sizeof(page.in));
	for (unsigned int round = 0; round < 500; round++) {
		unsigned int n = (round * 37) % 2048;
		for (unsigned int i = 0; i < n; i++)
			page.out[MASK_XENCONS_IDX(page.out_prod++, page.out)] = (char)next_out++;
		int len = console_ring_peek(&ring, bytes, sizeof(bytes));
		assert_int_equal(len, n);
		for (int i = 0; i < len; i++)
			assert_int_equal((unsigned char)bytes[i],
					 (unsigned char)(next_out - len + i));
		console_ring_consume(&ring, (size_t)len);
		assert_int_equal(page.out_cons, page.out_prod);
		int room = console_ring_space(&ring);
		for (int i = 0; i < room; i++)
			bytes[i] = (char)next_in++;
		console_ring_put(&ring, bytes, (size_t)room);
		assert_int_equal(console_ring_space(&ring), 0);
		page.in_cons += n % 1025;
	}
}

static void refuses_hostile_indices(void **state)
{
	static struct xencons_interface page;
	struct console_ring ring;
	char bytes[64];

	(void)state;
	console_ring_adopt(&ring, &page);
	page.out_prod = 2049;
	assert_int_equal(console_ring_peek(&ring, bytes, sizeof(bytes)), -EPROTO);
	page.out_prod = 0xffffffff;
	assert_int_equal(console_ring_peek(&ring, bytes, sizeof(bytes)), -EPROTO);
	page.in_cons = 1;
	assert_int_equal(console_ring_space(&ring), -EPROTO);
	page.in_cons = (uint32_t)-1025;
	assert_int_equal(console_ring_space(&ring), -EPROTO);
	/* Ours are our own: what the guest writes over them does not matter. */
	page.out_prod = 5;
	page.out_cons = 77;
	page.in_cons = 0;
	page.in_prod = 999;
	assert_int_equal(console_ring_peek(&ring, bytes, sizeof(bytes)), 5);
	assert_int_equal(console_ring_space(&ring), sizeof(page.in));
}

/* Everything from a position on, as text. */
static size_t read_all(const struct backlog *backlog, uint64_t pos, char *text)
{
	const char *bytes;
	size_t len, total = 0;

	while ((len = backlog_read(backlog, &pos, &bytes))) {
		memcpy(text + total, bytes, len);
		total += len;
		pos += len;
	}
	return total;
}

static void keeps_the_last_bytes(void **state)
{
	static const uint8_t one[16] = { 1 }, two[16] = { 2 };
	static char text[BACKLOG_SIZE], line[1000];
	struct backlog *backlog = backlog_open(dir, "7.scroll", one);

	(void)state;
	assert_int_equal(read_all(backlog, 0, text), 0);
	backlog_add(backlog, "hello", 5);
	assert_int_equal(read_all(backlog, 0, text), 5);
	assert_memory_equal(text, "hello", 5);
	for (int i = 0; i < 100; i++) {
		memset(line, 'a' + i % 26, sizeof(line));
		backlog_add(backlog, line, sizeof(line));
	}
	assert_int_equal(backlog_end(backlog), 100005);
	assert_int_equal(read_all(backlog, 0, text), BACKLOG_SIZE);
	assert_int_equal(text[BACKLOG_SIZE - 1], 'a' + 99 % 26);
	assert_int_equal(read_all(backlog, 100000, text), 5);
	backlog_close(backlog);
	/* The daemon was killed: the same guest's is there, another's is not. */
	backlog = backlog_open(dir, "7.scroll", one);
	assert_int_equal(backlog_end(backlog), 100005);
	assert_int_equal(read_all(backlog, 0, text), BACKLOG_SIZE);
	backlog_close(backlog);
	backlog = backlog_open(dir, "7.scroll", two);
	assert_int_equal(backlog_end(backlog), 0);
	backlog_close(backlog);
	backlog = backlog_open(-1, NULL, one); /* no directory: memory alone */
	backlog_add(backlog, "x", 1);
	assert_int_equal(read_all(backlog, 0, text), 1);
	backlog_close(backlog);
}

static void needs_no_room_for_scroll_back(void **state)
{
	static const uint8_t uuid[16] = { 1 };
	struct rlimit none = { 0, RLIM_INFINITY }, old;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	setrlimit(RLIMIT_FSIZE, &none);
	struct backlog *backlog = backlog_open(dir, "8.scroll", uuid);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_non_null(backlog);
	backlog_add(backlog, "x", 1); /* and no SIGBUS */
	assert_int_equal(backlog_end(backlog), 1);
	backlog_close(backlog);
	assert_int_equal(faccessat(dir, "8.scroll", F_OK, 0), -1);
}

static long long size_of(const char *name)
{
	struct stat info;

	return fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) ? -1 : (long long)info.st_size;
}

static void limits_the_log(void **state)
{
	struct console_log log;
	char line[100];

	(void)state;
	memset(line, 'x', sizeof(line));
	console_log_open(&log, dir, "web", 1000);
	for (int i = 0; i < 1000; i++)
		console_log_write(&log, line, sizeof(line));
	console_log_close(&log);
	assert_true(size_of("web.log") <= 1000 && size_of("web.log") > 0);
	assert_int_equal(size_of("web.log.1"), 1000);
	/* It goes on where it was. */
	long long before = size_of("web.log");
	console_log_open(&log, dir, "web", 1000000);
	console_log_write(&log, line, sizeof(line));
	console_log_close(&log);
	assert_int_equal(size_of("web.log"), before + 100);
	console_log_open(&log, dir, "none", 0); /* no log is wanted */
	console_log_write(&log, line, sizeof(line));
	assert_int_equal(size_of("none.log"), -1);
}

static void stays_in_its_directory(void **state)
{
	struct console_log log;

	(void)state;
	console_log_open(&log, dir, "../../etc/x y\n", 1000);
	assert_string_equal(log.name, "_._.._etc_x_y_.log");
	console_log_write(&log, "x", 1);
	console_log_close(&log);
	assert_int_equal(size_of("_._.._etc_x_y_.log"), 1);
	/* A link that somebody put there is not followed. */
	assert_int_equal(symlinkat("/dev/null", dir, "link.log"), 0);
	console_log_open(&log, dir, "link", 1000);
	assert_int_equal(log.fd, -1);
	console_log_write(&log, "x", 1);
	console_log_close(&log);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_bytes_both_ways),
		cmocka_unit_test(refuses_hostile_indices),
		TEST(keeps_the_last_bytes),
		TEST(needs_no_room_for_scroll_back),
		TEST(limits_the_log),
		TEST(stays_in_its_directory),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
