/* SPDX-License-Identifier: MIT */
/*
 * Permission lists, and whether they let somebody do something. A list is immutable and shared
 * by reference; its first entry is the owner's. Domain ids in a list are real ones (below
 * DOMID_FIRST_RESERVED). No lock: one thread.
 */
#ifndef STORE_PERMS_H
#define STORE_PERMS_H

#include <stdbool.h>
#include <stddef.h>

#include "store/access.h"
#include "store/wire.h"

/* Domain ids of real domains are below this (abi/xen.h, DOMID_FIRST_RESERVED). */
#define PERMS_DOMID_END 0x7ff0u

/* No more entries than this in a list; what one message holds is less than 1400. */
#define PERMS_MAX 1400

struct perms {
	unsigned int refs;
	unsigned int count; /* at least 1 */
	struct store_perm list[];
};

/* In whose name something is done. */
struct actor {
	uint32_t domid;
	uint32_t target; /* the domain whose rights it has as well; its own id when none */
	bool privileged; /* the control domain: everything is allowed, quotas don't apply */
};

/* A new list with one reference, or NULL: no memory. */
struct perms *perms_new(const struct store_perm *list, unsigned int count);

struct perms *perms_get(struct perms *perms);
void perms_put(struct perms *perms); /* NULL is allowed */

/*
 * The same list with @domid as its owner, for what an unprivileged domain creates below it.
 * NULL: no memory.
 */
struct perms *perms_with_owner(const struct perms *perms, uint32_t domid);

/*
 * The list without the entries of @domid; @perms itself (one more reference) if it has none.
 * NULL: no memory.
 */
struct perms *perms_without(struct perms *perms, uint32_t domid);

/* Takes all strings that are left in the payload as a list. Returns 0 or -EINVAL, -ENOMEM. */
int perms_parse(struct wire_reader *reader, struct perms **out);

/* Appends the list to a payload. Returns 0 or -E2BIG. */
int perms_format(const struct perms *perms, struct wire_message *message);

/* Whether @actor has all rights of @access. */
bool perms_allow(const struct perms *perms, const struct actor *actor, enum store_access access);

/* Whether @actor may do what only an owner may. */
bool perms_owned(const struct perms *perms, const struct actor *actor);

#endif
