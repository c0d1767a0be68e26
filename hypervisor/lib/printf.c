/* SPDX-License-Identifier: MIT */
/* Formatted text; see the header for what is understood. No state, no lock. */
#include "lib/printf.h"

#include "lib/string.h"
#include "lib/types.h"

struct out {
	char *buf;
	size_t size, length;
};

/* One conversion: %[flags][width][.precision][length]. */
struct spec {
	bool left, zero, alternate, upper;
	unsigned width;
	int precision;		/* -1: none given */
	unsigned bytes;		/* of an integer argument */
};

static void put(struct out *o, char c)
{
	if (o->length + 1 < o->size)
		o->buf[o->length] = c;
	o->length++;
}

static void put_padded(struct out *o, const struct spec *s, const char *text, size_t n)
{
	size_t pad = s->width > n ? s->width - n : 0;

	for (; pad && !s->left; pad--)
		put(o, ' ');
	while (n--)
		put(o, *text++);
	for (; pad; pad--)
		put(o, ' ');
}

static void put_number(struct out *o, const struct spec *s, uint64_t value, unsigned base,
		       bool negative)
{
	const char *digits = s->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[80];
	size_t at = sizeof(text), least = s->zero && !s->left ? min(s->width, 64u) : 1;

	do
		text[--at] = digits[value % base];
	while (value /= base);
	while (sizeof(text) - at + negative < least)
		text[--at] = '0';
	if (s->alternate && base == 16) {
		text[--at] = s->upper ? 'X' : 'x';
		text[--at] = '0';
	}
	if (negative)
		text[--at] = '-';
	put_padded(o, s, text + at, sizeof(text) - at);
}

static unsigned number(const char **p)
{
	unsigned n = 0;

	while (**p >= '0' && **p <= '9' && n < 10000)
		n = n * 10 + (unsigned)(*(*p)++ - '0');
	return n;
}

static const char *parse(struct spec *s, const char *p, va_list *args)
{
	*s = (struct spec){ .precision = -1, .bytes = 4 };
	for (;; p++) {
		if (*p == '-')
			s->left = true;
		else if (*p == '0')
			s->zero = true;
		else if (*p == '#')
			s->alternate = true;
		else
			break;
	}
	s->width = number(&p);
	if (*p == '.') {
		p++;
		if (*p == '*') {
			s->precision = va_arg(*args, int);
			p++;
		} else {
			s->precision = (int)number(&p);
		}
	}
	for (;; p++) {
		if (*p == 'l' || *p == 'z')
			s->bytes = 8;
		else if (*p == 'h')
			s->bytes /= 2;
		else
			return p;
	}
}

static uint64_t argument(const struct spec *s, va_list *args, bool is_signed)
{
	uint64_t v = s->bytes == 8 ? va_arg(*args, uint64_t) : va_arg(*args, unsigned);
	unsigned unused = 64 - 8 * s->bytes;

	return is_signed ? (uint64_t)((int64_t)(v << unused) >> unused) : v << unused >> unused;
}

static bool convert(struct out *o, struct spec *s, char type, va_list *args)
{
	char c;
	const char *text;
	int64_t value;

	switch (type) {
	case 'd':
	case 'i':
		value = (int64_t)argument(s, args, true);
		put_number(o, s, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, value < 0);
		return true;
	case 'u':
		put_number(o, s, argument(s, args, false), 10, false);
		return true;
	case 'X':
		s->upper = true;
		/* fall through */
	case 'x':
		put_number(o, s, argument(s, args, false), 16, false);
		return true;
	case 'p':
		s->zero = true;
		s->width = 16;
		put_number(o, s, (uint64_t)va_arg(*args, void *), 16, false);
		return true;
	case 'c':
		c = (char)va_arg(*args, int);
		put_padded(o, s, &c, 1);
		return true;
	case 's':
		text = va_arg(*args, const char *);
		if (!text)
			text = "(null)";
		put_padded(o, s, text,
			   s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
		return true;
	case '%':
		put(o, '%');
		return true;
	}
	return false;
}

size_t format_args(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = { .buf = buf, .size = size };
	va_list rest;

	va_copy(rest, args);
	for (const char *p = fmt; *p; p++) {
		struct spec s;
		const char *type;

		if (*p != '%') {
			put(&o, *p);
			continue;
		}
		type = parse(&s, p + 1, &rest);
		if (*type && convert(&o, &s, *type, &rest))
			p = type;
		else
			put(&o, '%');
	}
	va_end(rest);
	if (size)
		buf[min(o.length, size - 1)] = '\0';
	return o.length;
}

size_t format_text(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = format_args(buf, size, fmt, args);
	va_end(args);
	return n;
}
