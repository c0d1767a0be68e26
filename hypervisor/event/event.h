/* SPDX-License-Identifier: MIT */
/*
 * Event channels (2-level ABI): ports of a domain, bound to another domain's port, a virtual or a physical interrupt, or another vCPU.
 * Knows neither struct domain nor the scheduler: a vCPU is told by its `kick` function.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "abi/event_channel.h"
#include "abi/xen.h"
#include "lib/lock.h"
#include "lib/types.h"

struct event_domain;

struct event_vcpu {
	struct event_domain *domain;
	unsigned id;
	struct vcpu_info *info;		/* where the guest reads evtchn_upcall_pending; hypervisor address, never NULL */
	evtchn_port_t virq_port[NR_VIRQS];	/* 0: not bound */
	/* Wake the vCPU and make it look at its pending upcall. */
	void (*kick)(struct event_vcpu *ev);
	/* owned by event/: what SCHEDOP_poll waits for */
	bool polling;
	evtchn_port_t poll_port;	/* 0: any of several */
};

struct event_channel;

struct event_domain {
	struct lock lock;		/* RANK_EVENT */
	domid_t id;
	struct shared_info *shared;	/* hypervisor address */
	unsigned max_vcpus;
	struct event_vcpu **vcpu;	/* [max_vcpus], NULL until the vCPU exists */
	/* owned by event/: buckets of channels, allocated as needed up to EVTCHN_2L_NR_CHANNELS */
	struct event_channel **bucket;
	evtchn_port_t max_port;
	/* Called under the lock when a port bound to a pirq is closed or unmasked; set by irq/ */
	void (*pirq_closed)(struct event_domain *ed, unsigned pirq);
	void (*pirq_unmasked)(struct event_domain *ed, unsigned pirq);
	/* Wakes a remote domain's consumer that is not a guest, none now */
};
/* All return 0 or -errno as the ABI documents (-EINVAL, -ENOSPC, -EEXIST, -EBUSY, -ENOENT, -EPERM). */
int event_domain_init(struct event_domain *ed, domid_t id, struct shared_info *shared, struct event_vcpu **vcpu, unsigned max_vcpus);
/* Close all ports and free. `remote` finds another domain's state by id (NULL: gone). Restartable: 0 or -ERESTART. */
int event_domain_destroy(struct event_domain *ed);
int event_alloc_unbound(struct event_domain *ed, domid_t remote, evtchn_port_t *port);
int event_bind_interdomain(struct event_domain *local, struct event_domain *remote, evtchn_port_t remote_port, evtchn_port_t *port);
int event_bind_virq(struct event_domain *ed, unsigned virq, unsigned vcpu, evtchn_port_t *port);
int event_bind_ipi(struct event_domain *ed, unsigned vcpu, evtchn_port_t *port);
int event_bind_pirq(struct event_domain *ed, unsigned pirq, evtchn_port_t *port);
int event_close(struct event_domain *ed, evtchn_port_t port);
int event_send(struct event_domain *ed, evtchn_port_t port);
int event_unmask(struct event_domain *ed, evtchn_port_t port);
int event_bind_vcpu(struct event_domain *ed, evtchn_port_t port, unsigned vcpu);
int event_status(struct event_domain *ed, struct evtchn_status *status);
int event_reset(struct event_domain *ed);

/* Raise a per-vCPU VIRQ; a global one (event_global_virq: the vCPU that has it bound). Unbound: nothing happens. */
void event_raise_virq(struct event_vcpu *ev, unsigned virq);
void event_raise_global_virq(struct event_domain *ed, unsigned virq);
void event_raise_pirq(struct event_domain *ed, evtchn_port_t port);

/* An upcall is pending and not masked: the guest is to be called on its way back. */
static inline bool event_upcall_due(const struct event_vcpu *ev)
{
	return ev->info->evtchn_upcall_pending && !ev->info->evtchn_upcall_mask;
}
/* Move the vCPU's vcpu_info elsewhere (VCPUOP_register_vcpu_info): contents copied, then all pending made visible again. */
void event_move_vcpu_info(struct event_vcpu *ev, struct vcpu_info *to);
/* True if any of `ports` is pending (SCHEDOP_poll). */
bool event_any_pending(struct event_domain *ed, const evtchn_port_t *ports, unsigned n);

#endif
