/* SPDX-License-Identifier: MIT */
/*
 * enso-consoled: the consoles of all guests. Runs in the foreground, for a supervisor to start
 * again; may be killed at any time: guests, scroll-back and logs are found again.
 *
 * Privileges: opens the hypervisor's devices and its directories as root, then keeps the user
 * id (its files are root's) but drops every capability. Trusted: the control domain's root. Not
 * trusted: everything in a console's page.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "console/client.h"
#include "console/guest.h"
#include "lib/file.h"
#include "store/client.h"
#include "lib/confine.h"

#define DEFAULT_LOG_KIB 1024
#define TICK_MS 100
#define EVENTS 64
#define DOMAINS 64
#define FILES 65536

struct daemon {
	struct consoles consoles;
	struct store_client *store;
	struct source store_source, evtchn_source;
	bool rescan;	/* domains came or went */
	bool throttled; /* some guest has used its budget up */
	uint64_t tick;	/* in units of TICK_MS */
};

static struct daemon self;

static int add_source(struct source *source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

	return epoll_ctl(self.consoles.epoll, EPOLL_CTL_ADD, source->fd, &event) ? -errno : 0;
}

/* All watches mean the same: look at the domains again. */
static void store_ready(struct source *source, uint32_t events)
{
	struct store_event event;

	(void)source;
	(void)events;
	while (!store_wait(self.store, 0, &event)) {
		store_event_free(&event);
		self.rescan = true;
	}
}

static void evtchn_ready(struct source *source, uint32_t events)
{
	int port;

	(void)events;
	while ((port = hyp_evtchn_next(source->fd)) >= 0) {
		struct guest *guest = guest_find_port(&self.consoles, port);
		hyp_evtchn_unmask(source->fd, (uint32_t)port);
		if (guest)
			guest_service(guest);
	}
}

/* Reads one number of a domain's console directory. */
static int read_fact(uint32_t domid, const char *name, uint64_t *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/console/%s", domid, name);
	return store_read_uint(self.store, STORE_NO_TX, path, value);
}

/* Attaches to a guest, or waits for the toolstack to say where its console is. */
static void try_attach(const struct xen_domctl_getdomaininfo *info)
{
	struct guest_facts facts = { .domid = info->domain };
	uint64_t frame, port;
	char path[64], *name = NULL;

	snprintf(path, sizeof(path), "/local/domain/%u/console", facts.domid);
	if (read_fact(facts.domid, "ring-ref", &frame) || read_fact(facts.domid, "port", &port)) {
		store_watch(self.store, path, "console"); /* -EEXIST: is being watched */
		return;
	}
	store_unwatch(self.store, path, "console");
	facts.frame = frame;
	facts.port = (uint32_t)port;
	memcpy(facts.uuid, info->handle, sizeof(facts.uuid));
	snprintf(path, sizeof(path), "/local/domain/%u/name", facts.domid);
	store_read(self.store, STORE_NO_TX, path, &name, NULL);
	facts.name = name;
	int rc = guest_attach(&self.consoles, &facts);
	if (rc)
		fprintf(stderr, "enso-consoled: domain %u: console cannot be attached: %s\n",
			facts.domid, error_text(rc));
	free(name);
}

/* Whether @domid is among the domains that live. */
static bool is_alive(uint32_t domid)
{
	struct xen_domctl_getdomaininfo info;

	return !hyp_domain_info(self.consoles.hyp, domid, &info) &&
	       !(info.flags & XEN_DOMINF_dying);
}

static void scan_domains(void)
{
	struct xen_domctl_getdomaininfo infos[DOMAINS];
	uint32_t first = 1;
	int count;

	self.rescan = false;
	for (struct guest *guest = self.consoles.guests, *next; guest; guest = next) {
		next = guest->next;
		if (!is_alive(guest->domid))
			guest_detach(guest);
	}
	do {
		count = hyp_domain_list(self.consoles.hyp, first, infos, DOMAINS);
		for (int i = 0; i < count; i++) {
			first = infos[i].domain + 1u;
			if (!(infos[i].flags & XEN_DOMINF_dying) &&
			    !guest_find(&self.consoles, infos[i].domain))
				try_attach(&infos[i]);
		}
	} while (count == DOMAINS);
}

/*
 * The client connects again by itself when the store daemon was restarted: then its descriptor
 * is another, or another's with the same number; -EEXIST says that it is still the one.
 */
static void follow_store(void)
{
	self.store_source.fd = store_fd(self.store);
	if (self.store_source.fd >= 0 && !add_source(&self.store_source))
		self.rescan = true;
}

/* New budgets, with which those go on who had none left. */
static void tick(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t count = ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000) / TICK_MS;
	if (count != self.tick) {
		for (struct guest *guest = self.consoles.guests; guest; guest = guest->next) {
			bool waits = guest->budget <= 0;
			guest->budget = GUEST_BUDGET;
			if (waits)
				guest_service(guest);
		}
		self.tick = count;
	}
	self.throttled = false;
	for (struct guest *guest = self.consoles.guests; guest; guest = guest->next)
		self.throttled |= guest->budget <= 0;
}

/*
 * What the store has told. Requests of a scan queue events that epoll does not see any more, so
 * this is repeated until there are none.
 */
static void heed_store(void)
{
	do {
		if (self.rescan)
			scan_domains();
		follow_store();
		store_ready(&self.store_source, 0);
	} while (self.rescan);
}

static int round_of_events(void)
{
	struct epoll_event events[EVENTS];

	heed_store();
	bool hurry = self.throttled || store_fd(self.store) < 0;
	int count = epoll_wait(self.consoles.epoll, events, EVENTS, hurry ? TICK_MS : -1);

	if (count < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < count; i++) {
		struct source *source = events[i].data.ptr;
		source->ready(source, events[i].events);
	}
	guest_free_dead(&self.consoles);
	tick();
	return 0;
}

static int open_directory(const char *path, struct error *err)
{
	int rc = file_make_dirs(path);
	int fd = rc ? rc : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		error_set(err, ERROR_FILE, "%s: %s", path, error_text(rc ? rc : -errno));
	return fd;
}

static int daemon_open(const char *logs, struct error *err)
{
	struct consoles *consoles = &self.consoles;

	consoles->socket_path = CONSOLE_SOCKET_DIR;
	consoles->socket_dir = open_directory(CONSOLE_SOCKET_DIR, err);
	if (consoles->socket_dir < 0)
		return -1;
	int rc = file_lock(CONSOLE_SOCKET_DIR "/lock", false);
	if (rc == -EWOULDBLOCK)
		return error_set(err, ERROR_STATE, "another enso-consoled is running");
	consoles->log_dir = open_directory(logs, err);
	if (consoles->log_dir < 0 || hyp_open(&consoles->hyp, err))
		return -1;
	consoles->gnttab = hyp_grant_open();
	consoles->evtchn = hyp_evtchn_open();
	if (consoles->evtchn < 0)
		return error_set(err, ERROR_NO_HOST, "cannot open event channels: %s",
				 error_text(consoles->evtchn));
	consoles->epoll = epoll_create1(EPOLL_CLOEXEC);
	self.evtchn_source = (struct source){ consoles->evtchn, evtchn_ready };
	self.store_source = (struct source){ -1, store_ready };
	rc = consoles->epoll < 0 ? -errno : add_source(&self.evtchn_source);
	return rc ? error_set(err, ERROR_FAILED, "epoll: %s", error_text(rc)) : 0;
}

/* Each guest has a listener and a log, and maybe viewers: 1,024 descriptors end at 500 guests. */
static void allow_many_guests(void)
{
	const struct rlimit many = { FILES, FILES };

	if (setrlimit(RLIMIT_NOFILE, &many))
		perror("enso-consoled: few guests are possible: descriptors");
}

/* The store daemon may be started at the same time. */
static int daemon_connect(struct error *err)
{
	int rc = store_connect(&self.store, 30000);

	if (!rc)
		rc = store_watch(self.store, "@introduceDomain", "domains");
	if (!rc)
		rc = store_watch(self.store, "@releaseDomain", "domains");
	if (rc)
		return error_set(err, ERROR_STORE, "cannot reach the store daemon: %s",
				 error_text(rc));
	self.rescan = true;
	return 0;
}

static void usage(FILE *to)
{
	fprintf(to, "usage: enso-consoled [--log-dir DIR] [--log-limit KIB]\n"
		    "The console daemon; runs in the foreground. See enso-consoled(8).\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "log-dir", required_argument, NULL, 'd' },
		{ "log-limit", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *logs = CONSOLE_LOG_DIR;
	unsigned long limit = DEFAULT_LOG_KIB;
	struct error err = { 0 };
	char *end = "";
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'd': logs = optarg; break;
		case 'l': limit = strtoul(optarg, &end, 10); break;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return ERROR_USAGE;
		}
	}
	if (*end || limit > 1ul << 30) {
		usage(stderr);
		return ERROR_USAGE;
	}
	self.consoles.log_limit = limit * 1024;
	allow_many_guests();
	if (daemon_open(logs, &err) || daemon_connect(&err)) {
		fprintf(stderr, "enso-consoled: %s\n", err.text);
		return (int)err.code;
	}
	confine_self();
	while (!round_of_events())
		continue;
	return ERROR_FAILED;
}
