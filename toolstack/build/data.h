/* SPDX-License-Identifier: MIT */
/*
 * Where a kernel file is not zero. Half of a Linux kernel's ELF is: what it only reserves, and what
 * fills up to large pages. A new guest's memory is zero already, so that half need not be read,
 * mapped or copied. Worked out once for a file and kept in the cache.
 */
#ifndef BUILD_DATA_H
#define BUILD_DATA_H

#include <stddef.h>
#include <stdint.h>

/* Bytes [start, end) of the file that may be something else than zero. */
struct data_run {
	uint64_t start;
	uint64_t end;
};

/* Runs in ascending order; between two of them there is at least DATA_GAP of zeros. */
struct data_map {
	struct data_run *run;
	size_t count;
};

#define DATA_GAP (64UL << 10)

/* The map of a file of size bytes, kept or new; free it with data_map_free(). 0 or -errno. */
int data_map_open(struct data_map *map, int fd, uint64_t size);

void data_map_free(struct data_map *map);

#endif
