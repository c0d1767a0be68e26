/* SPDX-License-Identifier: MIT */
/*
 * Inside the client: one request and its answer, over the socket, whatever happens to the
 * daemon. See client.h.
 */
#ifndef STORE_CLIENT_IO_H
#define STORE_CLIENT_IO_H

#include "store/client.h"
#include "store/wire.h"

/* A piece of a payload. */
struct client_part {
	const void *bytes;
	size_t len;
};

/* A string with its NUL. */
struct client_part client_text(const char *text);

struct client_reply {
	char *payload; /* malloc'd, with a NUL behind it */
	size_t len;
};

/*
 * Sends a request of @count parts and waits for its answer. Returns 0 with *@reply, or the
 * negative errno that the daemon or the connection gave.
 */
int client_request(struct store_client *client, enum xsd_sockmsg_type type, uint32_t tx,
		   const struct client_part *parts, unsigned int count, struct client_reply *reply);

/*
 * The same within a transaction, without waiting: sent together with what follows, at the latest
 * by client_posted(). -EAGAIN: the connection was lost, and the transaction with it.
 */
int client_post(struct store_client *client, enum xsd_sockmsg_type type, uint32_t tx,
		const struct client_part *parts, unsigned int count);

/* Takes the answers to all that was posted. 0, or what the first says that has failed. */
int client_posted(struct store_client *client);

#endif
