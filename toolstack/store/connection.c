/* SPDX-License-Identifier: MIT */
/* One client, bytes in and bytes out: see connection.h. */
#include "store/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void connection_init(struct connection *conn, const struct actor *actor)
{
	memset(conn, 0, sizeof(*conn));
	conn->actor = *actor;
	conn->out_last = &conn->out;
}

void connection_drop_queues(struct connection *conn)
{
	free(conn->in);
	conn->in = NULL;
	conn->in_len = 0;
	while (conn->out) {
		struct message *next = conn->out->next;
		free(conn->out);
		conn->out = next;
	}
	conn->out_last = &conn->out;
	conn->out_sent = 0;
	conn->n_events = 0;
}

/* How many bytes the message has that is being received, as far as is known. */
static size_t wanted(const struct connection *conn)
{
	size_t header = sizeof(struct xsd_sockmsg);

	return conn->in_len < header ? header : header + conn->in->header.len;
}

bool connection_has_request(const struct connection *conn)
{
	return conn->in && conn->in_len >= sizeof(struct xsd_sockmsg) &&
	       conn->in_len == wanted(conn);
}

ptrdiff_t connection_receive(struct connection *conn, const void *bytes, size_t len)
{
	size_t taken = 0;

	if (conn->broken)
		return -EPROTO;
	if (!conn->in && !(conn->in = malloc(sizeof(*conn->in))))
		return -ENOMEM;
	while (taken < len && !connection_has_request(conn)) {
		size_t part = wanted(conn) - conn->in_len;
		if (part > len - taken)
			part = len - taken;
		memcpy((char *)conn->in + conn->in_len, (const char *)bytes + taken, part);
		conn->in_len += part;
		taken += part;
		if (conn->in_len >= sizeof(struct xsd_sockmsg) &&
		    conn->in->header.len > XENSTORE_PAYLOAD_MAX) {
			conn->broken = true;
			return -EPROTO;
		}
	}
	return (ptrdiff_t)taken;
}

bool connection_ready(const struct connection *conn)
{
	return !conn->broken && !conn->out && connection_has_request(conn);
}

void connection_request_done(struct connection *conn)
{
	free(conn->in);
	conn->in = NULL;
	conn->in_len = 0;
}

struct message *message_new(size_t len)
{
	struct message *message = malloc(sizeof(*message) + len);

	if (!message)
		return NULL;
	message->next = NULL;
	message->watch = NULL;
	message->len = len;
	return message;
}

void connection_reply(struct connection *conn, struct message *reply)
{
	assert(!conn->out_sent);
	reply->next = conn->out;
	if (!conn->out)
		conn->out_last = &reply->next;
	conn->out = reply;
}

/* The event as bytes: header, path, token. */
static struct message *event_new(const struct watch *watch, const char *path)
{
	struct xsd_sockmsg header = { .type = XS_WATCH_EVENT };
	size_t path_size = strlen(path) + 1, token_size = strlen(watch->token) + 1;
	struct message *event = message_new(sizeof(header) + path_size + token_size);

	if (!event)
		return NULL;
	header.len = (uint32_t)(path_size + token_size);
	assert(header.len <= XENSTORE_PAYLOAD_MAX);
	event->watch = watch;
	memcpy(event->bytes, &header, sizeof(header));
	memcpy(event->bytes + sizeof(header), path, path_size);
	memcpy(event->bytes + sizeof(header) + path_size, watch->token, token_size);
	return event;
}

/* Whether an event of this watch and path waits of which nothing was sent. */
static bool event_waits(const struct connection *conn, const struct watch *watch, const char *path)
{
	const struct message *message = conn->out_sent ? conn->out->next : conn->out;

	for (; message; message = message->next) {
		if (message->watch == watch &&
		    !strcmp(message->bytes + sizeof(struct xsd_sockmsg), path))
			return true;
	}
	return false;
}

static void watch_missed(struct connection *conn, struct watch *watch)
{
	conn->n_missed += !watch->missed;
	watch->missed = true;
}

void connection_event(struct connection *conn, struct watch *watch, const char *path,
		      const struct limits *limits)
{
	struct message *event = NULL;

	if (conn->broken || watch->missed)
		return;
	if (watch->prefix && strlen(path) > watch->prefix)
		path += watch->prefix;
	if (event_waits(conn, watch, path))
		return;
	if (conn->actor.privileged || conn->n_events < limits->events)
		event = event_new(watch, path);
	if (!event) {
		watch_missed(conn, watch);
		return;
	}
	*conn->out_last = event;
	conn->out_last = &event->next;
	conn->n_events++;
}

void connection_settle(struct connection *conn, const struct limits *limits)
{
	for (struct watch *watch = conn->watches; watch && conn->n_missed;
	     watch = watch->conn_next) {
		if (!watch->missed)
			continue;
		if (!conn->actor.privileged && conn->n_events >= limits->events)
			return;
		watch->missed = false;
		conn->n_missed--;
		connection_event(conn, watch, watch->path, limits);
		if (watch->missed)
			return;
	}
}

void connection_forget_watch(struct connection *conn, const struct watch *watch)
{
	struct message **at = &conn->out;

	/* What has begun is sent to its end, but nobody's watch any more. */
	if (conn->out_sent) {
		if (conn->out->watch == watch) {
			conn->out->watch = NULL;
			conn->n_events--;
		}
		at = &conn->out->next;
	}
	while (*at) {
		struct message *message = *at;
		if (message->watch == watch) {
			*at = message->next;
			conn->n_events--;
			free(message);
		} else {
			at = &message->next;
		}
	}
	conn->out_last = at;
	conn->n_missed -= watch->missed;
}

size_t connection_output(const struct connection *conn, const char **bytes)
{
	if (!conn->out)
		return 0;
	*bytes = conn->out->bytes + conn->out_sent;
	return conn->out->len - conn->out_sent;
}

void connection_sent(struct connection *conn, size_t len)
{
	struct message *first = conn->out;

	conn->out_sent += len;
	assert(conn->out_sent <= first->len);
	if (conn->out_sent < first->len)
		return;
	conn->out = first->next;
	if (!conn->out)
		conn->out_last = &conn->out;
	conn->n_events -= first->watch != NULL;
	conn->out_pos += (uint32_t)first->len;
	conn->out_sent = 0;
	free(first);
}
