/* SPDX-License-Identifier: MIT */
/*
 * The socket of ensod. One process listens and makes another for each connection: what a client
 * does (garbage, half a line, a line without end, never reading) costs that process only, whose
 * memory is bounded; how many there are is bounded for each user and for all.
 */
#ifndef DAEMON_SERVE_H
#define DAEMON_SERVE_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

/* "/run/enso/ensod.sock"; tests have their own. */
extern const char *serve_path;

enum {
	SERVE_ALL_MAX = 64,	/* connections at a time */
	SERVE_USER_MAX = 16,	/* of one user */
};

/* Bytes of address space of a client's process, but for the commands that it runs. 0: no limit. */
extern unsigned long serve_memory_max;

/* Make the socket, for root and the group gid. A descriptor, or -1 with err set. */
int serve_open(gid_t gid, struct error *err);

/* Accept connections for ever. Returns only when that fails: -errno. */
int serve_listen(int listener);

/* Talk to one client until it leaves. One process. */
void serve_client(int client, uid_t uid);

#endif
