/* SPDX-License-Identifier: MIT */
/*
 * Event channels by the two-level bitmaps. Channels start masked, and the vCPU's own mask is set.
 */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/event_channel.h"

/*
 * What the upcall does with a pending, unmasked port: fn is called, with events masked on the vCPU.
 */
void event_handle(evtchn_port_t port, void (*fn)(evtchn_port_t port));
/* How often the port's upcall came since the last time this was asked. */
unsigned int event_count(evtchn_port_t port);
/* How many upcalls came at all. */
extern unsigned int event_upcalls;

/* The vCPU's mask; enabling delivers what is pending before it returns. */
void event_enable(void);
void event_disable(void);
bool event_enabled(void);

void event_mask(evtchn_port_t port);
/* Through the hypercall, which sees to what became pending meanwhile. */
void event_unmask(evtchn_port_t port);
bool event_pending(evtchn_port_t port);
void event_clear(evtchn_port_t port);
void event_send(evtchn_port_t port);

/* New channels, masked; 0 if refused. */
evtchn_port_t event_bind_virq(unsigned int virq, unsigned int vcpu);
evtchn_port_t event_bind_ipi(unsigned int vcpu);
long event_close(evtchn_port_t port);

/* From the callback. */
void event_upcall(void);

#endif
