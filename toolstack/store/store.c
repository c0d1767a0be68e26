/* SPDX-License-Identifier: MIT */
/* The store: see store.h. Connections, what changes bring about, and what passes with time. */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const special_names[] = { "@introduceDomain", "@releaseDomain" };

struct store *store_new(const struct store_io *io, void *io_context)
{
	static const struct store_perm owner = { 0, STORE_NONE };
	struct store *store = calloc(1, sizeof(*store));
	struct perms *perms = perms_new(&owner, 1);

	if (!store || !perms)
		goto fail;
	store->io = io;
	store->io_context = io_context;
	store->limits = limits_default;
	if (tree_init(&store->tree, perms) || watch_table_init(&store->watches))
		goto fail;
	store->owned[0] = 1;
	store->special[0] = perms;
	store->special[1] = perms_get(perms);
	return store;
fail:
	if (store)
		tree_free(&store->tree);
	free(store);
	perms_put(perms);
	return NULL;
}

void store_free(struct store *store)
{
	while (store->connections)
		store_remove(store, store->connections);
	while (store->domains) {
		struct domain *next = store->domains->next;
		free(store->domains);
		store->domains = next;
	}
	tree_free(&store->tree);
	watch_table_free(&store->watches);
	perms_put(store->special[0]);
	perms_put(store->special[1]);
	free(store->log.bytes);
	free(store);
}

void store_add(struct store *store, struct connection *conn, const struct actor *actor, bool ring)
{
	connection_init(conn, actor);
	conn->ring = ring;
	conn->next = store->connections;
	conn->prev = &store->connections;
	if (conn->next)
		conn->next->prev = &conn->next;
	store->connections = conn;
}

/* Watches first leave the queue, then the table. */
static void drop_watches(struct store *store, struct connection *conn)
{
	while (conn->watches) {
		struct watch *watch = conn->watches;
		conn->watches = watch->conn_next;
		connection_forget_watch(conn, watch);
		watch_free(&store->watches, watch);
	}
	conn->n_watches = 0;
}

void store_reset(struct store *store, struct connection *conn)
{
	drop_watches(store, conn);
	while (conn->transactions) {
		struct transaction *tx = conn->transactions;
		conn->transactions = tx->next;
		transaction_free(tx);
	}
	conn->n_transactions = 0;
	if (conn->ring) {
		record_begin(&store->log, RECORD_RESET);
		record_u32(&store->log, conn->actor.domid);
	}
}

void store_remove(struct store *store, struct connection *conn)
{
	bool ring = conn->ring;

	conn->ring = false; /* the domain's end is logged by whoever ends it */
	store_reset(store, conn);
	conn->ring = ring;
	connection_drop_queues(conn);
	*conn->prev = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
}

const struct limits *store_limits(const struct store *store)
{
	size_t taken = tree_memory() + store->watches.bytes + message_memory() +
		       transaction_memory();

	if (taken <= store->limits.total)
		return &store->limits;
	return taken / 2 <= store->limits.total ? &limits_scarce : &limits_full;
}

struct account store_account(struct store *store, const struct connection *conn)
{
	return (struct account){
		.actor = &conn->actor,
		.limits = store_limits(store),
		.owned = store->owned[conn->actor.domid],
	};
}

/*
 * What a watch must be told of: a change at @path, seen by who may read the node as it is or as
 * it was.
 */
struct firing {
	struct store *store;
	const char *path;
	const struct perms *now, *before;
};

static void fire(struct watch *watch, void *context)
{
	const struct firing *firing = context;
	const struct actor *actor = &watch->conn->actor;

	if (perms_allow(firing->now, actor, STORE_READ) ||
	    (firing->before && perms_allow(firing->before, actor, STORE_READ)))
		connection_event(watch->conn, watch, firing->path, store_limits(firing->store));
}

/* node_walk() over a removed subtree: accounts, and watches below the node that was removed. */
static int publish_removed_node(const struct node *node, const char *path, void *context)
{
	struct firing firing = { .store = context, .path = path, .now = node->perms };
	uint32_t owner = node->perms->list[0].domid;

	assert(firing.store->owned[owner]);
	firing.store->owned[owner]--;
	watch_each_at(&firing.store->watches, path, fire, &firing);
	return 0;
}

static void publish_removed(struct store *store, const struct effect *effect)
{
	struct firing firing = { store, effect->path, effect->removed->perms, NULL };
	struct path path;

	record_begin(&store->log, RECORD_GONE);
	record_string(&store->log, effect->path);
	strcpy(path.text, effect->path);
	node_walk(effect->removed, &path, publish_removed_node, store);
	path_parent(&path);
	watch_each_above(&store->watches, path.text, fire, &firing);
}

/*
 * Each effect is logged with the permissions of its time, because the ancestors that it created
 * got them too. The value may be a later one of the same transaction already, which is logged
 * again in its turn.
 */
static void log_node(struct store *store, const struct effect *effect)
{
	const struct node *node = tree_find(&store->tree, effect->path);
	const struct value *value = node ? node->value : NULL;
	const struct perms *perms = effect->now;

	record_begin(&store->log, RECORD_NODE);
	record_string(&store->log, effect->path);
	record_bytes(&store->log, perms->list, perms->count * sizeof(perms->list[0]));
	record_bytes(&store->log, value ? value->data : "", value ? value->len : 0);
}

static void publish_set(struct store *store, const struct effect *effect)
{
	struct firing firing = { store, effect->path, effect->now, effect->before };

	log_node(store, effect);
	store->owned[effect->now->list[0].domid] += effect->created;
	if (effect->before) {
		store->owned[effect->before->list[0].domid]--;
		store->owned[effect->now->list[0].domid]++;
	}
	watch_each_above(&store->watches, effect->path, fire, &firing);
}

void store_publish(struct store *store, struct effects *effects)
{
	for (const struct effect *effect = effects->first; effect; effect = effect->next) {
		if (effect->removed)
			publish_removed(store, effect);
		else
			publish_set(store, effect);
	}
	effects_free(effects);
}

void store_set_special(struct store *store, unsigned int which, struct perms *perms)
{
	perms_get(perms);
	perms_put(store->special[which]);
	store->special[which] = perms;
	record_begin(&store->log, RECORD_SPECIAL);
	record_u32(&store->log, which);
	record_bytes(&store->log, perms->list, perms->count * sizeof(perms->list[0]));
}

void store_fire_special(struct store *store, unsigned int which)
{
	struct firing firing = { store, special_names[which], store->special[which], NULL };

	watch_each_at(&store->watches, special_names[which], fire, &firing);
}

/* The canonical path of a watch as it was asked for. */
static int watch_path(const struct connection *conn, const char *wanted, struct path *path)
{
	if (wanted[0] != '@')
		return path_canonical(wanted, conn->actor.domid, path);
	if (!path_is_special(wanted))
		return -EINVAL;
	strcpy(path->text, wanted);
	return 0;
}

static struct watch **find_watch(struct connection *conn, const char *path, const char *token,
				 bool relative)
{
	struct watch **at = &conn->watches;

	while (*at && (strcmp((*at)->path, path) || strcmp((*at)->token, token) ||
		       relative != ((*at)->prefix != 0)))
		at = &(*at)->conn_next;
	return at;
}

static void log_watch(struct store *store, enum record_kind kind, const struct connection *conn,
		      const char *wanted, const char *token)
{
	if (!conn->ring)
		return;
	record_begin(&store->log, kind);
	record_u32(&store->log, conn->actor.domid);
	record_string(&store->log, wanted);
	record_string(&store->log, token);
}

int store_add_watch(struct store *store, struct connection *conn, const char *wanted,
		    const char *token)
{
	bool relative = wanted[0] != '/' && wanted[0] != '@';
	struct path path, home;
	int rc = watch_path(conn, wanted, &path);

	if (rc)
		return rc;
	/* Any event of it must fit into a message. */
	if (strlen(token) > XENSTORE_PAYLOAD_MAX - XENSTORE_ABS_PATH_MAX - 2)
		return -EINVAL;
	if (!conn->actor.privileged && conn->n_watches >= store_limits(store)->watches)
		return -ENOSPC;
	if (*find_watch(conn, path.text, token, relative))
		return -EEXIST;
	struct watch *watch = watch_new(&store->watches, conn, path.text, token);
	if (!watch)
		return -ENOMEM;
	if (relative)
		watch->prefix = path_home(conn->actor.domid, &home) + 1;
	watch->missed = true;
	conn->n_missed++;
	watch->conn_next = conn->watches;
	conn->watches = watch;
	conn->n_watches++;
	log_watch(store, RECORD_WATCH, conn, wanted, token);
	return 0;
}

int store_remove_watch(struct store *store, struct connection *conn, const char *wanted,
		       const char *token)
{
	bool relative = wanted[0] != '/' && wanted[0] != '@';
	struct path path;
	int rc = watch_path(conn, wanted, &path);

	if (rc)
		return rc;
	struct watch **at = find_watch(conn, path.text, token, relative);
	struct watch *watch = *at;
	if (!watch)
		return -ENOENT;
	*at = watch->conn_next;
	conn->n_watches--;
	connection_forget_watch(conn, watch);
	watch_free(&store->watches, watch);
	log_watch(store, RECORD_UNWATCH, conn, wanted, token);
	return 0;
}

struct transaction *store_find_tx(struct connection *conn, uint32_t id)
{
	struct transaction *tx = conn->transactions;

	while (tx && tx->id != id)
		tx = tx->next;
	return tx;
}

void store_end_tx(struct store *store, struct connection *conn, struct transaction *tx)
{
	struct transaction **at = &conn->transactions;

	while (*at != tx)
		at = &(*at)->next;
	*at = tx->next;
	conn->n_transactions--;
	if (conn->ring) {
		record_begin(&store->log, RECORD_TX_END);
		record_u32(&store->log, conn->actor.domid);
		record_u32(&store->log, tx->id);
	}
	transaction_free(tx);
}

/*
 * Dooms transactions of guests that are older than so many seconds; and the doomed ones anew, for
 * the version that they look at has become old, too.
 */
static void doom_old(struct store *store, uint64_t seconds)
{
	for (struct connection *conn = store->connections; conn; conn = conn->next) {
		if (conn->actor.privileged)
			continue;
		for (struct transaction *tx = conn->transactions; tx; tx = tx->next) {
			if (tx->doomed || store->now - tx->started > seconds)
				transaction_doom(tx, &store->tree);
		}
	}
}

/* Of all transactions of guests: one of who has most of them, and the oldest of these. */
static struct transaction *find_victim(struct store *store)
{
	struct transaction *victim = NULL;
	unsigned int most = 0;

	for (struct connection *conn = store->connections; conn; conn = conn->next) {
		if (conn->actor.privileged || conn->n_transactions < most)
			continue;
		for (struct transaction *tx = conn->transactions; tx; tx = tx->next) {
			if (tx->doomed)
				continue;
			if (!victim || conn->n_transactions > most ||
			    tx->base.generation < victim->base.generation) {
				victim = tx;
				most = conn->n_transactions;
			}
		}
	}
	return victim;
}

void store_limit_history(struct store *store)
{
	struct transaction *victim;

	if (tree_memory() <= store->memory_mark)
		return;
	doom_old(store, UINT64_MAX);
	size_t size = tree_size(&store->tree);
	store->memory_mark = size + store->limits.history;
	if (tree_memory() <= store->memory_mark)
		return;
	/* To the half, so that this is not done again at once. */
	while (tree_memory() > size + store->limits.history / 2 && (victim = find_victim(store)))
		transaction_doom(victim, &store->tree);
	/* What the control domain's transactions keep is not counted against guests. */
	if (tree_memory() > store->memory_mark)
		store->memory_mark = tree_memory() + store->limits.history / 2;
}

void store_tick(struct store *store, uint64_t now)
{
	store->now = now;
	for (struct connection *conn = store->connections; conn; conn = conn->next)
		connection_settle(conn, store_limits(store));
	doom_old(store, store->limits.tx_seconds);
	for (struct domain *domain = store->domains, *next; domain; domain = next) {
		next = domain->next;
		if (domain->gone && !domain->purged)
			store_release_domain(store, domain);
	}
}
