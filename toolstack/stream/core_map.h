/* SPDX-License-Identifier: MIT */
/*
 * Where a Linux guest has memory in its kernel's half of the address space beside the direct map
 * and the kernel image: stacks, modules, vmalloc. Read from its page tables, which the guest may
 * have made to tire us: how many tables and pieces are taken is bounded.
 */
#ifndef STREAM_CORE_MAP_H
#define STREAM_CORE_MAP_H

#include "stream/p2m.h"

enum { CORE_PIECES_MAX = 60000, CORE_TABLES_MAX = 20000 };

/* Pages that follow each other at both addresses. */
struct core_piece {
	uint64_t va, pfn, pages;
};

struct core_map {
	struct core_piece *pieces;	/* by va; malloc'd */
	unsigned nr;
	unsigned tables;		/* looked at so far */
};

/*
 * Read what the top table root (a machine frame) maps. What cannot be read is left out. 0 or
 * -ENOMEM.
 */
int core_map_read(struct core_map *map, struct hyp *hyp, uint32_t domid, const struct p2m *p2m,
		  uint64_t root);

#endif
