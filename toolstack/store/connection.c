/* SPDX-License-Identifier: MIT */
/* One client, bytes in and bytes out: see connection.h. */
#include "store/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t memory; /* see message_memory() */

size_t message_memory(void)
{
	return memory;
}

static void message_free(struct message *message)
{
	memory -= message->room;
	free(message);
}

void connection_init(struct connection *conn, const struct actor *actor)
{
	memset(conn, 0, sizeof(*conn));
	conn->actor = *actor;
	conn->out_last = &conn->out;
}

/* The oldest event of its watch leaves the queue, or stays as nobody's. */
static void event_leaves(struct connection *conn, struct message *event)
{
	assert(event->watch->waiting == event);
	event->watch->waiting = event->same;
	event->watch = NULL;
	conn->n_events--;
	conn->event_bytes -= event->len;
}

void connection_drop_queues(struct connection *conn)
{
	free(conn->in);
	conn->in = NULL;
	conn->in_len = 0;
	while (conn->out) {
		struct message *next = conn->out->next;
		if (conn->out->watch)
			event_leaves(conn, conn->out);
		message_free(conn->out);
		conn->out = next;
	}
	conn->out_last = &conn->out;
	conn->out_sent = 0;
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
	message->room = sizeof(*message) + len;
	memory += message->room;
	message->next = NULL;
	message->same = NULL;
	message->watch = NULL;
	message->len = len;
	return message;
}

struct message *message_cut(struct message *message, size_t len)
{
	struct message *smaller = realloc(message, sizeof(*message) + len);

	if (smaller) {
		memory -= smaller->room;
		smaller->room = sizeof(*message) + len;
		memory += smaller->room;
		message = smaller;
	}
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
static struct message *event_new(struct watch *watch, const char *path)
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
	const struct message *message = watch->waiting;

	if (message && message == conn->out && conn->out_sent)
		message = message->same;
	while (message && strcmp(message->bytes + sizeof(struct xsd_sockmsg), path))
		message = message->same;
	return message;
}

/* Puts an event into the queue, and into its watch's. */
static void event_add(struct connection *conn, struct message *event)
{
	struct watch *watch = event->watch;

	*conn->out_last = event;
	conn->out_last = &event->next;
	if (watch->waiting)
		watch->waiting_last->same = event;
	else
		watch->waiting = event;
	watch->waiting_last = event;
	conn->n_events++;
	conn->event_bytes += event->len;
}

static void watch_missed(struct connection *conn, struct watch *watch)
{
	conn->n_missed += !watch->missed;
	watch->missed = true;
}

/* What waits may exceed the limit of bytes by the last event. */
static bool events_full(const struct connection *conn, const struct limits *limits)
{
	return !conn->actor.privileged &&
	       (conn->n_events >= limits->events || conn->event_bytes >= limits->event_bytes);
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
	if (!events_full(conn, limits))
		event = event_new(watch, path);
	if (event)
		event_add(conn, event);
	else
		watch_missed(conn, watch);
}

void connection_settle(struct connection *conn, const struct limits *limits)
{
	for (struct watch *watch = conn->watches; watch && conn->n_missed;
	     watch = watch->conn_next) {
		if (!watch->missed)
			continue;
		if (events_full(conn, limits))
			return;
		watch->missed = false;
		conn->n_missed--;
		connection_event(conn, watch, watch->path, limits);
		if (watch->missed)
			return;
	}
}

void connection_forget_watch(struct connection *conn, struct watch *watch)
{
	struct message **at = &conn->out;

	conn->n_missed -= watch->missed;
	watch->missed = false;
	/* What has begun is sent to its end, but nobody's watch any more. */
	if (conn->out_sent) {
		if (conn->out->watch == watch)
			event_leaves(conn, conn->out);
		at = &conn->out->next;
	}
	while (watch->waiting) {
		struct message *event = *at;
		if (event->watch == watch) {
			*at = event->next;
			event_leaves(conn, event);
			message_free(event);
		} else {
			at = &event->next;
		}
	}
	while (*at)
		at = &(*at)->next;
	conn->out_last = at;
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
	if (first->watch)
		event_leaves(conn, first);
	conn->out = first->next;
	if (!conn->out)
		conn->out_last = &conn->out;
	conn->out_pos += (uint32_t)first->len;
	conn->out_sent = 0;
	message_free(first);
}
