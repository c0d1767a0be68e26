/* SPDX-License-Identifier: MIT */
/*
 * The journal's file: read back as it was written, cut at any byte (the daemon was killed while
 * it wrote), damaged, on a file system that is full; and the records of all kinds, there and
 * back.
 *
 * Links: tests/unit/toolstack/store/harness.c toolstack/store/wire.c toolstack/store/path.c
 * Links: toolstack/store/perms.c toolstack/store/tree.c toolstack/store/change.c
 * Links: toolstack/store/watch.c toolstack/store/transaction.c toolstack/store/connection.c
 * Links: toolstack/store/record.c toolstack/store/store.c toolstack/store/domain.c
 * Links: toolstack/store/request.c toolstack/store/request_node.c
 * Links: toolstack/store/request_watch.c toolstack/store/request_domain.c
 * Links: toolstack/store/state.c toolstack/store/journal.c
 * Links: toolstack/store/rewrite.c toolstack/lib/file.c
 */
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

#include "store/journal.h"
#include "unit/toolstack/store/harness.h"

static char dir[] = "/tmp/enso-journal-XXXXXX";

static void copy_file(const char *from, const char *to, size_t len)
{
	char path[64], *bytes = malloc(len + 1);

	snprintf(path, sizeof(path), "%s/%s", dir, from);
	FILE *file = fopen(path, "r");
	assert_int_equal(fread(bytes, 1, len, file), len);
	fclose(file);
	snprintf(path, sizeof(path), "%s/%s", dir, to);
	file = fopen(path, "w");
	fwrite(bytes, 1, len, file);
	fclose(file);
	free(bytes);
}

/* Changes of every kind, in and out of transactions. */
static void change_things(struct harness *h, struct journal *journal)
{
	struct connection *c = &h->control, *one = harness_guest(h, 1), *two = harness_guest(h, 2);

	put(h, c, 0, "/local/domain/1", "home");
	journal_flush(journal, h->store);
	ASK(h, c, XS_SET_PERMS, 0, "/local/domain/1\0n1\0r4");
	journal_flush(journal, h->store);
	ASK(h, c, XS_SET_PERMS, 0, "@introduceDomain\0r0");
	ASK(h, one, XS_WATCH, 0, "rel\0t1");
	ASK(h, one, XS_WATCH, 0, "/local\0t2");
	ASK(h, one, XS_UNWATCH, 0, "/local\0t2");
	uint32_t tx = begin(h, one);
	put(h, one, tx, "x/y/z", "1");
	ASK(h, one, XS_SET_PERMS, tx, "x/y\0n1\0b5");
	ASK(h, one, XS_RM, tx, "x/y/z");
	put(h, one, tx, "x/w", "2");
	put(h, one, tx, "p/q", "3");
	ASK(h, one, XS_SET_PERMS, tx, "p/q\0n1\0b5");
	assert_int_equal(end(h, one, tx, true), 0);
	journal_flush(journal, h->store);
	begin(h, one);
	ASK(h, two, XS_WATCH, 0, "/\0t");
	ASK(h, two, XS_RESET_WATCHES, 0, "");
	harness_guest(h, 3);
	ASK(h, c, XS_SET_TARGET, 0, "3\0001");
	ASK(h, c, XS_RELEASE, 0, "2");
	journal_flush(journal, h->store);
}

/* Two stores hold the same nodes, domains and watches. */
static void same(struct harness *a, struct harness *b)
{
	struct record_buffer first = { 0 }, second = { 0 };

	/* Nobody carries replies away here, so the last one is owed; that is not compared. */
	for (struct domain *domain = b->store->domains; domain; domain = domain->next)
		connection_drop_queues(&domain->conn);
	store_dump(a->store, &first);
	store_dump(b->store, &second);
	/*
	 * The order of domains and watches may differ: compare what is told of the nodes, then
	 * numbers.
	 */
	assert_int_equal(first.len, second.len);
	assert_int_equal(a->store->watches.count, b->store->watches.count);
	assert_memory_equal(a->store->owned, b->store->owned, sizeof(a->store->owned));
	free(first.bytes);
	free(second.bytes);
}

static void loads_what_was_written(void **state)
{
	static struct harness h, again;
	struct journal journal;

	(void)state;
	harness_start(&h);
	assert_int_equal(journal_open(&journal, dir), 0);
	assert_int_equal(journal_load(&journal, h.store), -ENOENT);
	assert_int_equal(journal_rewrite(&journal, h.store), 0);
	change_things(&h, &journal);
	journal_close(&journal);

	harness_start(&again);
	assert_int_equal(journal_open(&journal, dir), 0);
	assert_int_equal(journal_load(&journal, again.store), 0);
	assert_true(harness_check(&again));
	same(&h, &again);
	assert_int_equal(get(&again, &again.control, 0, "/local/domain/1/x/w"), 0);
	assert_string_equal(again.reply, "2");
	assert_int_equal(ASK(&again, &again.control, XS_GET_PERMS, 0, "/local/domain/1/x"), 0);
	assert_memory_equal(again.reply, "n1\0r4", 6); /* not those of the child that made it */
	assert_int_equal(ASK(&again, &again.control, XS_GET_PERMS, 0, "/local/domain/1/p"), 0);
	assert_memory_equal(again.reply, "n1\0r4", 6);
	assert_null(store_find_domain(again.store, 2));
	assert_int_equal(store_find_domain(again.store, 3)->conn.actor.target, 1);
	/* An open transaction is known, and can only end with EAGAIN. */
	struct connection *one = harness_guest(&again, 1);
	assert_int_equal(one->n_transactions, 1);
	connection_drop_queues(one);
	assert_int_equal(put(&again, one, one->transactions->id, "q", ""), 0);
	assert_int_equal(end(&again, one, one->transactions->id, true), -EAGAIN);
	harness_stop(&again);
	harness_stop(&h);
	journal_close(&journal);
}

static void loads_the_whole_frames_of_a_cut_file(void **state)
{
	static struct harness h;
	struct journal journal;
	struct stat info;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/state", dir);
	assert_int_equal(stat(path, &info), 0);
	copy_file("state", "whole", (size_t)info.st_size);
	for (size_t len = 0; len < (size_t)info.st_size; len++) {
		copy_file("whole", "state", len);
		harness_start(&h);
		assert_int_equal(journal_open(&journal, dir), 0);
		int rc = journal_load(&journal, h.store);
		assert_int_equal(rc, len < 8 ? -EPROTO : 0);
		assert_true(harness_check(&h));
		journal_close(&journal);
		harness_stop(&h);
	}
	/*
	 * A damaged byte ends the stream there, or is refused: never a crash, never a state
	 * that is not one.
	 */
	for (size_t at = 0; at < (size_t)info.st_size; at += 3) {
		copy_file("whole", "state", (size_t)info.st_size);
		int fd = open(path, O_RDWR);
		char byte;
		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		byte ^= 0x41;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
		close(fd);
		harness_start(&h);
		assert_int_equal(journal_open(&journal, dir), 0);
		journal_load(&journal, h.store);
		assert_true(harness_check(&h));
		journal_close(&journal);
		harness_stop(&h);
	}
}

/* Grown files are written anew, no larger than the state needs. */
static void stays_small(void **state)
{
	static struct harness h;
	struct journal journal;
	char value[2000];

	(void)state;
	harness_start(&h);
	assert_int_equal(journal_open(&journal, dir), 0);
	assert_int_equal(journal_rewrite(&journal, h.store), 0);
	memset(value, 'v', sizeof(value));
	value[sizeof(value) - 1] = 0;
	for (int i = 0; i < 3000; i++) {
		put(&h, &h.control, 0, "/node", value);
		journal_flush(&journal, h.store);
	}
	assert_true(journal.size < 2 << 20);
	journal_close(&journal);
	harness_stop(&h);
}

/* What a daemon would find that is started now. */
static void check_file(struct harness *h)
{
	static struct harness again;
	struct journal journal;

	harness_start(&again);
	assert_int_equal(journal_open(&journal, dir), 0);
	assert_int_equal(journal_load(&journal, again.store), 0);
	assert_true(harness_check(&again));
	same(h, &again);
	journal_close(&journal);
	harness_stop(&again);
}

/* A file that is written anew while it grows holds all at any time. */
static void is_renewed_in_pieces(void **state)
{
	static struct harness h;
	struct journal journal;
	unsigned int renewed = 0, under_way = 0;
	char path[64], value[2000];

	(void)state;
	harness_start(&h);
	assert_int_equal(journal_open(&journal, dir), 0);
	assert_int_equal(journal_rewrite(&journal, h.store), 0);
	journal.slack = 1000;
	memset(value, 'v', sizeof(value));
	for (unsigned int i = 0; i < 600; i++) {
		struct stat info, old;

		fstat(journal.fd, &old);
		snprintf(path, sizeof(path), "/a/%u/b/%u", i * 7 % 13, i * 5 % 37);
		value[i * 31 % 1500] = 0;
		if (i % 9 == 8)
			ASK(&h, &h.control, XS_RM, 0, "/a/3");
		else
			put(&h, &h.control, 0, path, value);
		value[i * 31 % 1500] = 'v';
		if (i % 50 == 20)
			harness_guest(&h, i / 50 + 1);
		journal_flush(&journal, h.store);
		fstat(journal.fd, &info);
		renewed += info.st_ino != old.st_ino;
		under_way += journal.rewrite.fd >= 0;
		assert_int_equal(info.st_size, journal.size);
		if (i % 5 == 0 || info.st_ino != old.st_ino)
			check_file(&h);
	}
	printf("renewed %u times, under way after %u of 600 changes\n", renewed, under_way);
	assert_true(renewed > 5 && under_way > 5);
	check_file(&h);
	journal_close(&journal);
	harness_stop(&h);
}

/* The new file cannot be written, the old one can: nothing is lost. */
static void outlives_a_failed_renewal(void **state)
{
	static struct harness h;
	struct journal journal;
	char path[64];

	(void)state;
	harness_start(&h);
	assert_int_equal(journal_open(&journal, dir), 0);
	assert_int_equal(journal_rewrite(&journal, h.store), 0);
	journal.slack = 0;
	snprintf(path, sizeof(path), "%s/state.new", dir);
	assert_int_equal(mkdir(path, 0700), 0);	/* in its way */
	for (int i = 0; i < 20; i++) {
		put(&h, &h.control, 0, "/node", "value");
		journal_flush(&journal, h.store);
		assert_int_equal(journal.rewrite.fd, -1);
	}
	check_file(&h);
	rmdir(path);
	store_tick(h.store, 100);
	put(&h, &h.control, 0, "/node", "value");
	journal_flush(&journal, h.store);
	assert_true(journal.rewrite.fd >= 0);
	check_file(&h);
	journal_close(&journal);
	harness_stop(&h);
}

/* No room: the daemon goes on, and has its file again when there is room. */
static void outlives_a_full_disk(void **state)
{
	static struct harness h;
	struct rlimit none = { 0, RLIM_INFINITY }, old;
	struct journal journal;

	(void)state;
	harness_start(&h);
	assert_int_equal(journal_open(&journal, dir), 0);
	assert_int_equal(journal_rewrite(&journal, h.store), 0);
	getrlimit(RLIMIT_FSIZE, &old);
	setrlimit(RLIMIT_FSIZE, &none);
	put(&h, &h.control, 0, "/during", "x");
	journal_flush(&journal, h.store);
	assert_int_equal(journal.fd, -1);
	put(&h, &h.control, 0, "/later", "x");
	journal_flush(&journal, h.store);
	setrlimit(RLIMIT_FSIZE, &old);
	store_tick(h.store, 100);
	journal_flush(&journal, h.store);
	assert_true(journal.fd >= 0);
	journal_close(&journal);
	harness_stop(&h);

	harness_start(&h);
	assert_int_equal(journal_open(&journal, dir), 0);
	assert_int_equal(journal_load(&journal, h.store), 0);
	assert_int_equal(get(&h, &h.control, 0, "/during"), 0);
	assert_int_equal(get(&h, &h.control, 0, "/later"), 0);
	journal_close(&journal);
	harness_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_what_was_written),
		cmocka_unit_test(loads_the_whole_frames_of_a_cut_file),
		cmocka_unit_test(stays_small),
		cmocka_unit_test(is_renewed_in_pieces),
		cmocka_unit_test(outlives_a_failed_renewal),
		cmocka_unit_test(outlives_a_full_disk),
	};
	static const char *const files[] = { "state", "whole", "state.new" };
	char path[64];

	signal(SIGXFSZ, SIG_IGN);
	if (!mkdtemp(dir))
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	return rc;
}
