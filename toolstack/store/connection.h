/* SPDX-License-Identifier: MIT */
/*
 * One client as the daemon's core sees it: bytes in, bytes out. Bytes that come in become at
 * most one request at a time (whoever brings bytes keeps the rest until that is served);
 * replies and events wait in a queue for whoever carries bytes away. A message whose first byte
 * was carried away is carried away whole.
 *
 * Invariant: what waits here is bounded: one request, one reply, and limits.events events that
 * are all different, of limits.event_bytes; a watch that had to lose one owes an event of its own
 * path. A client that breaks the protocol is broken for good and says nothing more. Knows no
 * sockets and no rings. No lock.
 */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "store/limits.h"
#include "store/transaction.h"
#include "store/watch.h"
#include "store/wire.h"

struct message {
	struct message *next;
	struct message *same; /* the next event of the same watch */
	struct watch *watch;  /* that fired; NULL: a reply */
	size_t len;
	size_t room; /* bytes of this allocation */
	char bytes[];
};

struct connection {
	struct connection *next, **prev; /* all connections of the store */
	struct actor actor;
	bool ring;	  /* outlives the daemon: a ring's, not a socket's */
	uint32_t in_pos;  /* of a ring: position up to which bytes were received */
	uint32_t out_pos; /* of a ring: position at which the first message begins */
	bool broken;	  /* broke the protocol, or could not be given what it is owed */

	struct wire_message *in; /* the request that is being received, or NULL */
	size_t in_len;

	struct message *out;
	struct message **out_last;
	size_t out_sent;	/* bytes of the first message that are gone */
	unsigned int n_events;
	size_t event_bytes;	/* of these */

	struct watch *watches;
	unsigned int n_watches;
	unsigned int n_missed;	/* watches that owe an event */

	struct transaction *transactions;
	unsigned int n_transactions;
	uint32_t last_tx;
};

/* Makes an empty connection of @actor. */
void connection_init(struct connection *conn, const struct actor *actor);

/* Drops what is half received and what waits to be sent. */
void connection_drop_queues(struct connection *conn);

/*
 * Takes bytes until a request is complete. Returns how many were taken, or -EPROTO (too long;
 * the connection is broken now), -ENOMEM (nothing taken).
 */
ptrdiff_t connection_receive(struct connection *conn, const void *bytes, size_t len);

/* Whether a request is complete and nothing waits to be sent, so that it may be served. */
bool connection_ready(const struct connection *conn);

/* Whether a request is complete: no more bytes are wanted. */
bool connection_has_request(const struct connection *conn);

/* The request was served. */
void connection_request_done(struct connection *conn);

/* Queues a reply, before all that waits: of which nothing was sent. Takes it over. */
void connection_reply(struct connection *conn, struct message *reply);

/*
 * Queues an event of @watch for @path, unless the same waits already. Without memory, or over
 * the limit, the watch owes an event instead.
 */
void connection_event(struct connection *conn, struct watch *watch, const char *path,
		      const struct limits *limits);

/* Queues the events that are owed, as far as there is room. */
void connection_settle(struct connection *conn, const struct limits *limits);

/* Forgets events of @watch that wait and of which nothing was sent. */
void connection_forget_watch(struct connection *conn, struct watch *watch);

/*
 * The bytes to be sent next: the rest of the first message. Returns their number, 0: nothing
 * waits.
 */
size_t connection_output(const struct connection *conn, const char **bytes);

/* @len of those bytes are gone. */
void connection_sent(struct connection *conn, size_t len);

/* A message with room for @len bytes, header and all, or NULL. */
struct message *message_new(size_t len);

/* The message with its first @len bytes alone. */
struct message *message_cut(struct message *message, size_t len);

/* Bytes of all messages that wait to be sent. */
size_t message_memory(void);

#endif
