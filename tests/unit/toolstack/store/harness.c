/* SPDX-License-Identifier: MIT */
/* A store without I/O, for tests: see harness.h. */
#include "unit/toolstack/store/harness.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ring {
	int unused;
};

static struct ring some_ring;

static int io_connect(struct store *store, struct domain *domain)
{
	struct harness *harness = store->io_context;

	harness->connects++;
	if (harness->connect_result)
		return harness->connect_result;
	domain->ring = &some_ring;
	return 0;
}

static void io_disconnect(struct store *store, struct domain *domain)
{
	struct harness *harness = store->io_context;

	assert(domain->ring == &some_ring);
	harness->disconnects++;
}

static const struct store_io io = { io_connect, io_disconnect };

void harness_start(struct harness *harness)
{
	static const struct actor control = { .privileged = true };

	memset(harness, 0, sizeof(*harness));
	harness->store = store_new(&io, harness);
	assert(harness->store);
	store_add(harness->store, &harness->control, &control, false);
}

void harness_stop(struct harness *harness)
{
	store_free(harness->store);
}

struct connection *harness_guest(struct harness *harness, uint32_t domid)
{
	struct domain *domain = store_find_domain(harness->store, domid);

	if (!domain) {
		int rc = store_introduce_domain(harness->store, domid, 1000 + domid, 1);
		assert(!rc);
		domain = store_find_domain(harness->store, domid);
	}
	return &domain->conn;
}

/* Takes one message off the connection. False: there is none. */
static bool take(struct harness *harness, struct connection *conn)
{
	const char *bytes;
	size_t len = connection_output(conn, &bytes);
	struct xsd_sockmsg header;

	if (!len)
		return false;
	memcpy(&header, bytes, sizeof(header));
	assert(len == sizeof(header) + header.len && header.len <= XENSTORE_PAYLOAD_MAX);
	bytes += sizeof(header);
	if (header.type == XS_WATCH_EVENT) {
		struct wire_reader reader = { bytes, header.len };
		strcpy(harness->event, wire_string(&reader));
		strcpy(harness->token, wire_string(&reader));
		assert(!reader.left);
		harness->events++;
	} else {
		harness->reply_type = header.type;
		harness->reply_len = header.len;
		memcpy(harness->reply, bytes, header.len);
		harness->reply[header.len] = 0;
	}
	connection_sent(conn, len);
	return true;
}

unsigned int take_events(struct harness *harness, struct connection *conn)
{
	unsigned int before = harness->events;

	while (take(harness, conn))
		continue;
	return harness->events - before;
}

int ask(struct harness *harness, struct connection *conn, uint32_t type, uint32_t tx,
	const char *bytes, size_t len)
{
	struct xsd_sockmsg header = {
		.type = type, .req_id = 7, .tx_id = tx, .len = (uint32_t)len
	};

	take_events(harness, conn);
	ptrdiff_t taken = connection_receive(conn, &header, sizeof(header));
	if (taken < 0)
		return (int)taken;
	if (len)
		taken = connection_receive(conn, bytes, len);
	if (taken < 0)
		return (int)taken;
	int rc = store_serve(harness->store, conn);
	if (rc)
		return rc;
	store_reap_domains(harness->store);
	harness->reply_type = XS_INVALID;
	while (take(harness, conn))
		continue;
	assert(harness->reply_type == type || harness->reply_type == XS_ERROR);
	if (harness->reply_type == XS_ERROR)
		return wire_error_number(harness->reply, harness->reply_len);
	return 0;
}

int put(struct harness *harness, struct connection *conn, uint32_t tx, const char *path,
	const char *value)
{
	char bytes[XENSTORE_PAYLOAD_MAX];
	size_t path_size = strlen(path) + 1;

	memcpy(bytes, path, path_size);
	memcpy(bytes + path_size, value, strlen(value));
	return ask(harness, conn, XS_WRITE, tx, bytes, path_size + strlen(value));
}

int get(struct harness *harness, struct connection *conn, uint32_t tx, const char *path)
{
	return ask(harness, conn, XS_READ, tx, path, strlen(path) + 1);
}

uint32_t begin(struct harness *harness, struct connection *conn)
{
	int rc = ASK(harness, conn, XS_TRANSACTION_START, 0, "");

	return rc ? 0 : (uint32_t)atoi(harness->reply);
}

int end(struct harness *harness, struct connection *conn, uint32_t tx, bool commit)
{
	return ask(harness, conn, XS_TRANSACTION_END, tx, commit ? "T" : "F", 2);
}

static int count_owner(const struct node *node, const char *path, void *context)
{
	uint32_t *owned = context;

	(void)path;
	owned[node->perms->list[0].domid]++;
	return 0;
}

bool harness_check(struct harness *harness)
{
	struct store *store = harness->store;
	uint32_t *owned = calloc(PERMS_DOMID_END, sizeof(owned[0]));
	struct path root = { "/" };
	unsigned int watches = 0;

	node_walk(store->tree.root, &root, count_owner, owned);
	bool same = !memcmp(owned, store->owned, sizeof(store->owned));
	free(owned);
	for (const struct connection *conn = store->connections; conn; conn = conn->next) {
		for (const struct watch *watch = conn->watches; watch; watch = watch->conn_next)
			watches++;
	}
	return same && watches == store->watches.count && tree_check(&store->tree);
}
