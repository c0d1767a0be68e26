/* SPDX-License-Identifier: MIT */
/* The serial lines (16550 UART at an I/O port), polled. Output is a console sink, input goes to the console's ring. */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include "lib/types.h"

/* How to set a line up; baud 0 leaves it as it is. parity is one of n o e m s. */
struct serial_config {
	uint16_t port;
	uint32_t baud;
	uint8_t bits, stop;
	char parity;
};

/* Find the UART of line 0 (com1) or 1, set it up and make it a console sink. False if there is none. */
bool serial_init(unsigned line, const struct serial_config *config);
/* Move received characters into the console's input ring; true if there were any. */
bool serial_poll(void);

#endif
