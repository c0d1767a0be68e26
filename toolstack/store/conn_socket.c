/* SPDX-License-Identifier: MIT */
/*
 * Connections of programs in the control domain, over the UNIX socket, which only root can
 * open. All of them are privileged. See server.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/server.h"

#define CLIENTS_MAX 1024

struct client {
	struct client *next;
	int fd;
	bool closed;
	struct connection conn;
	size_t in_at, in_len; /* bytes that were read and not yet received by conn */
	char in[sizeof(struct wire_message)];
};

int socket_listen(struct server *server, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	unlink(path);
	mode_t mask = umask(0177);
	int rc = 0;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64))
		rc = -errno;
	umask(mask);
	if (rc)
		close(fd);
	else
		server->listener = fd;
	return rc;
}

static void client_free(struct server *server, struct client *client)
{
	struct client **at = &server->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	server->n_clients--;
	store_remove(server->store, &client->conn);
	close(client->fd);
	free(client);
}

static void accept_client(struct server *server)
{
	static const struct actor control = { .privileged = true };
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client;

	if (fd < 0)
		return;
	client = server->n_clients < CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
	if (!client) {
		close(fd);
		return;
	}
	client->fd = fd;
	client->next = server->clients;
	server->clients = client;
	server->n_clients++;
	store_add(server->store, &client->conn, &control, false);
}

void socket_poll_fill(struct server *server, struct pollfd *fds)
{
	*fds++ = (struct pollfd){ .fd = server->listener, .events = POLLIN };
	for (struct client *client = server->clients; client; client = client->next) {
		*fds = (struct pollfd){ .fd = client->fd };
		if (!connection_has_request(&client->conn))
			fds->events |= POLLIN;
		if (client->conn.out)
			fds->events |= POLLOUT;
		fds++;
	}
}

static void client_send(struct client *client)
{
	const char *bytes;
	size_t len;

	while (!client->closed && (len = connection_output(&client->conn, &bytes))) {
		ssize_t done = send(client->fd, bytes, len, MSG_NOSIGNAL);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN)
			return;
		if (done < 0)
			client->closed = true;
		else
			connection_sent(&client->conn, (size_t)done);
	}
}

/* Reads until a request is complete. False: there is no more to read now. */
static bool client_receive(struct client *client)
{
	while (!connection_has_request(&client->conn)) {
		if (client->in_at == client->in_len) {
			ssize_t got = recv(client->fd, client->in, sizeof(client->in), 0);
			if (got < 0 && (errno == EAGAIN || errno == EINTR))
				return false;
			if (got <= 0) {
				client->closed = true;
				return false;
			}
			client->in_at = 0;
			client->in_len = (size_t)got;
		}
		ptrdiff_t taken = connection_receive(&client->conn, client->in + client->in_at,
						     client->in_len - client->in_at);
		if (taken == -EPROTO)
			client->closed = true;
		if (taken <= 0)
			return false;
		client->in_at += (size_t)taken;
	}
	return true;
}

static void client_turn(struct server *server, struct client *client)
{
	for (unsigned int i = 0; i < SERVER_TURN; i++) {
		client_send(client);
		if (client->closed || !client_receive(client) || !connection_ready(&client->conn))
			return;
		if (server_serve(server, &client->conn))
			return;
	}
	client_send(client);
	server->busy = true;
}

void socket_turns(struct server *server, const struct pollfd *fds)
{
	bool more = fds++->revents;

	for (struct client *client = server->clients, *next; client; client = next, fds++) {
		next = client->next;
		if (fds->revents || connection_has_request(&client->conn) ||
		    client->in_at < client->in_len)
			client_turn(server, client);
		if (client->closed)
			client_free(server, client);
	}
	if (more)
		accept_client(server);
}

void socket_flush(struct server *server)
{
	for (struct client *client = server->clients; client; client = client->next)
		client_send(client);
}
