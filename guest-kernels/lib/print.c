/* SPDX-License-Identifier: MIT */
/*
 * Formatted text. A line is collected and written at its end, so that lines of several vCPUs don't
 * mix; one buffer, so only one vCPU at a time may print.
 */
#include <stdbool.h>
#include <stdint.h>

#include "mem.h"
#include "print.h"

static char line[256];
static size_t used;

static void put(char c)
{
	line[used++] = c;
	if (c == '\n' || used == sizeof(line)) {
		console_write(line, used);
		used = 0;
	}
}

static void put_padded(const char *text, size_t n, int width, char pad)
{
	for (int i = (int)n; i < width; i++)
		put(pad);
	while (n--)
		put(*text++);
}

static void put_number(uint64_t value, bool negative, unsigned int base, int width, char pad)
{
	char digits[24], *at = digits + sizeof(digits);

	do {
		*--at = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		*--at = '-';
	put_padded(at, (size_t)(digits + sizeof(digits) - at), width, pad);
}

void vprint(const char *format, va_list args)
{
	for (; *format; format++) {
		char pad = ' ';
		int width = 0;
		bool wide = false;
		int64_t value;

		if (*format != '%') {
			put(*format);
			continue;
		}
		if (*++format == '0')
			pad = *format++;
		while (*format >= '0' && *format <= '9')
			width = width * 10 + *format++ - '0';
		while (*format == 'l') {
			wide = true;
			format++;
		}
		switch (*format) {
		case 'c':
			put((char)va_arg(args, int));
			break;
		case 's': {
			const char *s = va_arg(args, const char *);

			put_padded(s, strlen(s), width, ' ');
			break;
		}
		case 'd':
			value = wide ? va_arg(args, int64_t) : va_arg(args, int);
			put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0, 10,
				   width, pad);
			break;
		case 'u':
			put_number(wide ? va_arg(args, uint64_t) : va_arg(args, unsigned int),
				   false, 10,
				   width, pad);
			break;
		case 'p':
		case 'x':
			wide |= *format == 'p';
			put_number(wide ? va_arg(args, uint64_t) : va_arg(args, unsigned int),
				   false, 16,
				   width, pad);
			break;
		default:
			put(*format);
		}
	}
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprint(format, args);
	va_end(args);
}
