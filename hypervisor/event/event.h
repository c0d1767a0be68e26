/* SPDX-License-Identifier: MIT */
/*
 * Event channels (2-level ABI): ports of a domain, each bound to another domain's port, a virtual
 * or a physical interrupt, or one of its own vCPUs. Knows neither struct domain nor the scheduler:
 * a vCPU is told by its `kick` function.
 *
 * shared_info and vcpu_info are the guest's to scribble on: only single bits are set and cleared
 * there, by atomic operations, and nothing read from them is used as an index or an address.
 *
 * Not here: who may do what to whom (hypercall/event_channel_op.c), and the FIFO ABI, which is
 * refused.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "abi/event_channel.h"
#include "abi/xen.h"
#include "lib/lock.h"
#include "lib/types.h"

#define EVENT_BUCKET_PORTS	128	/* a bucket of channels is one page */
#define EVENT_BUCKETS		(EVTCHN_2L_NR_CHANNELS / EVENT_BUCKET_PORTS)

struct event_domain;
struct event_channel;

struct event_vcpu {
	struct event_domain *domain;
	unsigned id;
	struct vcpu_info *info;		/* where the guest looks; our address, never NULL */
	evtchn_port_t virq_port[NR_VIRQS];	/* 0: not bound */
	/* Wake the vCPU and make it look at its pending upcall. Called with port locks held. */
	void (*kick)(struct event_vcpu *ev);
	/* owned by event/: what SCHEDOP_poll waits for */
	bool polling;
	evtchn_port_t poll_port;	/* 0: any of several */
};

struct event_domain {
	struct lock lock;		/* RANK_EVENT: every change of a port's state */
	domid_t id;
	bool dying;			/* no port is allocated any more */
	struct shared_info *shared;	/* hypervisor address */
	unsigned max_vcpus;
	struct event_vcpu **vcpu;	/* [max_vcpus], NULL until the vCPU exists */
	evtchn_port_t max_port;		/* the highest that is allocated; domain/ may lower it */
	/* Called under the lock when a port of a pirq closes; set by irq/. */
	void (*pirq_closed)(struct event_domain *ed, unsigned pirq);
	/* owned by event/ */
	struct event_channel *bucket[EVENT_BUCKETS];	/* allocated as needed, never moved */
	evtchn_port_t lowest_free;	/* no port below this is free */
	unsigned nr_polling;		/* vCPUs in event_poll_begin() .. end(); atomic */
};

/* `vcpu` and `shared` stay the caller's. */
void event_domain_init(struct event_domain *ed, domid_t id, struct shared_info *shared,
		       struct event_vcpu **vcpu, unsigned max_vcpus);
/*
 * The domain dies: close all ports; from now on none can be opened, and peers find theirs unbound.
 * 0 or -ERESTART. The vCPUs run no more.
 */
int must_check event_domain_destroy(struct event_domain *ed);
/* Free the memory. After event_domain_destroy(), when nobody can name the domain any more. */
void event_domain_free(struct event_domain *ed);

/*
 * -- ports: 0, or -EINVAL (no such port, or not of that kind), -ENOSPC (no free port), -ENOMEM,
 * and: --
 */

/* A port that `remote` may bind to. */
int must_check event_alloc_unbound(struct event_domain *ed, domid_t remote, evtchn_port_t *port);
/*
 * Connect a new port to `remote_port`, which waits for us, and raise it once, as sends may have
 * been lost. `remote` may be `local`. The caller keeps `remote` alive during the call.
 */
int must_check event_bind_interdomain(struct event_domain *local, struct event_domain *remote,
				      evtchn_port_t remote_port, evtchn_port_t *port);
/*
 * -EEXIST: bound already; -ENOENT: no such vCPU. A global VIRQ is bound on vCPU 0 (else -EINVAL).
 */
int must_check event_bind_virq(struct event_domain *ed, unsigned virq, unsigned vcpu,
			       evtchn_port_t *port);
/* True if it exists once for a domain, not per vCPU ("G." in the ABI's list of VIRQs). */
bool event_virq_is_global(unsigned virq);
/* True if only the control domain gets it ("DOM0" in that list). */
bool event_virq_is_control(unsigned virq);
/* -ENOENT: no such vCPU. */
int must_check event_bind_ipi(struct event_domain *ed, unsigned vcpu, evtchn_port_t *port);
/*
 * `connect` binds the interrupt to the port it is given, under the lock; its error is ours, and no
 * port is opened then.
 */
typedef int event_connect_fn(struct event_domain *ed, unsigned pirq, evtchn_port_t port,
			     bool shareable);
int must_check event_bind_pirq(struct event_domain *ed, unsigned pirq, bool shareable,
			       event_connect_fn *connect, evtchn_port_t *port);
int event_close(struct event_domain *ed, evtchn_port_t port);
/* Close all ports of a living domain: 0 or -ERESTART. */
int must_check event_reset(struct event_domain *ed);
/*
 * Which vCPU is told: -ENOENT no such vCPU; -EINVAL also for IPIs and per-vCPU VIRQs, whose vCPU is
 * fixed.
 */
int must_check event_bind_vcpu(struct event_domain *ed, evtchn_port_t port, unsigned vcpu);
/* Fill *status in from its port (dom is the caller's). */
int must_check event_status(struct event_domain *ed, struct evtchn_status *status);

/* -- signals -- */

/*
 * The guest's send: -EINVAL if the port is neither an IPI nor interdomain. To an unbound port:
 * lost, 0.
 */
int event_send(struct event_domain *ed, evtchn_port_t port);
/* Clear the mask; if an event waited under it, it is raised now. */
int event_unmask(struct event_domain *ed, evtchn_port_t port);
/*
 * Raise a VIRQ of one vCPU, a global one, or the port that a pirq is bound to. Nothing happens if
 * it is not bound. They take no event lock: callers may hold any lock below RANK_SCHED.
 */
void event_raise_virq(struct event_vcpu *ev, unsigned virq);
void event_raise_global_virq(struct event_domain *ed, unsigned virq);
void event_raise_pirq(struct event_domain *ed, evtchn_port_t port);

/* An upcall is pending and not masked: the guest is to be called on its way back. */
static inline bool event_upcall_due(const struct event_vcpu *ev)
{
	const volatile struct vcpu_info *info = ev->info;

	return info->evtchn_upcall_pending && !info->evtchn_upcall_mask;
}

/*
 * The vCPU's vcpu_info is elsewhere from now on (VCPUOP_register_vcpu_info): contents copied, then
 * every pending event made visible again, as one may have been raised in the old place meanwhile.
 */
void event_move_vcpu_info(struct event_vcpu *ev, struct vcpu_info *to);

/* -- SCHEDOP_poll: ports count, masked or not -- */

/*
 * From now until event_poll_end() each event on one of `ports` kicks the vCPU. True if one is
 * pending already (the poll is over then, no end is due); -EINVAL is the caller's to give if a port
 * is none.
 */
bool must_check event_poll_begin(struct event_vcpu *ev, const evtchn_port_t *ports, unsigned n);
/* The poll timed out or was interrupted. May be called when none is under way. */
void event_poll_end(struct event_vcpu *ev);
/* Whether `port` is one that is open. */
bool event_port_valid(struct event_domain *ed, evtchn_port_t port);

#endif
