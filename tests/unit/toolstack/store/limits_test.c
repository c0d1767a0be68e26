/* SPDX-License-Identifier: MIT */
/*
 * What all guests together may take of the daemon's memory: who has much is refused first, who
 * has little gets what it needs, the control domain always.
 *
 * Links: tests/unit/toolstack/store/harness.c
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
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/toolstack/store/harness.h"

static struct harness harness;

/* Nodes that a guest can make before it is refused, each with a value of so many bytes. */
static int fill(struct harness *h, struct connection *conn, const char *prefix, size_t bytes)
{
	char value[2049] = "", path[32];
	int n = 0, rc;

	memset(value, 'v', bytes);
	do {
		sprintf(path, "%s%d", prefix, n);
		rc = put(h, conn, 0, path, value);
	} while (!rc && ++n < 100000);
	assert_int_equal(rc, -ENOSPC);
	return n;
}

static void limits_all_guests_together(void **state)
{
	struct harness *h = &harness;
	struct connection *guest[4];
	char path[64], big[300] = "";
	size_t before;

	(void)state;
	harness_start(h);
	before = tree_memory();

	for (int i = 1; i < 4; i++) {
		guest[i] = harness_guest(h, (uint32_t)i);
		sprintf(path, "/local/domain/%d", i);
		put(h, &h->control, 0, path, "");
		sprintf(big, "%s%cn%d", path, 0, i);
		ask(h, &h->control, XS_SET_PERMS, 0, big, strlen(path) + 4);
	}
	h->store->limits.total = before + (1 << 20);
	assert_ptr_equal(store_limits(h->store), &h->store->limits);
	/* one takes what it may have, and is held to less when there is too much */
	assert_true(fill(h, guest[1], "n", 2048) < 1000);
	fill(h, guest[1], "m", 1);
	assert_true(h->store->owned[1] > 128);
	/* the next have enough for what they need, but not for more */
	memset(big, 'b', sizeof(big) - 1);
	assert_int_equal(put(h, guest[2], 0, "big", big), -ENOSPC);
	assert_int_equal(fill(h, guest[2], "n", 200), 127);
	assert_true(begin(h, guest[2]));
	assert_int_equal(end(h, guest[2], guest[2]->last_tx, false), 0);
	for (int i = 0; i < 32; i++) {
		sprintf(path, "n%d", i);
		sprintf(big, "%s%ctoken", path, 0);
		assert_int_equal(ask(h, guest[2], XS_WATCH, 0, big, strlen(path) + 7), 0);
	}
	assert_int_equal(ASK(h, guest[2], XS_WATCH, 0, "n100\0token"), -ENOSPC);
	/* twice as much: nothing new, but what is there may change */
	h->store->limits.total = before + 1;
	assert_int_equal(put(h, guest[3], 0, "new", ""), -ENOSPC);
	assert_int_equal(put(h, guest[2], 0, "n1", "4"), 0);
	assert_int_equal(put(h, guest[1], 0, "n1", "shorter"), 0);
	assert_int_equal(ASK(h, guest[3], XS_WATCH, 0, "n1\0token"), -ENOSPC);
	/* the control domain goes on */
	assert_int_equal(put(h, &h->control, 0, "/local/domain/9/name", "later"), 0);
	h->store->limits.total = before + (1 << 20);
	/* what ends gives back what it had */
	for (int i = 1; i < 3; i++) {
		sprintf(path, "%d", i);
		assert_int_equal(ask(h, &h->control, XS_RELEASE, 0, path, 2), 0);
		store_reap_domains(h->store);
	}
	assert_ptr_equal(store_limits(h->store), &h->store->limits);
	assert_int_equal(put(h, guest[3], 0, "new", ""), 0);
	assert_true(harness_check(h));
	harness_stop(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_all_guests_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
