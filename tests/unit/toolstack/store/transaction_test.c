/* SPDX-License-Identifier: MIT */
/*
 * Transactions: isolation, conflicts, and a random run against a model that executes whole
 * transactions one by one.
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

static struct harness h;

static int setup(void **state)
{
	(void)state;
	harness_start(&h);
	put(&h, &h.control, 0, "/a", "1");
	put(&h, &h.control, 0, "/b", "1");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_true(harness_check(&h));
	harness_stop(&h);
	return 0;
}

static void shows_changes_at_the_end(void **state)
{
	struct connection *c = &h.control;

	(void)state;
	ASK(&h, c, XS_WATCH, 0, "/\0t");
	h.events = 0;
	uint32_t tx = begin(&h, c);
	assert_int_equal(put(&h, c, tx, "/a", "2"), 0);
	assert_int_equal(put(&h, c, tx, "/new/x", "2"), 0);
	assert_int_equal(ASK(&h, c, XS_RM, tx, "/b"), 0);
	assert_int_equal(get(&h, c, tx, "/a"), 0);
	assert_string_equal(h.reply, "2");
	assert_int_equal(get(&h, c, tx, "/b"), -ENOENT);
	assert_int_equal(get(&h, c, 0, "/a"), 0);
	assert_string_equal(h.reply, "1");
	assert_int_equal(get(&h, c, 0, "/new/x"), -ENOENT);
	assert_int_equal(h.events, 0);
	assert_int_equal(end(&h, c, tx, true), 0);
	assert_int_equal(h.events, 3);
	assert_int_equal(get(&h, c, 0, "/new/x"), 0);
	assert_int_equal(get(&h, c, 0, "/b"), -ENOENT);
	assert_int_equal(end(&h, c, tx, true), -ENOENT); /* it is over */
}

static void forgets_on_abort(void **state)
{
	struct connection *c = &h.control;

	(void)state;
	uint32_t tx = begin(&h, c);
	put(&h, c, tx, "/a", "2");
	assert_int_equal(ASK(&h, c, XS_TRANSACTION_END, tx, "X"), -EINVAL);
	assert_int_equal(end(&h, c, tx, false), 0);
	get(&h, c, 0, "/a");
	assert_string_equal(h.reply, "1");
}

/*
 * What one has read, another changes: the first must start again. What it has only written is
 * no conflict.
 */
static void finds_conflicts(void **state)
{
	struct connection *c = &h.control;

	(void)state;
	uint32_t tx = begin(&h, c);
	get(&h, c, tx, "/a");
	put(&h, c, tx, "/b", "from tx");
	put(&h, c, 0, "/a", "2");
	assert_int_equal(end(&h, c, tx, true), -EAGAIN);
	get(&h, c, 0, "/b");
	assert_string_equal(h.reply, "1");

	tx = begin(&h, c); /* the same value again is a change too */
	get(&h, c, tx, "/a");
	put(&h, c, tx, "/b", "x");
	put(&h, c, 0, "/a", "2");
	assert_int_equal(end(&h, c, tx, true), -EAGAIN);

	tx = begin(&h, c); /* that it was not there */
	assert_int_equal(get(&h, c, tx, "/no"), -ENOENT);
	put(&h, c, tx, "/b", "x");
	put(&h, c, 0, "/no", "");
	assert_int_equal(end(&h, c, tx, true), -EAGAIN);

	tx = begin(&h, c); /* which children there were */
	ASK(&h, c, XS_DIRECTORY, tx, "/no");
	put(&h, c, tx, "/b", "x");
	put(&h, c, 0, "/no/child", "");
	assert_int_equal(end(&h, c, tx, true), -EAGAIN);

	tx = begin(&h, c); /* a node that went and came */
	get(&h, c, tx, "/no/child");
	put(&h, c, tx, "/b", "x");
	ASK(&h, c, XS_RM, 0, "/no/child");
	put(&h, c, 0, "/no/child", "");
	assert_int_equal(end(&h, c, tx, true), -EAGAIN);

	tx = begin(&h, c);
	put(&h, c, tx, "/dir/one", "x");
	put(&h, c, 0, "/dir/two", "x");
	put(&h, c, 0, "/a", "3");
	assert_int_equal(end(&h, c, tx, true), 0);

	tx = begin(&h, c); /* it only read: what it saw was one state */
	get(&h, c, tx, "/a");
	put(&h, c, 0, "/a", "4");
	get(&h, c, tx, "/a");
	assert_string_equal(h.reply, "3");
	assert_int_equal(end(&h, c, tx, true), 0);
}

/* A right that is lost before the end is lost for the transaction. */
static void applies_rights_at_the_end(void **state)
{
	struct connection *c = &h.control, *one = harness_guest(&h, 1);

	(void)state;
	ASK(&h, c, XS_SET_PERMS, 0, "/a\0n0\0b1");
	uint32_t tx = begin(&h, one);
	assert_int_equal(put(&h, one, tx, "/a", "2"), 0);
	ASK(&h, c, XS_SET_PERMS, 0, "/a\0n0");
	assert_int_equal(end(&h, one, tx, true), -EAGAIN);
	get(&h, c, 0, "/a");
	assert_string_equal(h.reply, "1");
}

/* Quotas hold over transactions that are open side by side. */
static void counts_nodes_at_the_end(void **state)
{
	struct connection *c = &h.control, *one = harness_guest(&h, 1);

	(void)state;
	put(&h, c, 0, "/local/domain/1", "");
	ASK(&h, c, XS_SET_PERMS, 0, "/local/domain/1\0n1");
	h.store->limits.nodes = 3;
	uint32_t first = begin(&h, one), second = begin(&h, one);
	assert_int_equal(put(&h, one, first, "x/y", ""), 0);
	assert_int_equal(put(&h, one, first, "z", ""), -ENOSPC);
	assert_int_equal(put(&h, one, second, "u/v", ""), 0);
	assert_int_equal(end(&h, one, first, true), 0);
	assert_int_equal(end(&h, one, second, true), -EAGAIN);
	assert_int_equal(h.store->owned[1], 3);
	/* What is removed in a transaction makes room in it. */
	uint32_t third = begin(&h, one);
	assert_int_equal(put(&h, one, third, "u", ""), -ENOSPC);
	assert_int_equal(ASK(&h, one, XS_RM, third, "x"), 0);
	assert_int_equal(put(&h, one, third, "u/v", ""), 0);
	assert_int_equal(put(&h, one, third, "w", ""), -ENOSPC);
	assert_int_equal(end(&h, one, third, true), 0);
	assert_int_equal(h.store->owned[1], 3);
}

static void dooms_the_old(void **state)
{
	struct connection *c = &h.control, *one = harness_guest(&h, 1);

	(void)state;
	put(&h, c, 0, "/local/domain/1", "");
	ASK(&h, c, XS_SET_PERMS, 0, "/local/domain/1\0n1");
	uint32_t tx = begin(&h, one);
	put(&h, one, tx, "x", "");
	store_tick(h.store, h.store->limits.tx_seconds + 1);
	assert_int_equal(get(&h, one, tx, "x"), -ENOENT); /* goes on with the tree as it is */
	assert_int_equal(put(&h, one, tx, "x", ""), 0);
	assert_int_equal(end(&h, one, tx, true), -EAGAIN);
	assert_int_equal(get(&h, one, 0, "x"), -ENOENT);
}

/* What a doomed one still does costs no more than what another may. */
static void bounds_the_doomed(void **state)
{
	struct connection *one = harness_guest(&h, 1);
	char path[32];
	int rc = 0;

	(void)state;
	put(&h, &h.control, 0, "/local/domain/1", "");
	ASK(&h, &h.control, XS_SET_PERMS, 0, "/local/domain/1\0n1");
	uint32_t tx = begin(&h, one);
	store_tick(h.store, h.store->limits.tx_seconds + 1);
	for (unsigned int i = 0; i < 5000 && !rc; i++) {
		sprintf(path, "n%u", i);
		rc = put(&h, one, tx, path, "");
	}
	assert_int_equal(rc, -ENOSPC);
	assert_int_equal(end(&h, one, tx, true), -EAGAIN);
}

/* Long paths and large values count, not only nodes. */
static void bounds_bytes(void **state)
{
	struct connection *one = harness_guest(&h, 1);
	char big[2000], path[32];
	unsigned int i;
	int rc = 0;

	(void)state;
	memset(big, 'v', sizeof(big));
	big[sizeof(big) - 1] = 0;
	put(&h, &h.control, 0, "/local/domain/1", "");
	ASK(&h, &h.control, XS_SET_PERMS, 0, "/local/domain/1\0n1");
	uint32_t tx = begin(&h, one);
	for (i = 0; i < 100 && !rc; i++) {
		sprintf(path, "n%u", i);
		rc = put(&h, one, tx, path, big);
	}
	assert_int_equal(rc, -ENOSPC);
	assert_in_range(i, 20, 40);
	memset(big, 'p', sizeof(big));
	big[sizeof(big) - 1] = 0;
	uint32_t second = begin(&h, one);
	for (i = 0, rc = 0; i < 100 && rc != -ENOSPC; i++) {
		big[0] = (char)('A' + i % 26);
		big[1] = (char)('A' + i / 26);
		rc = get(&h, one, second, big);
	}
	assert_in_range(i, 20, 40);
	assert_int_equal(end(&h, one, tx, true), 0);
}

/*
 * Guests that keep the old versions of a tree alive whose nodes they write again and again: memory
 * stays bounded, and a short transaction of another guest is not what is doomed for it.
 */
static void bounds_history(void **state)
{
	struct connection *c = &h.control, *other = harness_guest(&h, 9);
	char big[2000], path[64];
	uint32_t kept;

	(void)state;
	h.store->limits.history = 1 << 20;
	h.store->memory_mark = 0;
	memset(big, 'v', sizeof(big));
	big[sizeof(big) - 1] = 0;
	for (uint32_t id = 1; id <= 9; id++) {
		sprintf(path, "/local/domain/%u", id);
		put(&h, c, 0, path, "");
		size_t len = (size_t)sprintf(path, "/local/domain/%u%cn%u", id, 0, id) + 1;
		assert_int_equal(ask(&h, c, XS_SET_PERMS, 0, path, len), 0);
	}
	put(&h, other, 0, "counter", "1");
	for (unsigned int round = 0; round < 40; round++) {
		kept = begin(&h, other);
		assert_int_equal(get(&h, other, kept, "counter"), 0);
		for (uint32_t id = 1; id <= 4; id++) {
			struct connection *bad = harness_guest(&h, id);
			unsigned int most = h.store->limits.transactions;
			if (!begin(&h, bad)) /* it has all that it may have */
				end(&h, bad, bad->last_tx - most + 1, false);
			for (unsigned int i = 0; i < 50; i++) {
				sprintf(path, "n%u", i);
				big[0] = (char)('a' + round % 26);
				assert_int_equal(put(&h, bad, 0, path, big), 0);
				assert_true(tree_memory() <= tree_size(&h.store->tree) +
				    h.store->limits.history);
			}
		}
		assert_int_equal(put(&h, other, kept, "counter", "2"), 0);
		assert_int_equal(end(&h, other, kept, true), 0);
	}
}

#define NODES 4
#define CLIENTS 3
#define STEPS 20000

/*
 * Clients open transactions at random, read and increase counters in them, and commit. The
 * model: a commit that is accepted must have read what the counters were at that moment, so
 * that it could have run alone then.
 */
static void is_serializable(void **state)
{
	static const char *const paths[NODES] = { "/m/a", "/m/b", "/m/a/c", "/m/d/e/f" };
	int model[NODES] = { 0 };
	struct {
		uint32_t tx;
		int seen[NODES], wrote[NODES];
	} clients[CLIENTS] = { 0 };
	unsigned int commits = 0, conflicts = 0;
	char text[16];

	(void)state;
	srand(1);
	for (int i = 0; i < STEPS; i++) {
		int who = rand() % CLIENTS, node = rand() % NODES, what = rand() % 8;
		if (!clients[who].tx) {
			clients[who].tx = begin(&h, &h.control);
			memset(clients[who].seen, -1, sizeof(clients[who].seen));
			memset(clients[who].wrote, -1, sizeof(clients[who].wrote));
		} else if (what < 6) {
			int rc = get(&h, &h.control, clients[who].tx, paths[node]);
			int value = rc ? 0 : atoi(h.reply);
			if (clients[who].wrote[node] >= 0)
				assert_int_equal(value, clients[who].wrote[node]);
			else
				clients[who].seen[node] = value;
			if (what < 3) {
				sprintf(text, "%d", value + 1);
				assert_int_equal(
					put(&h, &h.control, clients[who].tx, paths[node], text), 0);
				clients[who].wrote[node] = value + 1;
			}
		} else {
			int rc = end(&h, &h.control, clients[who].tx, what == 6);
			clients[who].tx = 0;
			bool wrote = false;
			for (int n = 0; n < NODES; n++)
				wrote |= clients[who].wrote[n] >= 0;
			for (int n = 0; n < NODES && !rc && what == 6 && wrote; n++) {
				if (clients[who].seen[n] >= 0)
					assert_int_equal(clients[who].seen[n], model[n]);
				if (clients[who].wrote[n] >= 0)
					model[n] = clients[who].wrote[n];
			}
			commits += !rc && what == 6;
			conflicts += rc == -EAGAIN;
		}
	}
	assert_true(commits > 100 && conflicts > 100);
	for (int n = 0; n < NODES; n++) {
		int rc = get(&h, &h.control, 0, paths[n]);
		assert_int_equal(rc ? 0 : atoi(h.reply), model[n]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(shows_changes_at_the_end), TEST(forgets_on_abort), TEST(finds_conflicts),
		TEST(applies_rights_at_the_end), TEST(counts_nodes_at_the_end), TEST(dooms_the_old),
		TEST(bounds_the_doomed), TEST(bounds_bytes), TEST(bounds_history),
		TEST(is_serializable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
