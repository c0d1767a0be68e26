/* SPDX-License-Identifier: MIT */
/*
 * The page allocator: blocks of 2^order frames, by the width of their addresses so that low memory
 * goes last. mm/ only.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "lib/lock.h"
#include "lib/types.h"

#define BUDDY_ORDER_MAX	18	/* 1 GiB */

/* Guards free blocks, the heap, and every domain's frame list and counts. RANK_HEAP. */
extern struct lock heap_lock;

/*
 * With heap_lock held: 2^order frames below 2^addr_bits (0: anywhere), MFN_NONE if there are none.
 * Their contents are unknown.
 */
mfn_t buddy_alloc(unsigned order, unsigned addr_bits);
void buddy_free(mfn_t mfn, unsigned order);
/* n frames from number first on, as the largest blocks that they are. */
void buddy_free_run(uint64_t first, uint64_t n);
uint64_t buddy_free_frames(void);
/* Contradictions found in the lists, for mm_check(). */
unsigned buddy_check(void);

#endif
