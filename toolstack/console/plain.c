/* SPDX-License-Identifier: MIT */
/* Console output fit to be shown: see plain.h. */
#include "console/plain.h"

#include <stdbool.h>
#include <string.h>

/* How many bytes a letter has that begins so; 0: none does. */
static unsigned letter_length(uint8_t c)
{
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

/* Is the whole letter one that may be shown: no surrogate, not too long, no control character? */
static bool letter_is_good(const uint8_t *l, unsigned n)
{
	if (n == 2)
		return l[0] != 0xc2 || l[1] >= 0xa0;
	if (n == 3)
		return (l[0] != 0xe0 || l[1] >= 0xa0) && (l[0] != 0xed || l[1] < 0xa0);
	return (l[0] != 0xf0 || l[1] >= 0x90) && (l[0] != 0xf4 || l[1] < 0x90);
}

/* Inside an escape sequence, as ECMA-48 forms them. */
static void skip(struct console_plain *p, uint8_t c)
{
	switch (p->state) {
	case PLAIN_ESCAPE:
		if (c == '[')
			p->state = PLAIN_SEQUENCE;
		else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
			p->state = PLAIN_STRING;
		else if (c < 0x20 || c > 0x2f)	/* those stand between */
			p->state = PLAIN_TEXT;
		return;
	case PLAIN_SEQUENCE:
		if (c >= 0x40 || c < 0x20)
			p->state = PLAIN_TEXT;
		return;
	case PLAIN_STRING:
		if (c == 0x1b)
			p->state = PLAIN_STRING_END;
		else if (c == 7 || c == '\n')	/* a line ends one that was never ended */
			p->state = PLAIN_TEXT;
		return;
	default:
		p->state = c == '\\' ? PLAIN_TEXT : PLAIN_STRING;
		return;
	}
}

/* One byte outside of sequences; returns how many bytes it gave. */
static size_t text(struct console_plain *p, uint8_t c, char *to)
{
	if (c == 0x1b) {
		p->state = PLAIN_ESCAPE;
		return 0;
	}
	if (c < 0x80) {
		*to = (char)c;
		return c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f);
	}
	p->want = letter_length(c);
	p->letter[0] = c;
	p->have = 1;
	if (p->want)
		return 0;
	p->have = 0;
	*to = '?';
	return 1;
}

/* The next byte of a letter. */
static size_t more_of_letter(struct console_plain *p, uint8_t c, char *to)
{
	size_t n = 0;

	if ((c & 0xc0) != 0x80) {	/* it was cut short */
		p->have = 0;
		to[n++] = '?';
		return n + text(p, c, to + n);
	}
	p->letter[p->have++] = c;
	if (p->have < p->want)
		return 0;
	p->have = 0;
	if (!letter_is_good(p->letter, p->want)) {
		*to = '?';
		return 1;
	}
	memcpy(to, p->letter, p->want);
	return p->want;
}

size_t console_plain(struct console_plain *p, const char *from, size_t len, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)from[i];

		if (p->state != PLAIN_TEXT)
			skip(p, c);
		else
			n += p->have ? more_of_letter(p, c, to + n) : text(p, c, to + n);
		if (p->state == PLAIN_TEXT && c == '\n' && (!n || to[n - 1] != '\n'))
			to[n++] = '\n';	/* of a sequence that a line ended */
	}
	return n;
}
