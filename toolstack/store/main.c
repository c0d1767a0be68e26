/* SPDX-License-Identifier: MIT */
/*
 * enso-stored: the xenstore daemon. Runs in the foreground, for a supervisor to start again;
 * may be killed at any time.
 *
 * Privileges: opens the hypervisor's devices and its socket as root, then keeps the user id
 * (its files are root's), but drops every capability and the right to get any back. All it can
 * do then is what its open descriptors allow: map frames of other domains and send events.
 * Trusted: the control domain's root. Not trusted: everything in a ring.
 */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/confine.h"
#include "store/server.h"

#define DEFAULT_STATE "/run/enso/store"
#define DEFAULT_SOCKET "/run/xenstored/socket"

/*
 * Makes the directories; two daemons must not serve the same rings, so a lock is held until the
 * process ends.
 */
static int take_place(const char *state, const char *socket, struct error *err)
{
	char path[256];
	int rc = file_make_dirs(state);

	snprintf(path, sizeof(path), "%s", socket);
	if (!rc)
		rc = file_make_dirs(dirname(path));
	if (rc)
		return error_set(err, ERROR_FILE, "%s, %s: %s", state, socket, error_text(rc));
	snprintf(path, sizeof(path), "%s/lock", state);
	rc = file_lock(path, false);
	if (rc == -EWOULDBLOCK)
		return error_set(err, ERROR_STATE, "another enso-stored is running");
	return rc < 0 ? error_set(err, ERROR_FILE, "%s: %s", path, error_text(rc)) : 0;
}

static int server_start(struct server *server, const char *state, const char *socket,
			bool sockets_only, struct error *err)
{
	if (take_place(state, socket, err))
		return -1;
	server->store = store_new(&ring_io, server);
	if (!server->store)
		return error_set(err, ERROR_NO_MEMORY, "no memory");
	server->store->now = server_seconds();
	int rc = journal_open(&server->journal, state);
	if (rc)
		return error_set(err, ERROR_FILE, "%s: %s", state, error_text(rc));
	rc = journal_load(&server->journal, server->store);
	if (rc && rc != -ENOENT)
		return error_set(err, ERROR_FILE,
				 "%s/state cannot be used: %s; remove it if no guest runs", state,
				 error_text(rc));
	if (!sockets_only && (ring_open(server, err) || ring_start(server, err)))
		return -1;
	rc = journal_rewrite(&server->journal, server->store);
	if (!rc)
		rc = socket_listen(server, socket);
	return rc ? error_set(err, ERROR_FILE, "%s: %s", socket, error_text(rc)) : 0;
}

static void usage(FILE *to)
{
	fprintf(to, "usage: enso-stored [--state DIR] [--socket PATH] [--sockets-only]\n"
		    "The xenstore daemon; runs in the foreground. See enso-stored(8).\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "state", required_argument, NULL, 'd' },
		{ "socket", required_argument, NULL, 's' },
		{ "sockets-only", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct server server = { .listener = -1, .evtchn = -1, .gnttab = -1, .exc_port = -1 };
	const char *state = DEFAULT_STATE, *socket = DEFAULT_SOCKET;
	bool sockets_only = false;
	struct error err = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'd': state = optarg; break;
		case 's': socket = optarg; break;
		case 'n': sockets_only = true; break;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return ERROR_USAGE;
		}
	}
	if (server_start(&server, state, socket, sockets_only, &err)) {
		fprintf(stderr, "enso-stored: %s\n", err.text);
		return (int)err.code;
	}
	confine_self();
	for (;;) {
		int rc = server_round(&server);
		if (rc == -ENOMEM)
			usleep(100000);
		else if (rc)
			return ERROR_FAILED;
	}
}
