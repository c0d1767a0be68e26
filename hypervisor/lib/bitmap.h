/* SPDX-License-Identifier: MIT */
/* Bitmaps of 64-bit words, not atomic; struct cpumask has the atomic one. */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include "lib/types.h"

#define BITMAP_WORDS(bits)	(((bits) + 63) / 64)

static inline void bitmap_set(uint64_t *map, size_t bit)
{
	map[bit / 64] |= 1ull << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
	map[bit / 64] &= ~(1ull << (bit % 64));
}

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
	return map[bit / 64] >> (bit % 64) & 1;
}

/* The first bit that is clear (set) at or after `from`, or `bits` if there is none. */
size_t bitmap_next_clear(const uint64_t *map, size_t bits, size_t from);
size_t bitmap_next_set(const uint64_t *map, size_t bits, size_t from);

#endif
