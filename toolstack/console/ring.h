/* SPDX-License-Identifier: MIT */
/*
 * A guest's console page: what it writes (out) and what it shall read (in). The guest may write
 * anything into the page at any time: its indices are read once and checked, ours are kept in
 * struct console_ring and only written to the page. Knows no hypercalls: works on any page. No
 * lock: one thread.
 */
#ifndef CONSOLE_RING_H
#define CONSOLE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "abi/io/console.h"

struct console_ring {
	struct xencons_interface *page;
	uint32_t out_cons; /* ours */
	uint32_t in_prod;  /* ours */
};

/* Takes the ring over as it is. */
void console_ring_adopt(struct console_ring *ring, struct xencons_interface *page);

/*
 * Copies up to @size bytes that the guest wrote. Returns how many, or -EPROTO: the indices make
 * no sense.
 */
int console_ring_peek(const struct console_ring *ring, char *bytes, size_t size);

/* Tells the guest that @len bytes of those were taken. */
void console_ring_consume(struct console_ring *ring, size_t len);

/* How many bytes the guest can be given now, or -EPROTO. */
int console_ring_space(const struct console_ring *ring);

/* Gives the guest @len bytes, at most console_ring_space(). */
void console_ring_put(struct console_ring *ring, const char *bytes, size_t len);

#endif
