/* SPDX-License-Identifier: MIT */
/*
 * The serial lines (16550 UARTs at I/O ports). Output is a console sink, input goes to the
 * console's ring.
 */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include "lib/types.h"

#define SERIAL_LINES	2

/* How to set a line up; baud 0 leaves it as it is. parity is one of n o e m s. */
struct serial_config {
	uint16_t port;
	uint32_t baud;
	uint8_t bits, stop;
	char parity;
};

/*
 * Find the UART of line 0 (com1) or 1, set it up and make it a console sink. False if there is
 * none.
 */
bool serial_init(unsigned line, const struct serial_config *config);
bool serial_present(unsigned line);
/* Is this one of the ports of a line that we drive? */
bool serial_owns_port(uint16_t port);
/* The ISA interrupt that a line has by convention; 0 if its ports are unusual ones. */
unsigned serial_isa_irq(unsigned line);
/* Interrupt (an edge) when something is received; serial_poll() then takes all of it. */
void serial_enable_interrupt(unsigned line);
/*
 * Move received characters into the console's input ring, as far as it has room; true if there were
 * any. To be called again when there is (console_wanted).
 */
bool serial_poll(void);

#endif
