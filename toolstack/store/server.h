/* SPDX-License-Identifier: MIT */
/*
 * The daemon around the store: sockets (conn_socket.c), rings (conn_ring.c), the loop (server.c).
 *
 * Everybody gets a turn of a few requests in each round, so nobody's flood keeps the others
 * waiting for long; and the control domain, on its ring or its sockets, one first and one after
 * each millisecond of guests' turns. What a guest's turns cost is taken from its budget
 * (budget.h). Who has spent that is out of the rounds until there is some again: its requests stay
 * in its ring, events wait for it in its queue, and its event channel stays masked, so that it
 * cannot even wake the daemon.
 */
#ifndef STORE_SERVER_H
#define STORE_SERVER_H

#include <poll.h>

#include "hyp/hyp.h"
#include "store/journal.h"
#include "store/store.h"

/* Requests that one connection is served in a round: of the control domain, of a guest. */
#define SERVER_TURN 8
#define SERVER_TURN_GUEST 4

struct client;

struct server {
	struct store *store;
	struct journal journal;
	bool busy;		 /* a socket has more requests than a turn serves */
	uint64_t refilled;	 /* when budgets were, in ns of the monotonic clock */

	int listener;		 /* the UNIX socket */
	struct client *clients;
	unsigned int n_clients;

	struct hyp *hyp;	 /* NULL: sockets only, for tests */
	int evtchn, gnttab;	 /* descriptors, or -1 */
	int exc_port;		 /* local port of VIRQ_DOM_EXC */
	struct domain **by_port; /* whose event channel a local port is */
	unsigned int n_ports;
};

/* Serves one request and writes the journal. Returns 0 or -ENOMEM: later. */
int server_serve(struct server *server, struct connection *conn);

/* One round: wait, take what came, give everybody a turn, send what waits. 0 or -errno. */
int server_round(struct server *server);

/*
 * Waits for something to come, at most timeout_ms; takes events, and gives the sockets their turns.
 * 0 or -errno.
 */
int server_listen(struct server *server, int timeout_ms);

/* The clock of store_tick(). */
uint64_t server_seconds(void);

/* Nanoseconds of the processor that this process has used. */
uint64_t server_used(void);

/* ---- conn_socket.c ---- */

/* Listens on @path. Returns 0 or -errno. */
int socket_listen(struct server *server, const char *path);

/* Fills @fds (room for n_clients + 1) for poll(). */
void socket_poll_fill(struct server *server, struct pollfd *fds);

/* After poll(): new clients, and a turn for each that has something to say. */
void socket_turns(struct server *server, const struct pollfd *fds);

/* Sends what waits. */
void socket_flush(struct server *server);

/* ---- conn_ring.c ---- */

extern const struct store_io ring_io;

/* Opens the hypervisor's devices. -1 with @err. */
int ring_open(struct server *server, struct error *err);

/*
 * Connects again to all domains that the journal knows, releases those that are gone,
 * introduces the control domain.
 */
int ring_start(struct server *server, struct error *err);

/* After poll(): takes the events that fired. */
void ring_events(struct server *server);

/* So many ns have passed: budgets fill. */
void ring_refill(struct server *server, uint64_t ns);

/* For how many ms no ring will want a turn unless something comes; -1: for ever. */
int ring_idle_ms(const struct server *server);

/* A turn for each ring that has something to say or to be told. */
void ring_turns(struct server *server);

#endif
