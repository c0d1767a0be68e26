/* SPDX-License-Identifier: MIT */
/*
 * The whole state to records and back: store_dump() and store_replay(), see store.h and
 * record.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

static void dump_perms(struct record_buffer *buffer, const struct perms *perms)
{
	record_bytes(buffer, perms->list, perms->count * sizeof(perms->list[0]));
}

/* A frame per node keeps the damage of a cut stream small. */
static void dump_node(const struct node *node, const char *path, struct record_buffer *buffer)
{
	size_t frame = record_frame_begin(buffer);

	record_begin(buffer, RECORD_NODE);
	record_string(buffer, path);
	dump_perms(buffer, node->perms);
	record_bytes(buffer, node->value ? node->value->data : "",
		     node->value ? node->value->len : 0);
	record_frame_end(buffer, frame);
}

bool store_dump_nodes(const struct tree *tree, struct path *at, size_t bytes,
		      struct record_buffer *buffer)
{
	const struct node *node = tree_find(tree, at->text);
	size_t start = buffer->len;

	do {
		dump_node(node, at->text, buffer);
		node = tree_next(tree, at);
	} while (node && !buffer->failed && buffer->len - start < bytes);
	return node;
}

static void dump_watches(struct record_buffer *buffer, const struct connection *conn)
{
	for (const struct watch *watch = conn->watches; watch; watch = watch->conn_next) {
		record_begin(buffer, RECORD_WATCH);
		record_u32(buffer, conn->actor.domid);
		record_string(buffer, watch->path + watch->prefix);
		record_string(buffer, watch->token);
	}
}

static void dump_domain(struct record_buffer *buffer, const struct domain *domain)
{
	const struct connection *conn = &domain->conn;
	size_t frame = record_frame_begin(buffer);

	store_log_domain(buffer, domain);
	store_log_input(buffer, conn);
	store_log_output(buffer, conn);
	dump_watches(buffer, conn);
	for (const struct transaction *tx = conn->transactions; tx; tx = tx->next) {
		record_begin(buffer, RECORD_TX_START);
		record_u32(buffer, domain->domid);
		record_u32(buffer, tx->id);
	}
	record_frame_end(buffer, frame);
}

void store_dump_rest(struct store *store, struct record_buffer *buffer)
{
	size_t frame = record_frame_begin(buffer);
	for (uint32_t i = 0; i < 2; i++) {
		record_begin(buffer, RECORD_SPECIAL);
		record_u32(buffer, i);
		dump_perms(buffer, store->special[i]);
	}
	record_frame_end(buffer, frame);
	for (const struct domain *domain = store->domains; domain; domain = domain->next) {
		if (!domain->gone)
			dump_domain(buffer, domain);
	}
}

void store_dump(struct store *store, struct record_buffer *buffer)
{
	struct path at = { "/" };

	store_dump_nodes(&store->tree, &at, SIZE_MAX, buffer);
	store_dump_rest(store, buffer);
}

static int get_perms(struct record_reader *record, struct perms **perms)
{
	size_t len;
	const char *bytes = record_get_bytes(record, &len);
	struct store_perm list[PERMS_MAX];

	if (!bytes || !len || len % sizeof(list[0]) || len > sizeof(list))
		return -EPROTO;
	memcpy(list, bytes, len);
	unsigned int count = (unsigned int)(len / sizeof(list[0]));
	for (unsigned int i = 0; i < count; i++) {
		if (list[i].domid >= PERMS_DOMID_END || list[i].access > STORE_BOTH)
			return -EPROTO;
	}
	*perms = perms_new(list, count);
	return *perms ? 0 : -ENOMEM;
}

/* A path that has been made canonical before. */
static bool get_path(struct record_reader *record, struct path *path)
{
	const char *text = record_get_string(record);

	return text && text[0] == '/' && !path_canonical(text, 0, path);
}

static int replay_node(struct store *store, struct record_reader *record)
{
	struct perms *perms = NULL;
	struct value *value = NULL;
	struct path path;
	unsigned int created;
	size_t len;
	int rc = get_path(record, &path) ? get_perms(record, &perms) : -EPROTO;

	const char *bytes = rc ? NULL : record_get_bytes(record, &len);
	if (!rc && (!bytes || len > XENSTORE_PAYLOAD_MAX))
		rc = -EPROTO;
	if (!rc && !(value = value_new(bytes, len)))
		rc = -ENOMEM;
	if (!rc)
		rc = tree_set(&store->tree, path.text, perms, value, &created);
	value_put(value);
	perms_put(perms);
	return rc;
}

static int replay_gone(struct store *store, struct record_reader *record)
{
	struct node *removed;
	struct path path;

	if (!get_path(record, &path))
		return -EPROTO;
	if (!path.text[1] || !tree_find(&store->tree, path.text))
		return -EPROTO;
	int rc = tree_remove(&store->tree, path.text, &removed);
	if (!rc)
		node_put(removed);
	return rc;
}

static int replay_special(struct store *store, struct record_reader *record)
{
	uint32_t which = record_get_u32(record);
	struct perms *perms;
	int rc = which < 2 ? get_perms(record, &perms) : -EPROTO;

	if (rc)
		return rc;
	perms_put(store->special[which]);
	store->special[which] = perms;
	return 0;
}

static int replay_domain(struct store *store, struct record_reader *record)
{
	uint32_t domid = record_get_u32(record), target = record_get_u32(record);
	uint64_t frame = record_get_u64(record);
	uint32_t port = record_get_u32(record), shutdown = record_get_u32(record);

	if (record->failed || domid >= PERMS_DOMID_END || target >= PERMS_DOMID_END)
		return -EPROTO;
	struct domain *domain = store_find_domain(store, domid);
	if (!domain)
		domain = store_add_domain(store, domid, frame, port);
	if (!domain)
		return -ENOMEM;
	domain->conn.actor.target = target;
	domain->shutdown = shutdown;
	return 0;
}

static int replay_released(struct store *store, struct domain *domain)
{
	struct domain **at = &store->domains;

	while (*at != domain)
		at = &(*at)->next;
	*at = domain->next;
	store_remove(store, &domain->conn);
	free(domain);
	return 0;
}

static int replay_watch(struct store *store, struct domain *domain, bool add,
			struct record_reader *record)
{
	const char *path = record_get_string(record),
		   *token = path ? record_get_string(record) : NULL;

	if (!token)
		return -EPROTO;
	if (!add)
		return store_remove_watch(store, &domain->conn, path, token);
	return store_add_watch(store, &domain->conn, path, token);
}

static int replay_tx(struct store *store, struct domain *domain, bool start,
		     struct record_reader *record)
{
	struct connection *conn = &domain->conn;
	uint32_t id = record_get_u32(record);
	struct transaction *tx = store_find_tx(conn, id);

	if (record->failed || start == (tx != NULL))
		return -EPROTO;
	if (!start) {
		store_end_tx(store, conn, tx);
		return 0;
	}
	tx = transaction_new(id, &store->tree, 0, 0);
	if (!tx)
		return -ENOMEM;
	tx->doomed = true;
	tx->next = conn->transactions;
	conn->transactions = tx;
	conn->n_transactions++;
	conn->last_tx = id;
	return 0;
}

static int replay_input(struct domain *domain, struct record_reader *record)
{
	struct connection *conn = &domain->conn;
	uint32_t pos = record_get_u32(record);
	size_t len;
	const char *bytes = record_get_bytes(record, &len);

	if (!bytes)
		return -EPROTO;
	connection_request_done(conn);
	conn->in_pos = pos;
	if (!len)
		return 0;
	ptrdiff_t taken = connection_receive(conn, bytes, len);
	if (taken < 0)
		return (int)taken;
	return (size_t)taken == len ? 0 : -EPROTO;
}

static int replay_output(struct domain *domain, struct record_reader *record)
{
	struct connection *conn = &domain->conn;
	uint32_t pos = record_get_u32(record);
	size_t len;
	const char *bytes = record_get_bytes(record, &len);

	if (!bytes || len > sizeof(struct wire_message))
		return -EPROTO;
	if (conn->out)
		connection_sent(conn, conn->out->len - conn->out_sent);
	conn->out_pos = pos;
	if (!len)
		return 0;
	struct message *message = message_new(len);
	if (!message)
		return -ENOMEM;
	memcpy(message->bytes, bytes, len);
	connection_reply(conn, message);
	return 0;
}

/* The records that begin with the id of a domain that is known. */
static int replay_of_domain(struct store *store, enum record_kind kind,
			    struct record_reader *record)
{
	struct domain *domain = store_find_domain(store, record_get_u32(record));

	if (!domain)
		return -EPROTO;
	switch (kind) {
	case RECORD_RELEASED:
		return replay_released(store, domain);
	case RECORD_WATCH:
	case RECORD_UNWATCH:
		return replay_watch(store, domain, kind == RECORD_WATCH, record);
	case RECORD_TX_START:
	case RECORD_TX_END:
		return replay_tx(store, domain, kind == RECORD_TX_START, record);
	case RECORD_RESET:
		store_reset(store, &domain->conn);
		return 0;
	case RECORD_INPUT:
		return replay_input(domain, record);
	case RECORD_OUTPUT:
		return replay_output(domain, record);
	default:
		return -EPROTO;
	}
}

static int replay_record(struct store *store, struct record_reader *record)
{
	enum record_kind kind = record_get_kind(record);

	switch (kind) {
	case RECORD_NODE:
		return replay_node(store, record);
	case RECORD_GONE:
		return replay_gone(store, record);
	case RECORD_SPECIAL:
		return replay_special(store, record);
	case RECORD_DOMAIN:
		return replay_domain(store, record);
	default:
		return replay_of_domain(store, kind, record);
	}
}

/* node_walk(): who owns how many nodes. */
static int count_owner(const struct node *node, const char *path, void *context)
{
	struct store *store = context;

	(void)path;
	store->owned[node->perms->list[0].domid]++;
	return 0;
}

int store_replay(struct store *store, const char *bytes, size_t len, size_t *size)
{
	struct record_reader stream = { .at = bytes, .left = len }, frame;
	struct path root = { "/" };
	size_t total = store->limits.total;
	int rc = 0;

	*size = 0;
	store->limits.total = SIZE_MAX; /* what was allowed once is there again */
	while (!rc && record_frame_next(&stream, &frame)) {
		while (!rc && frame.left)
			rc = replay_record(store, &frame);
		if (!rc && frame.failed)
			rc = -EPROTO;
		*size = len - stream.left;
	}
	store->limits.total = total;
	/* What the replay itself has logged is in the stream already. */
	store->log.len = 0;
	memset(store->owned, 0, sizeof(store->owned));
	node_walk(store->tree.root, &root, count_owner, store);
	for (struct connection *conn = store->connections; conn; conn = conn->next) {
		for (struct transaction *tx = conn->transactions; tx; tx = tx->next)
			transaction_doom(tx, &store->tree);
	}
	return rc;
}
