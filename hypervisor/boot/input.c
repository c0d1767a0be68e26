/* SPDX-License-Identifier: MIT */
/*
 * Typed characters: each serial line's interrupt, or a timer where that is not to be had, moves
 * them to the console's ring and tells the control domain. When the ring is full they wait in the
 * UART, until the control domain has read some.
 */
#include "boot/input.h"

#include "console/console.h"
#include "dev/serial.h"
#include "domain/domain.h"
#include "irq/irq.h"
#include "x86/machine.h"

#define POLL_INTERVAL	20000000	/* ns */

static struct timer poll_timer;

static void take_input(void)
{
	if (serial_poll() && domain_control)
		event_raise_global_virq(&domain_control->event, VIRQ_CONSOLE);
}

static void poll_due(struct timer *t)
{
	take_input();
	timer_set(t, machine_now() + POLL_INTERVAL);
}

void input_start(void)
{
	bool polled = false;
	unsigned irq;

	console_wanted = take_input;
	for (unsigned line = 0; line < SERIAL_LINES; line++) {
		if (!serial_present(line))
			continue;
		irq = serial_isa_irq(line);
		if (irq && !irq_register_internal(irq, take_input))
			serial_enable_interrupt(line);
		else
			polled = true;
	}
	if (polled) {
		timer_init(&poll_timer, poll_due);
		timer_set(&poll_timer, machine_now() + POLL_INTERVAL);
	}
}
