/* SPDX-License-Identifier: MIT */
/*
 * Ports: opening, connecting and closing them.
 *
 * Every change is made under the domain's lock, and under the port's own while senders could look.
 * An interdomain port names its peer by pointer: both ends are connected and disconnected under
 * both domains' locks, and a domain closes all its ports before it is freed, so the pointer is good
 * as long as the port is in that state.
 *
 * Locks: event (two by ascending id; see lock_peer()) -> port -> (by kick) sched.
 */
#include "event/channel.h"

#include "abi/errno.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define VIRQ_BIT(virq)	(1u << (virq))

/* abi/xen.h's list: V. is per vCPU, G. per domain, (DOM0) for the control domain. */
static const uint32_t per_vcpu_virqs = VIRQ_BIT(VIRQ_TIMER) | VIRQ_BIT(VIRQ_DEBUG) |
				       VIRQ_BIT(VIRQ_XENOPROF) | VIRQ_BIT(VIRQ_XENPMU);
static const uint32_t control_virqs =
	VIRQ_BIT(VIRQ_CONSOLE) | VIRQ_BIT(VIRQ_DOM_EXC) | VIRQ_BIT(VIRQ_TBUF) |
	VIRQ_BIT(VIRQ_DEBUGGER) | VIRQ_BIT(VIRQ_CON_RING) | VIRQ_BIT(VIRQ_PCPU_STATE) |
	VIRQ_BIT(VIRQ_MEM_EVENT) | VIRQ_BIT(VIRQ_ENOMEM) | VIRQ_BIT(VIRQ_ARCH_0);

bool event_virq_is_global(unsigned virq)
{
	return !(per_vcpu_virqs & VIRQ_BIT(virq));
}

bool event_virq_is_control(unsigned virq)
{
	return control_virqs & VIRQ_BIT(virq);
}

void event_domain_init(struct event_domain *ed, domid_t id, struct shared_info *shared,
		       struct event_vcpu **vcpu, unsigned max_vcpus)
{
	*ed = (struct event_domain){
		.id = id, .shared = shared, .vcpu = vcpu, .max_vcpus = max_vcpus,
		.max_port = EVTCHN_2L_NR_CHANNELS - 1, .lowest_free = 1,
	};
	lock_init(&ed->lock, RANK_EVENT);
}

void event_domain_free(struct event_domain *ed)
{
	for (unsigned i = 0; i < EVENT_BUCKETS; i++) {
		heap_free(ed->bucket[i]);
		ed->bucket[i] = NULL;
	}
}

static struct event_channel *bucket_alloc(struct event_domain *ed, evtchn_port_t port)
{
	struct event_channel *bucket = heap_alloc(PAGE_SIZE);

	if (!bucket)
		return NULL;
	for (unsigned i = 0; i < EVENT_BUCKET_PORTS; i++)
		lock_init(&bucket[i].lock, RANK_EVENT_PORT);
	__atomic_store_n(&ed->bucket[port / EVENT_BUCKET_PORTS], bucket, __ATOMIC_RELEASE);
	return event_channel(ed, port);
}

/* The lowest free port, which stays free until open_port(). Under the lock. */
static int find_free(struct event_domain *ed, evtchn_port_t *port)
{
	ASSERT(lock_held(&ed->lock));
	if (ed->dying)
		return -EINVAL;
	for (evtchn_port_t p = ed->lowest_free; p <= ed->max_port; p++) {
		struct event_channel *ch = event_channel(ed, p);

		if (!ch && !bucket_alloc(ed, p))
			return -ENOMEM;
		if (!ch || ch->to.state == EVTCHNSTAT_closed) {
			*port = p;
			ed->lowest_free = p;
			return 0;
		}
	}
	return -ENOSPC;
}

/* Under the domain's lock: what the port is bound to from now on. */
static void set_port(struct event_channel *ch, struct event_binding as)
{
	lock_acquire(&ch->lock);
	ch->to = as;
	lock_release(&ch->lock);
}

/* Find a free port and open it as `as`. */
static int open_port(struct event_domain *ed, struct event_binding as, evtchn_port_t *port)
{
	int rc;

	lock_acquire(&ed->lock);
	rc = find_free(ed, port);
	if (!rc)
		set_port(event_channel(ed, *port), as);
	lock_release(&ed->lock);
	return rc;
}

int event_alloc_unbound(struct event_domain *ed, domid_t remote, evtchn_port_t *port)
{
	struct event_binding unbound = { .state = EVTCHNSTAT_unbound, .remote_id = remote };

	return open_port(ed, unbound, port);
}

int event_bind_ipi(struct event_domain *ed, unsigned vcpu, evtchn_port_t *port)
{
	if (!event_vcpu(ed, vcpu))
		return -ENOENT;
	return open_port(ed, (struct event_binding){ .state = EVTCHNSTAT_ipi, .vcpu = vcpu }, port);
}

int event_bind_pirq(struct event_domain *ed, unsigned pirq, bool shareable,
		    event_connect_fn *connect, evtchn_port_t *port)
{
	int rc;

	lock_acquire(&ed->lock);
	rc = find_free(ed, port);
	if (!rc)
		rc = connect(ed, pirq, *port, shareable);
	if (!rc)
		set_port(event_channel(ed, *port), (struct event_binding){
			.state = EVTCHNSTAT_pirq, .number = pirq });
	lock_release(&ed->lock);
	return rc;
}

int event_bind_virq(struct event_domain *ed, unsigned virq, unsigned vcpu, evtchn_port_t *port)
{
	struct event_vcpu *ev = event_vcpu(ed, vcpu);
	int rc;

	if (virq >= NR_VIRQS || (event_virq_is_global(virq) && vcpu != 0))
		return -EINVAL;
	if (!ev)
		return -ENOENT;
	lock_acquire(&ed->lock);
	rc = ev->virq_port[virq] ? -EEXIST : find_free(ed, port);
	if (!rc) {
		set_port(event_channel(ed, *port), (struct event_binding){
			.state = EVTCHNSTAT_virq, .number = virq, .vcpu = vcpu });
		__atomic_store_n(&ev->virq_port[virq], *port, __ATOMIC_RELEASE);
	}
	lock_release(&ed->lock);
	return rc;
}

/* Under both locks. */
static int join(struct event_domain *local, struct event_domain *remote, evtchn_port_t remote_port,
		   evtchn_port_t *port)
{
	struct event_channel *peer = event_channel(remote, remote_port);
	int rc;

	if (!peer || peer->to.state != EVTCHNSTAT_unbound || peer->to.remote_id != local->id)
		return -EINVAL;
	rc = find_free(local, port);
	if (rc)
		return rc;
	set_port(event_channel(local, *port), (struct event_binding){
		.state = EVTCHNSTAT_interdomain, .remote_id = remote->id,
		.remote = remote, .remote_port = remote_port });
	set_port(peer, (struct event_binding){
		.state = EVTCHNSTAT_interdomain, .vcpu = peer->to.vcpu, .remote_id = local->id,
		.remote = local, .remote_port = *port });
	event_set_pending(local, *port, 0);
	return 0;
}

int event_bind_interdomain(struct event_domain *local, struct event_domain *remote,
			   evtchn_port_t remote_port, evtchn_port_t *port)
{
	int rc;

	lock_two(&local->lock, local->id, &remote->lock, remote->id);
	rc = join(local, remote, remote_port, port);
	unlock_two(&local->lock, &remote->lock);
	return rc;
}

/*
 * Take the lock of an interdomain port's peer too. The peer is known only under our own lock, so
 * the order of ids can't be kept by waiting: try, and let the caller start again.
 */
static bool lock_peer(struct event_domain *ed, struct event_domain *peer)
{
	return peer == ed || lock_try(&peer->lock);
}

static void unbind_virq(struct event_domain *ed, struct event_channel *ch, evtchn_port_t port)
{
	struct event_vcpu *ev =
		event_vcpu(ed, event_virq_is_global(ch->to.number) ? 0 : ch->to.vcpu);

	ASSERT(ev && ev->virq_port[ch->to.number] == port);
	__atomic_store_n(&ev->virq_port[ch->to.number], 0, __ATOMIC_RELEASE);
}

/* The peer waits again, for whoever has our id. After this nobody sends to our port. */
static void disconnect(struct event_domain *ed, struct event_channel *ch)
{
	struct event_channel *peer = event_channel(ch->to.remote, ch->to.remote_port);

	ASSERT(peer->to.state == EVTCHNSTAT_interdomain && peer->to.remote == ed);
	set_port(peer, (struct event_binding){
		.state = EVTCHNSTAT_unbound, .remote_id = ed->id, .vcpu = peer->to.vcpu });
}

/* Close a port under the lock; -EAGAIN if a peer's lock could not be had. */
static int close_locked(struct event_domain *ed, evtchn_port_t port)
{
	struct event_channel *ch = event_channel(ed, port);

	ASSERT(lock_held(&ed->lock));
	if (!ch || ch->to.state == EVTCHNSTAT_closed)
		return -EINVAL;
	if (ch->to.state == EVTCHNSTAT_interdomain) {
		struct event_domain *peer = ch->to.remote;

		if (!lock_peer(ed, peer))
			return -EAGAIN;
		disconnect(ed, ch);
		if (peer != ed)
			lock_release(&peer->lock);
	} else if (ch->to.state == EVTCHNSTAT_virq) {
		unbind_virq(ed, ch, port);
	} else if (ch->to.state == EVTCHNSTAT_pirq && ed->pirq_closed) {
		ed->pirq_closed(ed, (unsigned)ch->to.number);
	}
	set_port(ch, (struct event_binding){ .state = EVTCHNSTAT_closed });
	__atomic_fetch_and(&ed->shared->evtchn_pending[port / 64], ~(1ul << port % 64),
			   __ATOMIC_SEQ_CST);
	ed->lowest_free = min(ed->lowest_free, port);
	return 0;
}

int event_close(struct event_domain *ed, evtchn_port_t port)
{
	for (;;) {
		int rc;

		lock_acquire(&ed->lock);
		rc = close_locked(ed, port);
		lock_release(&ed->lock);
		if (rc != -EAGAIN)
			return rc;
		machine_relax();
	}
}

/* Always starts at the first port: those that are closed cost next to nothing. */
static int close_all(struct event_domain *ed)
{
	unsigned closed = 0;

	for (evtchn_port_t port = 1; port <= ed->max_port; port++) {
		if (!event_port_valid(ed, port))
			continue;
		if (closed++ && machine_budget_spent())
			return -ERESTART;
		event_close(ed, port);
	}
	return 0;
}

int event_reset(struct event_domain *ed)
{
	return close_all(ed);
}

int event_domain_destroy(struct event_domain *ed)
{
	lock_acquire(&ed->lock);
	ed->dying = true;
	lock_release(&ed->lock);
	return close_all(ed);
}

int event_bind_vcpu(struct event_domain *ed, evtchn_port_t port, unsigned vcpu)
{
	struct event_channel *ch = event_channel(ed, port);
	int rc = 0;

	if (!event_vcpu(ed, vcpu))
		return -ENOENT;
	lock_acquire(&ed->lock);
	if (!ch || ch->to.state == EVTCHNSTAT_closed || ch->to.state == EVTCHNSTAT_ipi ||
	    (ch->to.state == EVTCHNSTAT_virq && !event_virq_is_global(ch->to.number)))
		rc = -EINVAL;
	else
		__atomic_store_n(&ch->to.vcpu, vcpu, __ATOMIC_RELAXED);
	lock_release(&ed->lock);
	return rc;
}

int event_status(struct event_domain *ed, struct evtchn_status *status)
{
	struct event_channel *ch = event_channel(ed, status->port);

	if (status->port > ed->max_port)
		return -EINVAL;
	memset(&status->u, 0, sizeof(status->u));
	status->status = EVTCHNSTAT_closed;
	status->vcpu = 0;
	if (!ch)
		return 0;
	lock_acquire(&ed->lock);
	status->status = ch->to.state;
	status->vcpu = ch->to.vcpu;
	switch (ch->to.state) {
	case EVTCHNSTAT_unbound:
		status->u.unbound.dom = ch->to.remote_id;
		break;
	case EVTCHNSTAT_interdomain:
		status->u.interdomain.dom = ch->to.remote_id;
		status->u.interdomain.port = ch->to.remote_port;
		break;
	case EVTCHNSTAT_pirq:
		status->u.pirq = (uint32_t)ch->to.number;
		break;
	case EVTCHNSTAT_virq:
		status->u.virq = (uint32_t)ch->to.number;
		break;
	}
	lock_release(&ed->lock);
	return 0;
}

bool event_port_valid(struct event_domain *ed, evtchn_port_t port)
{
	struct event_channel *ch = event_channel(ed, port);

	return ch && __atomic_load_n(&ch->to.state, __ATOMIC_RELAXED) != EVTCHNSTAT_closed;
}
