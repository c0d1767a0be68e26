/* SPDX-License-Identifier: MIT */
/*
 * A domain's own table: the shared entries, which the guest writes, and our active ones.
 *
 * An entry in use has GTF_reading (GTF_writing) set in its shared flags, so that the guest knows;
 * whether it leaves them alone matters to itself only. The guest frees an entry by clearing flags
 * with a compare-and-swap and could keep ours from ever succeeding: we try a few times and refuse.
 *
 * Lock: the table's.
 */
#include "grant/table.h"

#include "abi/errno.h"
#include "console/log.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define FLAG_TRIES	8
#define MAPTRACK_UNIT	512		/* mappings in one of the toolstack's maptrack frames */
#define DUMP_LINES	32

int grant_domain_init(struct grant_domain *gd, struct mm_domain *mm, unsigned max_frames,
		      unsigned max_maptrack)
{
	*gd = (struct grant_domain){ .mm = mm, .max_frames = max(max_frames, 1u),
				     .first_free = GRANT_NO_HANDLE };
	lock_init(&gd->lock, RANK_GRANT);
	gd->max_track = DIV_ROUND_UP(max_maptrack * MAPTRACK_UNIT, (unsigned)GRANT_TRACK_PER_PAGE);
	gd->shared = heap_alloc(gd->max_frames * sizeof(*gd->shared));
	gd->active = heap_alloc(gd->max_frames * sizeof(*gd->active));
	if (!gd->shared || !gd->active)
		return -ENOMEM;
	return grant_table_grow(gd, 1);
}

void grant_domain_destroy(struct grant_domain *gd)
{
	for (unsigned i = 0; i < gd->nr_frames; i++) {
		for (unsigned j = 0; j < GRANT_ENTRIES_PER_FRAME; j++)
			ASSERT(!gd->active[i][j].readers && !gd->active[i][j].writers);
		heap_free(gd->active[i]);
		mm_free_shared(gd->shared[i]);
	}
	for (unsigned i = 0; i < gd->nr_track; i++)
		heap_free(gd->track[i]);
	heap_free(gd->shared);
	heap_free(gd->active);
	heap_free(gd->track);
}

static int add_frame(struct grant_domain *gd)
{
	struct grant_active *active = heap_alloc(GRANT_ENTRIES_PER_FRAME * sizeof(*active));
	void *shared = active ? mm_alloc_shared(gd->mm) : NULL;

	if (!shared) {
		heap_free(active);
		return -ENOMEM;
	}
	gd->active[gd->nr_frames] = active;
	gd->shared[gd->nr_frames] = shared;
	gd->nr_frames++;
	return 0;
}

int grant_table_grow(struct grant_domain *gd, unsigned nr_frames)
{
	int rc = 0;

	if (nr_frames > gd->max_frames)
		return -EINVAL;
	lock_acquire(&gd->lock);
	while (!rc && gd->nr_frames < nr_frames)
		rc = add_frame(gd);
	lock_release(&gd->lock);
	return rc;
}

mfn_t grant_table_frame(struct grant_domain *gd, unsigned i)
{
	mfn_t mfn = MFN_NONE;

	lock_acquire(&gd->lock);
	if (i < gd->nr_frames)
		mfn = machine_mfn(gd->shared[i]);
	lock_release(&gd->lock);
	return mfn;
}

/* The active and shared entries of a reference; false if it is beyond the table. Under the lock. */
static bool find(struct grant_domain *gd, grant_ref_t ref, struct grant_active **active,
		 struct grant_entry_v1 **shared)
{
	unsigned frame = ref / GRANT_ENTRIES_PER_FRAME, i = ref % GRANT_ENTRIES_PER_FRAME;

	ASSERT(lock_held(&gd->lock));
	if (frame >= gd->nr_frames)
		return false;
	*active = &gd->active[frame][i];
	*shared = &gd->shared[frame][i];
	return true;
}

/* Flags and domid lie in one word, so that both are checked at the moment the bits are set. */
union entry_word {
	struct {
		uint16_t flags;
		domid_t domid;
	};
	uint32_t word;
};

/* Set the in-use bits of an entry that grants `grantee` this access. */
static int16_t mark(struct grant_entry_v1 *shared, domid_t grantee, bool readonly)
{
	uint32_t *at = (uint32_t *)shared;
	union entry_word old = { .word = __atomic_load_n(at, __ATOMIC_SEQ_CST) }, new;

	for (unsigned i = 0; i < FLAG_TRIES; i++) {
		if ((old.flags & GTF_type_mask) != GTF_permit_access || old.domid != grantee)
			return GNTST_general_error;
		if (!readonly && old.flags & GTF_readonly)
			return GNTST_general_error;
		new = old;
		new.flags |= readonly ? GTF_reading : GTF_reading | GTF_writing;
		if (__atomic_compare_exchange_n(at, &old.word, new.word, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return GNTST_okay;
	}
	return GNTST_general_error;
}

/* Clear the in-use bits that nobody stands for any more. */
static void unmark(struct grant_entry_v1 *shared, const struct grant_active *active)
{
	uint16_t clear = active->writers ? 0 : GTF_writing;

	if (!active->readers && !active->writers)
		clear |= GTF_reading;
	if (clear)
		__atomic_fetch_and(&shared->flags, (uint16_t)~clear, __ATOMIC_SEQ_CST);
}

/* The first pin believes the shared entry's frame, the others the active one's. Under the lock. */
static int16_t pin(struct grant_domain *granter, struct grant_active *active,
		   struct grant_entry_v1 *shared, domid_t grantee, bool readonly)
{
	bool first = !active->readers && !active->writers;
	int16_t status;

	if (!first && active->grantee != grantee)
		return GNTST_general_error;
	status = mark(shared, grantee, readonly);
	if (status != GNTST_okay)
		return status;
	if (first) {
		active->frame = __atomic_load_n(&shared->frame, __ATOMIC_RELAXED);
		active->grantee = grantee;
	}
	if (readonly ? mm_get(MFN(active->frame), granter->mm)
		     : mm_get_writable(MFN(active->frame), granter->mm)) {
		readonly ? active->readers++ : active->writers++;
		return GNTST_okay;
	}
	unmark(shared, active);
	return GNTST_general_error;
}

int16_t grant_pin(struct grant_domain *granter, grant_ref_t ref, domid_t grantee, bool readonly,
		  mfn_t *frame)
{
	struct grant_active *active;
	struct grant_entry_v1 *shared;
	int16_t status = GNTST_bad_gntref;

	lock_acquire(&granter->lock);
	if (find(granter, ref, &active, &shared)) {
		status = pin(granter, active, shared, grantee, readonly);
		*frame = MFN(active->frame);
	}
	lock_release(&granter->lock);
	return status;
}

void grant_unpin(struct grant_domain *granter, grant_ref_t ref, bool readonly)
{
	struct grant_active *active;
	struct grant_entry_v1 *shared;
	mfn_t frame;

	lock_acquire(&granter->lock);
	ASSERT(find(granter, ref, &active, &shared));
	ASSERT(readonly ? active->readers : active->writers);
	readonly ? active->readers-- : active->writers--;
	frame = MFN(active->frame);
	unmark(shared, active);
	lock_release(&granter->lock);
	if (readonly)
		mm_put(frame);
	else
		mm_put_writable(frame);
}

mfn_t grant_pinned_frame(struct grant_domain *granter, grant_ref_t ref)
{
	struct grant_active *active;
	struct grant_entry_v1 *shared;
	mfn_t frame;

	lock_acquire(&granter->lock);
	ASSERT(find(granter, ref, &active, &shared));
	ASSERT(active->readers || active->writers);
	frame = MFN(active->frame);
	lock_release(&granter->lock);
	return frame;
}

void grant_swap(struct grant_domain *gd, struct gnttab_swap_grant_ref *op)
{
	struct grant_active *active_a, *active_b;
	struct grant_entry_v1 *a, *b, was_a;

	lock_acquire(&gd->lock);
	if (!find(gd, op->ref_a, &active_a, &a) || !find(gd, op->ref_b, &active_b, &b)) {
		op->status = GNTST_bad_gntref;
	} else if (active_a->readers || active_a->writers || active_b->readers ||
		   active_b->writers) {
		op->status = GNTST_eagain;
	} else {
		was_a = *a;
		*a = *b;
		*b = was_a;
		op->status = GNTST_okay;
	}
	lock_release(&gd->lock);
}

void grant_dump(struct grant_domain *gd)
{
	unsigned lines = 0;

	lock_acquire(&gd->lock);
	for (grant_ref_t ref = 0; ref < gd->nr_frames * GRANT_ENTRIES_PER_FRAME; ref++) {
		struct grant_active *active;
		struct grant_entry_v1 *shared;

		if (!find(gd, ref, &active, &shared) || (!active->readers && !active->writers))
			continue;
		if (lines++ == DUMP_LINES)
			break;
		log_info("d%u grant %u to d%u: frame %x, %u readers, %u writers", gd->mm->id, ref,
			 active->grantee, active->frame, active->readers, active->writers);
	}
	lock_release(&gd->lock);
}
