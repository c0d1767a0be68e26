/* SPDX-License-Identifier: MIT */
/*
 * The memory map. Quadratic in the number of entries, of which there are some tens. Boot CPU
 * only.
 */
#include "boot/e820.h"

#include "abi/errno.h"
#include "lib/string.h"

#define ADDRESSES (1ull << 52)		/* no CPU has more (SDM 3A 4.1.4) */

int e820_add(struct e820_map *map, uint64_t start, uint64_t size, unsigned type)
{
	uint64_t end;

	if (!size || __builtin_add_overflow(start, size, &end) || end > ADDRESSES)
		return 0;
	if (map->n == E820_MAX)
		return -ENOSPC;
	if (type < E820_RAM || type > E820_BAD)
		type = E820_RESERVED;
	map->entry[map->n++] = (struct e820_entry){ start, end, type };
	return 0;
}

/* The lowest address above `at` where an entry starts or ends, ~0 if there is none. */
static uint64_t next_edge(const struct e820_map *map, uint64_t at)
{
	uint64_t next = ~0ull;

	for (unsigned i = 0; i < map->n; i++) {
		if (map->entry[i].start > at)
			next = min(next, map->entry[i].start);
		if (map->entry[i].end > at)
			next = min(next, map->entry[i].end);
	}
	return next;
}

/* The type of the byte at `at`: the highest of those that cover it, 0 if none does. */
static unsigned type_at(const struct e820_map *map, uint64_t at)
{
	unsigned type = 0;

	for (unsigned i = 0; i < map->n; i++)
		if (map->entry[i].start <= at && at < map->entry[i].end)
			type = max(type, (unsigned)map->entry[i].type);
	return type;
}

/* Append to a sorted map, joining with the last entry where that is possible. */
static int append(struct e820_map *map, uint64_t start, uint64_t end, unsigned type)
{
	struct e820_entry *last = map->n ? &map->entry[map->n - 1] : NULL;

	if (last && last->end == start && last->type == type) {
		last->end = end;
		return 0;
	}
	return e820_add(map, start, end - start, type);
}

int e820_sanitise(struct e820_map *out, const struct e820_map *in)
{
	uint64_t end;
	unsigned kept = 0;

	out->n = 0;
	for (uint64_t at = 0; (end = next_edge(in, at)) != ~0ull; at = end) {
		unsigned type = type_at(in, at);

		if (type && append(out, at, end, type))
			return -ENOSPC;
	}
	for (unsigned i = 0; i < out->n; i++) {
		struct e820_entry e = out->entry[i];

		if (e.type == E820_RAM) {
			e.start = ALIGN_UP(e.start, PAGE_SIZE);
			e.end &= PAGE_MASK;
		}
		if (e.start < e.end)
			out->entry[kept++] = e;
	}
	out->n = kept;
	return 0;
}

void e820_reserve(struct e820_map *map, uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < map->n; i++) {
		struct e820_entry *e = &map->entry[i];
		uint64_t tail = e->end;

		if (e->type != E820_RAM || e->end <= start || e->start >= end)
			continue;
		if (e->start >= start) {
			e->start = min(end, tail);
			continue;
		}
		e->end = start;
		if (tail > end && map->n < E820_MAX) {
			memmove(e + 2, e + 1, (map->n - i - 1) * sizeof(*e));
			map->n++;
			e[1] = (struct e820_entry){ end, tail, E820_RAM };
			i++;
		}
	}
}
