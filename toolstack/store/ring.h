/* SPDX-License-Identifier: MIT */
/*
 * The two byte rings of a domain's store page, between which and a connection bytes are
 * carried. The page is shared with the guest, who may write anything into it at any time:
 * indices are read once, checked, and those that are ours are kept in the connection (in_pos,
 * out_pos) and only ever written to the page. Knows no hypercalls: works on any page.
 *
 * To outlive a kill at any point, a request stays in the ring until its effects and its reply
 * are in the journal, and what is put into the ring becomes visible whole, by one store of the
 * index; a request of which only a part is there, and a message longer than the ring, must be in
 * the journal before.
 */
#ifndef STORE_RING_H
#define STORE_RING_H

#include <stdbool.h>

#include "store/connection.h"

/*
 * Takes over a ring as it is: a new domain's, or at the start of the daemon one that nothing is
 * known of.
 */
void ring_adopt(struct xenstore_domain_interface *page, struct connection *conn);

/*
 * Takes over a ring that an earlier daemon has served, with what its journal says
 * (store_replay()).
 */
void ring_resume(struct xenstore_domain_interface *page, struct connection *conn);

/*
 * Receives what is there of the next request, be it a part. Returns how many bytes were taken; the
 * guest does not know yet. -EPROTO: the ring makes no sense, the connection is broken now; -ENOMEM.
 * A part has to be consumed as well (after it was logged): Linux writes header and payload one
 * after the other, and tells of the second only if it sees that all before it was consumed.
 */
int ring_receive(const struct xenstore_domain_interface *page, struct connection *conn);

/* Tells the guest that what was received is consumed. True if it did not know. */
bool ring_consume(struct xenstore_domain_interface *page, const struct connection *conn);

/*
 * Whether the next message must be in the journal before ring_send(), because it cannot be in
 * the ring as a whole.
 */
bool ring_send_needs_log(const struct connection *conn);

/* Puts as many messages into the ring as it holds. Returns how many bytes, or -EPROTO as above. */
int ring_send(struct xenstore_domain_interface *page, struct connection *conn);

/* Says in the page that it is served no more, and why (XENSTORE_ERROR_*). */
void ring_refuse(struct xenstore_domain_interface *page, uint32_t error);

#endif
