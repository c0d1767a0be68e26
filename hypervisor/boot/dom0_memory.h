/* SPDX-License-Identifier: MIT */
/* Domain 0's memory while it is being built: which machine frame is its n-th. */
#ifndef BOOT_DOM0_MEMORY_H
#define BOOT_DOM0_MEMORY_H

#include "mm/mm.h"

/* Contiguous frames: from pfn on, until the next extent's. */
struct dom0_extent {
	uint64_t pfn;
	mfn_t mfn;
};

struct dom0_memory {
	struct dom0_extent *extent;	/* by ascending pfn */
	uint64_t n, max, nr_pages;
};

/* Allocate `nr_pages` to `mm` in pieces as big as there are. Panics if there are not so many. */
void dom0_memory_alloc(struct dom0_memory *m, struct mm_domain *mm, uint64_t nr_pages);
mfn_t dom0_memory_mfn(const struct dom0_memory *m, uint64_t pfn);
void dom0_memory_forget(struct dom0_memory *m);

#endif
