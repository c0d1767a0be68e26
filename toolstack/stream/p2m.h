/* SPDX-License-Identifier: MIT */
/*
 * Which frames a guest has, by its own table (the P2M, whose place its shared_info tells) and as
 * the hypervisor confirms: each frame of the result belongs to the domain, and to one PFN only.
 */
#ifndef STREAM_P2M_H
#define STREAM_P2M_H

#include "hyp/hyp.h"
#include "lib/error.h"

#define NO_FRAME UINT64_MAX

struct p2m {
	uint64_t nr;		/* PFNs from 0 to nr - 1 */
	uint64_t *mfn;		/* [nr]; NO_FRAME: the guest has nothing there */
	uint8_t *type;		/* [nr], XEN_DOMCTL_PFINFO_* >> LTAB_SHIFT */
	uint64_t populated;
	uint64_t *list;		/* [nr_list]: PFNs of the pages that hold the table itself */
	uint64_t nr_list;
	uint32_t **reverse;	/* by mfn >> 9: NULL or 512 PFNs */
	uint64_t nr_reverse;
};

/*
 * Read it; limit is the most PFNs there may be. Pages of the table that hold nothing else than what
 * a reader works out again get the type XALLOC. 0, or -1 with err set (ERROR_STATE if the guest's
 * table is not sound). p2m_free() in any case.
 */
int p2m_read(struct p2m *p2m, struct hyp *hyp, uint32_t domid, const struct shared_info *shared,
	     uint64_t limit, struct error *err);
void p2m_free(struct p2m *p2m);

/* The PFN of a machine frame, NO_FRAME if it is none of the guest's. */
uint64_t p2m_pfn(const struct p2m *p2m, uint64_t mfn);

#endif
