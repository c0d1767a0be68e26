/* SPDX-License-Identifier: MIT */
/*
 * The log and the console: what reaches the screen, what the ring keeps, what guests can do to
 * both.
 *
 * Links: hypervisor/console/console.c hypervisor/lib/printf.c hypervisor/lib/lock.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console/console.h"
#include "console/log.h"
#include "lib/assert.h"
#include "x86/machine.h"

static char screen[1 << 20];
static size_t shown;
static uint64_t now;
static unsigned notified;

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
	return now;
}

_Noreturn void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

static void sink(const char *text, size_t n)
{
	assert_true(shown + n < sizeof(screen));
	memcpy(screen + shown, text, n);
	shown += n;
	screen[shown] = '\0';
}

static void notify(void)
{
	notified++;
}

static int setup(void **state)
{
	(void)state;
	shown = 0;
	screen[0] = '\0';
	now += 10000000000;
	log_set_levels(LOG_INFO, LOG_WARNING);
	log_clear();
	return 0;
}

static void read_all(char *buf, size_t size)
{
	uint64_t from = 0;
	size_t n = log_read(buf, size - 1, &from);

	buf[n] = '\0';
}

static void levels(void **state)
{
	char ring[256];

	(void)state;
	log_info("one %d", 1);
	log_debug("two");
	assert_string_equal(screen, "(enso) one 1\n");
	read_all(ring, sizeof(ring));
	assert_string_equal(ring, "one 1\ntwo\n");
	log_set_levels(-1, -1);
	log_error("three");
	assert_string_equal(screen, "(enso) one 1\n");
}

static void guest_text_is_not_torn(void **state)
{
	(void)state;
	console_write("# make", 6);
	log_info("hello");
	console_write("ok\n", 3);
	log_info("again");
	console_write("", 0);
	assert_string_equal(screen, "# make\n(enso) hello\nok\n(enso) again\n");
}

static void long_lines_are_cut(void **state)
{
	char line[2000];

	(void)state;
	memset(line, 'y', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	log_info("%s", line);
	log_guest(LOG_ERROR, 7, "%s", line);
	assert_true(shown < 600);
	assert_int_equal(screen[shown - 1], '\n');
}

static void guests_cannot_flood(void **state)
{
	unsigned lines = 0;

	(void)state;
	log_guest(LOG_INFO, 3, "filtered");
	assert_int_equal(shown, 0);
	for (unsigned i = 0; i < 1000; i++)
		log_guest(LOG_WARNING, 3, "bad %u", i);
	for (size_t i = 0; i < shown; i++)
		lines += screen[i] == '\n';
	assert_in_range(lines, 1, 50);
	assert_memory_equal(screen, "(enso) d3: bad 0\n", 17);
	shown = 0;
	now += 1000000000;
	log_guest(LOG_WARNING, 4, "next second");
	assert_non_null(strstr(screen, "lines about guests left out"));
	assert_non_null(strstr(screen, "d4: next second"));
}

static void ring_wraps(void **state)
{
	static char ring[1 << 18];
	uint64_t from = 0;
	size_t n;

	(void)state;
	log_set_levels(-1, -1);
	for (unsigned i = 0; i < 20000; i++)
		log_info("line number %u", i);
	n = log_read(ring, sizeof(ring), &from);
	assert_in_range(n, 100000, 1 << 17);
	assert_memory_equal(ring + n - 18, "line number 19999\n", 18);
	/* Piecewise, and nothing comes twice. */
	log_info("more");
	n = log_read(ring, 3, &from);
	assert_int_equal(n, 3);
	n += log_read(ring + n, sizeof(ring), &from);
	assert_memory_equal(ring, "more\n", n);
	assert_int_equal(log_read(ring, sizeof(ring), &from), 0);
	log_print_last(2);
	assert_string_equal(screen, "(enso) line number 19999\n(enso) more\n");
}

static void clearing(void **state)
{
	char ring[64];
	uint64_t from = 0;

	(void)state;
	log_info("old");
	log_clear();
	assert_int_equal(log_read(ring, sizeof(ring), &from), 0);
	log_info("new");
	read_all(ring, sizeof(ring));
	assert_string_equal(ring, "new\n");
}

static void input(void **state)
{
	char buf[8192];
	unsigned taken = 0;

	(void)state;
	assert_int_equal(console_read(buf, sizeof(buf)), 0);
	console_input('a');
	console_input('b');
	assert_int_equal(console_read(buf, 1), 1);
	assert_int_equal(buf[0], 'a');
	assert_int_equal(console_read(buf, sizeof(buf)), 1);
	assert_int_equal(buf[0], 'b');
	while (console_input('c') && taken < 5000)
		taken++;
	assert_in_range(taken, 100, 4999);
	assert_int_equal(console_read(buf, sizeof(buf)), taken);
}

static unsigned wanted;

static void on_wanted(void)
{
	wanted++;
	assert_true(console_input_room());	/* no lock is held */
}

/* Who was told that there is no room hears of it when there is, once. */
static void input_waits(void **state)
{
	char buf[16];

	(void)state;
	console_wanted = on_wanted;
	console_input('x');
	assert_true(console_input_room());
	assert_int_equal(console_read(buf, 1), 1);
	assert_int_equal(wanted, 0);
	while (console_input_room())
		assert_true(console_input('y'));
	assert_int_equal(console_read(buf, 0), 0);
	assert_int_equal(wanted, 0);
	assert_int_equal(console_read(buf, 16), 16);
	assert_int_equal(wanted, 1);
	assert_int_equal(console_read(buf, 16), 16);
	assert_int_equal(wanted, 1);
	console_wanted = NULL;
}

static void notification(void **state)
{
	(void)state;
	log_notify = notify;
	log_info("x");
	log_notify = NULL;
	log_info("y");
	assert_int_equal(notified, 1);
}

static void sinks_go(void **state)
{
	(void)state;
	console_remove_sink(sink);
	log_info("unseen");
	assert_int_equal(shown, 0);
	console_add_sink(sink);
	log_info("seen");
	assert_string_equal(screen, "(enso) seen\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(levels, setup),
		cmocka_unit_test_setup(guest_text_is_not_torn, setup),
		cmocka_unit_test_setup(long_lines_are_cut, setup),
		cmocka_unit_test_setup(guests_cannot_flood, setup),
		cmocka_unit_test_setup(ring_wraps, setup),
		cmocka_unit_test_setup(clearing, setup),
		cmocka_unit_test_setup(input, setup),
		cmocka_unit_test_setup(input_waits, setup),
		cmocka_unit_test_setup(notification, setup),
		cmocka_unit_test_setup(sinks_go, setup),
	};

	console_add_sink(sink);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
