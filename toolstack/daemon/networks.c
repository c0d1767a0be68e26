/* SPDX-License-Identifier: MIT */
/* Keeping networks alive: see networks.h. */
#include "daemon/networks.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "daemon/supervise.h"
#include "lib/file.h"
#include "vm/network.h"

#define LOOK_MS 60000		/* a look at all of them, whatever was told */
#define HOLD_US 1000000		/* between two looks: one that ends at once keeps nobody busy */

enum { WATCHED_MAX = 64 };	/* networks beyond these are seen to each LOOK_MS */

struct watched {
	struct pollfd fds[1 + WATCHED_MAX];	/* the first: networks came or went */
	nfds_t count;
};

static void tell(void *context, const char *name, const struct error *why)
{
	(void)context;
	if (why)
		say("network %s: its dnsmasq has ended, and does not start: %s", name, why->text);
	else
		say("network %s: its dnsmasq had ended; it runs again", name);
}

static void watch(void *context, int fd)
{
	struct watched *watched = context;

	if (watched->count < 1 + WATCHED_MAX)
		watched->fds[watched->count++] = (struct pollfd){ fd, POLLIN, 0 };
	else
		close(fd);
}

/* What was told by now is seen by the look that follows. */
static void forget(struct watched *watched)
{
	char events[4096];

	while (read(watched->fds[0].fd, events, sizeof(events)) > 0)
		;
	while (watched->count > 1)
		close(watched->fds[--watched->count].fd);
}

void networks_keep(void)
{
	int changes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct watched watched = { .fds = { { changes, POLLIN, 0 } }, .count = 1 };
	const struct vm_network_keeper keeper = { tell, watch, &watched };
	int rc = file_make_dirs(vm_network_run_dir);

	if (rc || inotify_add_watch(changes, vm_network_run_dir, IN_MOVED_TO | IN_DELETE) < 0) {
		say("%s cannot be watched", vm_network_run_dir);
		return;
	}
	for (;;) {
		struct error err;

		forget(&watched);
		if (vm_network_tend(&keeper, &err))
			say("networks: %s", err.text);
		poll(watched.fds, watched.count, LOOK_MS);
		usleep(HOLD_US);
	}
}
