/* SPDX-License-Identifier: MIT */
/* The daemon's loop: see server.h. */
#include "store/server.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define TICK_MS 1000
#define REFILL_NS 1000000	/* budgets are not filled more often */

int server_serve(struct server *server, struct connection *conn)
{
	int rc = store_serve(server->store, conn);

	if (!rc)
		journal_flush(&server->journal, server->store);
	return rc;
}

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t server_seconds(void)
{
	return nanoseconds(CLOCK_MONOTONIC) / 1000000000;
}

uint64_t server_used(void)
{
	return nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
}

/* How long the daemon may sleep. */
static int idle_ms(const struct server *server)
{
	int ms = server->busy ? 0 : ring_idle_ms(server);

	return ms < 0 || ms > TICK_MS ? TICK_MS : ms;
}

static void refill(struct server *server)
{
	uint64_t now = nanoseconds(CLOCK_MONOTONIC), passed = now - server->refilled;

	if (passed < REFILL_NS)
		return;
	server->refilled = now;
	ring_refill(server, passed);
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
	int timeout_ms = idle_ms(server);

	server->busy = false;
	int rc = server_listen(server, timeout_ms);
	if (rc)
		return rc;
	refill(server);
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
