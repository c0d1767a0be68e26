/* SPDX-License-Identifier: MIT */
/* Searches in bitmaps. Bits beyond the end of the map may have any value. */
#include "lib/bitmap.h"

static size_t next(const uint64_t *map, size_t bits, size_t from, uint64_t invert)
{
	for (size_t i = from / 64; i < BITMAP_WORDS(bits); i++) {
		uint64_t word = map[i] ^ invert;

		if (i == from / 64)
			word &= ~0ull << (from % 64);
		if (word)
			return min(i * 64 + (size_t)__builtin_ctzll(word), bits);
	}
	return bits;
}

size_t bitmap_next_clear(const uint64_t *map, size_t bits, size_t from)
{
	return next(map, bits, from, ~0ull);
}

size_t bitmap_next_set(const uint64_t *map, size_t bits, size_t from)
{
	return next(map, bits, from, 0);
}
