/* SPDX-License-Identifier: MIT */
/*
 * The store: the tree and everybody who has to do with it. This is the daemon's core: it serves
 * requests of connections, tells watchers, and keeps a log of what must outlive the process. It
 * does no I/O: sockets, rings and the journal's file belong to whoever calls it (main.c), whom
 * it asks through struct store_io.
 *
 * Invariants: owned[d] is the number of nodes in the tree that domain d owns; every change of
 * the state is in the log before anybody is told of it, the changes of one request in one
 * frame. One thread, no locks.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/connection.h"
#include "store/record.h"

struct ring; /* of the I/O: a mapped ring with its event channel */

/* A domain that was introduced. */
struct domain {
	struct domain *next;
	uint32_t domid;
	uint64_t frame;		/* of its ring: guest frame number */
	uint32_t port;		/* its end of the event channel */
	bool shutdown;		/* its shutdown was told to watchers */
	bool gone;		/* waits to be reaped; nobody finds it any more */
	bool purged;		/* and its traces in the tree are removed */
	struct connection conn; /* over its ring */
	struct ring *ring;	/* NULL: cannot be reached */
};

struct store;

/* What the core asks of whoever does I/O. */
struct store_io {
	/* Connects to the ring of @domain, sets domain->ring. Returns 0 or -errno. */
	int (*connect)(struct store *store, struct domain *domain);
	/* Lets it go; it is not NULL. */
	void (*disconnect)(struct store *store, struct domain *domain);
};

struct store {
	struct tree tree;
	struct watch_table watches;
	struct connection *connections;
	struct domain *domains;
	struct perms *special[2]; /* who may watch @introduceDomain, @releaseDomain */
	struct limits limits;
	size_t memory_mark;	  /* above it, limits.history may be exceeded */
	const struct store_io *io;
	void *io_context;	  /* for the functions of io */
	uint64_t now;		  /* seconds, kept by store_tick() */
	struct record_buffer log; /* records for the next frame of the journal */
	uint32_t owned[PERMS_DOMID_END];
};

enum { STORE_SPECIAL_INTRODUCE, STORE_SPECIAL_RELEASE };

/* An empty store. Returns it, or NULL: no memory. */
struct store *store_new(const struct store_io *io, void *io_context);
void store_free(struct store *store);

/*
 * Makes @conn, which speaks for @actor, one of the store's. @ring: it outlives the process, in
 * the log.
 */
void store_add(struct store *store, struct connection *conn, const struct actor *actor, bool ring);

/* Ends the connection: its watches, transactions and queues. The structure is the caller's. */
void store_remove(struct store *store, struct connection *conn);

/* Ends its watches and transactions only. */
void store_reset(struct store *store, struct connection *conn);

/*
 * Serves the request of a connection that is connection_ready(). For a ring the log gets its
 * positions too. Returns 0, or -ENOMEM: nothing was done, try again.
 */
int store_serve(struct store *store, struct connection *conn);

/* Notes in the log, for a ring: its first message is owed from conn->out_pos on. */
void store_log_output(struct record_buffer *log, const struct connection *conn);

/* Notes in the log, for a ring: what is received of a request was taken up to conn->in_pos. */
void store_log_input(struct record_buffer *log, const struct connection *conn);

/* Accounts for effects, logs them and tells watchers; frees them. */
void store_publish(struct store *store, struct effects *effects);

/* Who may watch a special path, STORE_SPECIAL_*, from now on. Takes a reference of its own. */
void store_set_special(struct store *store, unsigned int which, struct perms *perms);

/* Tells the watchers of a special path, STORE_SPECIAL_*. */
void store_fire_special(struct store *store, unsigned int which);

/* ---- domains (domain.c) ---- */

struct domain *store_find_domain(struct store *store, uint32_t domid);

/* One more domain with a connection, without a ring. NULL: no memory. */
struct domain *store_add_domain(struct store *store, uint32_t domid, uint64_t frame, uint32_t port);

/* Notes in the log what is known of the domain. */
void store_log_domain(struct record_buffer *log, const struct domain *domain);

/* INTRODUCE. Returns 0 or -ENOMEM, or what the I/O said. */
int store_introduce_domain(struct store *store, uint32_t domid, uint64_t frame, uint32_t port);

/*
 * The domain is released, or it is gone: takes its connection, its nodes and its rights away. Its
 * id may be another domain's soon, which must inherit nothing.
 */
void store_release_domain(struct store *store, struct domain *domain);

/*
 * Frees the domains that are gone. Not while somebody goes through the list: a request can release
 * any domain.
 */
void store_reap_domains(struct store *store);

/* ---- watches and transactions of a connection ---- */

/*
 * Adds a watch of the path as it was asked for, which owes an event now. 0 or -EINVAL, -EEXIST,
 * -ENOSPC, -ENOMEM.
 */
int store_add_watch(struct store *store, struct connection *conn, const char *wanted,
		    const char *token);
int store_remove_watch(struct store *store, struct connection *conn, const char *wanted,
		       const char *token);

struct transaction *store_find_tx(struct connection *conn, uint32_t id);
void store_end_tx(struct store *store, struct connection *conn, struct transaction *tx);

/* The limits of guests, as much as all together have taken. */
const struct limits *store_limits(const struct store *store);

/* The account of a connection for changes of the tree itself. */
struct account store_account(struct store *store, const struct connection *conn);

/* Dooms transactions as limits.history says. */
void store_limit_history(struct store *store);

/*
 * Seconds have passed: dooms transactions that are too old, retries what failed for lack of
 * memory.
 */
void store_tick(struct store *store, uint64_t now);

/* ---- the log (state.c) ---- */

/* Writes the whole state as a stream of frames: its nodes, then all that is not in the tree. */
void store_dump(struct store *store, struct record_buffer *buffer);
void store_dump_rest(struct store *store, struct record_buffer *buffer);

/*
 * Writes the nodes of a version from the one at @at on ("/": all), until there are so many more
 * bytes. True: there are more nodes; @at is the next one's path.
 */
bool store_dump_nodes(const struct tree *tree, struct path *at, size_t bytes,
		      struct record_buffer *buffer);

/*
 * Rebuilds the state of an empty store from a stream. Rings are not connected: that is for the
 * caller to do, for each domain, with the positions in its connection. Transactions that were
 * open are doomed, and every watch owes an event, because those that waited are lost. *@size is
 * the length of the whole frames. Returns 0 or -ENOMEM, -EPROTO (a whole frame makes no sense).
 */
int store_replay(struct store *store, const char *bytes, size_t len, size_t *size);

#endif
