/* SPDX-License-Identifier: MIT */
/*
 * Connections of domains, over the ring in their store page: mapped by the grant that every
 * domain's builder makes, or as a foreign frame where there is none. See server.h and ring.h;
 * the order of steps there is what makes a kill at any point harmless.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/grant_table.h"
#include "store/budget.h"
#include "store/ring.h"
#include "store/server.h"

struct ring {
	struct xenstore_domain_interface *page;
	bool granted; /* mapped as a grant */
	int port;     /* local */
	bool ready;   /* its event fired, or a turn was not enough */
	bool masked;  /* it fired and can't again before its turn */
	struct budget budget;
};

#define CONTROL_WAITS_NS 1000000	/* for guests' turns */

int ring_open(struct server *server, struct error *err)
{
	if (hyp_open(&server->hyp, err))
		return -1;
	server->evtchn = hyp_evtchn_open();
	if (server->evtchn < 0)
		return error_set(err, ERROR_NO_HOST, "cannot open event channels: %s",
				 error_text(server->evtchn));
	/* Without grants foreign mapping serves. */
	server->gnttab = hyp_grant_open();
	server->exc_port = hyp_evtchn_bind_virq(server->evtchn, VIRQ_DOM_EXC);
	if (server->exc_port < 0)
		return error_set(
			err, ERROR_NO_HOST, "cannot bind the virq of domain exceptions: %s%s",
			error_text(server->exc_port),
			server->exc_port == -EEXIST ? " (is another store daemon running?)" : "");
	return 0;
}

static int ring_map(struct server *server, const struct domain *domain, struct ring *ring,
		    uint32_t *port)
{
	uint32_t ref = GNTTAB_RESERVED_XENSTORE;
	uint64_t frame = domain->frame;
	void *page;
	int rc = -ENODEV;

	*port = domain->port;
	if (!domain->domid) {
		rc = hyp_store_page(&page, port);
	} else {
		if (server->gnttab >= 0)
			rc = hyp_grant_map(server->gnttab, domain->domid, &ref, 1, &page);
		ring->granted = !rc;
		if (rc)
			rc = hyp_foreign_map(server->hyp, domain->domid, PROT_READ | PROT_WRITE,
					     &frame, 1, &page);
	}
	ring->page = rc ? NULL : page;
	return rc;
}

static void ring_unmap(struct server *server, struct ring *ring)
{
	if (ring->granted)
		hyp_grant_unmap(server->gnttab, ring->page, 1);
	else
		hyp_unmap(ring->page, 1);
}

/* Makes room for @port in the table of ports. */
static int ports_grow(struct server *server, unsigned int port)
{
	unsigned int n = (port + 64) & ~63u;

	if (port < server->n_ports)
		return 0;
	struct domain **bigger = realloc(server->by_port, n * sizeof(bigger[0]));
	if (!bigger)
		return -ENOMEM;
	memset(bigger + server->n_ports, 0, (n - server->n_ports) * sizeof(bigger[0]));
	server->by_port = bigger;
	server->n_ports = n;
	return 0;
}

/* Maps the page and binds the event channel; the ring's contents are as they are. */
static int ring_attach(struct server *server, struct domain *domain)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	uint32_t port;

	if (!ring)
		return -ENOMEM;
	int rc = ring_map(server, domain, ring, &port);
	if (rc)
		goto free_ring;
	ring->port = rc = hyp_evtchn_bind_interdomain(server->evtchn, domain->domid, port);
	if (rc < 0)
		goto unmap;
	rc = ports_grow(server, (unsigned int)ring->port);
	if (rc)
		goto unbind;
	server->by_port[ring->port] = domain;
	ring->ready = true;
	budget_init(&ring->budget);
	domain->ring = ring;
	return 0;
unbind:
	hyp_evtchn_unbind(server->evtchn, (uint32_t)ring->port);
unmap:
	ring_unmap(server, ring);
free_ring:
	free(ring);
	return rc;
}

static void ring_tell(struct server *server, const struct domain *domain)
{
	hyp_evtchn_notify(server->evtchn, (uint32_t)domain->ring->port);
}

static int io_connect(struct store *store, struct domain *domain)
{
	struct server *server = store->io_context;

	if (!server->hyp)
		return -ENOSYS;
	int rc = ring_attach(server, domain);
	if (rc)
		return rc;
	ring_adopt(domain->ring->page, &domain->conn);
	ring_tell(server, domain);
	return 0;
}

static void io_disconnect(struct store *store, struct domain *domain)
{
	struct server *server = store->io_context;
	struct ring *ring = domain->ring;

	server->by_port[ring->port] = NULL;
	hyp_evtchn_unbind(server->evtchn, (uint32_t)ring->port);
	ring_unmap(server, ring);
	free(ring);
}

const struct store_io ring_io = { io_connect, io_disconnect };

/* Looks after domains that died or shut down: all, because the virq does not say which. */
static void check_domains(struct server *server)
{
	struct store *store = server->store;
	bool told = false;

	for (struct domain *domain = store->domains, *next; domain; domain = next) {
		struct xen_domctl_getdomaininfo info;
		next = domain->next;
		if (!domain->domid || domain->gone)
			continue;
		int rc = hyp_domain_info(server->hyp, domain->domid, &info);
		if (rc == -ESRCH || (!rc && info.flags & XEN_DOMINF_dying)) {
			store_release_domain(store, domain);
		} else if (!rc && info.flags & XEN_DOMINF_shutdown && !domain->shutdown) {
			domain->shutdown = true;
			store_log_domain(&store->log, domain);
			told = true;
		}
	}
	if (told)
		store_fire_special(store, STORE_SPECIAL_RELEASE);
	journal_flush(&server->journal, store);
}

/* The control domain's own ring is like the others, but nobody introduces it. */
static int introduce_control(struct server *server, struct error *err)
{
	static const struct actor control = { .privileged = true };
	struct account account = { &control, &server->store->limits, 0 };
	static const char *const nodes[][2] = {
		{ "/tool/xenstored", "" },
		{ "/local/domain/0/domid", "0" },
		{ "/local/domain/0/name", "Domain-0" },
	};
	struct effects effects;
	int rc = store_introduce_domain(server->store, 0, 0, 0);

	effects_init(&effects);
	for (unsigned int i = 0; !rc && i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		struct value *value = value_new(nodes[i][1], strlen(nodes[i][1]));
		struct change *change =
			value ? change_new(CHANGE_WRITE, nodes[i][0], value, NULL) : NULL;
		rc = change ? change_apply(change, &server->store->tree, &account, &effects)
			    : -ENOMEM;
		if (change)
			change_free(change);
		value_put(value);
	}
	store_publish(server->store, &effects);
	if (rc)
		return error_set(err, ERROR_NO_HOST,
				 "cannot connect to the control domain's own ring: %s",
				 error_text(rc));
	return 0;
}

int ring_start(struct server *server, struct error *err)
{
	struct store *store = server->store;

	for (struct domain *domain = store->domains, *next; domain; domain = next) {
		next = domain->next;
		int rc = ring_attach(server, domain);
		if (!rc) {
			ring_resume(domain->ring->page, &domain->conn);
			ring_tell(server, domain);
			continue;
		}
		fprintf(stderr, "enso-stored: domain %u cannot be reached any more: %s\n",
			domain->domid, error_text(rc));
		if (domain->domid)
			store_release_domain(store, domain);
	}
	check_domains(server);
	return store_find_domain(store, 0) ? 0 : introduce_control(server, err);
}

void ring_events(struct server *server)
{
	int port;

	while ((port = hyp_evtchn_next(server->evtchn)) >= 0) {
		struct domain *domain =
			(unsigned int)port < server->n_ports ? server->by_port[port] : NULL;
		if (domain) {
			domain->ring->ready = domain->ring->masked = true;
			continue;
		}
		hyp_evtchn_unmask(server->evtchn, (uint32_t)port);
		if (port == server->exc_port)
			check_domains(server);
	}
}

/* Puts into the ring what waits. True if the guest must be told. */
static bool ring_put(struct server *server, struct domain *domain)
{
	struct connection *conn = &domain->conn;
	int total = 0, put;

	do {
		if (ring_send_needs_log(conn)) {
			store_log_output(&server->store->log, conn);
			journal_flush(&server->journal, server->store);
		}
		put = ring_send(domain->ring->page, conn);
		total += put > 0 ? put : 0;
	} while (put > 0 && conn->out);
	return total > 0;
}

/* Takes a part of a request, because the guest may wait for that before it tells of the rest. */
static bool ring_take_part(struct server *server, struct domain *domain)
{
	store_log_input(&server->store->log, &domain->conn);
	journal_flush(&server->journal, server->store);
	return ring_consume(domain->ring->page, &domain->conn);
}

/* The guest broke the protocol: it is told so in its page, and costs nothing from now on. */
static void ring_give_up(struct server *server, struct domain *domain)
{
	fprintf(stderr,
		"enso-stored: domain %u breaks the protocol of its ring; it is not served any "
		"more\n",
		domain->domid);
	ring_refuse(domain->ring->page, XENSTORE_ERROR_PROTO);
	store_reset(server->store, &domain->conn);
	connection_drop_queues(&domain->conn);
}

static void ring_turn(struct server *server, struct domain *domain)
{
	struct connection *conn = &domain->conn;
	struct xenstore_domain_interface *page = domain->ring->page;
	bool tell;
	unsigned int served = 0, turn = domain->domid ? SERVER_TURN_GUEST : SERVER_TURN;

	/* First this, then a look at the ring: what comes later is told. */
	if (domain->ring->masked)
		hyp_evtchn_unmask(server->evtchn, (uint32_t)domain->ring->port);
	domain->ring->masked = false;
	tell = ring_put(server, domain);
	while (served < turn) {
		int taken = ring_receive(page, conn);
		if (taken > 0 && !connection_has_request(conn)) {
			tell |= ring_take_part(server, domain);
			served++; /* the rest may have come meanwhile, and without a word */
			continue;
		}
		if (taken == -ENOMEM || !connection_ready(conn) || server_serve(server, conn))
			break;
		served++;
		ring_consume(page, conn);
		ring_put(server, domain);
		tell = true;
	}
	domain->ring->ready = served == turn;
	if (conn->broken)
		ring_give_up(server, domain);
	if (tell)
		ring_tell(server, domain);
}

/* Whether it can have a turn, and events. */
static bool may_have_turn(const struct domain *domain)
{
	return domain->ring && !domain->conn.broken && !domain->ring->budget.spent;
}

static bool wants_turn(const struct domain *domain)
{
	return may_have_turn(domain) && (domain->ring->ready || domain->conn.out);
}

/* The control domain's turn, whatever guests want. */
static void control_turn(struct server *server)
{
	struct domain *control = store_find_domain(server->store, 0);

	if (control && wants_turn(control))
		ring_turn(server, control);
}

/* The domain pays for what was done since then; the control domain has no budget. How many ns. */
static uint64_t pay(struct domain *domain, uint64_t since)
{
	uint64_t took = server_used() - since;

	if (domain->domid)
		budget_charge(&domain->ring->budget, took);
	return took;
}

/* Events that others' turns have made for it. */
static void put_events(struct server *server, struct domain *domain)
{
	uint64_t before = server_used();

	if (ring_put(server, domain)) {
		ring_tell(server, domain);
		/* A request that waited for its place has had its event: nobody tells again. */
		if (connection_ready(&domain->conn))
			domain->ring->ready = true;
	}
	pay(domain, before);
}

void ring_turns(struct server *server)
{
	uint64_t waited = 0, before;

	control_turn(server);
	/* None is freed meanwhile: see store_reap_domains(). */
	for (struct domain *domain = server->store->domains; domain; domain = domain->next) {
		if (!domain->domid || !wants_turn(domain))
			continue;
		before = server_used();
		ring_turn(server, domain);
		waited += pay(domain, before);
		if (waited < CONTROL_WAITS_NS)
			continue;
		waited = 0;
		server_listen(server, 0);
		control_turn(server);
	}
	/* A turn may have made events for those before it in the list. */
	for (struct domain *domain = server->store->domains; domain; domain = domain->next) {
		if (may_have_turn(domain) && domain->conn.out)
			put_events(server, domain);
	}
}

static unsigned int count_filling(const struct server *server)
{
	unsigned int fill = 0;

	for (const struct domain *domain = server->store->domains; domain; domain = domain->next)
		fill += domain->ring && budget_fills(&domain->ring->budget);
	return fill;
}

void ring_refill(struct server *server, uint64_t ns)
{
	unsigned int fill = count_filling(server);
	int64_t share = fill ? budget_share(ns, fill) : 0;

	if (!fill)
		return;
	for (struct domain *domain = server->store->domains; domain; domain = domain->next) {
		/* What came while it was masked nobody will tell again. */
		if (domain->ring && budget_refill(&domain->ring->budget, share))
			domain->ring->ready = true;
	}
}

int ring_idle_ms(const struct server *server)
{
	uint64_t shortest = UINT64_MAX;
	unsigned int fill = count_filling(server);

	for (const struct domain *domain = server->store->domains; domain; domain = domain->next) {
		if (!domain->ring || domain->conn.broken)
			continue;
		if (domain->ring->ready && !domain->ring->budget.spent)
			return 0;
		uint64_t wait = domain->ring->budget.spent ?
					budget_wait(&domain->ring->budget, fill) : UINT64_MAX;
		shortest = wait < shortest ? wait : shortest;
	}
	return shortest == UINT64_MAX ? -1 : (int)(shortest / 1000000) + 1;
}
