/* SPDX-License-Identifier: MIT */
/*
 * No memory: every allocation in turn fails while a set of requests runs. Each request is
 * answered, or not served yet; what was refused has changed nothing, and the accounts stay
 * right.
 *
 * Links: tests/unit/support/failing_alloc.c tests/unit/toolstack/store/harness.c
 * Links: toolstack/store/wire.c toolstack/store/path.c toolstack/store/perms.c
 * Links: toolstack/store/tree.c toolstack/store/change.c toolstack/store/watch.c
 * Links: toolstack/store/transaction.c toolstack/store/connection.c toolstack/store/record.c
 * Links: toolstack/store/store.c toolstack/store/domain.c toolstack/store/request.c
 * Links: toolstack/store/request_node.c toolstack/store/request_watch.c
 * Links: toolstack/store/request_domain.c toolstack/store/state.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/support/failing_alloc.h"
#include "unit/toolstack/store/harness.h"

static struct harness h;

/*
 * 0 or a refusal that is allowed; a request that was not served is given up, as if its sender
 * had gone.
 */
static int allow(struct connection *conn, int rc)
{
	if (rc == -ENOMEM && conn->in)
		connection_request_done(conn);
	assert_true(rc == 0 || rc == -ENOMEM || rc == -EAGAIN || rc == -ENOENT || rc == -EACCES);
	return rc;
}

/* Returns whether domain 5 was released. */
static bool try_everything(struct connection *one)
{
	struct connection *c = &h.control;

	allow(c, put(&h, c, 0, "/a/b/c", "1"));
	allow(c, put(&h, c, 0, "/a/d", "2"));
	allow(c, ASK(&h, c, XS_SET_PERMS, 0, "/a/d\0n0\0b1"));
	allow(one, ASK(&h, one, XS_WATCH, 0, "/a\0t"));
	allow(one, put(&h, one, 0, "/a/d", "3"));
	allow(one, put(&h, one, 0, "/a/d/e/f", "3"));
	uint32_t tx = begin(&h, c);
	if (tx) {
		allow(c, get(&h, c, tx, "/a/b"));
		allow(c, put(&h, c, tx, "/a/b", "4"));
		allow(c, put(&h, c, tx, "/a/new/one", "4"));
		allow(c, ASK(&h, c, XS_RM, tx, "/a/b/c"));
		allow(c, end(&h, c, tx, true));
	} else if (c->in) {
		connection_request_done(c);
	}
	allow(c, ASK(&h, c, XS_INTRODUCE, 0, "5\0001\0001"));
	allow(c, put(&h, c, 0, "/five", "5"));
	allow(c, ASK(&h, c, XS_SET_PERMS, 0, "/five\0n5"));
	bool released = !allow(c, ASK(&h, c, XS_RELEASE, 0, "5"));
	allow(one, ASK(&h, one, XS_UNWATCH, 0, "/a\0t"));
	allow(c, ASK(&h, c, XS_RM, 0, "/a"));
	return released;
}

static void answers_without_memory(void **state)
{
	unsigned int n = 1;

	(void)state;
	for (;; n++) {
		harness_start(&h);
		struct connection *one = harness_guest(&h, 1);
		failing_alloc_arm(n);
		bool released = try_everything(one);
		bool hit = failing_alloc_hit();
		failing_alloc_arm(0);
		/* What failed for lack of memory only is done with the next tick. */
		store_tick(h.store, 1);
		if (released)
			assert_int_equal(h.store->owned[5], 0);
		assert_true(harness_check(&h));
		harness_stop(&h);
		if (!hit)
			break;
	}
	assert_true(n > 80);
}

static void replays_without_memory(void **state)
{
	struct record_buffer buffer = { 0 };
	unsigned int n = 1;
	size_t size;
	int rc;

	(void)state;
	harness_start(&h);
	struct connection *one = harness_guest(&h, 1);
	put(&h, &h.control, 0, "/local/domain/1/x", "1");
	ASK(&h, one, XS_WATCH, 0, "x\0t");
	begin(&h, one);
	store_dump(h.store, &buffer);
	harness_stop(&h);
	do {
		harness_start(&h);
		failing_alloc_arm(n++);
		rc = store_replay(h.store, buffer.bytes, buffer.len, &size);
		bool hit = failing_alloc_hit();
		failing_alloc_arm(0);
		assert_true(rc == 0 || (hit && rc == -ENOMEM));
		harness_stop(&h);
		if (!hit)
			break;
	} while (true);
	assert_true(n > 10);
	free(buffer.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_without_memory),
		cmocka_unit_test(replays_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
