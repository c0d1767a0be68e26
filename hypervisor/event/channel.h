/* SPDX-License-Identifier: MIT */
/*
 * Inside event/: one port.
 *
 * A port's own lock lets a sender follow the binding without the domain's lock: whoever changes the
 * binding holds the domain's lock and this one, so either is enough to read. `vcpu` is read without
 * any.
 */
#ifndef EVENT_CHANNEL_H
#define EVENT_CHANNEL_H

#include "event/event.h"

struct event_binding {
	uint8_t state;			/* EVTCHNSTAT_* of abi/event_channel.h */
	domid_t remote_id;		/* unbound: who may bind; interdomain: who has */
	uint32_t vcpu;			/* who is told */
	union {
		struct event_domain *remote;	/* interdomain: it closes its end before it goes */
		uint64_t number;		/* of the pirq or VIRQ */
	};
	evtchn_port_t remote_port;
};

struct event_channel {
	struct lock lock;		/* RANK_EVENT_PORT; never two at once */
	struct event_binding to;
};

_Static_assert(sizeof(struct event_channel) * EVENT_BUCKET_PORTS == PAGE_SIZE,
	       "a bucket is a page");

/*
 * The channel of a port, or NULL if there never was one. Needs no lock: buckets stay until the
 * domain is freed.
 */
static inline struct event_channel *event_channel(const struct event_domain *ed, evtchn_port_t port)
{
	struct event_channel *bucket;

	if (unlikely(port >= EVTCHN_2L_NR_CHANNELS))
		return NULL;
	bucket = __atomic_load_n(&ed->bucket[port / EVENT_BUCKET_PORTS], __ATOMIC_ACQUIRE);
	return likely(bucket) ? &bucket[port % EVENT_BUCKET_PORTS] : NULL;
}

/* The vCPU with this id, or NULL. */
static inline struct event_vcpu *event_vcpu(const struct event_domain *ed, uint64_t id)
{
	return id < ed->max_vcpus ? __atomic_load_n(&ed->vcpu[id], __ATOMIC_ACQUIRE) : NULL;
}

/* Set `port` pending and tell `vcpu`. Takes no lock. */
void event_set_pending(struct event_domain *ed, evtchn_port_t port, unsigned vcpu);

#endif
