/* SPDX-License-Identifier: MIT */
/* Where a guest keeps its P2M: the machine frames of the table's pages, in order. */
#ifndef STREAM_P2M_LIST_H
#define STREAM_P2M_LIST_H

#include "hyp/hyp.h"
#include "lib/error.h"

/*
 * Find the n pages, through the guest's page tables (arch.p2m_cr3, p2m_vaddr) or, of kernels that
 * don't tell these, the tree of arch.pfn_to_mfn_frame_list_list. *list is malloc'd. 0 or -1 with
 * err set. What is returned may be anybody's frames.
 */
int p2m_list_find(struct hyp *hyp, uint32_t domid, const struct shared_info *shared, uint64_t n,
		  uint64_t **list, struct error *err);

/* Map frames of the guest's to be read; -1 with err set. */
int p2m_map(struct hyp *hyp, uint32_t domid, const uint64_t *mfns, unsigned n, void **va,
	    struct error *err);

#endif
