/* SPDX-License-Identifier: MIT */
/*
 * console/log.h and panic() for tests: errors and warnings go to stderr, the rest only with
 * FAKE_LOG set.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "console/log.h"
#include "lib/assert.h"

static void line(enum log_level level, const char *fmt, va_list args)
{
	if (level > LOG_WARNING && !getenv("FAKE_LOG"))
		return;
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	line(level, fmt, args);
	va_end(args);
}

void log_guest(enum log_level level, unsigned domid, const char *fmt, ...)
{
	va_list args;

	(void)domid;
	va_start(args, fmt);
	line(level == LOG_ERROR ? level : LOG_DEBUG, fmt, args);
	va_end(args);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "panic: ");
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}
