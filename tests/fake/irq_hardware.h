/* SPDX-License-Identifier: MIT */
/*
 * Hardware for irq/: lines of an IO-APIC with their in-service state, devices with messages, two
 * CPUs. A line that is asserted and not masked is delivered again and again, as on iron.
 */
#ifndef FAKE_IRQ_HARDWARE_H
#define FAKE_IRQ_HARDWARE_H

#include "dev/pci.h"
#include "lib/types.h"

#define FAKE_LINES	24
#define FAKE_DEVICES	300
#define FAKE_STORM	1000	/* deliveries in one go that are a storm */

struct fake_line {
	unsigned cpu;
	uint8_t vector;
	bool level, active_low, masked;
	bool asserted;
	bool in_service;	/* "remote IRR": nothing more until it is acknowledged */
};

/* Device `bus` << 8 | `devfn` (below FAKE_DEVICES): what was written to it. */
struct fake_device {
	struct msi_message message;
	unsigned nr;
	uint32_t masked, pending;	/* by message */
	bool disabled, unmaskable;
};

extern struct fake_line fake_line[FAKE_LINES];
extern struct fake_device fake_device[FAKE_DEVICES];
extern unsigned fake_cpu, fake_acks;
extern uint64_t fake_now;

void fake_irq_reset(void);
/* An edge, or the start of a level that lasts until fake_line_release(). Returns the deliveries. */
unsigned fake_line_assert(unsigned gsi);
void fake_line_release(unsigned gsi);
/* Deliver what is deliverable now, up to FAKE_STORM times. */
unsigned fake_deliver(void);
/* The device sends message `i`. */
void fake_send(unsigned device, unsigned i);
/* A message that was sent to where it went before. */
void fake_arrive(const struct msi_message *message);

#endif
