/* SPDX-License-Identifier: MIT */
/*
 * 16550 UARTs. Registers and bits: National Semiconductor PC16550D data sheet, section 8.
 * Output waits for the transmitter, but not for ever: a line that hangs (flow control, no
 * hardware) loses text instead of stopping the machine.
 */
#include "dev/serial.h"

#include "console/console.h"
#include "lib/lock.h"
#include "x86/machine.h"

enum { DATA, INTERRUPTS, FIFO, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS, MODEM_STATUS, SCRATCH };
enum { STATUS_DATA = 1, STATUS_THR_EMPTY = 0x20 };

#define FIFO_DEPTH	16
#define PATIENCE	200000		/* status reads; some 100 ms */

#define DRAIN_MAX	65536		/* characters taken at once, if they come that fast */

/* Modem control: DTR; RTS, which asks the other side to go on; OUT2 lets the interrupt through. */
enum { MODEM_DTR = 1, MODEM_RTS = 2, MODEM_OUT2 = 8 };

static uint16_t port[SERIAL_LINES];	/* 0: not there */
static struct lock input_lock = LOCK_INIT(RANK_DEVICE);	/* one at a time, or the order is lost */
static uint8_t modem[SERIAL_LINES];	/* modem control as written */

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

static void set_modem(unsigned line, unsigned bits)
{
	if (modem[line] != bits)
		out(line, MODEM_CONTROL, modem[line] = (uint8_t)bits);
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
	set_modem(line, MODEM_DTR | MODEM_RTS);
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
	set_modem(line, modem[line] | MODEM_OUT2);
}

/*
 * To the last one, because what stays would raise no edge any more. But when the console has no
 * room: then the other side is asked to wait, and what stays is fetched when there is some.
 */
static bool drain(unsigned line)
{
	bool any = false;

	for (unsigned n = 0; n < DRAIN_MAX; n++) {
		bool room = console_input_room();

		set_modem(line, room ? modem[line] | MODEM_RTS : modem[line] & ~MODEM_RTS);
		if (!room || !(in(line, LINE_STATUS) & STATUS_DATA))
			break;
		any |= console_input((char)in(line, DATA));
	}
	return any;
}

bool serial_poll(void)
{
	bool any = false;

	lock_acquire(&input_lock);
	for (unsigned line = 0; line < SERIAL_LINES; line++)
		if (port[line])
			any |= drain(line);
	lock_release(&input_lock);
	return any;
}
