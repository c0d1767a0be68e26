/* SPDX-License-Identifier: MIT */
/* A guest's console in the daemon: see guest.h. */
#include "console/guest.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "abi/grant_table.h"

#define VIEWERS_MAX 16

struct viewer {
	struct source source;	/* first: the one is cast to the other */
	struct viewer *next;
	struct guest *guest;
	uint64_t pos;		/* of the next byte in the scroll-back */
	uint32_t waits;		/* events that are asked for */
};

static void viewer_wait(struct viewer *viewer, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = &viewer->source };

	if (viewer->waits == events)
		return;
	viewer->waits = events;
	epoll_ctl(viewer->guest->consoles->epoll, EPOLL_CTL_MOD, viewer->source.fd, &event);
}

/* Closes it now, frees it when no event of this round can mean it any more. */
static void viewer_close(struct viewer *viewer)
{
	struct guest *guest = viewer->guest;
	struct viewer **at = &guest->viewers;

	while (*at != viewer)
		at = &(*at)->next;
	*at = viewer->next;
	close(viewer->source.fd);
	viewer->source.fd = -1;
	viewer->next = guest->consoles->dead;
	guest->consoles->dead = viewer;
}

void guest_free_dead(struct consoles *consoles)
{
	while (consoles->dead) {
		struct viewer *next = consoles->dead->next;
		free(consoles->dead);
		consoles->dead = next;
	}
}

/* Sends what the viewer has not seen. False: it was closed. */
static bool viewer_send(struct viewer *viewer)
{
	const char *bytes;
	size_t len;

	while ((len = backlog_read(viewer->guest->backlog, &viewer->pos, &bytes))) {
		ssize_t done = send(viewer->source.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (done < 0 && errno == EAGAIN)
			return true;
		if (done < 0) {
			viewer_close(viewer);
			return false;
		}
		viewer->pos += (uint64_t)done;
	}
	return true;
}

/* Gives the guest what was typed, as much as there is room for. */
static void viewer_receive(struct viewer *viewer, size_t room)
{
	struct guest *guest = viewer->guest;
	char bytes[1024];
	ssize_t got = recv(viewer->source.fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes),
			   MSG_DONTWAIT);

	if (got > 0) {
		console_ring_put(&guest->ring, bytes, (size_t)got);
		hyp_evtchn_notify(guest->consoles->evtchn, (uint32_t)guest->port);
	} else if (!got || (errno != EAGAIN && errno != EINTR)) {
		viewer_close(viewer);
	}
}

static void guest_give_up(struct guest *guest)
{
	if (!guest->broken)
		fprintf(stderr,
			"enso-consoled: domain %u: the indices of its console make no sense; it "
			"is not served any more\n",
			guest->domid);
	guest->broken = true;
}

/* What each viewer is waited for: room to send in, and to type when the guest has room. */
static void guest_update_waits(struct guest *guest)
{
	int room = guest->broken ? 0 : console_ring_space(&guest->ring);

	if (room < 0)
		guest_give_up(guest);
	for (struct viewer *viewer = guest->viewers; viewer; viewer = viewer->next) {
		uint32_t waits = room > 0 ? EPOLLIN : 0;
		if (viewer->pos < backlog_end(guest->backlog))
			waits |= EPOLLOUT;
		viewer_wait(viewer, waits);
	}
}

static void viewer_ready(struct source *source, uint32_t events)
{
	struct viewer *viewer = (struct viewer *)source;
	struct guest *guest = viewer->guest;

	if (source->fd < 0)
		return;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		int room = guest->broken ? 0 : console_ring_space(&guest->ring);
		if (room > 0)
			viewer_receive(viewer, (size_t)room);
		else if (events & (EPOLLHUP | EPOLLERR))
			viewer_close(viewer);
	}
	if (source->fd >= 0 && events & EPOLLOUT)
		viewer_send(viewer);
	guest_update_waits(guest);
}

static void listener_ready(struct source *source, uint32_t events)
{
	struct guest *guest = (struct guest *)((char *)source - offsetof(struct guest, listener));
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	unsigned int count = 0;

	(void)events;
	if (fd < 0)
		return;
	for (struct viewer *viewer = guest->viewers; viewer; viewer = viewer->next)
		count++;
	struct viewer *viewer = count < VIEWERS_MAX ? calloc(1, sizeof(*viewer)) : NULL;
	struct epoll_event event = { .events = 0 };
	if (viewer)
		event.data.ptr = &viewer->source;
	if (!viewer || epoll_ctl(guest->consoles->epoll, EPOLL_CTL_ADD, fd, &event)) {
		free(viewer);
		close(fd);
		return;
	}
	viewer->source = (struct source){ fd, viewer_ready };
	viewer->guest = guest;
	viewer->next = guest->viewers;
	guest->viewers = viewer;
	viewer_send(viewer);
	guest_update_waits(guest);
}

void guest_service(struct guest *guest)
{
	char bytes[sizeof(guest->ring.page->out)];
	bool told = false;

	while (!guest->broken && guest->budget > 0) {
		int len = console_ring_peek(&guest->ring, bytes, sizeof(bytes));
		if (len < 0)
			guest_give_up(guest);
		if (len <= 0)
			break;
		backlog_add(guest->backlog, bytes, (size_t)len);
		console_log_write(&guest->log, bytes, (size_t)len);
		console_ring_consume(&guest->ring, (size_t)len);
		guest->budget -= len;
		told = true;
	}
	if (told)
		hyp_evtchn_notify(guest->consoles->evtchn, (uint32_t)guest->port);
	for (struct viewer *viewer = guest->viewers, *next; viewer; viewer = next) {
		next = viewer->next;
		viewer_send(viewer);
	}
	guest_update_waits(guest);
}

/* The socket's path, and with @backlog the name of the scroll-back's file in the same directory. */
static void guest_names(const struct guest *guest, struct sockaddr_un *address, char backlog[24])
{
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "%.80s/%u",
		 guest->consoles->socket_path, guest->domid);
	snprintf(backlog, 24, "%u.scroll", guest->domid);
}

static int guest_listen(struct guest *guest)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &guest->listener };
	struct sockaddr_un address;
	char unused[24];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	guest_names(guest, &address, unused);
	unlink(address.sun_path);
	mode_t mask = umask(0177);
	int rc = bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8) ||
		 epoll_ctl(guest->consoles->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
	umask(mask);
	if (rc) {
		close(fd);
		return rc;
	}
	guest->listener = (struct source){ fd, listener_ready };
	return 0;
}

static int guest_map(struct guest *guest, const struct guest_facts *facts, void **page)
{
	uint32_t ref = GNTTAB_RESERVED_CONSOLE;
	uint64_t frame = facts->frame;
	int rc = -ENODEV;

	if (guest->consoles->gnttab >= 0)
		rc = hyp_grant_map(guest->consoles->gnttab, facts->domid, &ref, 1, page);
	guest->granted = !rc;
	if (rc)
		rc = hyp_foreign_map(guest->consoles->hyp, facts->domid, PROT_READ | PROT_WRITE,
				     &frame, 1, page);
	return rc;
}

static void guest_unmap(struct guest *guest, void *page)
{
	if (guest->granted)
		hyp_grant_unmap(guest->consoles->gnttab, page, 1);
	else
		hyp_unmap(page, 1);
}

int guest_attach(struct consoles *consoles, const struct guest_facts *facts)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	struct sockaddr_un address;
	char name[24];
	void *page;

	if (!guest)
		return -ENOMEM;
	guest->consoles = consoles;
	guest->domid = facts->domid;
	guest->budget = GUEST_BUDGET;
	int rc = guest_map(guest, facts, &page);
	if (rc)
		goto free_guest;
	guest->port = rc = hyp_evtchn_bind_interdomain(consoles->evtchn, facts->domid, facts->port);
	if (rc < 0)
		goto unmap;
	console_ring_adopt(&guest->ring, page);
	guest_names(guest, &address, name);
	guest->backlog = backlog_open(consoles->socket_dir, name, facts->uuid);
	rc = guest->backlog ? guest_listen(guest) : -ENOMEM;
	if (rc)
		goto unbind;
	console_log_open(&guest->log, consoles->log_dir, facts->name ? facts->name : name,
			 consoles->log_limit);
	guest->next = consoles->guests;
	consoles->guests = guest;
	guest_service(guest);
	return 0;
unbind:
	if (guest->backlog)
		backlog_close(guest->backlog);
	hyp_evtchn_unbind(consoles->evtchn, (uint32_t)guest->port);
unmap:
	guest_unmap(guest, page);
free_guest:
	free(guest);
	return rc;
}

void guest_detach(struct guest *guest)
{
	struct consoles *consoles = guest->consoles;
	struct guest **at = &consoles->guests;
	struct sockaddr_un address;
	char name[24];

	guest->budget = GUEST_BUDGET;
	guest_service(guest);
	while (guest->viewers)
		viewer_close(guest->viewers);
	guest_names(guest, &address, name);
	unlink(address.sun_path);
	unlinkat(consoles->socket_dir, name, 0);
	close(guest->listener.fd);
	backlog_close(guest->backlog);
	console_log_close(&guest->log);
	hyp_evtchn_unbind(consoles->evtchn, (uint32_t)guest->port);
	guest_unmap(guest, guest->ring.page);
	while (*at != guest)
		at = &(*at)->next;
	*at = guest->next;
	free(guest);
}

struct guest *guest_find(struct consoles *consoles, uint32_t domid)
{
	struct guest *guest = consoles->guests;

	while (guest && guest->domid != domid)
		guest = guest->next;
	return guest;
}

struct guest *guest_find_port(struct consoles *consoles, int port)
{
	struct guest *guest = consoles->guests;

	while (guest && guest->port != port)
		guest = guest->next;
	return guest;
}
