/* SPDX-License-Identifier: MIT */
/*
 * Sinks, log ring and input ring, all under one lock. See the headers; nothing here knows a
 * device or a domain.
 */
#include "console/console.h"

#include <stdarg.h>

#include "console/log.h"
#include "lib/lock.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "x86/machine.h"

#define LINE_MAX	256
#define LOG_SIZE	(128 * 1024)	/* powers of two */
#define INPUT_SIZE	4096
#define SINKS_MAX	4
#define GUEST_BURST	20		/* lines of guests per second and together */

static struct lock lock = LOCK_INIT(RANK_CONSOLE);
static bool busted;

static void (*sink[SINKS_MAX])(const char *text, size_t n);
static bool mid_line;			/* dom0 has begun a line and not ended it */

static char ring[LOG_SIZE];
static uint64_t ring_end;		/* characters ever put into it */
static uint64_t ring_start;		/* the first that a reader may see */

static char input[INPUT_SIZE];
static unsigned input_head, input_tail;
static bool input_refused;		/* somebody keeps characters back */

static int host_level = LOG_INFO, guest_level = LOG_WARNING;
static uint64_t burst_second;
static unsigned burst_lines, burst_lost;

void (*log_notify)(void);
void (*console_wanted)(void);

static void enter(void)
{
	if (!busted)
		lock_acquire(&lock);
}

static void leave(void)
{
	if (!busted)
		lock_release(&lock);
}

void console_bust(void)
{
	busted = true;
}

void console_add_sink(void (*write)(const char *text, size_t n))
{
	for (unsigned i = 0; i < SINKS_MAX; i++) {
		if (!sink[i]) {
			sink[i] = write;
			return;
		}
	}
}

void console_remove_sink(void (*write)(const char *text, size_t n))
{
	enter();
	for (unsigned i = 0; i < SINKS_MAX; i++)
		if (sink[i] == write)
			sink[i] = NULL;
	leave();
}

static void emit(const char *text, size_t n)
{
	for (unsigned i = 0; i < SINKS_MAX; i++)
		if (sink[i])
			sink[i](text, n);
}

void console_write(const char *text, size_t n)
{
	if (!n)
		return;
	enter();
	emit(text, n);
	mid_line = text[n - 1] != '\n';
	leave();
}

static void emit_line(const char *text, size_t n)
{
	static const char prefix[] = "(enso) ";

	if (mid_line)
		emit("\n", 1);
	mid_line = false;
	emit(prefix, sizeof(prefix) - 1);
	emit(text, n);
	emit("\n", 1);
}

/* Under the lock: a whole line into the ring, and to the sinks if its level is printed. */
static void put_line(const char *text, size_t n, bool print)
{
	for (size_t i = 0; i < n; i++)
		ring[ring_end++ % LOG_SIZE] = text[i];
	ring[ring_end++ % LOG_SIZE] = '\n';
	if (print)
		emit_line(text, n);
	if (log_notify && !busted)
		log_notify();
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX];
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = format_args(text, sizeof(text), fmt, args);
	va_end(args);
	enter();
	put_line(text, min(n, sizeof(text) - 1), (int)level <= host_level || busted);
	leave();
}

/*
 * Under the lock: may a guest cause one more line in this second? Says once a second how many
 * it could not.
 */
static bool guest_may_log(void)
{
	uint64_t second = machine_now() / 1000000000;
	char text[64];

	if (second != burst_second) {
		if (burst_lost) {
			size_t n = format_text(text, sizeof(text), "%u lines about guests left out",
					       burst_lost);

			put_line(text, n, true);
		}
		burst_second = second;
		burst_lines = burst_lost = 0;
	}
	if (burst_lines < GUEST_BURST) {
		burst_lines++;
		return true;
	}
	burst_lost++;
	return false;
}

void log_guest(enum log_level level, unsigned domid, const char *fmt, ...)
{
	char text[LINE_MAX];
	va_list args;
	size_t n;

	if ((int)level > guest_level)
		return;
	n = format_text(text, sizeof(text), "d%u: ", domid);
	va_start(args, fmt);
	n += format_args(text + n, sizeof(text) - n, fmt, args);
	va_end(args);
	enter();
	if (guest_may_log())
		put_line(text, min(n, sizeof(text) - 1), true);
	leave();
}

void log_set_levels(int host, int guest)
{
	host_level = host;
	guest_level = guest;
}

size_t log_read(char *buf, size_t size, uint64_t *from)
{
	size_t n = 0;

	enter();
	if (ring_end - ring_start > LOG_SIZE)
		ring_start = ring_end - LOG_SIZE;
	*from = max(*from, ring_start);
	while (n < size && *from < ring_end)
		buf[n++] = ring[(*from)++ % LOG_SIZE];
	leave();
	return n;
}

void log_print_last(unsigned lines)
{
	uint64_t at = ring_end, oldest = ring_end > LOG_SIZE ? ring_end - LOG_SIZE : 0;
	char text[LINE_MAX];

	for (unsigned newlines = 0; at > oldest; at--)
		if (ring[(at - 1) % LOG_SIZE] == '\n' && newlines++ == lines)
			break;
	for (size_t n = 0; at < ring_end; at++) {
		char c = ring[at % LOG_SIZE];

		if (c != '\n' && n < sizeof(text)) {
			text[n++] = c;
		} else {
			emit_line(text, n);
			n = 0;
		}
	}
}

void log_clear(void)
{
	enter();
	ring_start = ring_end;
	leave();
}

bool console_input(char c)
{
	bool room;

	enter();
	room = input_head - input_tail < INPUT_SIZE;
	if (room)
		input[input_head++ % INPUT_SIZE] = c;
	leave();
	return room;
}

bool console_input_room(void)
{
	bool room;

	enter();
	room = input_head - input_tail < INPUT_SIZE;
	input_refused |= !room;
	leave();
	return room;
}

size_t console_read(char *buf, size_t n)
{
	bool wanted;
	size_t done = 0;

	enter();
	while (done < n && input_tail != input_head)
		buf[done++] = input[input_tail++ % INPUT_SIZE];
	wanted = input_refused && done;
	if (wanted)
		input_refused = false;
	leave();
	if (wanted && console_wanted)
		console_wanted();
	return done;
}
