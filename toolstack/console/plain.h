/* SPDX-License-Identifier: MIT */
/*
 * What a guest wrote to its console, made fit to be shown: a guest must not move the cursor, change
 * the title or make the terminal answer. Escape sequences are left out, as are control characters
 * but for newline and tab; bytes that are no UTF-8, and UTF-8's own control characters, become a
 * question mark. Pure; pieces of any length may be given one after the other.
 */
#ifndef CONSOLE_PLAIN_H
#define CONSOLE_PLAIN_H

#include <stddef.h>
#include <stdint.h>

struct console_plain {
	enum { PLAIN_TEXT, PLAIN_ESCAPE, PLAIN_SEQUENCE, PLAIN_STRING, PLAIN_STRING_END } state;
	uint8_t letter[4];	/* the bytes so far of a letter that has several */
	unsigned have, want;
};

/* All zero is the start. to has room for len + 4 bytes. Returns how many there are. */
size_t console_plain(struct console_plain *plain, const char *from, size_t len, char *to);

#endif
