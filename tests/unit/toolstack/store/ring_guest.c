/* SPDX-License-Identifier: MIT */
/* See ring_guest.h. */
#include "unit/toolstack/store/ring_guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void ring_guest_init(struct ring_guest *g, struct xenstore_domain_interface *page,
		     unsigned (*below)(unsigned n))
{
	memset(g, 0, sizeof(*g));
	g->page = page;
	g->below = below;
}

static struct ring_guest_request *request_of(struct ring_guest *g, uint32_t id)
{
	return &g->request[id % RING_GUEST_AHEAD];
}

static struct ring_guest_request *queue(struct ring_guest *g, uint32_t type, const char *payload,
					size_t len)
{
	struct xsd_sockmsg header = { .type = type, .req_id = g->made, .tx_id = g->tx,
				      .len = (uint32_t)len };
	struct ring_guest_request *request = request_of(g, g->made);

	assert_true(g->made - g->answered < RING_GUEST_AHEAD);
	memcpy(g->out + g->out_len, &header, sizeof(header));
	memcpy(g->out + g->out_len + sizeof(header), payload, len);
	g->out_len += sizeof(header) + len;
	g->made++;
	*request = (struct ring_guest_request){ .type = type };
	return request;
}

void ring_guest_ask(struct ring_guest *g, uint32_t type, const char *payload, size_t len)
{
	queue(g, type, payload, len - (type == XS_WRITE));
}

/* The bytes of a value: its number, and so many letters. */
static size_t value_bytes(unsigned value, char *bytes)
{
	size_t len = value * 37 % RING_GUEST_VALUE;
	int digits = sprintf(bytes, "%u:", value);

	memset(bytes + digits, 'a' + (int)(value % 26), len);
	return (size_t)digits + len;
}

static void make_write(struct ring_guest *g, unsigned node)
{
	char payload[RING_GUEST_VALUE + 32];
	size_t path = (size_t)sprintf(payload, "dir/n%u", node) + 1;
	struct ring_guest_request *request;

	request = queue(g, XS_WRITE, payload, path + value_bytes(++g->last_value, payload + path));
	request->node = node;
	request->value = g->last_value;
	*(g->tx ? &g->in_tx[node] : &g->value[node]) = g->last_value;
}

static void make_path_request(struct ring_guest *g, uint32_t type, unsigned node)
{
	char path[16];
	struct ring_guest_request *request =
		queue(g, type, path, (size_t)sprintf(path, "dir/n%u", node) + 1);

	request->node = node;
	request->value = g->value[node];
	if (type == XS_RM)
		g->value[node] = 0;
}

/* One more: of the transaction that is open, or any. */
static void make_up(struct ring_guest *g)
{
	unsigned node = g->below(RING_GUEST_NODES), kind = g->below(10);

	if ((g->tx || g->tx_wanted) && g->made != g->answered)
		return;
	if (!g->watching) {
		g->watching = true;
		ring_guest_ask(g, XS_WATCH, "dir/n0\0token", sizeof("dir/n0\0token"));
		g->event_due = true;
	} else if (g->tx_wanted) {
		queue(g, XS_TRANSACTION_START, "", 1);
		g->tx_lives = g->lives;
	} else if (g->tx && kind < 4) {
		queue(g, XS_TRANSACTION_END, kind ? "T" : "F", 2)->value = kind;
	} else if (g->tx) {
		make_write(g, node);
	} else if (kind < 4) {
		make_write(g, node);
	} else if (kind < 7) {
		make_path_request(g, XS_READ, node);
	} else if (kind < 8) {
		make_path_request(g, XS_RM, node);
	} else {
		g->tx_wanted = true;
	}
}

static bool is_error(const struct xsd_sockmsg *header, const char *payload, const char *error)
{
	return header->type == XS_ERROR && header->len == strlen(error) + 1 &&
	       !strcmp(payload, error);
}

static void ended(struct ring_guest *g, const struct ring_guest_request *request,
		  const struct xsd_sockmsg *header, const char *payload)
{
	g->tx = 0;
	if (is_error(header, payload, "EAGAIN")) {
		assert_int_not_equal(request->value, 0);
		assert_int_not_equal(g->tx_lives, g->lives);
		g->cut_off++;
		return;
	}
	assert_int_equal(header->type, XS_TRANSACTION_END);
	if (!request->value)
		return;
	g->commits++;
	g->event_due |= g->value[0] != g->in_tx[0];
	memcpy(g->value, g->in_tx, sizeof(g->value));
}

static void check_read(const struct ring_guest_request *request, const struct xsd_sockmsg *header,
		       const char *payload)
{
	char bytes[RING_GUEST_VALUE + 32];

	if (!request->value) {
		assert_true(is_error(header, payload, "ENOENT"));
		return;
	}
	assert_int_equal(header->type, XS_READ);
	assert_int_equal(header->len, value_bytes(request->value, bytes));
	assert_memory_equal(payload, bytes, header->len);
}

static void check_reply(struct ring_guest *g, const struct xsd_sockmsg *header,
			const char *payload)
{
	const struct ring_guest_request *request = request_of(g, g->answered);

	assert_true(g->answered != g->made);
	assert_int_equal(header->req_id, g->answered);
	g->answered++;
	switch (request->type) {
	case XS_READ:
		check_read(request, header, payload);
		return;
	case XS_TRANSACTION_END:
		ended(g, request, header, payload);
		return;
	case XS_RM:
		/* The directory may be missing as well, and then that is said. */
		if (request->value)
			assert_int_equal(header->type, XS_RM);
		g->event_due |= !request->node && request->value;
		return;
	case XS_WRITE:
		g->event_due |= !request->node && !g->tx && g->watching;
		break;
	case XS_TRANSACTION_START:
		g->tx_wanted = false;
		g->tx = (uint32_t)atoi(payload);
		memcpy(g->in_tx, g->value, sizeof(g->value));
		break;
	}
	assert_int_equal(header->type, request->type);
}

static void check_event(struct ring_guest *g, const char *payload)
{
	assert_true(g->watching);
	assert_string_equal(payload, "dir/n0");
	assert_string_equal(payload + sizeof("dir/n0"), "token");
	g->event_due = false;
	g->events++;
}

/* Messages that are whole. */
static void take_messages(struct ring_guest *g)
{
	struct xsd_sockmsg header;

	while (g->in_len >= sizeof(header)) {
		memcpy(&header, g->in, sizeof(header));
		size_t len = sizeof(header) + header.len;
		assert_true(header.len <= XENSTORE_PAYLOAD_MAX);
		if (g->in_len < len)
			return;
		if (header.type == XS_WATCH_EVENT)
			check_event(g, g->in + sizeof(header));
		else
			check_reply(g, &header, g->in + sizeof(header));
		memmove(g->in, g->in + len, g->in_len - len);
		g->in_len -= len;
	}
}

/* All that there is, or a part. */
static size_t some(const struct ring_guest *g, size_t most)
{
	return most && g->below(3) == 0 ? g->below((unsigned)most + 1) : most;
}

static void send(struct ring_guest *g)
{
	struct xenstore_domain_interface *page = g->page;
	size_t room = XENSTORE_RING_SIZE - (page->req_prod - page->req_cons);
	size_t len = some(g, room < g->out_len ? room : g->out_len);

	for (size_t i = 0; i < len; i++)
		page->req[MASK_XENSTORE_IDX(page->req_prod + i)] = g->out[i];
	__atomic_store_n(&page->req_prod, page->req_prod + (uint32_t)len, __ATOMIC_RELEASE);
	memmove(g->out, g->out + len, g->out_len - len);
	g->out_len -= len;
}

static void receive(struct ring_guest *g)
{
	struct xenstore_domain_interface *page = g->page;
	uint32_t there = page->rsp_prod - page->rsp_cons;

	assert_true(there <= XENSTORE_RING_SIZE);
	assert_int_equal(page->error, XENSTORE_ERROR_NONE);
	size_t room = sizeof(g->in) - g->in_len, len = some(g, there < room ? there : room);
	for (size_t i = 0; i < len; i++)
		g->in[g->in_len++] = page->rsp[MASK_XENSTORE_IDX(page->rsp_cons + i)];
	__atomic_store_n(&page->rsp_cons, page->rsp_cons + (uint32_t)len, __ATOMIC_RELEASE);
	take_messages(g);
}

void ring_guest_act(struct ring_guest *g)
{
	receive(g);
	while (g->endless && g->made - g->answered < RING_GUEST_AHEAD && g->below(4))
		make_up(g);
	if (!g->endless && g->tx && g->made == g->answered)
		queue(g, XS_TRANSACTION_END, "F", 2);
	send(g);
}

bool ring_guest_busy(const struct ring_guest *g)
{
	return g->out_len || g->made != g->answered || g->tx || g->event_due;
}
