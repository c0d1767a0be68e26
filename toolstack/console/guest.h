/* SPDX-License-Identifier: MIT */
/*
 * A guest's console in the daemon: its ring, its event channel, its socket with everybody who
 * is connected, its scroll-back and its log. One thread, no locks.
 *
 * What a guest writes goes into the scroll-back, from where each viewer reads at its own pace;
 * what viewers type goes into the ring as far as there is room, and stays in their sockets
 * otherwise. So a guest or a viewer that does not read costs no memory. A guest that writes
 * without end gets GUEST_BUDGET bytes per tick.
 */
#ifndef CONSOLE_GUEST_H
#define CONSOLE_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "console/backlog.h"
#include "console/log.h"
#include "console/ring.h"
#include "hyp/hyp.h"

#define GUEST_BUDGET 65536 /* bytes per tick */

/* Something that the daemon's epoll waits for. */
struct source {
	int fd;
	void (*ready)(struct source *source, uint32_t events);
};

struct viewer;

struct consoles {
	int epoll;
	int socket_dir;	 /* CONSOLE_SOCKET_DIR, open; sockets are bound in it by path */
	const char *socket_path;
	int log_dir;
	uint64_t log_limit;
	struct hyp *hyp;
	int evtchn, gnttab;
	struct guest *guests;
	struct viewer *dead; /* see guest_free_dead() */
};

struct guest {
	struct guest *next;
	struct consoles *consoles;
	uint32_t domid;
	bool granted;	    /* the page is mapped as a grant */
	bool broken;	    /* its ring makes no sense; not served any more */
	int port;	    /* local end of its event channel */
	int budget;	    /* bytes it may still write in this tick */
	struct console_ring ring;
	struct backlog *backlog;
	struct console_log log;
	struct source listener;
	struct viewer *viewers;
};

/* What is to be known of a guest's console before it can be attached. */
struct guest_facts {
	uint32_t domid;
	uint8_t uuid[16];
	uint64_t frame;	  /* machine frame of its page */
	uint32_t port;	  /* guest's end of its event channel */
	const char *name; /* or NULL: not known */
};

/* Maps, binds, listens. Returns 0 with the guest in the list, or -errno. */
int guest_attach(struct consoles *consoles, const struct guest_facts *facts);

/* The guest is gone: its last words, then everything is given back. */
void guest_detach(struct guest *guest);

struct guest *guest_find(struct consoles *consoles, uint32_t domid);
struct guest *guest_find_port(struct consoles *consoles, int port);

/* Carries bytes both ways, as far as budget and room allow. */
void guest_service(struct guest *guest);

/* Frees viewers that were closed in this round: no event of the round can mean them any more. */
void guest_free_dead(struct consoles *consoles);

#endif
