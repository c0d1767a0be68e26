/* SPDX-License-Identifier: MIT */
/* One client of the socket, in a process of its own: see serve.h, and ensod(8) for what is said. */
#include "daemon/serve.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/request.h"
#include "daemon/run.h"
#include "vm/event.h"

#define WRITE_SECONDS 10		/* who does not read for so long is left */
#define EVENT_MS 500

/* A line, its values, an output, an answer. */
unsigned long serve_memory_max = 128UL << 20;

struct client {
	int fd;
	uid_t uid;
	char *line;			/* REQUEST_LINE_MAX bytes, paid for as they come */
	size_t have;
	int fds[3];			/* that came with the next request, or -1 */
};

/* ---- out ---- */

/* False: the client is gone, or does not read. */
static bool send_all(const struct client *client, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(client->fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* Sends and frees. */
static bool send_json(const struct client *client, json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	bool sent = text && send_all(client, text, strlen(text)) && send_all(client, "\n", 1);

	free(text);
	json_decref(value);
	return sent;
}

/* A command may write any bytes: what is no UTF-8 becomes a question mark. */
static json_t *text_value(struct run_output *output)
{
	json_t *value = json_stringn(output->len ? output->text : "", output->len);

	for (size_t i = 0; !value && i < output->len; i++) {
		if ((unsigned char)output->text[i] >= 0x80)
			output->text[i] = '?';
	}
	return value ? value : json_stringn(output->text, output->len);
}

static bool answer(const struct client *client, json_t *id, int status, struct run_output *output,
		   json_t *error)
{
	json_t *object = json_object();

	json_object_set(object, "id", id ? id : json_null());
	json_object_set_new(object, "status", json_integer(status));
	if (output)
		json_object_set_new(object, "output", text_value(output));
	if (error)
		json_object_set_new(object, "error", error);
	return send_json(client, object);
}

static bool answer_error(const struct client *client, json_t *id, const struct error *err)
{
	return answer(client, id, err->code, NULL, json_string(err->text));
}

/* ---- requests ---- */

static void drop_fds(struct client *client)
{
	for (int i = 0; i < 3; i++) {
		if (client->fds[i] >= 0)
			close(client->fds[i]);
		client->fds[i] = -1;
	}
}

static bool run(struct client *client, const struct request *request)
{
	struct run_output output[2] = { { 0 } };
	bool passed = client->fds[0] >= 0;
	struct error err = { 0 };
	int status = run_enso(request, client->uid, passed ? client->fds : NULL, client->fd, output,
			      &err);
	bool sent;

	for (int i = 0; i < 3 && passed; i++)
		client->fds[i] = -1;
	if (status < 0)
		sent = answer_error(client, request->id, &err);
	else if (passed)
		sent = answer(client, request->id, status, NULL, NULL);
	else
		sent = answer(client, request->id, status, &output[0], text_value(&output[1]));
	free(output[0].text);
	free(output[1].text);
	return sent;
}

/* Events until the client leaves or asks for something else. */
static bool send_events(const struct client *client, json_t *id)
{
	struct vm_events events;
	char line[VM_EVENT_MAX];
	bool sent;

	vm_events_open(&events, false);
	sent = answer(client, id, 0, NULL, NULL);
	while (sent) {
		struct pollfd poll_on = { client->fd, POLLIN | POLLRDHUP, 0 };

		if (poll(&poll_on, 1, 0) > 0)
			break;
		if (vm_events_next(&events, EVENT_MS, line) > 0)
			sent = send_all(client, line, strlen(line)) && send_all(client, "\n", 1);
	}
	vm_events_close(&events);
	return sent;
}

static bool serve_line(struct client *client, const char *line, size_t len)
{
	struct request request;
	struct error err = { 0 };
	bool sent;

	if (request_parse(&request, line, len, &err))
		sent = answer_error(client, request.id, &err);
	else if (request.events)
		sent = send_events(client, request.id);
	else
		sent = run(client, &request);
	request_free(&request);
	drop_fds(client);
	return sent;
}

/* ---- in ---- */

/* Descriptors beside the bytes: three, or they are closed. */
static void take_fds(struct client *client, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fds[8];

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		if (n > 8)
			n = 8;
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		drop_fds(client);
		for (size_t i = 0; i < n; i++) {
			if (n == 3)
				client->fds[i] = fds[i];
			else
				close(fds[i]);
		}
	}
}

/* More bytes of the client. False: it left. */
static bool receive(struct client *client)
{
	union {
		char space[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec bytes = { client->line + client->have, REQUEST_LINE_MAX - client->have };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n;

	do {
		n = recvmsg(client->fd, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	take_fds(client, &message);
	client->have += (size_t)n;
	return true;
}

/* What is whole of what was received. False: the client is to be left. */
static bool serve_lines(struct client *client)
{
	char *end;

	while ((end = memchr(client->line, '\n', client->have))) {
		size_t len = (size_t)(end - client->line);

		if (!serve_line(client, client->line, len))
			return false;
		client->have -= len + 1;
		memmove(client->line, end + 1, client->have);
	}
	if (client->have == REQUEST_LINE_MAX) {
		struct error err;

		error_set(&err, ERROR_USAGE, "request: a line has at most %d bytes",
			  REQUEST_LINE_MAX);
		answer_error(client, NULL, &err);
		return false;
	}
	return true;
}

void serve_client(int fd, uid_t uid)
{
	const struct timeval patience = { .tv_sec = WRITE_SECONDS };
	const struct rlimit memory = { serve_memory_max, RLIM_INFINITY };
	struct client client = { .fd = fd, .uid = uid, .fds = { -1, -1, -1 } };
	pid_t parent = getppid();

	signal(SIGCHLD, SIG_DFL);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (serve_memory_max)
		setrlimit(RLIMIT_AS, &memory);
	client.line = malloc(REQUEST_LINE_MAX);
	/* Without its parent it would not be counted: it leaves after what it is doing. */
	while (client.line && getppid() == parent && receive(&client) && serve_lines(&client))
		continue;
	free(client.line);
}
