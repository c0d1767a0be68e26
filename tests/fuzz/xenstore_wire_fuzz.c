/* SPDX-License-Identifier: MIT */
/*
 * Any bytes from two guests, and requests of the control domain: whatever comes, the store's
 * invariants and limits hold, every complete request gets one reply, and the journal rebuilds
 * the same tree.
 *
 * Links: tests/unit/toolstack/store/harness.c toolstack/store/wire.c toolstack/store/path.c
 * Links: toolstack/store/perms.c toolstack/store/tree.c toolstack/store/change.c
 * Links: toolstack/store/watch.c toolstack/store/transaction.c toolstack/store/connection.c
 * Links: toolstack/store/record.c toolstack/store/store.c toolstack/store/domain.c
 * Links: toolstack/store/request.c toolstack/store/request_node.c toolstack/store/request_watch.c
 * Links: toolstack/store/request_domain.c toolstack/store/state.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unit/toolstack/store/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Serves what came, and carries away what waits. */
static void serve(struct harness *h, struct connection *conn)
{
	while (connection_ready(conn)) {
		require(!store_serve(h->store, conn));
		h->reply_type = XS_INVALID;
		take_events(h, conn);
		require(h->reply_type != XS_INVALID);
	}
	take_events(h, conn);
	require(conn->actor.privileged || conn->n_watches <= h->store->limits.watches);
	require(conn->actor.privileged || conn->n_transactions <= h->store->limits.transactions);
}

static void receive(struct harness *h, struct connection *conn, const char *bytes, size_t len)
{
	while (len && !conn->broken) {
		ptrdiff_t taken = connection_receive(conn, bytes, len);
		if (taken < 0)
			return;
		bytes += taken;
		len -= (size_t)taken;
		serve(h, conn);
	}
}

/*
 * A request with a header made of a few of the input's bytes, so that deep places are found
 * fast.
 */
static void short_request(struct harness *h, struct connection *conn, const uint8_t *data,
			  size_t len)
{
	struct xsd_sockmsg header = { .type = data[0] % 24, .req_id = 1, .tx_id = data[1] % 4 };

	header.len = (uint32_t)(len - 2);
	receive(h, conn, (char *)&header, sizeof(header));
	receive(h, conn, (const char *)data + 2, len - 2);
}

/* What a daemon that was killed now would start with. */
static void replay(struct harness *h)
{
	static struct harness again;
	struct record_buffer first = { 0 }, second = { 0 };
	size_t used;

	store_dump(h->store, &first);
	harness_start(&again);
	require(!store_replay(again.store, first.bytes, first.len, &used) && used == first.len);
	require(harness_check(&again));
	require(!memcmp(again.store->owned, h->store->owned, sizeof(h->store->owned)));
	store_dump(again.store, &second);
	require(first.len == second.len);
	harness_stop(&again);
	free(first.bytes);
	free(second.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct harness h;
	struct connection *who[3];

	harness_start(&h);
	h.store->limits = (struct limits){ .nodes = 20, .value = 64, .perms = 3, .watches = 4,
					   .events = 8, .event_bytes = 400, .transactions = 3,
					   .tx_nodes = 8, .tx_bytes = 300, .tx_seconds = 60,
					   .history = 4000 };
	put(&h, &h.control, 0, "/local/domain/1", "");
	ASK(&h, &h.control, XS_SET_PERMS, 0, "/local/domain/1\0n1\0r2");
	harness_guest(&h, 1);
	harness_guest(&h, 2);
	while (size >= 3) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;
		who[0] = &h.control;
		who[1] = harness_guest(&h, 1);
		who[2] = harness_guest(&h, 2);
		struct connection *conn = who[data[0] % 3];
		if (data[0] & 0x80)
			receive(&h, conn, (const char *)data + 2, len);
		else if (len >= 2)
			short_request(&h, conn, data + 2, len);
		if (data[0] & 0x40)
			store_tick(h.store, h.store->now + data[0] % 100);
		data += 2 + len;
		size -= 2 + len;
		h.store->log.len = 0;
	}
	require(harness_check(&h));
	for (uint32_t domid = 1; domid < 3; domid++)
		connection_drop_queues(harness_guest(&h, domid));
	replay(&h);
	harness_stop(&h);
	return 0;
}
