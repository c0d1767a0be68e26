/* SPDX-License-Identifier: MIT */
/*
 * Typing faster than the control domain reads: nothing is lost and nothing changes its place, with
 * an interrupt at every edge and no other. And output: line ends, and a line that hangs.
 *
 * Links: hypervisor/dev/serial.c hypervisor/console/console.c hypervisor/lib/printf.c
 * Links: hypervisor/lib/lock.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console/console.h"
#include "dev/serial.h"
#include "lib/assert.h"
#include "x86/machine.h"

#define PORT	0x3f8
#define FIFO	16
#define PASTE	20000

enum { DATA, INTERRUPTS, IIR, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS, MODEM_STATUS, SCRATCH };

static uint8_t reg[8];
static char fifo[FIFO];
static unsigned waiting;		/* in the FIFO */
static unsigned typed;			/* characters that the other side has sent */
static unsigned lost;			/* for which the FIFO had no room */
static char sent[256];			/* by us */
static size_t n_sent;
static bool hangs;

unsigned machine_cpu(void)
{
	return 0;
}

void machine_relax(void)
{
	abort();
}

uint64_t machine_now(void)
{
	return 0;
}

_Noreturn void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

static uint8_t take(void)
{
	uint8_t c = (uint8_t)fifo[0];

	assert_true(waiting);
	memmove(fifo, fifo + 1, --waiting);
	return c;
}

uint32_t machine_port_in(uint16_t port, unsigned size)
{
	assert_int_equal(size, 1);
	if (port == PORT + DATA)
		return take();
	if (port == PORT + LINE_STATUS)
		return (waiting ? 1 : 0) | (hangs ? 0 : 0x20);
	return reg[port - PORT];
}

void machine_port_out(uint16_t port, unsigned size, uint32_t value)
{
	assert_int_equal(size, 1);
	if (port == PORT + DATA && !(reg[LINE_CONTROL] & 0x80))
		sent[n_sent++ % sizeof(sent)] = (char)value;
	else
		reg[port - PORT] = (uint8_t)value;
}

static char letter(unsigned i)
{
	return (char)('!' + i % 89);
}

/* The other side sends one more. True if that is an edge of the interrupt. */
static bool type_one(void)
{
	if (waiting == FIFO) {
		lost++;
		return false;
	}
	fifo[waiting++] = letter(typed++);
	return waiting == 1;
}

static unsigned wanted;

static void on_wanted(void)
{
	wanted++;
	serial_poll();
}

static int setup(void **state)
{
	static const struct serial_config config = { PORT, 115200, 8, 1, 'n' };

	(void)state;
	typed = lost = waiting = wanted = 0;
	hangs = false;
	console_wanted = on_wanted;
	if (!serial_present(0)) {
		assert_true(serial_init(0, &config));
		serial_enable_interrupt(0);
	}
	return 0;
}

/*
 * PASTE characters, each as soon as may be (`may_send`), and a reader that takes 16 at a time,
 * every `pace` characters.
 */
static void paste(bool (*may_send)(void), unsigned pace)
{
	unsigned got = 0, rounds = 0;
	char buf[16];

	while (got < PASTE) {
		assert_true(rounds < 100 * PASTE);
		if (typed < PASTE && may_send() && type_one())
			serial_poll();
		if (rounds++ % pace)
			continue;
		size_t n = console_read(buf, sizeof(buf));
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buf[i], letter(got++));
	}
	assert_int_equal(lost, 0);
	assert_true(wanted);
}

/* QEMU, and any UART with automatic flow control: the sender sees the FIFO. */
static bool fifo_has_room(void)
{
	return waiting < FIFO;
}

/* A cable with RTS to CTS. */
static bool asked_to_send(void)
{
	return reg[MODEM_CONTROL] & 2;
}

static void slow_reader(void **state)
{
	(void)state;
	paste(fifo_has_room, 61);
}

static void slow_reader_by_cable(void **state)
{
	(void)state;
	paste(asked_to_send, 61);
	assert_int_equal(reg[MODEM_CONTROL], 0x0b);
}

static void fast_reader(void **state)
{
	char buf[16];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		if (type_one())
			assert_true(serial_poll());
		assert_int_equal(console_read(buf, sizeof(buf)), 1);
		assert_int_equal(buf[0], letter(i));
	}
	assert_false(serial_poll());
	assert_int_equal(wanted, 0);
}

static void output(void **state)
{
	(void)state;
	n_sent = 0;
	console_write("a\nb\r\n", 5);
	assert_int_equal(n_sent, 7);
	assert_memory_equal(sent, "a\r\nb\r\r\n", 7);
	hangs = true;
	n_sent = 0;
	console_write("lost", 4);
	assert_int_equal(n_sent, 0);
	hangs = false;
	console_write("back", 4);
	assert_memory_equal(sent, "back", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(slow_reader, setup),
		cmocka_unit_test_setup(slow_reader_by_cable, setup),
		cmocka_unit_test_setup(fast_reader, setup),
		cmocka_unit_test_setup(output, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
