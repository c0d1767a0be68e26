/* SPDX-License-Identifier: MIT */
/* Inside grant/: pins of a domain's own entries, and handles of what it has mapped. */
#ifndef GRANT_TABLE_H
#define GRANT_TABLE_H

#include "grant/grant.h"

/* What we know of an entry that is in use. */
struct grant_active {
	uint32_t frame;			/* the ABI's entry has no more bits */
	uint32_t readers, writers;	/* pins; each holds a reference, writers' as writable */
	domid_t grantee;
};

_Static_assert(sizeof(struct grant_active) == 16, "the active entries of a frame: two pages");

/* A handle. */
struct grant_mapping {
	struct grant_domain *granter;	/* referenced */
	uint64_t host_addr;
	grant_ref_t ref;
	uint32_t flags;			/* GNTMAP_*: what is mapped, and how; 0: free handle */
	grant_handle_t next_free;
	bool busy;			/* somebody is mapping or unmapping it just now */
};

#define GRANT_TRACK_PER_PAGE	(PAGE_SIZE / sizeof(struct grant_mapping))
_Static_assert(sizeof(struct grant_mapping) == 32, "128 mappings to a page");

/* Pin entry `ref` of `granter` for `grantee`: GNTST_*, and the frame, which stays. No lock held. */
int16_t grant_pin(struct grant_domain *granter, grant_ref_t ref, domid_t grantee, bool readonly,
		  mfn_t *frame);
void grant_unpin(struct grant_domain *granter, grant_ref_t ref, bool readonly);
/* The frame of a pinned entry. */
mfn_t grant_pinned_frame(struct grant_domain *granter, grant_ref_t ref);

#endif
