/* SPDX-License-Identifier: MIT */
/* The daemon's loop: see server.h. */
#include "store/server.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define TICK_MS 1000

int server_serve(struct server *server, struct connection *conn)
{
	int rc = store_serve(server->store, conn);

	if (!rc)
		journal_flush(&server->journal, server->store);
	return rc;
}

uint64_t server_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

int server_listen(struct server *server, int timeout_ms)
{
	unsigned int n = server->n_clients + 2;
	struct pollfd *fds = calloc(n, sizeof(fds[0]));

	if (!fds)
		return -ENOMEM;
	fds[0] = (struct pollfd){ .fd = server->evtchn, .events = POLLIN };
	socket_poll_fill(server, fds + 1);
	int rc = poll(fds, n, timeout_ms);
	if (rc < 0) {
		rc = errno == EINTR ? 0 : -errno;
	} else {
		rc = 0;
		if (fds[0].revents)
			ring_events(server);
		socket_turns(server, fds + 1);
	}
	free(fds);
	return rc;
}

int server_round(struct server *server)
{
	int timeout_ms = server->busy ? 0 : TICK_MS;

	server->busy = false;
	int rc = server_listen(server, timeout_ms);
	if (rc)
		return rc;
	ring_turns(server);
	socket_flush(server);
	store_reap_domains(server->store);
	uint64_t now = server_seconds();
	if (now != server->store->now) {
		store_tick(server->store, now);
		journal_flush(&server->journal, server->store);
	}
	return 0;
}
