/* SPDX-License-Identifier: MIT */
/*
 * The client's connection: messages over the socket, queued events, and coming back after the
 * daemon did. What need not be answered before the next is asked (posted changes, many reads) goes
 * out together: daemon and client, on two CPUs, wake each other once and not for each.
 */
#include "store/client_io.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct event {
	struct event *next;
	struct store_event event;
};

struct registered {
	struct registered *next;
	char *path, *token;
};

struct store_client {
	int fd;			/* -1: not connected at the moment */
	uint32_t req_id;
	bool lost;		/* the connection was lost with a transaction open */
	unsigned int open_tx;	/* transactions that the daemon knows of */
	struct registered *watches;
	struct event *events, **last;
	size_t in_len;		/* bytes of the message that is being received */
	struct wire_message in;
	unsigned int posted;	/* requests, the last ones, whose answers are to come */
	enum xsd_sockmsg_type posted_type[STORE_BATCH];
	int posted_rc;		/* what the first of the transaction's that failed says */
	size_t out_len;		/* bytes of requests that are to be sent */
	char out[2 * sizeof(struct wire_message)];
};

struct client_part client_text(const char *text)
{
	return (struct client_part){ text, strlen(text) + 1 };
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until @fd is ready for @events. Negative @deadline: for ever. */
static int wait_for(int fd, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = events };
		int64_t left = deadline < 0 ? -1 : deadline - now_ms();
		int rc = poll(&poll_fd, 1, deadline < 0 ? -1 : left > 0 ? (int)left : 0);
		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return -errno;
		if (!rc && deadline >= 0 && now_ms() >= deadline)
			return -ETIMEDOUT;
	}
}

static int try_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	int rc = -errno;
	close(fd);
	return rc;
}

static int open_socket(void)
{
	const char *own = getenv("XENSTORED_PATH");
	int fd;

	if (own)
		return try_path(own);
	fd = try_path("/run/xenstored/socket");
	if (fd < 0)
		fd = try_path("/var/run/xenstored/socket");
	return fd;
}

static void connection_lost(struct store_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->in_len = 0;
	client->out_len = 0;
	client->posted = 0;
	client->lost |= client->open_tx > 0;
	client->open_tx = 0;
}

static int send_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t done = send(fd, at, len, MSG_NOSIGNAL);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -EPIPE;
		at += done;
		len -= (size_t)done;
	}
	return 0;
}

static int flush(struct store_client *client)
{
	size_t len = client->out_len;

	client->out_len = 0;
	return send_all(client->fd, client->out, len);
}

/* Adds a request to what is to be sent. */
static int put(struct store_client *client, enum xsd_sockmsg_type type, uint32_t tx,
	       const struct client_part *parts, unsigned int count)
{
	struct wire_message request = { .header = { .type = type, .tx_id = tx } };
	size_t len;
	int rc = 0;

	for (unsigned int i = 0; i < count && !rc; i++)
		rc = wire_add(&request, parts[i].bytes, parts[i].len);
	if (rc)
		return rc;
	request.header.req_id = ++client->req_id;
	len = sizeof(request.header) + request.header.len;
	if (client->out_len + len > sizeof(client->out))
		rc = flush(client);
	memcpy(client->out + client->out_len, &request, len);
	client->out_len += len;
	return rc;
}

/* Receives one whole message into client->in. -EPIPE: the connection ended; -ETIMEDOUT; -EPROTO. */
static int receive(struct store_client *client, int64_t deadline)
{
	for (;;) {
		size_t header = sizeof(client->in.header);
		size_t want = client->in_len < header ? header : header + client->in.header.len;
		if (client->in_len >= header && client->in.header.len > XENSTORE_PAYLOAD_MAX)
			return -EPROTO;
		if (client->in_len >= header && client->in_len == want)
			return 0;
		int rc = wait_for(client->fd, POLLIN, deadline);
		if (rc)
			return rc;
		ssize_t got = recv(client->fd, (char *)&client->in + client->in_len,
				   want - client->in_len, MSG_DONTWAIT);
		if (got > 0)
			client->in_len += (size_t)got;
		else if (!got || (errno != EAGAIN && errno != EINTR))
			return -EPIPE;
	}
}

/* Queues the event that was received. */
static int take_event(struct store_client *client)
{
	struct wire_reader reader = { client->in.payload, client->in.header.len };
	const char *path = wire_string(&reader), *token = path ? wire_string(&reader) : NULL;
	struct event *event = token ? calloc(1, sizeof(*event)) : NULL;

	client->in_len = 0;
	if (!token)
		return -EPROTO;
	if (!event)
		return -ENOMEM;
	event->event.path = strdup(path);
	event->event.token = strdup(token);
	if (!event->event.path || !event->event.token) {
		store_event_free(&event->event);
		free(event);
		return -ENOMEM;
	}
	*client->last = event;
	client->last = &event->next;
	return 0;
}

/* Receives messages until the answer to @req_id is in client->in; keeps events. */
static int receive_answer(struct store_client *client, uint32_t req_id, int64_t deadline)
{
	for (;;) {
		int rc = receive(client, deadline);
		if (rc)
			return rc;
		if (client->in.header.type == XS_WATCH_EVENT) {
			rc = take_event(client);
			if (rc)
				return rc;
		} else if (client->in.header.req_id == req_id) {
			return 0;
		} else {
			client->in_len = 0; /* of a request that was given up */
		}
	}
}

static int exchange(struct store_client *client, enum xsd_sockmsg_type type, uint32_t tx,
		    const struct client_part *parts, unsigned int count, int64_t deadline)
{
	int rc = put(client, type, tx, parts, count);

	if (!rc)
		rc = flush(client);
	return rc ? rc : receive_answer(client, client->req_id, deadline);
}

/*
 * Connects, and registers the watches that there were. One event of each comes again: they may
 * have missed some.
 */
static int reconnect(struct store_client *client, int64_t deadline)
{
	client->fd = open_socket();
	if (client->fd < 0)
		return client->fd;
	for (struct registered *watch = client->watches; watch; watch = watch->next) {
		struct client_part parts[] = { client_text(watch->path),
					       client_text(watch->token) };
		int rc = exchange(client, XS_WATCH, STORE_NO_TX, parts, 2, deadline);
		client->in_len = 0;
		if (rc) {
			connection_lost(client);
			return rc;
		}
	}
	return 0;
}

/* The daemon may be about to come back: tries until the deadline. */
static int ensure_connected(struct store_client *client, int64_t deadline)
{
	while (client->fd < 0) {
		int rc = reconnect(client, deadline);
		if (!rc)
			break;
		if (now_ms() >= deadline)
			return rc == -ENOMEM || rc == -EACCES ? rc : -ECONNREFUSED;
		usleep(20000);
	}
	return 0;
}

/* Takes the answer out of client->in. */
static int take_answer(struct store_client *client, enum xsd_sockmsg_type type,
		       struct client_reply *reply)
{
	const struct wire_message *in = &client->in;
	size_t len = in->header.len;

	client->in_len = 0;
	if (in->header.type == XS_ERROR)
		return wire_error_number(in->payload, len);
	if (in->header.type != type)
		return -EPROTO;
	reply->payload = malloc(len + 1);
	if (!reply->payload)
		return -ENOMEM;
	memcpy(reply->payload, in->payload, len);
	reply->payload[len] = 0;
	reply->len = len;
	return 0;
}

/* Sends what was posted, and takes the answers: before anything else is asked or waited for. */
static void collect(struct store_client *client, int64_t deadline)
{
	uint32_t first = client->req_id + 1 - client->posted;
	int rc;

	if (!client->posted)
		return;
	rc = flush(client);
	for (unsigned int i = 0; i < client->posted && !rc; i++) {
		struct client_reply reply = { 0 };

		rc = receive_answer(client, first + i, deadline);
		if (rc)
			break;
		int answer = take_answer(client, client->posted_type[i], &reply);
		free(reply.payload);
		if (!client->posted_rc)
			client->posted_rc = answer;
	}
	client->posted = 0;
	if (rc)
		connection_lost(client);
}

int client_post(struct store_client *client, enum xsd_sockmsg_type type, uint32_t tx,
		const struct client_part *parts, unsigned int count)
{
	int rc;

	if (client->posted == STORE_BATCH)
		collect(client, now_ms() + STORE_PATIENCE_MS);
	if (client->lost || client->fd < 0)
		return -EAGAIN;
	rc = put(client, type, tx, parts, count);
	if (rc == -EPIPE)
		connection_lost(client);
	else if (!rc)
		client->posted_type[client->posted++] = type;
	return rc == -EPIPE ? -EAGAIN : rc;
}

int client_posted(struct store_client *client)
{
	int rc;

	collect(client, now_ms() + STORE_PATIENCE_MS);
	rc = client->posted_rc;
	client->posted_rc = 0;
	return rc;
}

int client_request(struct store_client *client, enum xsd_sockmsg_type type, uint32_t tx,
		   const struct client_part *parts, unsigned int count, struct client_reply *reply)
{
	int64_t deadline = now_ms() + STORE_PATIENCE_MS;
	int rc;

	collect(client, deadline);
	do {
		/*
		 * A transaction does not outlive its connection: its owner starts again, as
		 * after a conflict.
		 */
		if (tx && (client->lost || client->fd < 0)) {
			if (type == XS_TRANSACTION_END)
				client->lost = false;
			return -EAGAIN;
		}
		rc = ensure_connected(client, deadline);
		if (rc)
			return rc;
		rc = exchange(client, type, tx, parts, count, deadline);
		if (rc == -EPIPE || rc == -ETIMEDOUT || rc == -EPROTO)
			connection_lost(client);
	} while (rc == -EPIPE);
	if (!rc)
		rc = take_answer(client, type, reply);
	if (type == XS_TRANSACTION_START && !rc) {
		client->open_tx++;
		client->lost = false;
	} else if (type == XS_TRANSACTION_END && client->open_tx) {
		client->open_tx--;
	}
	return rc;
}

/* Reads up to STORE_BATCH nodes; *done of them have their values, also when it fails. */
static int read_batch(struct store_client *client, const char *const *paths, size_t count,
		      char **values, size_t *done, int64_t deadline)
{
	uint32_t first = client->req_id + 1;
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		struct client_part part = client_text(paths[i]);

		rc = put(client, XS_READ, STORE_NO_TX, &part, 1);
	}
	if (!rc)
		rc = flush(client);
	for (*done = 0; *done < count && !rc; ) {
		struct client_reply reply = { 0 };

		rc = receive_answer(client, first + (uint32_t)*done, deadline);
		if (!rc)
			rc = take_answer(client, XS_READ, &reply);
		if (rc && rc != -ENOENT)
			break;
		rc = 0;
		values[(*done)++] = reply.payload;
	}
	return rc;
}

int store_read_many(struct store_client *client, const char *const *paths, size_t count,
		    char **values)
{
	int64_t deadline = now_ms() + STORE_PATIENCE_MS;
	size_t have = 0, done;
	int rc = 0;

	collect(client, deadline);
	while (have < count) {
		size_t n = count - have < STORE_BATCH ? count - have : STORE_BATCH;

		rc = ensure_connected(client, deadline);
		if (rc)
			break;
		rc = read_batch(client, paths + have, n, values + have, &done, deadline);
		have += done;
		/* What is not answered yet must not be taken for answers to what comes next. */
		if (rc)
			connection_lost(client);
		if (rc && rc != -EPIPE)
			break;
	}
	while (rc && have)
		free(values[--have]);
	return rc;
}

int store_connect(struct store_client **out, unsigned int patience_ms)
{
	struct store_client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	client->fd = -1;
	client->last = &client->events;
	int rc = ensure_connected(client, now_ms() + patience_ms);
	if (rc)
		free(client);
	else
		*out = client;
	return rc;
}

void store_disconnect(struct store_client *client)
{
	struct store_event event;

	if (!client)
		return;
	connection_lost(client);
	while (client->events) {
		struct event *next = client->events->next;
		event = client->events->event;
		store_event_free(&event);
		free(client->events);
		client->events = next;
	}
	while (client->watches) {
		struct registered *next = client->watches->next;
		free(client->watches->path);
		free(client->watches->token);
		free(client->watches);
		client->watches = next;
	}
	free(client);
}

int store_fd(const struct store_client *client)
{
	return client->fd;
}

static struct registered *registered_new(const char *path, const char *token)
{
	struct registered *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->path = strdup(path);
	watch->token = strdup(token);
	if (watch->path && watch->token)
		return watch;
	free(watch->path);
	free(watch->token);
	free(watch);
	return NULL;
}

int store_watch(struct store_client *client, const char *path, const char *token)
{
	struct client_part parts[] = { client_text(path), client_text(token) };
	struct registered *watch = registered_new(path, token);
	struct client_reply reply;

	if (!watch)
		return -ENOMEM;
	int rc = client_request(client, XS_WATCH, STORE_NO_TX, parts, 2, &reply);
	if (rc) {
		free(watch->path);
		free(watch->token);
		free(watch);
		return rc;
	}
	free(reply.payload);
	watch->next = client->watches;
	client->watches = watch;
	return 0;
}

/*
 * Drops the queued events of a watch; those of other watches with the same token below it are
 * kept by their path.
 */
static void drop_events(struct store_client *client, const char *path, const char *token)
{
	size_t len = strlen(path);
	struct event **at = &client->events;

	while (*at) {
		struct event *event = *at;
		if (strcmp(event->event.token, token) || strncmp(event->event.path, path, len)) {
			at = &event->next;
			continue;
		}
		*at = event->next;
		store_event_free(&event->event);
		free(event);
	}
	client->last = at;
}

int store_unwatch(struct store_client *client, const char *path, const char *token)
{
	struct client_part parts[] = { client_text(path), client_text(token) };
	struct client_reply reply;

	for (struct registered **at = &client->watches; *at; at = &(*at)->next) {
		struct registered *watch = *at;
		if (strcmp(watch->path, path) || strcmp(watch->token, token))
			continue;
		*at = watch->next;
		free(watch->path);
		free(watch->token);
		free(watch);
		break;
	}
	int rc = client_request(client, XS_UNWATCH, STORE_NO_TX, parts, 2, &reply);
	if (!rc)
		free(reply.payload);
	drop_events(client, path, token);
	return rc;
}

int store_wait(struct store_client *client, int timeout_ms, struct store_event *event)
{
	int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;

	collect(client, now_ms() + STORE_PATIENCE_MS);
	while (!client->events) {
		int rc = ensure_connected(client, deadline < 0 ? now_ms() + STORE_PATIENCE_MS
							       : deadline);
		if (!rc && !client->events)
			rc = receive(client, deadline);
		if (rc == -EPIPE || rc == -EPROTO)
			connection_lost(client);
		else if (rc)
			return rc;
		else if (client->in_len && client->in.header.type == XS_WATCH_EVENT)
			rc = take_event(client);
		else
			client->in_len = 0;
		if (rc == -ENOMEM)
			return rc;
	}
	struct event *first = client->events;
	*event = first->event;
	client->events = first->next;
	if (!client->events)
		client->last = &client->events;
	free(first);
	return 0;
}

void store_event_free(struct store_event *event)
{
	free(event->path);
	free(event->token);
	event->path = event->token = NULL;
}
