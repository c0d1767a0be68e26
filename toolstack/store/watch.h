/* SPDX-License-Identifier: MIT */
/*
 * Who wants to know of changes: watches by path, in a hash table, so that a change costs a
 * look-up per component of its path and not a look at every watch. A watch also stands in its
 * connection's list. No lock.
 */
#ifndef STORE_WATCH_H
#define STORE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "store/perms.h"

struct connection;
struct message;

struct watch {
	struct watch *next;	    /* in its bucket */
	struct watch *conn_next;    /* in its connection's list */
	struct connection *conn;
	unsigned int hash;
	bool missed;		    /* events were lost: it owes one, of its own path */
	struct message *waiting;    /* its events in the connection's queue, oldest first */
	struct message *waiting_last;
	const char *token;	    /* in the same allocation */
	size_t prefix; /* bytes of the home's path that events of a relative watch go without */
	char path[];		    /* canonical, or special */
};

struct watch_table {
	struct watch **buckets;
	unsigned int n_buckets; /* a power of two */
	unsigned int count;
	size_t bytes;		/* of all watches in it */
};

/* An empty table. Returns 0 or -ENOMEM. */
int watch_table_init(struct watch_table *table);
void watch_table_free(struct watch_table *table);

/* A new watch of @path in the table, in no list. NULL: no memory. */
struct watch *watch_new(struct watch_table *table, struct connection *conn, const char *path,
			const char *token);

/* Takes it out of the table and frees it. */
void watch_free(struct watch_table *table, struct watch *watch);

/* Calls @fire for every watch of exactly @path. */
void watch_each_at(struct watch_table *table, const char *path,
		   void (*fire)(struct watch *watch, void *context), void *context);

/* The same for @path and for every path above it. */
void watch_each_above(struct watch_table *table, const char *path,
		      void (*fire)(struct watch *watch, void *context), void *context);

#endif
