/* SPDX-License-Identifier: MIT */
/*
 * 16550 UARTs. Registers and bits: National Semiconductor PC16550D data sheet, section 8.
 * Output waits for the transmitter, but not for ever: a line that hangs (flow control, no
 * hardware) loses text instead of stopping the machine.
 */
#include "dev/serial.h"

#include "console/console.h"
#include "x86/machine.h"

enum { DATA, INTERRUPTS, FIFO, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS, MODEM_STATUS, SCRATCH };
enum { STATUS_DATA = 1, STATUS_THR_EMPTY = 0x20 };

#define FIFO_DEPTH	16
#define PATIENCE	200000		/* status reads; some 100 ms */

#define DRAIN_MAX	65536		/* characters taken at once, if they come that fast */

static uint16_t port[SERIAL_LINES];	/* 0: not there */

static uint8_t in(unsigned line, unsigned reg)
{
	return (uint8_t)machine_port_in((uint16_t)(port[line] + reg), 1);
}

static void out(unsigned line, unsigned reg, uint8_t value)
{
	machine_port_out((uint16_t)(port[line] + reg), 1, value);
}

/* One FIFO's worth can be written whenever it is empty. */
static void write_line(unsigned line, const char *text, size_t n)
{
	static bool gave_up[2];
	unsigned room = 0;

	for (size_t i = 0; i < n;) {
		unsigned patience = gave_up[line] ? 1 : PATIENCE;
		static bool returned[2];

		while (!room && patience--)
			if (in(line, LINE_STATUS) & STATUS_THR_EMPTY)
				room = FIFO_DEPTH;
		gave_up[line] = !room;
		if (!room)
			return;
		if (text[i] == '\n' && !returned[line]) {
			out(line, DATA, '\r');
			returned[line] = true;
		} else {
			out(line, DATA, (uint8_t)text[i++]);
			returned[line] = false;
		}
		room--;
	}
}

static void write_0(const char *text, size_t n)
{
	write_line(0, text, n);
}

static void write_1(const char *text, size_t n)
{
	write_line(1, text, n);
}

static uint8_t line_control(const struct serial_config *c)
{
	static const uint8_t parity[128] = {
		['o'] = 0x08, ['e'] = 0x18, ['m'] = 0x28, ['s'] = 0x38,
	};

	return (uint8_t)((c->bits - 5) | (c->stop == 2 ? 4 : 0) | parity[c->parity & 0x7f]);
}

bool serial_init(unsigned line, const struct serial_config *c)
{
	port[line] = c->port;
	out(line, SCRATCH, 0x5a);
	if (in(line, SCRATCH) != 0x5a) {
		port[line] = 0;
		return false;
	}
	out(line, INTERRUPTS, 0);
	if (c->baud) {
		unsigned divisor = 115200 / c->baud;

		out(line, LINE_CONTROL, 0x80);
		out(line, DATA, (uint8_t)divisor);
		out(line, INTERRUPTS, (uint8_t)(divisor >> 8));
		out(line, LINE_CONTROL, line_control(c));
	}
	out(line, FIFO, 0x07);
	out(line, MODEM_CONTROL, 0x03);
	console_add_sink(line ? write_1 : write_0);
	return true;
}

bool serial_present(unsigned line)
{
	return port[line];
}

bool serial_owns_port(uint16_t p)
{
	for (unsigned line = 0; line < SERIAL_LINES; line++)
		if (port[line] && p >= port[line] && p < port[line] + 8)
			return true;
	return false;
}

unsigned serial_isa_irq(unsigned line)
{
	switch (port[line]) {
	case 0x3f8:
	case 0x3e8:
		return 4;
	case 0x2f8:
	case 0x2e8:
		return 3;
	default:
		return 0;
	}
}

void serial_enable_interrupt(unsigned line)
{
	out(line, INTERRUPTS, 0x01);	/* received data */
	out(line, MODEM_CONTROL, 0x0b);	/* OUT2 lets it through to the line */
}

bool serial_poll(void)
{
	bool any = false;

	for (unsigned line = 0; line < SERIAL_LINES; line++) {
		if (!port[line])
			continue;
		/* To the last one: what stays would raise no edge any more. */
		for (unsigned n = 0; n < DRAIN_MAX && in(line, LINE_STATUS) & STATUS_DATA; n++)
			any |= console_input((char)in(line, DATA));
	}
	return any;
}
