/* SPDX-License-Identifier: MIT */
/* Grant tables (version 1): a domain lets another map, or copy to and from, its frames. */
#ifndef GRANT_GRANT_H
#define GRANT_GRANT_H

#include "abi/grant_table.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "mm/mm.h"

struct grant_domain {
	struct lock lock;		/* RANK_GRANT */
	struct mm_domain *mm;		/* the same domain's memory */
	domid_t id;
	unsigned nr_frames, max_frames;	/* of the shared table */
	struct grant_entry_v1 **shared;	/* [nr_frames], hypervisor addresses */
	/* owned by grant/: active entries, map track */
	struct grant_active **active;
	struct grant_mapping **track;
	unsigned max_maptrack;
};
int grant_domain_init(struct grant_domain *gd, struct mm_domain *mm, unsigned max_frames, unsigned max_maptrack);
/* Drop all mappings that this domain holds of others (preemptible: 0 or -ERESTART); then free the tables. */
int must_check grant_domain_release_mappings(struct grant_domain *gd);
void grant_domain_destroy(struct grant_domain *gd);
/* Grow the shared table to nr frames; *mfn of frame i. */
int grant_table_grow(struct grant_domain *gd, unsigned nr_frames);
mfn_t grant_table_frame(struct grant_domain *gd, unsigned i);

#endif
