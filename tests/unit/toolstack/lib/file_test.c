/* SPDX-License-Identifier: MIT */
/*
 * Files are written whole or not at all, read to the last byte, locked against other processes;
 * errors are one line.
 * Links: toolstack/lib/
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"

static char folder[] = "/tmp/file_test-XXXXXX", path[64];

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a/b/file", folder);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static int files(const char *where)
{
	char command[100];
	int n = -1;
	FILE *pipe;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", where);
	pipe = popen(command, "r");
	assert_int_equal(fscanf(pipe, "%d", &n), 1);
	pclose(pipe);
	return n;
}

static void a_file_is_replaced_whole(void **state)
{
	char buf[16] = "", where[64];
	struct stat st;
	int fd;

	(void)state;
	snprintf(where, sizeof(where), "%s/a/b", folder);
	assert_int_equal(file_write(path, "one", 3, 0640), -ENOENT);
	assert_int_equal(file_make_dirs(where), 0);
	assert_int_equal(file_make_dirs(where), 0);
	assert_int_equal(file_write(path, "one", 3, 0640), 0);
	assert_int_equal(file_write(path, "second", 6, 0640), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	fd = open(path, O_RDONLY);
	assert_int_equal(file_read_at(fd, buf, 6, 0), 0);
	assert_string_equal(buf, "second");
	assert_int_equal(file_read_at(fd, buf, 6, 1), -ENODATA);
	close(fd);
	assert_int_equal(files(where), 1);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
	const struct rlimit small = { 4096, RLIM_INFINITY },
			    none = { RLIM_INFINITY, RLIM_INFINITY };
	static char big[10000];
	char where[64];
	struct stat st;

	(void)state;
	snprintf(where, sizeof(where), "%s/a/b", folder);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(file_write(path, big, sizeof(big), 0600), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &none);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 6);
	assert_int_equal(files(where), 1);
}

static void a_lock_keeps_others_out(void **state)
{
	int first = file_lock(path, false);

	(void)state;
	assert_true(first >= 0);
	assert_int_equal(file_lock(path, false), -EWOULDBLOCK);
	close(first);
	first = file_lock(path, true);
	assert_true(first >= 0);
	close(first);
}

static void an_error_is_one_printable_line(void **state)
{
	struct error err = { ERROR_NONE, "" };

	(void)state;
	assert_int_equal(error_set(&err, ERROR_STATE, "%s: \033[31m\n%d", "web", 7), -1);
	assert_int_equal(err.code, ERROR_STATE);
	assert_string_equal(err.text, "web: ?[31m?7");
	assert_int_equal(error_set(&err, err.code, "again: %s", err.text), -1);
	assert_string_equal(err.text, "again: web: ?[31m?7");
	assert_int_equal(error_set(NULL, ERROR_STATE, "nobody hears"), -1);
}

static void a_new_file_has_no_name_until_it_is_whole(void **state)
{
	struct file_new file = FILE_NEW_NONE;
	char where[96], target[128], buf[8] = "";

	(void)state;
	snprintf(where, sizeof(where), "%s/new", folder);
	snprintf(target, sizeof(target), "%s/file", where);
	assert_int_equal(file_make_dirs(where), 0);
	assert_int_equal(file_new_open(&file, target, 0600), 0);
	assert_int_equal(file_write_all(file.fd, "first", 5), 0);
	file_new_abandon(&file);
	assert_int_equal(file.fd, -1);
	assert_int_equal(files(where), 0);
	for (int i = 0; i < 2; i++) {	/* new, then in place of the old */
		assert_int_equal(file_new_open(&file, target, 0600), 0);
		assert_int_equal(file_write_all(file.fd, i ? "third" : "secnd", 5), 0);
		assert_int_equal(file_new_commit(&file, target), 0);
		file_new_abandon(&file);
		assert_int_equal(files(where), 1);
	}
	int fd = open(target, O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_read_at(fd, buf, 5, 0), 0);
	assert_string_equal(buf, "third");
	close(fd);
	/* it can't take the place of a folder, and leaves nothing of itself */
	assert_int_equal(file_new_open(&file, where, 0600), 0);
	assert_true(file_new_commit(&file, where) < 0);
	file_new_abandon(&file);
	assert_int_equal(files(where), 1);
	assert_int_equal(file_new_open(&file, "/nowhere/file", 0600), -ENOENT);
	file_new_abandon(&file);
}

static void who_asks_for_a_lock_does_not_take_it(void **state)
{
	char where[64];
	int fd;

	(void)state;
	snprintf(where, sizeof(where), "%s/asked", folder);
	assert_false(file_is_locked(where));
	assert_int_equal(access(where, F_OK), -1);
	fd = file_lock(where, false);
	assert_true(fd >= 0);
	assert_true(file_is_locked(where));
	close(fd);
	assert_false(file_is_locked(where));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_replaced_whole),
		cmocka_unit_test(a_full_disk_leaves_the_old_file),
		cmocka_unit_test(a_new_file_has_no_name_until_it_is_whole),
		cmocka_unit_test(a_lock_keeps_others_out),
		cmocka_unit_test(who_asks_for_a_lock_does_not_take_it),
		cmocka_unit_test(an_error_is_one_printable_line),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
