/* SPDX-License-Identifier: MIT */
/* The byte rings of a store page: see ring.h. */
#include "store/ring.h"

#include <errno.h>
#include <string.h>

/*
 * What the other side may change meanwhile is read and written once, in this order with the
 * bytes.
 */
static uint32_t index_read(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

/*
 * Visible before anything is read after it: who looks again sees what the other side did not tell.
 */
static void index_write(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_SEQ_CST);
}

static void ring_announce(struct xenstore_domain_interface *page)
{
	page->server_features = XENSTORE_SERVER_FEATURE_ERROR;
	page->error = XENSTORE_ERROR_NONE;
}

void ring_adopt(struct xenstore_domain_interface *page, struct connection *conn)
{
	conn->in_pos = index_read(&page->req_cons);
	conn->out_pos = index_read(&page->rsp_prod);
	ring_announce(page);
}

void ring_resume(struct xenstore_domain_interface *page, struct connection *conn)
{
	uint32_t placed = index_read(&page->rsp_prod) - conn->out_pos;

	if (conn->out && placed < conn->out->len) {
		if (placed)
			connection_sent(conn, placed);
	} else {
		if (conn->out)
			connection_sent(conn, conn->out->len);
		conn->out_pos = index_read(&page->rsp_prod);
	}
	ring_announce(page);
	ring_consume(page, conn);
}

static int ring_broken(struct connection *conn)
{
	conn->broken = true;
	return -EPROTO;
}

/* Copies @len bytes out of the request ring. */
static void copy_out(const struct xenstore_domain_interface *page, uint32_t pos, char *to,
		     uint32_t len)
{
	uint32_t at = MASK_XENSTORE_IDX(pos), first = XENSTORE_RING_SIZE - at;

	if (first > len)
		first = len;
	memcpy(to, page->req + at, first);
	memcpy(to + first, page->req, len - first);
}

int ring_receive(const struct xenstore_domain_interface *page, struct connection *conn)
{
	uint32_t there = index_read(&page->req_prod) - conn->in_pos;
	char bytes[XENSTORE_RING_SIZE];

	if (there > XENSTORE_RING_SIZE)
		return ring_broken(conn);
	if (!there || connection_has_request(conn))
		return 0;
	copy_out(page, conn->in_pos, bytes, there);
	ptrdiff_t taken = connection_receive(conn, bytes, there);
	if (taken > 0)
		conn->in_pos += (uint32_t)taken;
	return (int)taken;
}

bool ring_consume(struct xenstore_domain_interface *page, const struct connection *conn)
{
	if (index_read(&page->req_cons) == conn->in_pos)
		return false;
	index_write(&page->req_cons, conn->in_pos);
	return true;
}

bool ring_send_needs_log(const struct connection *conn)
{
	return conn->out && !conn->out_sent && conn->out->watch &&
	       conn->out->len > XENSTORE_RING_SIZE;
}

/* Copies @len bytes into the reply ring. */
static void copy_in(struct xenstore_domain_interface *page, uint32_t pos, const char *from,
		    uint32_t len)
{
	uint32_t at = MASK_XENSTORE_IDX(pos), first = XENSTORE_RING_SIZE - at;

	if (first > len)
		first = len;
	memcpy(page->rsp + at, from, first);
	memcpy(page->rsp, from + first, len - first);
}

int ring_send(struct xenstore_domain_interface *page, struct connection *conn)
{
	uint32_t start = conn->out_pos + (uint32_t)conn->out_sent, pos = start;
	uint32_t space = XENSTORE_RING_SIZE - (pos - index_read(&page->rsp_cons));
	const char *bytes;
	size_t len;

	if (space > XENSTORE_RING_SIZE)
		return ring_broken(conn);
	while (space && (len = connection_output(conn, &bytes))) {
		bool whole = len <= XENSTORE_RING_SIZE && !conn->out_sent;
		if (len > space && whole)
			break;
		/* A long event begins only when it is the first, and in the journal. */
		if (!whole && !conn->out_sent && pos != start && conn->out->watch)
			break;
		uint32_t part = len < space ? (uint32_t)len : space;
		copy_in(page, pos, bytes, part);
		pos += part;
		space -= part;
		connection_sent(conn, part);
	}
	if (pos != start)
		index_write(&page->rsp_prod, pos);
	return (int)(pos - start);
}

void ring_refuse(struct xenstore_domain_interface *page, uint32_t error)
{
	page->error = error;
}
