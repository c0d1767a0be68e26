/* SPDX-License-Identifier: MIT */
/*
 * Formatted text into a buffer: %s %c %d %i %u %x %X %p %% with flags 0 - and #, width,
 * precision (strings), and the lengths hh h l ll z. Anything else is copied as it stands.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Write at most size bytes with the ending NUL; the number of characters it would have taken,
 * without the NUL.
 */
size_t format_text(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
size_t format_args(char *buf, size_t size, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
