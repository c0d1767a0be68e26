/* SPDX-License-Identifier: MIT */
/*
 * enso-stored: the xenstore daemon. Runs in the foreground, for a supervisor to start again; may be killed at any time.
 *
 * Privileges: opens the hypervisor's devices and its socket as root, then keeps the user id (its files are root's), but
 * drops every capability and the right to get any back. All it can do then is what its open descriptors allow: map
 * frames of other domains and send events. Trusted: the control domain's root. Not trusted: everything in a ring.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "store/server.h"

#define DEFAULT_STATE "/run/enso/store"
#define DEFAULT_SOCKET "/run/xenstored/socket"
#define TICK_MS 1000

int server_serve(struct server *server, struct connection *conn)
{
	int rc = store_serve(server->store, conn);

	if (!rc)
		journal_flush(&server->journal, server->store);
	return rc;
}

static uint64_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

/* One round: wait, take what came, give everybody a turn, send what waits. */
static int server_round(struct server *server)
{
	unsigned int n = server->n_clients + 2;
	struct pollfd *fds = calloc(n, sizeof(fds[0]));

	if (!fds)
		return -ENOMEM;
	fds[0] = (struct pollfd){ .fd = server->evtchn, .events = POLLIN };
	socket_poll_fill(server, fds + 1);
	int rc = poll(fds, n, server->busy ? 0 : TICK_MS);
	server->busy = false;
	if (rc < 0) {
		rc = errno == EINTR ? 0 : -errno;
		free(fds);
		return rc;
	}
	if (fds[0].revents)
		ring_events(server);
	socket_turns(server, fds + 1);
	ring_turns(server);
	socket_flush(server);
	uint64_t now = now_seconds();
	if (now != server->store->now) {
		store_tick(server->store, now);
		journal_flush(&server->journal, server->store);
	}
	free(fds);
	return 0;
}

static void drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_capset, &header, none);
}

/* Makes the directory of a file, and those above. */
static void make_directories(const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), "%s", file);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
}

/* Two daemons must not serve the same rings. The lock ends with the process. */
static int take_lock(const struct server *server, struct error *err)
{
	int fd = openat(server->journal.dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB))
		return error_set(err, ERROR_STATE, "another enso-stored is running");
	return 0;
}

static int server_start(struct server *server, const char *state, const char *socket, bool sockets_only,
			struct error *err)
{
	make_directories(state);
	make_directories(socket);
	server->store = store_new(&ring_io, server);
	if (!server->store)
		return error_set(err, ERROR_NO_MEMORY, "no memory");
	server->store->now = now_seconds();
	int rc = journal_open(&server->journal, state);
	if (rc)
		return error_set(err, ERROR_FILE, "%s: %s", state, error_text(rc));
	if (take_lock(server, err))
		return -1;
	rc = journal_load(&server->journal, server->store);
	if (rc && rc != -ENOENT)
		return error_set(err, ERROR_FILE, "%s/state cannot be used: %s; remove it if no guest runs",
				 state, error_text(rc));
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
		{ "state", required_argument, NULL, 'd' },  { "socket", required_argument, NULL, 's' },
		{ "sockets-only", no_argument, NULL, 'n' }, { "help", no_argument, NULL, 'h' },
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
	drop_privileges();
	for (;;) {
		int rc = server_round(&server);
		if (rc == -ENOMEM)
			usleep(100000);
		else if (rc)
			return ERROR_FAILED;
	}
}
