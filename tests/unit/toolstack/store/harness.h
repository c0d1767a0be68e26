/* SPDX-License-Identifier: MIT */
/*
 * A store with domains and clients that need no sockets and no rings: what a test says is
 * received as bytes, and what comes back is parsed. Events that arrive before a reply are kept.
 */
#ifndef TESTS_UNIT_TOOLSTACK_STORE_HARNESS_H
#define TESTS_UNIT_TOOLSTACK_STORE_HARNESS_H

#include "store/store.h"

/* All source files of the store's core, for the "Links" line of a test:
 * toolstack/store/{wire,path,perms,tree,change,watch,transaction,connection,record,store,domain}.c
 * toolstack/store/{request,request_node,request_watch,request_domain,state}.c
 */

struct harness {
	struct store *store;
	struct connection control; /* a socket of the control domain */
	char reply[XENSTORE_PAYLOAD_MAX + 1];
	size_t reply_len;
	uint32_t reply_type;
	char event[XENSTORE_PAYLOAD_MAX + 1]; /* path of the last event */
	char token[XENSTORE_PAYLOAD_MAX + 1];
	unsigned int events;	   /* how many came */
	int connects, disconnects; /* calls of struct store_io */
	int connect_result;
};

void harness_start(struct harness *harness);
void harness_stop(struct harness *harness);

/* The connection of a domain that is introduced on the way. */
struct connection *harness_guest(struct harness *harness, uint32_t domid);

/*
 * Sends a request and takes everything that comes back. Returns 0, or the negative errno of an
 * error reply. The payload's bytes are given with their length.
 */
int ask(struct harness *harness, struct connection *conn, uint32_t type, uint32_t tx,
	const char *bytes, size_t len);

/* The same for string literals with NULs in them; the NUL at their end is part of the payload. */
#define ASK(harness, conn, type, tx, text) ask(harness, conn, type, tx, text, sizeof(text))

/* Takes what waits for the connection: events. Returns how many. */
unsigned int take_events(struct harness *harness, struct connection *conn);

/* Writes a value to a node. Returns as ask(). */
int put(struct harness *harness, struct connection *conn, uint32_t tx, const char *path,
	const char *value);

/* The value of a node into harness->reply. Returns as ask(). */
int get(struct harness *harness, struct connection *conn, uint32_t tx, const char *path);

/* Opens a transaction; returns its id. */
uint32_t begin(struct harness *harness, struct connection *conn);

/* Ends it. Returns as ask(). */
int end(struct harness *harness, struct connection *conn, uint32_t tx, bool commit);

/* Whether the accounts, the tree and the watches are consistent. */
bool harness_check(struct harness *harness);

#endif
