/* SPDX-License-Identifier: MIT */
/*
 * Domains that come and go: introduced, released, gone. What a domain leaves in the tree goes
 * with it, because its id will be another's. See store.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

struct domain *store_find_domain(struct store *store, uint32_t domid)
{
	struct domain *domain = store->domains;

	while (domain && (domain->domid != domid || domain->gone))
		domain = domain->next;
	return domain;
}

void store_log_domain(struct record_buffer *log, const struct domain *domain)
{
	record_begin(log, RECORD_DOMAIN);
	record_u32(log, domain->domid);
	record_u32(log, domain->conn.actor.target);
	record_u64(log, domain->frame);
	record_u32(log, domain->port);
	record_u32(log, domain->shutdown);
}

struct domain *store_add_domain(struct store *store, uint32_t domid, uint64_t frame, uint32_t port)
{
	const struct actor actor = { .domid = domid, .target = domid, .privileged = domid == 0 };
	struct domain *domain = calloc(1, sizeof(*domain));

	if (!domain)
		return NULL;
	domain->domid = domid;
	domain->frame = frame;
	domain->port = port;
	store_add(store, &domain->conn, &actor, true);
	domain->next = store->domains;
	store->domains = domain;
	return domain;
}

void store_reap_domains(struct store *store)
{
	struct domain **at = &store->domains;

	while (*at) {
		struct domain *domain = *at;
		if (domain->gone && domain->purged) {
			*at = domain->next;
			free(domain);
		} else {
			at = &domain->next;
		}
	}
}

/* Takes the connection away; the domain stays in the list. */
static void disconnect(struct store *store, struct domain *domain)
{
	if (domain->ring)
		store->io->disconnect(store, domain);
	domain->ring = NULL;
	store_remove(store, &domain->conn);
}

int store_introduce_domain(struct store *store, uint32_t domid, uint64_t frame, uint32_t port)
{
	struct domain *domain = store_find_domain(store, domid);

	/* Told again, it has the same ring, or a new one: after a restore under the same id. */
	if (domain && domain->frame == frame && domain->port == port && domain->ring)
		return 0;
	if (domain) {
		disconnect(store, domain);
		domain->gone = domain->purged = true;
		record_begin(&store->log, RECORD_RELEASED);
		record_u32(&store->log, domid);
	}
	domain = store_add_domain(store, domid, frame, port);
	if (!domain)
		return -ENOMEM;
	int rc = store->io->connect(store, domain);
	if (rc) {
		store_remove(store, &domain->conn);
		domain->gone = domain->purged = true;
		return rc;
	}
	store_log_domain(&store->log, domain);
	store_log_input(&store->log, &domain->conn);
	store_log_output(&store->log, &domain->conn);
	return 0;
}

/* Changes to be made, collected while the tree must not change. */
struct purge {
	uint32_t domid;
	struct change *first, **last;
	size_t below; /* length of a path of whose descendants nothing is left to do, or 0 */
	char path[XENSTORE_ABS_PATH_MAX + 1];
};

/* node_walk(): what @domid owns goes with all below it; elsewhere it loses its rights. */
static int collect(const struct node *node, const char *path, void *context)
{
	struct purge *purge = context;
	struct change *change;

	if (purge->below && !strncmp(path, purge->path, purge->below) && path[purge->below] == '/')
		return 0;
	if (node->perms->list[0].domid == purge->domid) {
		change = change_new(CHANGE_REMOVE, path, NULL, NULL);
		purge->below = strlen(path);
		memcpy(purge->path, path, purge->below + 1);
	} else {
		struct perms *perms = perms_without(node->perms, purge->domid);
		if (perms == node->perms) {
			perms_put(perms);
			return 0;
		}
		change = perms ? change_new(CHANGE_PERMS, path, NULL, perms) : NULL;
		perms_put(perms);
	}
	if (!change)
		return -ENOMEM;
	*purge->last = change;
	purge->last = &change->next;
	return 0;
}

/* Nobody has its rights as a target any more: they would be the next domain's of that id. */
static void purge_targets(struct store *store, uint32_t domid)
{
	for (struct domain *other = store->domains; other; other = other->next) {
		if (other->gone || other->conn.actor.target != domid)
			continue;
		other->conn.actor.target = other->domid;
		store_log_domain(&store->log, other);
	}
}

/* Nor has it any on the special paths. */
static int purge_special(struct store *store, uint32_t domid)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct perms *old = store->special[i], *owned = perms_get(old);

		if (old->list[0].domid == domid) {
			perms_put(owned);
			owned = perms_with_owner(old, 0);
		}
		struct perms *now = owned ? perms_without(owned, domid) : NULL;
		perms_put(owned);
		if (!now)
			return -ENOMEM;
		if (now != old)
			store_set_special(store, i, now);
		perms_put(now);
	}
	return 0;
}

static int purge_domain(struct store *store, uint32_t domid)
{
	static const struct actor control = { .privileged = true };
	struct account account = { &control, &store->limits, 0 };
	struct purge purge = { .domid = domid, .last = &purge.first };
	struct path path = { "/" };
	struct effects effects;

	int rc = node_walk(store->tree.root, &path, collect, &purge);
	effects_init(&effects);
	while (purge.first) {
		struct change *next = purge.first->next;
		if (!rc)
			rc = change_apply(purge.first, &store->tree, &account, &effects);
		change_free(purge.first);
		purge.first = next;
	}
	store_publish(store, &effects);
	return rc;
}

void store_release_domain(struct store *store, struct domain *domain)
{
	uint32_t domid = domain->domid;

	if (!domain->gone) {
		disconnect(store, domain);
		domain->gone = true;
		record_begin(&store->log, RECORD_RELEASED);
		record_u32(&store->log, domid);
		store_fire_special(store, STORE_SPECIAL_RELEASE);
	}
	purge_targets(store, domid);
	/* Without memory for it, store_tick() tries again. */
	domain->purged = !purge_special(store, domid) && !purge_domain(store, domid);
}
