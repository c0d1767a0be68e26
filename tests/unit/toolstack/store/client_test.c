/* SPDX-License-Identifier: MIT */
/*
 * The client library and a daemon over real sockets: the daemon is a child process, which is
 * killed with -9 and started again in the middle.
 *
 * Links: tests/unit/toolstack/store/harness.c toolstack/store/wire.c toolstack/store/path.c
 * Links: toolstack/store/perms.c toolstack/store/tree.c toolstack/store/change.c
 * Links: toolstack/store/watch.c toolstack/store/transaction.c toolstack/store/connection.c
 * Links: toolstack/store/record.c toolstack/store/store.c toolstack/store/domain.c
 * Links: toolstack/store/request.c toolstack/store/request_node.c toolstack/store/request_watch.c
 * Links: toolstack/store/request_domain.c toolstack/store/state.c toolstack/store/journal.c
 * Links: toolstack/store/rewrite.c toolstack/lib/file.c
 * Links: toolstack/store/conn_socket.c toolstack/store/client.c toolstack/store/client_io.c
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/client.h"
#include "store/server.h"
#include "unit/toolstack/store/harness.h"

static char dir[] = "/tmp/enso-client-XXXXXX";
static char socket_path[64];
static pid_t daemon_pid;

int server_serve(struct server *server, struct connection *conn)
{
	int rc = store_serve(server->store, conn);

	if (!rc)
		journal_flush(&server->journal, server->store);
	return rc;
}

/* The daemon's loop without rings. */
static void run_daemon(void)
{
	static struct harness harness;
	struct server server = { .listener = -1 };
	struct pollfd fds[64];

	harness_start(&harness);
	server.store = harness.store;
	if (journal_open(&server.journal, dir))
		_exit(1);
	int rc = journal_load(&server.journal, server.store);
	if ((rc && rc != -ENOENT) || journal_rewrite(&server.journal, server.store) ||
	    socket_listen(&server, socket_path))
		_exit(1);
	for (;;) {
		socket_poll_fill(&server, fds);
		if (poll(fds, server.n_clients + 1, server.busy ? 0 : -1) < 0)
			_exit(1);
		server.busy = false;
		socket_turns(&server, fds);
		socket_flush(&server);
	}
}

static void daemon_start(void)
{
	daemon_pid = fork();
	assert_true(daemon_pid >= 0);
	if (!daemon_pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_daemon();
	}
}

static void daemon_kill(void)
{
	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, NULL, 0);
}

static int setup(void **state)
{
	struct store_client *client;

	daemon_start();
	assert_int_equal(store_connect(&client, 5000), 0);
	*state = client;
	return 0;
}

static int teardown(void **state)
{
	char path[80];

	store_disconnect(*state);
	daemon_kill();
	snprintf(path, sizeof(path), "%s/state", dir);
	unlink(path);
	unlink(socket_path);
	return 0;
}

static void asks_everything(void **state)
{
	static const struct store_perm perms[] = { { 0, STORE_NONE }, { 7, STORE_BOTH } };
	static const char *const stats[] = { "check" };
	struct store_client *c = *state;
	struct store_perm *list;
	char **names, *text;
	uint64_t number;
	size_t count;
	bool known;

	assert_int_equal(store_write(c, STORE_NO_TX, "/a/b", "x\0y", 3), 0);
	assert_int_equal(store_read(c, STORE_NO_TX, "/a/b", &text, &count), 0);
	assert_int_equal(count, 3);
	assert_memory_equal(text, "x\0y", 4);
	free(text);
	assert_int_equal(store_printf(c, STORE_NO_TX, "/a/n", "%d", 42), 0);
	assert_int_equal(store_read_uint(c, STORE_NO_TX, "/a/n", &number), 0);
	assert_int_equal(number, 42);
	assert_int_equal(store_read_uint(c, STORE_NO_TX, "/a/b", &number), -EINVAL);
	assert_int_equal(store_read(c, STORE_NO_TX, "/none", &text, NULL), -ENOENT);
	assert_int_equal(store_mkdir(c, STORE_NO_TX, "/a/dir"), 0);
	assert_int_equal(store_ls(c, STORE_NO_TX, "/a", &names, &count), 0);
	assert_int_equal(count, 3);
	assert_string_equal(names[1], "dir");
	free(names);
	assert_int_equal(store_ls(c, STORE_NO_TX, "/a/dir", &names, &count), 0);
	assert_int_equal(count, 0);
	free(names);
	assert_int_equal(store_set_perms(c, STORE_NO_TX, "/a/b", perms, 2), 0);
	assert_int_equal(store_get_perms(c, STORE_NO_TX, "/a/b", &list, &count), 0);
	assert_int_equal(count, 2);
	assert_memory_equal(list, perms, sizeof(perms));
	free(list);
	assert_int_equal(store_rm(c, STORE_NO_TX, "/a/b"), 0);
	assert_int_equal(store_introduce(c, 7, 1234, 5), 0);
	assert_int_equal(store_is_introduced(c, 7, &known), 0);
	assert_true(known);
	assert_int_equal(store_get_domain_path(c, 7, &text), 0);
	assert_string_equal(text, "/local/domain/7");
	free(text);
	assert_int_equal(store_resume(c, 7), 0);
	assert_int_equal(store_release(c, 7), 0);
	assert_int_equal(store_release(c, 7), -ENOENT);
	assert_int_equal(store_set_target(c, 7, 0), -ENOENT);
	assert_int_equal(store_control(c, stats, 1, &text), 0);
	assert_string_equal(text, "OK");
	free(text);
	static const char giant[5000];
	assert_int_equal(store_write(c, STORE_NO_TX, "/a", giant, sizeof(giant)), -E2BIG);
}

static void lists_long_directories(void **state)
{
	struct store_client *c = *state;
	char path[64], **names;
	size_t count;

	for (int i = 0; i < 900; i++) {
		sprintf(path, "/long/child-%04d", i);
		assert_int_equal(store_write(c, STORE_NO_TX, path, "", 0), 0);
	}
	assert_int_equal(store_ls(c, STORE_NO_TX, "/long", &names, &count), 0);
	assert_int_equal(count, 900);
	for (int i = 0; i < 900; i++) {
		sprintf(path, "child-%04d", i);
		assert_string_equal(names[i], path);
	}
	free(names);
}

/* In their order, whatever is missing and however the paths fit into what is sent at once. */
static void reads_many(void **state)
{
	enum { MANY = 3 * STORE_BATCH + 5, LONG = 600 };
	struct store_client *c = *state;
	const char *paths[MANY];
	char *values[MANY], text[24], tail[LONG] = "";

	memset(tail, 'x', LONG - 1);
	for (int i = 0; i < MANY; i++) {
		char *path = malloc(LONG + 20);

		sprintf(path, "/many/%d%.*s", i, i % 10 == 3 ? 200 : i % 10 == 4 ? LONG : 0, tail);
		paths[i] = path;
		sprintf(text, "value %d", i);
		if (i % 7)
			assert_int_equal(store_write(c, STORE_NO_TX, path, text, strlen(text)), 0);
	}
	assert_int_equal(store_watch(c, "/many", "tok"), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(store_read_many(c, paths, MANY, values), 0);
		for (int i = 0; i < MANY; i++) {
			sprintf(text, "value %d", i);
			if (i % 7)
				assert_string_equal(values[i], text);
			else
				assert_null(values[i]);
			free(values[i]);
		}
		daemon_kill();
		daemon_start();
	}
	for (int i = 0; i < MANY; i++)
		free((char *)(uintptr_t)paths[i]);
	paths[0] = "/one";
	paths[1] = "//no path";
	assert_int_equal(store_read_many(c, paths, 2, values), -EINVAL);
	assert_int_equal(store_read_many(c, paths, 1, values), 0);
	assert_null(values[0]);
	assert_int_equal(store_read_many(c, paths, 0, values), 0);
}

/* More changes than go out at once, and of any length: all or none are there. */
static void changes_many(void **state)
{
	enum { MANY = 3 * STORE_BATCH + 5 };
	static const struct store_perm perms[] = { { 0, STORE_NONE }, { 7, STORE_READ } };
	struct store_client *c = *state;
	char path[32], text[4000] = "", *value;
	struct store_event event;
	uint32_t tx;

	memset(text, 'v', sizeof(text) - 1);
	for (int good = 0; good < 2; good++) {
		assert_int_equal(store_tx_start(c, &tx), 0);
		for (int i = 0; i < MANY; i++) {
			sprintf(path, "/changes/%d", i);
			assert_int_equal(store_write(c, tx, path, text, i % 10 == 3 ? 3900 : 9), 0);
			assert_int_equal(store_set_perms(c, tx, path, perms, 2), 0);
			if (i == MANY / 2)	/* which the daemon will not have */
				assert_int_equal(store_mkdir(c, tx, good ? "/changes" : "//"), 0);
			if (i % 40)
				continue;
			assert_int_equal(store_read(c, tx, path, &value, NULL), 0);
			free(value);
		}
		assert_int_equal(store_tx_end(c, tx, true), good ? 0 : -EINVAL);
		assert_int_equal(store_read(c, STORE_NO_TX, path, &value, NULL),
				 good ? 0 : -ENOENT);
	}
	assert_string_equal(value, "vvvvvvvvv");
	free(value);
	/* What is asked beside it meanwhile does not lose the answers. */
	assert_int_equal(store_tx_start(c, &tx), 0);
	assert_int_equal(store_write(c, tx, "//", "", 0), 0);
	assert_int_equal(store_read_many(c, (const char *[]){ path }, 1, &value), 0);
	assert_string_equal(value, "vvvvvvvvv");
	free(value);
	assert_int_equal(store_write(c, tx, "/beside", "", 0), 0);
	assert_int_equal(store_wait(c, 0, &event), -ETIMEDOUT);
	assert_int_equal(store_tx_end(c, tx, true), -EINVAL);
	assert_int_equal(store_tx_start(c, &tx), 0);
	assert_int_equal(store_write(c, tx, path, text, 5000), -E2BIG);
	assert_int_equal(store_tx_end(c, tx, false), 0);
}

static void waits_for_changes(void **state)
{
	struct store_client *c = *state;
	struct store_event event;

	assert_int_equal(store_watch(c, "/w", "tok"), 0);
	assert_int_equal(store_watch(c, "/w", "tok"), -EEXIST);
	assert_int_equal(store_wait(c, 1000, &event), 0);
	assert_string_equal(event.path, "/w");
	store_event_free(&event);
	assert_int_equal(store_wait(c, 20, &event), -ETIMEDOUT);
	store_write(c, STORE_NO_TX, "/w/x", "1", 1);
	store_write(c, STORE_NO_TX, "/w/y", "1", 1);
	assert_int_equal(store_wait(c, 1000, &event), 0);
	assert_string_equal(event.path, "/w/x");
	assert_string_equal(event.token, "tok");
	store_event_free(&event);
	assert_int_equal(store_unwatch(c, "/w", "tok"), 0);
	assert_int_equal(store_wait(c, 0, &event), -ETIMEDOUT);
	assert_int_equal(store_unwatch(c, "/w", "tok"), -ENOENT);
}

static void outlives_the_daemon(void **state)
{
	struct store_client *c = *state;
	struct store_event event;
	uint32_t tx, fresh;
	char *text;

	assert_int_equal(store_write(c, STORE_NO_TX, "/kept", "1", 1), 0);
	assert_int_equal(store_watch(c, "/kept", "tok"), 0);
	assert_int_equal(store_wait(c, 1000, &event), 0);
	store_event_free(&event);
	assert_int_equal(store_tx_start(c, &tx), 0);
	assert_int_equal(store_write(c, tx, "/lost", "1", 1), 0);
	daemon_kill();
	daemon_start();
	assert_int_equal(store_write(c, tx, "/lost", "2", 1), 0);
	assert_int_equal(store_tx_end(c, tx, true), -EAGAIN);
	assert_int_equal(store_tx_start(c, &fresh), 0);
	assert_int_equal(store_write(c, fresh, "/found", "1", 1), 0);
	assert_int_equal(store_tx_end(c, fresh, true), 0);
	assert_int_equal(store_read(c, STORE_NO_TX, "/kept", &text, NULL), 0);
	assert_string_equal(text, "1");
	free(text);
	assert_int_equal(store_read(c, STORE_NO_TX, "/lost", &text, NULL), -ENOENT);
	/* The watch was registered again, and told once that something may have happened. */
	assert_int_equal(store_wait(c, 1000, &event), 0);
	assert_string_equal(event.path, "/kept");
	store_event_free(&event);
	assert_int_equal(store_write(c, STORE_NO_TX, "/kept/more", "1", 1), 0);
	assert_int_equal(store_wait(c, 1000, &event), 0);
	assert_string_equal(event.path, "/kept/more");
	store_event_free(&event);
	assert_int_equal(store_tx_start(c, &tx), 0);
	daemon_kill();
	daemon_start();
	assert_int_equal(store_read(c, tx, "/kept", &text, NULL), -EAGAIN);
	assert_int_equal(store_write(c, tx, "/lost", "2", 1), -EAGAIN);
	assert_int_equal(store_tx_end(c, tx, true), -EAGAIN);
}

/*
 * Killed at random while many requests are made: each is answered, and what was answered is
 * there.
 */
static void outlives_many_kills(void **state)
{
	struct store_client *c = *state;
	uint64_t value = 0;
	pid_t supervisor;

	daemon_kill();
	supervisor = fork();
	if (!supervisor) {
		for (unsigned int i = 0;; i++) {
			daemon_start();
			usleep(20000 + i % 7 * 3000);
			daemon_kill();
		}
	}
	for (int i = 1; i < 2000; i++) {
		assert_int_equal(store_printf(c, STORE_NO_TX, "/count", "%d", i), 0);
		assert_int_equal(store_read_uint(c, STORE_NO_TX, "/count", &value), 0);
		assert_int_equal(value, i);
	}
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
	/* The last daemon died with it. */
	daemon_start();
}

static void says_when_there_is_no_daemon(void **state)
{
	struct store_client *c;

	(void)state;
	assert_int_equal(store_connect(&c, 0), -ECONNREFUSED);
	assert_int_equal(store_connect(&c, 50), -ECONNREFUSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(asks_everything),	   TEST(lists_long_directories), TEST(reads_many),
		TEST(changes_many),	   TEST(waits_for_changes),	 TEST(outlives_the_daemon),
		TEST(outlives_many_kills), cmocka_unit_test(says_when_there_is_no_daemon),
	};

	if (!mkdtemp(dir))
		return 1;
	snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	setenv("XENSTORED_PATH", socket_path, 1);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return rc;
}
