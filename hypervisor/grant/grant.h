/* SPDX-License-Identifier: MIT */
/*
 * Grant tables (version 1): a domain lets another map, or copy to and from, its frames.
 *
 * The shared table is the granting guest's own memory and changes under our hands. An entry is
 * believed once, when it is pinned: frame and grantee are kept in our active entry, with a
 * reference to the frame, until the last mapping goes; whatever the guest writes meanwhile changes
 * nothing.
 *
 * Locks: each table has one (RANK_GRANT), never two at once.
 * Not here: guest pointers and who may name which domain (hypercall/grant_table_op.c).
 */
#ifndef GRANT_GRANT_H
#define GRANT_GRANT_H

#include "abi/grant_table.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "mm/mm.h"

#define GRANT_ENTRIES_PER_FRAME	(PAGE_SIZE / sizeof(struct grant_entry_v1))

struct grant_active;
struct grant_mapping;

struct grant_domain {
	struct lock lock;
	struct mm_domain *mm;		/* the same domain's memory; its id is ours */
	/*
	 * A mapping keeps the granting domain from being freed: whoever maps hands a reference
	 * over, and this gives it back, called without locks. Set by hypercall/ before the first
	 * mapping.
	 */
	void (*put)(struct grant_domain *granter);
	/* what we grant */
	unsigned nr_frames, max_frames;	/* of the shared table */
	struct grant_entry_v1 **shared;	/* [max_frames], hypervisor addresses */
	struct grant_active **active;	/* [max_frames], arrays of GRANT_ENTRIES_PER_FRAME */
	/* what we have mapped */
	unsigned nr_track, max_track;	/* pages of mappings */
	unsigned track_room;		/* how many the list has room for: it grows */
	struct grant_mapping **track;	/* NULL: never mapped any, as most guests */
	grant_handle_t first_free;	/* list of free handles; GRANT_NO_HANDLE ends it */
	grant_handle_t release_cursor;
};

#define GRANT_NO_HANDLE	(~0u)

/*
 * One frame to start with. `max_maptrack` counts as the toolstack does, by 512 mappings. 0 or
 * -ENOMEM.
 */
int must_check grant_domain_init(struct grant_domain *gd, struct mm_domain *mm, unsigned max_frames,
				 unsigned max_maptrack);
/* The domain dies and runs no more: drop all mappings that it holds of others. 0 or -ERESTART. */
int must_check grant_domain_release_mappings(struct grant_domain *gd);
/*
 * Free the tables; after the above, when nobody maps its grants any more. Also after a failed init.
 */
void grant_domain_destroy(struct grant_domain *gd);

/* Grow the shared table to at least `nr_frames`: 0, -EINVAL (above the limit), -ENOMEM. */
int must_check grant_table_grow(struct grant_domain *gd, unsigned nr_frames);
/* The frame of the shared table's page `i`, MFN_NONE if there is none yet. */
mfn_t grant_table_frame(struct grant_domain *gd, unsigned i);

/*
 * -- operations: 0 with op->status set (GNTST_*), or -ERESTART (the same again). `gd` is the
 * caller's; `root` its kernel's page table; a budget must have been started. --
 */

/* On GNTST_okay the mapping has taken over the caller's reference to `granter`. */
int must_check grant_map(struct grant_domain *gd, struct grant_domain *granter, mfn_t root,
			 struct gnttab_map_grant_ref *op);

/* Unmapped, but perhaps still in TLBs: pins are kept until grant_unmap_finish(). */
#define GRANT_BATCH	32
struct grant_batch {
	unsigned nr;
	bool flush;
	grant_handle_t handle[GRANT_BATCH];
};

/*
 * The batch must have room. `new_addr` 0, or where the page that takes its place is mapped (and no
 * longer will be).
 */
int must_check grant_unmap(struct grant_domain *gd, mfn_t root, struct gnttab_unmap_grant_ref *op,
			   uint64_t new_addr, struct grant_batch *batch);
/* Flush TLBs, drop pins, free handles; the batch is empty again. */
void grant_unmap_finish(struct grant_domain *gd, struct grant_batch *batch);

/*
 * Copy within pages; source and dest are the domains that the op names (or NULL: no such domain).
 * Never restarts.
 */
void grant_copy(struct grant_domain *gd, struct grant_domain *source, struct grant_domain *dest,
		struct gnttab_copy *op);
/* Exchange two entries that nobody uses. */
void grant_swap(struct grant_domain *gd, struct gnttab_swap_grant_ref *op);
/* Log what is in use. */
void grant_dump(struct grant_domain *gd);

#endif
