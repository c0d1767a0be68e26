/* SPDX-License-Identifier: MIT */
/*
 * One page of a guest's, on its way out or in: plain data, or a page table whose entries hold
 * machine frames in the machine and PFNs in an image. Pure.
 */
#ifndef STREAM_PAGE_H
#define STREAM_PAGE_H

#include <stdbool.h>

#include "stream/p2m.h"

/*
 * The most PFNs that a guest may have which may have so many pages: some of them may be holes, a PC
 * has one below 4 GiB.
 */
#define PFN_LIMIT(pages) (2 * (uint64_t)(pages) + (1UL << 20))

/* Copy a page, both aligned to 8 bytes. False if it is all zero. */
bool page_copy(void *to, const void *from);

/*
 * Copy a page table of this level; the hypervisor's own entries become 0. -1 if it maps a frame
 * that is none of the guest's.
 */
int page_table_save(const struct p2m *p2m, void *to, const void *from, unsigned level);

/*
 * The reverse, in place: mfn tells the machine frame of each of nr PFNs. -1 if an entry names a PFN
 * that has none.
 */
int page_table_load(const uint64_t *mfn, uint64_t nr, void *page, unsigned level);

#endif
