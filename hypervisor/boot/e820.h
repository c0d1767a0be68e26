/* SPDX-License-Identifier: MIT */
/*
 * The machine's memory map, as firmware gave it and then sanitised. Types are those of ACPI
 * 6.4, table 15.4.
 */
#ifndef BOOT_E820_H
#define BOOT_E820_H

#include "lib/types.h"

#define E820_MAX	512

enum e820_type { E820_RAM = 1, E820_RESERVED, E820_ACPI, E820_NVS, E820_BAD };

/* Bytes [start, end). */
struct e820_entry {
	uint64_t start, end;
	enum e820_type type;
};

struct e820_map {
	unsigned n;
	struct e820_entry entry[E820_MAX];
};

/*
 * Append; empty ranges, and those of addresses that no CPU has, are left out. 0, or -ENOSPC when
 * the map is full.
 */
int e820_add(struct e820_map *map, uint64_t start, uint64_t size, unsigned type);
/*
 * Sort, and resolve overlaps: where entries overlap the one with the higher type wins, so that
 * no firmware's mistake makes RAM of what is not. RAM is cut to whole pages; neighbours of one
 * type become one entry. Unknown types become reserved. `out` may not be `in`. -ENOSPC if the
 * result has too many entries.
 */
int e820_sanitise(struct e820_map *out, const struct e820_map *in);
/*
 * Cut [start, end) out of the RAM entries (what is left of the map may not be full: two entries
 * come of one).
 */
void e820_reserve(struct e820_map *map, uint64_t start, uint64_t end);

#endif
