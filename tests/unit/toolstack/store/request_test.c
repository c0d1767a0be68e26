/* SPDX-License-Identifier: MIT */
/*
 * Requests and every way in which they are refused: the protocol, rights, limits, watches,
 * domains that go.
 *
 * Links: tests/unit/toolstack/store/harness.c toolstack/store/wire.c toolstack/store/path.c
 * Links: toolstack/store/perms.c toolstack/store/tree.c toolstack/store/change.c
 * Links: toolstack/store/watch.c toolstack/store/transaction.c toolstack/store/connection.c
 * Links: toolstack/store/record.c toolstack/store/store.c toolstack/store/domain.c
 * Links: toolstack/store/request.c toolstack/store/request_node.c
 * Links: toolstack/store/request_watch.c toolstack/store/request_domain.c
 * Links: toolstack/store/state.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/toolstack/store/harness.h"

static int setup(void **state)
{
	struct harness *h = malloc(sizeof(*h));

	harness_start(h);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct harness *h = *state;

	assert_true(harness_check(h));
	harness_stop(h);
	free(h);
	return 0;
}

static void writes_and_reads(void **state)
{
	struct harness *h = *state;

	assert_int_equal(put(h, &h->control, 0, "/a/b/c", "one"), 0);
	assert_string_equal(h->reply, "OK");
	assert_int_equal(get(h, &h->control, 0, "/a/b/c"), 0);
	assert_string_equal(h->reply, "one");
	assert_int_equal(get(h, &h->control, 0, "/a"), 0);
	assert_int_equal(h->reply_len, 0); /* ancestors are made, and are empty */
	assert_int_equal(get(h, &h->control, 0, "/a/x"), -ENOENT);
	assert_int_equal(ask(h, &h->control, XS_WRITE, 0, "/bin\0a\0b", 8), 0);
	assert_int_equal(get(h, &h->control, 0, "/bin"), 0);
	assert_int_equal(h->reply_len, 3);
	assert_memory_equal(h->reply, "a\0b", 3);
}

static void lists_directories(void **state)
{
	struct harness *h = *state;
	char name[600], path[700];

	put(h, &h->control, 0, "/d/b", "");
	put(h, &h->control, 0, "/d/a", "");
	put(h, &h->control, 0, "/d/ab", "");
	assert_int_equal(ASK(h, &h->control, XS_DIRECTORY, 0, "/d"), 0);
	assert_int_equal(h->reply_len, 7);
	assert_memory_equal(h->reply, "a\0ab\0b\0", 7);
	assert_int_equal(ASK(h, &h->control, XS_DIRECTORY, 0, "/d/a"), 0);
	assert_int_equal(h->reply_len, 0);
	memset(name, 'x', 500);
	for (int i = 0; i < 10; i++) {
		sprintf(name + 500, "%d", i);
		sprintf(path, "/d/%s", name);
		assert_int_equal(put(h, &h->control, 0, path, ""), 0);
	}
	assert_int_equal(ASK(h, &h->control, XS_DIRECTORY, 0, "/d"), -E2BIG);
	/* In parts: all names come, once, and an empty one at the end. */
	size_t offset = 0, names = 0;
	for (;;) {
		int len = sprintf(path, "/d%c%zu", 0, offset);
		assert_int_equal(ask(h, &h->control, XS_DIRECTORY_PART, 0, path, (size_t)len + 1),
				 0);
		struct wire_reader reader = { h->reply, h->reply_len };
		const char *text = wire_string(&reader);
		assert_non_null(text); /* generation */
		while ((text = wire_string(&reader)) && *text) {
			names++;
			offset += strlen(text) + 1;
		}
		if (text)
			break;
	}
	assert_int_equal(names, 13);
	assert_int_equal(ASK(h, &h->control, XS_DIRECTORY_PART, 0, "/d\0" "3"), -EINVAL);
	assert_int_equal(ASK(h, &h->control, XS_DIRECTORY_PART, 0, "/d\0-1"), -EINVAL);
	assert_int_equal(ASK(h, &h->control, XS_DIRECTORY_PART, 0, "/d\0" "99999"), 0);
	assert_int_equal(h->reply[h->reply_len - 2], 0); /* behind the end there is the end */
}

static void removes(void **state)
{
	struct harness *h = *state;

	put(h, &h->control, 0, "/a/b/c", "one");
	assert_int_equal(ASK(h, &h->control, XS_RM, 0, "/a/b"), 0);
	assert_int_equal(get(h, &h->control, 0, "/a/b/c"), -ENOENT);
	assert_int_equal(ASK(h, &h->control, XS_RM, 0, "/a/b"), 0); /* not there: no error */
	assert_int_equal(ASK(h, &h->control, XS_RM, 0, "/x/y"), -ENOENT); /* no parent */
	assert_int_equal(ASK(h, &h->control, XS_RM, 0, "/"), -EINVAL);
	assert_int_equal(ASK(h, &h->control, XS_MKDIR, 0, "/a"), 0);
	assert_int_equal(ASK(h, &h->control, XS_MKDIR, 0, "/m/n"), 0);
	assert_int_equal(get(h, &h->control, 0, "/m/n"), 0);
}

static void refuses_malformed_payloads(void **state)
{
	struct harness *h = *state;
	struct connection *c = &h->control;
	static const uint32_t paths[] = { XS_READ, XS_DIRECTORY, XS_RM, XS_MKDIR, XS_GET_PERMS };
	char giant[XENSTORE_PAYLOAD_MAX];

	put(h, c, 0, "/a", "one");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(ask(h, c, paths[i], 0, "/a", 2), -EINVAL); /* no NUL */
		assert_int_equal(ask(h, c, paths[i], 0, NULL, 0), -EINVAL);
		assert_int_equal(ask(h, c, paths[i], 0, "/a\0more", 8), -EINVAL);
		assert_int_equal(ASK(h, c, paths[i], 0, ""), -EINVAL);
		assert_int_equal(ASK(h, c, paths[i], 0, "/a/"), -EINVAL);
		assert_int_equal(ASK(h, c, paths[i], 0, "/a//b"), -EINVAL);
		assert_int_equal(ASK(h, c, paths[i], 0, "/a b"), -EINVAL);
		assert_int_equal(ASK(h, c, paths[i], 0, "/a\xff"), -EINVAL);
		memset(giant, 'a', sizeof(giant));
		giant[0] = '/';
		giant[sizeof(giant) - 1] = 0;
		assert_int_equal(ask(h, c, paths[i], 0, giant, sizeof(giant)), -EINVAL);
	}
	assert_int_equal(ask(h, c, XS_WRITE, 0, "/a", 2), -EINVAL);
	assert_int_equal(ASK(h, c, XS_SET_PERMS, 0, "/a"), -EINVAL);
	assert_int_equal(ASK(h, c, XS_SET_PERMS, 0, "/a\0x0"), -EINVAL);
	assert_int_equal(ASK(h, c, XS_SET_PERMS, 0, "/a\0r99999"), -EINVAL);
	assert_int_equal(ASK(h, c, XS_SET_PERMS, 0, "/a\0r32752"), -EINVAL); /* DOMID_SELF */
	assert_int_equal(ask(h, c, XS_SET_PERMS, 0, "/a\0r1", 5), -EINVAL);
	assert_int_equal(ASK(h, c, XS_WATCH, 0, "/a"), -EINVAL);
	assert_int_equal(ASK(h, c, XS_WATCH, 0, "@other\0t"), -EINVAL);
	assert_int_equal(ASK(h, c, XS_TRANSACTION_END, 0, "T"), -ENOENT);
	assert_int_equal(ASK(h, c, 20, 0, ""), -ENOSYS);
	assert_int_equal(ASK(h, c, XS_WATCH_EVENT, 0, ""), -ENOSYS);
	assert_int_equal(ASK(h, c, 0xffff, 0, ""), -ENOSYS);
	assert_int_equal(ASK(h, c, 0xffffffff, 0, ""), -ENOSYS);
	assert_int_equal(ASK(h, c, XS_READ, 77, "/a"), -ENOENT); /* no such transaction */
	assert_int_equal(get(h, c, 0, "/a"), 0);
	assert_string_equal(h->reply, "one");
}

/*
 * Negative and giant lengths (XSA-420): the connection is broken, its memory is not touched
 * beyond the message.
 */
static void breaks_on_lengths(void **state)
{
	static const uint32_t lengths[] = { XENSTORE_PAYLOAD_MAX + 1, 0x7fffffff, 0x80000000,
					    0xffffffff, (uint32_t)-16 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct connection conn;
		struct actor actor = { 1, 1, false };
		struct xsd_sockmsg header = { .type = XS_READ, .len = lengths[i] };
		connection_init(&conn, &actor);
		assert_int_equal(connection_receive(&conn, &header, sizeof(header)), -EPROTO);
		assert_true(conn.broken);
		assert_false(connection_ready(&conn));
		assert_int_equal(connection_receive(&conn, "x", 1), -EPROTO);
		connection_drop_queues(&conn);
	}
}

static void takes_requests_in_pieces(void **state)
{
	struct harness *h = *state;
	struct xsd_sockmsg header = { .type = XS_READ, .req_id = 1, .len = 3 };
	char bytes[sizeof(header) + 6] = { 0 };

	put(h, &h->control, 0, "/a", "one");
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), "/a\0xyz", 6);
	for (size_t i = 0; i < sizeof(header) + 3; i++) {
		assert_false(connection_has_request(&h->control));
		assert_int_equal(connection_receive(&h->control, bytes + i, 1), 1);
	}
	assert_true(connection_ready(&h->control));
	assert_int_equal(connection_receive(&h->control, "x", 1), 0); /* the next waits */
	assert_int_equal(store_serve(h->store, &h->control), 0);
	take_events(h, &h->control);
	assert_string_equal(h->reply, "one");
	/* All at once: what belongs to the next is left. */
	assert_int_equal(connection_receive(&h->control, bytes, sizeof(bytes)),
			 (int)sizeof(header) + 3);
	assert_int_equal(store_serve(h->store, &h->control), 0);
	/* Nobody is served whose last answer was not taken. */
	assert_int_equal(connection_receive(&h->control, bytes, sizeof(header) + 3),
			 (int)sizeof(header) + 3);
	assert_false(connection_ready(&h->control));
	take_events(h, &h->control);
	assert_true(connection_ready(&h->control));
}

/*
 * A node owned by domain 1 that nobody else may touch, one that 2 may read, one that 2 may
 * write.
 */
static void guards_nodes(void **state)
{
	struct harness *h = *state;
	struct connection *one = harness_guest(h, 1), *two = harness_guest(h, 2);

	put(h, &h->control, 0, "/local/domain/1", "");
	ASK(h, &h->control, XS_SET_PERMS, 0, "/local/domain/1\0n1");
	assert_int_equal(put(h, one, 0, "own", "mine"), 0); /* relative to its home */
	assert_int_equal(ASK(h, one, XS_GET_PERMS, 0, "own"), 0);
	assert_string_equal(h->reply, "n1");
	assert_int_equal(get(h, two, 0, "/local/domain/1/own"), -EACCES);
	assert_int_equal(get(h, two, 0, "/local/domain/1/none"), -EACCES);
	assert_int_equal(ASK(h, two, XS_DIRECTORY, 0, "/local/domain/1"), -EACCES);
	assert_int_equal(ASK(h, two, XS_GET_PERMS, 0, "/local/domain/1/own"), -EACCES);
	assert_int_equal(put(h, two, 0, "/local/domain/1/own", "x"), -EACCES);
	assert_int_equal(put(h, two, 0, "/local/domain/1/new/deep", "x"), -EACCES);
	assert_int_equal(ASK(h, two, XS_MKDIR, 0, "/local/domain/1/new"), -EACCES);
	assert_int_equal(ASK(h, two, XS_RM, 0, "/local/domain/1/own"), -EACCES);
	assert_int_equal(ASK(h, two, XS_RM, 0, "/local/domain/1/none"), -EACCES);
	assert_int_equal(ASK(h, two, XS_SET_PERMS, 0, "/local/domain/1/own\0b2"), -EACCES);
	assert_int_equal(put(h, two, 0, "/top", "x"), -EACCES);
	assert_int_equal(ASK(h, one, XS_SET_PERMS, 0, "own\0n1\0r2"), 0);
	assert_int_equal(get(h, two, 0, "/local/domain/1/own"), 0);
	assert_int_equal(put(h, two, 0, "/local/domain/1/own", "x"), -EACCES);
	assert_int_equal(ASK(h, one, XS_SET_PERMS, 0, "own\0n1\0b2"), 0);
	assert_int_equal(put(h, two, 0, "/local/domain/1/own", "x"), 0);
	assert_int_equal(ASK(h, two, XS_SET_PERMS, 0, "/local/domain/1/own\0b2"), -EACCES);
	assert_int_equal(put(h, two, 0, "/local/domain/1/own/child", "x"), 0);
	assert_int_equal(ASK(h, two, XS_GET_PERMS, 0, "/local/domain/1/own/child"), 0);
	assert_memory_equal(h->reply, "n2\0b2", 6);
	assert_int_equal(ASK(h, one, XS_SET_PERMS, 0, "own\0n2"), -EPERM);
	assert_int_equal(ASK(h, &h->control, XS_SET_PERMS, 0, "/local/domain/1/own\0n2"), 0);
	assert_int_equal(get(h, one, 0, "own"), -EACCES);
}

static void gives_a_target_rights(void **state)
{
	struct harness *h = *state;
	struct connection *one = harness_guest(h, 1), *two = harness_guest(h, 2);

	put(h, &h->control, 0, "/n", "v");
	ASK(h, &h->control, XS_SET_PERMS, 0, "/n\0n1");
	assert_int_equal(get(h, two, 0, "/n"), -EACCES);
	assert_int_equal(ASK(h, one, XS_SET_TARGET, 0, "2\0001"), -EACCES);
	assert_int_equal(ASK(h, &h->control, XS_SET_TARGET, 0, "2\0009"), -ENOENT);
	assert_int_equal(ASK(h, &h->control, XS_SET_TARGET, 0, "2\0001"), 0);
	assert_int_equal(put(h, two, 0, "/n", "w"), 0);
	assert_int_equal(ASK(h, two, XS_SET_PERMS, 0, "/n\0b1"), 0);
}

static void keeps_what_is_privileged(void **state)
{
	struct harness *h = *state;
	struct connection *one = harness_guest(h, 1);

	assert_int_equal(ASK(h, one, XS_INTRODUCE, 0, "2\0001\0001"), -EACCES);
	assert_int_equal(ASK(h, one, XS_RELEASE, 0, "1"), -EACCES);
	assert_int_equal(ASK(h, one, XS_RESUME, 0, "1"), -EACCES);
	assert_int_equal(ASK(h, one, XS_CONTROL, 0, "check"), -EACCES);
	assert_int_equal(ASK(h, one, XS_SET_PERMS, 0, "@releaseDomain\0r1"), -EACCES);
	assert_int_equal(ASK(h, one, XS_GET_PERMS, 0, "@releaseDomain"), -EACCES);
	assert_int_equal(ASK(h, &h->control, XS_CONTROL, 0, "check"), 0);
	assert_string_equal(h->reply, "OK");
	assert_int_equal(ASK(h, &h->control, XS_CONTROL, 0, "stats"), 0);
	assert_int_equal(ASK(h, &h->control, XS_CONTROL, 0, "other"), -EINVAL);
	assert_int_equal(ASK(h, one, XS_GET_DOMAIN_PATH, 0, "12"), 0);
	assert_string_equal(h->reply, "/local/domain/12");
	assert_int_equal(ASK(h, one, XS_GET_DOMAIN_PATH, 0, "x"), -EINVAL);
	assert_int_equal(ASK(h, one, XS_GET_DOMAIN_PATH, 0, "65536"), -EINVAL);
}

static void limits_guests(void **state)
{
	struct harness *h = *state;
	struct connection *one = harness_guest(h, 1);
	char big[XENSTORE_PAYLOAD_MAX], path[32];

	put(h, &h->control, 0, "/local/domain/1", "");
	ASK(h, &h->control, XS_SET_PERMS, 0, "/local/domain/1\0n1");
	h->store->limits = (struct limits) { .nodes = 10,
					     .value = 100,
					     .perms = 2,
					     .watches = 3,
					     .events = 4,
					     .event_bytes = 1000,
					     .transactions = 2,
					     .tx_nodes = 5,
					     .tx_bytes = 1000,
					     .tx_seconds = 60,
					     .history = 1 << 20,
					     .total = 1 << 20 };
	memset(big, 'v', sizeof(big));
	big[101] = 0;
	assert_int_equal(put(h, one, 0, "v", big), -ENOSPC);
	big[100] = 0;
	assert_int_equal(put(h, one, 0, "v", big), 0); /* its second node: the home is its own */
	assert_int_equal(put(h, one, 0, "a/b/c/d/e/f/g/h/i", ""), -ENOSPC); /* none of it is made */
	assert_int_equal(get(h, one, 0, "a"), -ENOENT);
	for (int i = 0; i < 8; i++) {
		sprintf(path, "n%d", i);
		assert_int_equal(put(h, one, 0, path, ""), 0);
	}
	assert_int_equal(put(h, one, 0, "more", ""), -ENOSPC);
	assert_int_equal(put(h, one, 0, "n0", "rewritten"), 0);
	assert_int_equal(ASK(h, one, XS_RM, 0, "n1"), 0);
	assert_int_equal(put(h, one, 0, "more", ""), 0);
	assert_int_equal(ASK(h, one, XS_SET_PERMS, 0, "n0\0n1\0r2\0r3"), -ENOSPC);
	assert_int_equal(ASK(h, one, XS_WATCH, 0, "n0\0a"), 0);
	assert_int_equal(ASK(h, one, XS_WATCH, 0, "n0\0a"), -EEXIST);
	assert_int_equal(ASK(h, one, XS_WATCH, 0, "n0\0b"), 0);
	assert_int_equal(ASK(h, one, XS_WATCH, 0, "n0\0c"), 0);
	assert_int_equal(ASK(h, one, XS_WATCH, 0, "n0\0d"), -ENOSPC);
	uint32_t tx = begin(h, one);
	assert_int_not_equal(tx, 0);
	assert_int_not_equal(begin(h, one), 0);
	assert_int_equal(ASK(h, one, XS_TRANSACTION_START, 0, ""), -ENOSPC);
	assert_int_equal(ASK(h, one, XS_TRANSACTION_START, tx, ""), -EBUSY);
	for (int i = 0; i < 5; i++) {
		sprintf(path, "nothing%d", i);
		assert_int_equal(get(h, one, tx, path), -ENOENT);
	}
	assert_int_equal(get(h, one, tx, "nothing9"), -ENOSPC);
	assert_int_equal(put(h, one, tx, "n0", "x"), -ENOSPC);
	/* The control domain has no such limits. */
	for (int i = 0; i < 20; i++) {
		sprintf(path, "/c%d", i);
		assert_int_equal(put(h, &h->control, 0, path, ""), 0);
		assert_int_not_equal(begin(h, &h->control), 0);
	}
}

static void tells_watchers(void **state)
{
	struct harness *h = *state;
	struct connection *c = &h->control, *one = harness_guest(h, 1);

	assert_int_equal(ASK(h, c, XS_WATCH, 0, "/a\0tok"), 0);
	assert_int_equal(h->events, 1); /* at once, after the reply */
	assert_string_equal(h->event, "/a");
	assert_string_equal(h->token, "tok");
	put(h, c, 0, "/a/b/c", "one");
	assert_int_equal(h->events, 2);
	assert_string_equal(h->event, "/a/b/c");
	put(h, c, 0, "/ab", "one"); /* a name that begins alike */
	assert_int_equal(h->events, 2);
	ASK(h, c, XS_SET_PERMS, 0, "/a/b\0n0");
	assert_string_equal(h->event, "/a/b");
	ASK(h, c, XS_RM, 0, "/a/b");
	assert_int_equal(h->events, 4);
	assert_int_equal(ASK(h, c, XS_UNWATCH, 0, "/a\0tok"), 0);
	assert_int_equal(ASK(h, c, XS_UNWATCH, 0, "/a\0tok"), -ENOENT);
	put(h, c, 0, "/a/b", "one");
	assert_int_equal(h->events, 4);
	/* What is below a removed node is told to those who watch it. */
	put(h, c, 0, "/x/y/z", "one");
	ASK(h, c, XS_WATCH, 0, "/x/y/z\0deep");
	h->events = 0;
	ASK(h, c, XS_RM, 0, "/x");
	assert_int_equal(h->events, 1);
	assert_string_equal(h->event, "/x/y/z");
	/* A guest's relative watch has relative events, and none of what it may not read. */
	put(h, c, 0, "/local/domain/1", "");
	ASK(h, c, XS_SET_PERMS, 0, "/local/domain/1\0r1");
	ASK(h, one, XS_WATCH, 0, "dev\0t");
	assert_string_equal(h->event, "dev");
	ASK(h, one, XS_WATCH, 0, "/secret\0s");
	h->events = 0;
	put(h, c, 0, "/local/domain/1/dev/0", "one");
	put(h, c, 0, "/secret/x", "one");
	assert_int_equal(take_events(h, one), 1);
	assert_string_equal(h->event, "dev/0");
	/* Losing the right to read is the last that it is told of a node. */
	ASK(h, c, XS_SET_PERMS, 0, "/local/domain/1/dev/0\0n0");
	assert_int_equal(take_events(h, one), 1);
	put(h, c, 0, "/local/domain/1/dev/0", "two");
	assert_int_equal(take_events(h, one), 0);
}

/* Events that nobody takes: the same ones once, and beyond the limit one for the watch. */
static void bounds_events(void **state)
{
	struct harness *h = *state;
	struct connection *c = &h->control, *one = harness_guest(h, 1);
	char path[64];

	put(h, c, 0, "/local/domain/1", "");
	ASK(h, c, XS_SET_PERMS, 0, "/local/domain/1\0r1");
	ASK(h, one, XS_WATCH, 0, "/local/domain/1\0t");
	h->events = 0;
	for (int i = 0; i < 1000; i++)
		put(h, c, 0, "/local/domain/1/same", "one");
	assert_int_equal(take_events(h, one), 1);
	h->store->limits.events = 10;
	for (int i = 0; i < 1000; i++) {
		sprintf(path, "/local/domain/1/n%d", i);
		put(h, c, 0, path, "one");
	}
	assert_int_equal(take_events(h, one), 10);
	store_tick(h->store, 1);
	assert_int_equal(take_events(h, one), 1);
	assert_string_equal(h->event, "/local/domain/1");
	put(h, c, 0, "/local/domain/1/n0", "one");
	assert_int_equal(take_events(h, one), 1); /* and then as ever */
	/* The longest path and the longest token make an event that fits. */
	char long_watch[XENSTORE_PAYLOAD_MAX];
	memset(long_watch, 't', sizeof(long_watch));
	memcpy(long_watch, "/\0", 2);
	long_watch[2 + XENSTORE_PAYLOAD_MAX - XENSTORE_ABS_PATH_MAX - 2] = 0;
	assert_int_equal(ask(h, c, XS_WATCH, 0, long_watch,
			     2 + XENSTORE_PAYLOAD_MAX - XENSTORE_ABS_PATH_MAX - 1), 0);
	memset(long_watch + 2, 'u', XENSTORE_PAYLOAD_MAX - XENSTORE_ABS_PATH_MAX - 1);
	long_watch[2 + XENSTORE_PAYLOAD_MAX - XENSTORE_ABS_PATH_MAX - 1] = 0;
	assert_int_equal(ask(h, c, XS_WATCH, 0, long_watch,
			     2 + XENSTORE_PAYLOAD_MAX - XENSTORE_ABS_PATH_MAX), -EINVAL);
	memset(path, 0, sizeof(path));
	char longest[XENSTORE_ABS_PATH_MAX + 1];
	memset(longest, 'p', sizeof(longest));
	longest[0] = '/';
	longest[XENSTORE_ABS_PATH_MAX] = 0;
	assert_int_equal(put(h, c, 0, longest, ""), 0);
	assert_int_equal(strlen(h->event), XENSTORE_ABS_PATH_MAX);
}

static void resets_watches(void **state)
{
	struct harness *h = *state;
	struct connection *one = harness_guest(h, 1);

	ASK(h, one, XS_WATCH, 0, "/\0t");
	uint32_t tx = begin(h, one);
	assert_int_equal(ASK(h, one, XS_RESET_WATCHES, 0, ""), 0);
	assert_int_equal(h->store->watches.count, 0);
	assert_int_equal(end(h, one, tx, true), -ENOENT);
}

static void introduces_and_releases(void **state)
{
	struct harness *h = *state;
	struct connection *c = &h->control, *one;

	ASK(h, c, XS_WATCH, 0, "@introduceDomain\0i");
	ASK(h, c, XS_WATCH, 0, "@releaseDomain\0r");
	h->events = 0;
	assert_int_equal(ASK(h, c, XS_INTRODUCE, 0, "1\000100\0003"), 0);
	assert_int_equal(h->events, 1);
	assert_string_equal(h->event, "@introduceDomain");
	assert_int_equal(ASK(h, c, XS_INTRODUCE, 0, "1\000100\0003"), 0); /* again: nothing new */
	assert_int_equal(h->connects, 1);
	assert_int_equal(ASK(h, c, XS_INTRODUCE, 0, "1\000101\0003"), 0); /* another ring */
	assert_int_equal(h->connects, 2);
	assert_int_equal(h->disconnects, 1);
	assert_int_equal(ASK(h, c, XS_INTRODUCE, 0, "0\000101\0003"), -EINVAL);
	assert_int_equal(ASK(h, c, XS_INTRODUCE, 0, "32752\000101\0003"), -EINVAL);
	assert_int_equal(ASK(h, c, XS_INTRODUCE, 0, "2\0-5\0003"), -EINVAL);
	assert_int_equal(ASK(h, c, XS_INTRODUCE, 0, "2\000101"), -EINVAL);
	h->connect_result = -EACCES;
	assert_int_equal(ASK(h, c, XS_INTRODUCE, 0, "2\000101\0003"), -EACCES);
	h->connect_result = 0;
	assert_int_equal(ASK(h, c, XS_IS_DOMAIN_INTRODUCED, 0, "2"), 0);
	assert_string_equal(h->reply, "F");
	assert_int_equal(ASK(h, c, XS_IS_DOMAIN_INTRODUCED, 0, "1"), 0);
	assert_string_equal(h->reply, "T");
	assert_int_equal(ASK(h, c, XS_RESUME, 0, "1"), 0);
	assert_int_equal(ASK(h, c, XS_RESUME, 0, "2"), -ENOENT);
	one = harness_guest(h, 1);
	ASK(h, one, XS_WATCH, 0, "@releaseDomain\0mine"); /* only its first event comes */
	h->events = 0;
	harness_guest(h, 3);
	assert_int_equal(ASK(h, c, XS_RELEASE, 0, "3"), 0);
	assert_int_equal(h->events, 1);
	assert_int_equal(take_events(h, one), 0);
	ASK(h, c, XS_SET_PERMS, 0, "@releaseDomain\0r0");
	harness_guest(h, 3);
	assert_int_equal(ASK(h, c, XS_RELEASE, 0, "3"), 0);
	assert_int_equal(take_events(h, one), 1);
	assert_int_equal(ASK(h, c, XS_RELEASE, 0, "3"), -ENOENT);
	assert_int_equal(ASK(h, c, XS_RELEASE, 0, "0"), -EINVAL);
}

/*
 * A dead domain's id will be another's (XSA-322, XSA-419): neither its nodes nor its rights are
 * left.
 */
static void leaves_nothing_of_the_dead(void **state)
{
	struct harness *h = *state;
	struct connection *c = &h->control, *one = harness_guest(h, 1);

	put(h, c, 0, "/local/domain/1/data", "");
	ASK(h, c, XS_SET_PERMS, 0, "/local/domain/1/data\0n1");
	put(h, one, 0, "data/a/b", "x");
	put(h, c, 0, "/local/domain/1/data/a/control", "x"); /* goes with what it is in */
	put(h, c, 0, "/back", "x");
	ASK(h, c, XS_SET_PERMS, 0, "/back\0n0\0b1\0r2");
	uint32_t tx = begin(h, one);
	put(h, one, tx, "data/a/b", "y");
	ASK(h, one, XS_WATCH, 0, "/back\0t");
	struct connection *two = harness_guest(h, 2);
	assert_int_equal(ASK(h, c, XS_SET_TARGET, 0, "2\0001"), 0);
	assert_int_equal(put(h, two, 0, "/back", "x"), 0);
	assert_int_equal(ASK(h, c, XS_SET_PERMS, 0, "@introduceDomain\0r1"), 0);
	assert_int_equal(ASK(h, c, XS_SET_PERMS, 0, "@releaseDomain\0n0\0r1\0r3"), 0);
	assert_int_equal(ASK(h, c, XS_RELEASE, 0, "1"), 0);
	assert_int_equal(h->store->owned[1], 0);
	assert_int_equal(get(h, c, 0, "/local/domain/1/data"), -ENOENT);
	assert_int_equal(get(h, c, 0, "/local/domain/1"), 0); /* the control domain's */
	ASK(h, c, XS_GET_PERMS, 0, "/back");
	assert_memory_equal(h->reply, "n0\0r2", 6);
	one = harness_guest(h, 1); /* another one */
	assert_int_equal(put(h, one, 0, "/back", "y"), -EACCES);
	ASK(h, c, XS_GET_PERMS, 0, "@releaseDomain");
	assert_memory_equal(h->reply, "n0\0r3", 6);
	ASK(h, c, XS_GET_PERMS, 0, "@introduceDomain");
	assert_memory_equal(h->reply, "r0", 3);
	/* Who had the rights of the dead has not those of the next. */
	ASK(h, c, XS_SET_PERMS, 0, "/back\0n0\0b1");
	assert_int_equal(put(h, two, 0, "/back", "y"), -EACCES);
}

/* As many levels as a path can have: made, looked at, saved and removed. */
static void goes_deep(void **state)
{
	struct harness *h = *state;
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct record_buffer dump = { 0 };

	for (size_t i = 0; i < XENSTORE_ABS_PATH_MAX; i++)
		path[i] = i % 2 ? 'd' : '/';
	path[XENSTORE_ABS_PATH_MAX] = 0;
	assert_int_equal(put(h, &h->control, 0, path, "deep"), 0);
	assert_int_equal(get(h, &h->control, 0, path), 0);
	assert_int_equal(h->store->owned[0], 1 + XENSTORE_ABS_PATH_MAX / 2);
	assert_true(harness_check(h));
	store_dump(h->store, &dump);
	assert_false(dump.failed);
	free(dump.bytes);
	assert_int_equal(ASK(h, &h->control, XS_RM, 0, "/d"), 0);
	assert_int_equal(h->store->owned[0], 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(writes_and_reads), TEST(lists_directories), TEST(removes),
		TEST(refuses_malformed_payloads), TEST(breaks_on_lengths),
		TEST(takes_requests_in_pieces), TEST(guards_nodes), TEST(gives_a_target_rights),
		TEST(keeps_what_is_privileged), TEST(limits_guests), TEST(tells_watchers),
		TEST(bounds_events), TEST(resets_watches), TEST(introduces_and_releases),
		TEST(leaves_nothing_of_the_dead), TEST(goes_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
