/* SPDX-License-Identifier: MIT */
/*
 * Guests that fill their rings as fast as they can beside one that asks now and then: its answers
 * come at once, the flooders have their part of the processor and no more, wake nobody while they
 * wait, and are served all the same.
 *
 * Links: toolstack/store/wire.c toolstack/store/path.c toolstack/store/perms.c
 * Links: toolstack/store/tree.c toolstack/store/change.c toolstack/store/watch.c
 * Links: toolstack/store/transaction.c toolstack/store/connection.c toolstack/store/record.c
 * Links: toolstack/store/store.c toolstack/store/domain.c toolstack/store/request.c
 * Links: toolstack/store/request_node.c toolstack/store/request_watch.c
 * Links: toolstack/store/request_domain.c toolstack/store/state.c toolstack/store/journal.c
 * Links: toolstack/store/rewrite.c toolstack/store/budget.c toolstack/lib/file.c
 * Links: toolstack/store/ring.c toolstack/store/conn_ring.c toolstack/store/conn_socket.c
 * Links: toolstack/store/server.c toolstack/lib/error.c tests/unit/toolstack/store/rings.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/budget.h"
#include "store/server.h"
#include "unit/toolstack/store/rings.h"

enum { FLOODERS = 4, MODEST = 5, GUESTS = 5 };	/* ids 1 to 4, and 5 */

static char dir[] = "/tmp/enso-flood-XXXXXX";
static struct server server = { .listener = -1 };

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Takes what came; whether anything did. */
static bool take(unsigned int domid)
{
	struct xenstore_domain_interface *page = &rings_page[domid];
	bool some = page->rsp_cons != page->rsp_prod;

	page->rsp_cons = page->rsp_prod;
	return some;
}

/* One more request, if there is room. */
static bool write_node(unsigned int domid, unsigned int n)
{
	struct xenstore_domain_interface *page = &rings_page[domid];
	char bytes[sizeof(struct xsd_sockmsg) + 64];
	char *payload = bytes + sizeof(struct xsd_sockmsg);
	size_t len = (size_t)sprintf(payload, "data/n%03u", n % 900) + 1 + 20;
	struct xsd_sockmsg header = { .type = XS_WRITE, .len = (uint32_t)len };

	memset(payload + len - 20, 'v', 20);
	memcpy(bytes, &header, sizeof(header));
	len += sizeof(header);
	if (page->req_prod - page->req_cons + len > XENSTORE_RING_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		page->req[MASK_XENSTORE_IDX(page->req_prod + i)] = bytes[i];
	page->req_prod += (uint32_t)len;
	return true;
}

/* What all flooders do; how many requests of theirs were new. */
static unsigned int flood(void)
{
	static unsigned int n;
	unsigned int before = n;

	for (unsigned int domid = 1; domid <= FLOODERS; domid++) {
		take(domid);
		while (write_node(domid, n))
			n++;
		rings_fire(domid);
	}
	return n - before;
}

static void introduce(unsigned int domid)
{
	static const struct actor control = { .privileged = true };
	const struct store_perm owner = { domid, STORE_NONE };
	struct account account = { &control, &server.store->limits, 0 };
	struct perms *perms = perms_new(&owner, 1);
	struct value *value = value_new("", 0);
	char home[32];

	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	for (unsigned int i = 0; i < 2; i++) {
		struct change *change = i ? change_new(CHANGE_PERMS, home, NULL, perms)
					  : change_new(CHANGE_WRITE, home, value, NULL);
		struct effects effects;

		effects_init(&effects);
		assert_int_equal(change_apply(change, &server.store->tree, &account, &effects), 0);
		store_publish(server.store, &effects);
		change_free(change);
	}
	perms_put(perms);
	value_put(value);
	assert_int_equal(store_introduce_domain(server.store, domid, domid, domid), 0);
}

/* A request of the modest guest: after how many rounds it was answered. */
static unsigned int rounds_to_answer(unsigned int n)
{
	unsigned int rounds = 0;

	assert_true(write_node(MODEST, n));
	rings_fire(MODEST);
	do {
		flood();
		assert_int_equal(server_round(&server), 0);
		assert_true(++rounds < 100);
	} while (!take(MODEST));
	return rounds;
}

static void floods_have_their_part(void **state)
{
	const double bursts = FLOODERS * (BUDGET_BURST / 1e9);
	double started, used, took;
	unsigned int served = 0, told, most = 0, asked = 0;

	(void)state;
	/* Until their bursts are spent. */
	for (started = seconds(); seconds() - started < 4 * bursts + 1;) {
		flood();
		assert_int_equal(server_round(&server), 0);
	}
	told = rings_told[1];
	used = (double)server_used();
	for (started = seconds(); (took = seconds() - started) < 3;) {
		unsigned int rounds;

		served += flood();
		usleep(1000);
		if (asked++ % 10)
			continue;
		rounds = rounds_to_answer(asked);
		most = rounds > most ? rounds : most;
	}
	used = ((double)server_used() - used) / 1e9;
	told = rings_told[1] - told;
	printf("in %.1f s: %.2f s of the processor, %u requests of floods, %u events of one, "
	       "at most %u rounds to an answer\n", took, used, served, told, most);
	/* The test's own part is in it, too. */
	assert_true(used < took / BUDGET_ALL * 2 + 0.3);
	assert_true(served > 100);
	/* No event without a turn. */
	assert_true(told <= served / FLOODERS / SERVER_TURN_GUEST + 50);
	assert_true(most <= 2);
}

static int setup(void **state)
{
	struct error err;

	(void)state;
	rings_init();
	assert_non_null(mkdtemp(dir));
	server.store = store_new(&ring_io, &server);
	assert_non_null(server.store);
	assert_int_equal(journal_open(&server.journal, dir), 0);
	assert_int_equal(ring_open(&server, &err), 0);
	assert_int_equal(ring_start(&server, &err), 0);
	assert_int_equal(journal_rewrite(&server.journal, server.store), 0);
	for (unsigned int domid = 1; domid <= GUESTS; domid++)
		introduce(domid);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	while (server.store->domains && server.store->domains->ring)
		store_release_domain(server.store, server.store->domains);
	journal_close(&server.journal);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floods_have_their_part),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
