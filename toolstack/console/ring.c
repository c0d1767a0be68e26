/* SPDX-License-Identifier: MIT */
/* A guest's console page: see ring.h. */
#include "console/ring.h"

#include <errno.h>
#include <string.h>

static uint32_t index_read(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void index_write(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

void console_ring_adopt(struct console_ring *ring, struct xencons_interface *page)
{
	ring->page = page;
	ring->out_cons = index_read(&page->out_cons);
	ring->in_prod = index_read(&page->in_prod);
}

int console_ring_peek(const struct console_ring *ring, char *bytes, size_t size)
{
	const struct xencons_interface *page = ring->page;
	uint32_t there = index_read(&page->out_prod) - ring->out_cons;

	if (there > sizeof(page->out))
		return -EPROTO;
	size_t len = there < size ? there : size;
	size_t at = MASK_XENCONS_IDX(ring->out_cons, page->out), first = sizeof(page->out) - at;
	if (first > len)
		first = len;
	memcpy(bytes, page->out + at, first);
	memcpy(bytes + first, page->out, len - first);
	return (int)len;
}

void console_ring_consume(struct console_ring *ring, size_t len)
{
	ring->out_cons += (uint32_t)len;
	index_write(&ring->page->out_cons, ring->out_cons);
}

int console_ring_space(const struct console_ring *ring)
{
	uint32_t waiting = ring->in_prod - index_read(&ring->page->in_cons);

	if (waiting > sizeof(ring->page->in))
		return -EPROTO;
	return (int)(sizeof(ring->page->in) - waiting);
}

void console_ring_put(struct console_ring *ring, const char *bytes, size_t len)
{
	struct xencons_interface *page = ring->page;
	size_t at = MASK_XENCONS_IDX(ring->in_prod, page->in), first = sizeof(page->in) - at;

	if (first > len)
		first = len;
	memcpy(page->in + at, bytes, first);
	memcpy(page->in, bytes + first, len - first);
	ring->in_prod += (uint32_t)len;
	index_write(&page->in_prod, ring->in_prod);
}
