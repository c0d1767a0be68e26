/* SPDX-License-Identifier: MIT */
/*
 * Copying between frames that are granted or the caller's own. Both sides are pinned (or
 * referenced) for the copy only, the target as writable data, so it can't be a page table
 * meanwhile.
 */
#include "grant/table.h"

#include "lib/string.h"
#include "x86/machine.h"

/* One side of a copy: the frame, and what was taken to hold it. */
struct side {
	struct grant_domain *owner;
	mfn_t frame;
	grant_ref_t ref;
	bool by_ref, readonly;
};

static int16_t take(struct side *s, const struct grant_domain *gd, const struct gnttab_copy_ptr *p)
{
	if (!s->owner)
		return GNTST_bad_domain;
	if (s->by_ref) {
		s->ref = p->u.ref;
		return grant_pin(s->owner, p->u.ref, gd->mm->id, s->readonly, &s->frame);
	}
	if (s->owner != gd)
		return GNTST_permission_denied;
	s->frame = MFN(p->u.gmfn);
	if (s->readonly ? mm_get(s->frame, gd->mm) : mm_get_writable(s->frame, gd->mm))
		return GNTST_okay;
	return GNTST_bad_page;
}

static void drop(const struct side *s)
{
	if (s->by_ref)
		grant_unpin(s->owner, s->ref, s->readonly);
	else if (s->readonly)
		mm_put(s->frame);
	else
		mm_put_writable(s->frame);
}

void grant_copy(struct grant_domain *gd, struct grant_domain *source, struct grant_domain *dest,
		struct gnttab_copy *op)
{
	struct side from = { .owner = source, .by_ref = op->flags & GNTCOPY_source_gref,
			     .readonly = true };
	struct side to = { .owner = dest, .by_ref = op->flags & GNTCOPY_dest_gref };

	op->status = GNTST_bad_copy_arg;
	if (op->source.offset + op->len > (int)PAGE_SIZE ||
	    op->dest.offset + op->len > (int)PAGE_SIZE)
		return;
	op->status = take(&from, gd, &op->source);
	if (op->status != GNTST_okay)
		return;
	op->status = take(&to, gd, &op->dest);
	if (op->status == GNTST_okay) {
		memmove((char *)machine_va(to.frame) + op->dest.offset,
			(const char *)machine_va(from.frame) + op->source.offset, op->len);
		drop(&to);
	}
	drop(&from);
}
