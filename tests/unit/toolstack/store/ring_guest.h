/* SPDX-License-Identifier: MIT */
/*
 * The guest's side of a store ring, and a guest that knows what the store must answer, because
 * nobody else writes to its nodes: they are a plain table here. Requests go out and replies come in
 * in pieces of any size, some requests ahead; those of a transaction one by one.
 */
#ifndef TESTS_UNIT_TOOLSTACK_STORE_RING_GUEST_H
#define TESTS_UNIT_TOOLSTACK_STORE_RING_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/io/xs_wire.h"

#define RING_GUEST_NODES	6
#define RING_GUEST_AHEAD	8
#define RING_GUEST_VALUE	1800	/* bytes at most: more than a ring holds */
#define RING_GUEST_MESSAGE	(sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)

struct ring_guest {
	struct xenstore_domain_interface *page;
	unsigned (*below)(unsigned n); /* a random number */
	bool endless;		       /* it makes up more and more requests */
	unsigned lives;		       /* of the daemon, counted by the test */

	char out[RING_GUEST_AHEAD * RING_GUEST_MESSAGE];
	size_t out_len;
	char in[RING_GUEST_MESSAGE];
	size_t in_len;

	uint32_t made, answered; /* requests; a request's number is its id */
	struct ring_guest_request {
		uint32_t type;
		unsigned node;
		unsigned value; /* the node's, after a write; that a read has to find */
	} request[RING_GUEST_AHEAD];

	/* By node: the number of its value, 0: it is not there. In the transaction, too. */
	unsigned value[RING_GUEST_NODES], in_tx[RING_GUEST_NODES];
	unsigned last_value;
	uint32_t tx;	      /* that is open, or 0 */
	bool tx_wanted;	      /* once all is answered */
	unsigned tx_lives;    /* when it was asked for */
	bool watching;
	bool event_due;	      /* something changed that it watches */

	unsigned events, commits, cut_off;
};

void ring_guest_init(struct ring_guest *g, struct xenstore_domain_interface *page,
		     unsigned (*below)(unsigned n));

/* One more request, whose answer must be no error. */
void ring_guest_ask(struct ring_guest *g, uint32_t type, const char *payload, size_t len);
#define RING_GUEST_ASK(g, type, text) ring_guest_ask(g, type, text, sizeof(text))

/* Puts into the ring and takes out of it what it can, or less; checks what comes. */
void ring_guest_act(struct ring_guest *g);

/* Whether it waits for anything. */
bool ring_guest_busy(const struct ring_guest *g);

#endif
