/* SPDX-License-Identifier: MIT */
/*
 * What a domain owns: getting frames, giving them up, and the end of it all. Invariant: the frames
 * on a domain's list are those with its id and FRAME_OWNED, mm->pages of them; each has a reference
 * by being allocated (REFS_ALLOCATED) until the domain gives it up, and stays on the list until the
 * last mapping is gone, so nobody holds more than max_pages by giving up what it still maps. Lists
 * and counts are under heap_lock.
 */
#include "abi/errno.h"
#include "lib/assert.h"
#include "mm/buddy.h"
#include "mm/heap.h"
#include "mm/pt_entry.h"
#include "x86/machine.h"

struct mm_domain mm_xen = { .lock = LOCK_INIT(RANK_MM), .id = DOMID_XEN };
struct mm_domain mm_io = { .lock = LOCK_INIT(RANK_MM), .id = DOMID_IO };

#define RUN	512	/* frames freed under one holding of heap_lock */

static struct mm_domain *domains[DOMID_FIRST_RESERVED];
static uint64_t claims;			/* of all domains together */

struct mm_domain *mm_domain_of(domid_t id)
{
	return id < DOMID_FIRST_RESERVED ? domains[id] : NULL;
}

void mm_domain_init(struct mm_domain *mm, domid_t id, uint64_t max_pages)
{
	*mm = (struct mm_domain){ .lock = LOCK_INIT(RANK_MM), .id = id, .max_pages = max_pages };
	if (id < DOMID_FIRST_RESERVED)
		domains[id] = mm;
}

/* -- the list; heap_lock held -- */

static void list_enter(struct mm_domain *mm, struct frame *f)
{
	uint32_t mfn = (uint32_t)frame_mfn(f).n;

	f->prev = 0;
	f->next = mm->frames;
	if (f->next)
		frame_at(f->next)->prev = mfn;
	mm->frames = mfn;
	mm->pages++;
}

static void list_leave(struct mm_domain *mm, struct frame *f)
{
	if (f->next)
		frame_at(f->next)->prev = f->prev;
	if (f->prev)
		frame_at(f->prev)->next = f->next;
	else
		mm->frames = f->next;
	f->next = f->prev = 0;
	mm->pages--;
}

/* -- getting -- */

static bool may_have(const struct mm_domain *mm, uint64_t n, bool exchange)
{
	uint64_t others = claims - mm->claim;

	if (mm->dying || (!exchange && (n > mm->max_pages || mm->pages > mm->max_pages - n)))
		return false;
	return buddy_free_frames() >= others && buddy_free_frames() - others >= n;
}

static void claim_use(struct mm_domain *mm, uint64_t n)
{
	uint64_t used = min(mm->claim, n);

	mm->claim -= used;
	claims -= used;
}

static mfn_t block_get(struct mm_domain *mm, unsigned order, unsigned addr_bits, bool exchange)
{
	mfn_t mfn = MFN_NONE;

	lock_acquire(&heap_lock);
	if (order <= BUDDY_ORDER_MAX && may_have(mm, 1ull << order, exchange))
		mfn = buddy_alloc(order, addr_bits);
	if (!mfn_eq(mfn, MFN_NONE))
		for (uint64_t i = 0; i < 1ull << order; i++)
			frame_at(mfn.n + i)->state = FRAME_RESERVED;
	lock_release(&heap_lock);
	return mfn;
}

/*
 * The clean block becomes the domain's, unless others were faster to use up what it may have (or it
 * is dying now).
 */
static bool block_enter(struct mm_domain *mm, mfn_t mfn, unsigned order, bool exchange)
{
	uint64_t n = 1ull << order;
	bool may;

	lock_acquire(&heap_lock);
	may = !mm->dying && (exchange || mm->pages + n <= mm->max_pages);
	for (uint64_t i = 0; may && i < n; i++) {
		struct frame *f = frame_at(mfn.n + i);

		list_enter(mm, f);
		f->owner = mm->id;
		f->state = FRAME_OWNED;
		f->type = 0;
		__atomic_store_n(&f->refs, REFS_ALLOCATED | 1, __ATOMIC_RELEASE);
	}
	if (may) {
		claim_use(mm, n);
		mm->peak_pages = max(mm->peak_pages, mm->pages);
	} else {
		buddy_free(mfn, order);
	}
	lock_release(&heap_lock);
	return may;
}

static mfn_t alloc(struct mm_domain *mm, unsigned order, unsigned addr_bits, bool exchange)
{
	mfn_t mfn = block_get(mm, order, addr_bits, exchange);

	if (mfn_eq(mfn, MFN_NONE))
		return mfn;
	frame_clean(mfn, order);
	for (uint64_t i = 0; i < 1ull << order; i++)
		mm_m2p_set(MFN(mfn.n + i), ~0ull);
	return block_enter(mm, mfn, order, exchange) ? mfn : MFN_NONE;
}

mfn_t mm_alloc(struct mm_domain *mm, unsigned order, unsigned addr_bits)
{
	return alloc(mm, order, addr_bits, false);
}

mfn_t mm_alloc_exchange(struct mm_domain *mm, unsigned order, unsigned addr_bits)
{
	return alloc(mm, order, addr_bits, true);
}

int mm_claim(struct mm_domain *mm, uint64_t pages)
{
	uint64_t others, more;
	int rc = -ENOMEM;

	lock_acquire(&heap_lock);
	others = claims - mm->claim;
	more = pages > mm->pages ? pages - mm->pages : 0;
	if (!more || (others <= buddy_free_frames() && more <= buddy_free_frames() - others)) {
		claims = others + more;
		mm->claim = more;
		rc = 0;
	}
	lock_release(&heap_lock);
	return rc;
}

/* -- giving up -- */

void frame_release(struct frame *f)
{
	ASSERT(!(f->refs & REFS_COUNT) && !(f->type & TYPE_COUNT));
	mm_m2p_set(frame_mfn(f), ~0ull);
	lock_acquire(&heap_lock);
	if (f->state == FRAME_OWNED)
		list_leave(domains[f->owner], f);
	f->refs = 0;
	f->type = machine_tlb_stamp();
	buddy_free(frame_mfn(f), 0);
	lock_release(&heap_lock);
}

/* The owner's own reference is not its own any more; false: it was not before. */
static bool give_up(struct frame *f)
{
	return __atomic_fetch_and(&f->refs, ~REFS_ALLOCATED, __ATOMIC_RELAXED) & REFS_ALLOCATED;
}

bool mm_release(struct mm_domain *mm, mfn_t mfn)
{
	struct frame *f = frame_of(mfn);
	bool had;

	if (!f || !frame_get(f, mm->id))
		return false;
	had = give_up(f);
	if (had)
		frame_put(f);
	frame_put(f);
	return had;
}

bool mm_take(struct mm_domain *mm, mfn_t mfn)
{
	struct frame *f = frame_of(mfn);
	uint32_t alone = (REFS_ALLOCATED | 1) + 1;	/* and ours */

	if (!f || !frame_get(f, mm->id))
		return false;
	if (__atomic_compare_exchange_n(&f->refs, &alone, 0, false, __ATOMIC_ACQ_REL,
					__ATOMIC_RELAXED))
		return true;
	frame_put(f);
	return false;
}

void mm_untake(mfn_t mfn)
{
	__atomic_store_n(&frame_at(mfn.n)->refs, REFS_ALLOCATED | 1, __ATOMIC_RELEASE);
}

void mm_free_taken(mfn_t mfn)
{
	frame_release(frame_at(mfn.n));
}

/* -- shared frames -- */

void *mm_alloc_shared(struct mm_domain *mm)
{
	struct frame *f;
	mfn_t mfn;

	lock_acquire(&heap_lock);
	mfn = buddy_alloc(0, 0);
	if (!mfn_eq(mfn, MFN_NONE))
		frame_at(mfn.n)->state = FRAME_SHARED;
	lock_release(&heap_lock);
	if (mfn_eq(mfn, MFN_NONE))
		return NULL;
	frame_clean(mfn, 0);
	f = frame_at(mfn.n);
	f->owner = mm->id;
	/* our own use is as data: no guest can make a table of what we write to */
	f->type = (uint64_t)TYPE_WRITABLE << TYPE_SHIFT | TYPE_VALID | TYPE_ONE;
	mm_m2p_set(mfn, ~0ull);
	__atomic_store_n(&f->refs, 1, __ATOMIC_RELEASE);
	return machine_va(mfn);
}

void mm_free_shared(void *page)
{
	struct frame *f;

	if (!page)
		return;
	f = frame_of(machine_mfn(page));
	ASSERT(f && f->state == FRAME_SHARED);
	f->state = FRAME_ORPHAN;
	__atomic_store_n(&f->owner, DOMID_INVALID, __ATOMIC_RELEASE);
	type_put(f);
	frame_put(f);
}

/* -- the end -- */

/*
 * The first frame of the list, off it and nobody's now; *held: with a reference, else it is just
 * being freed. NULL: none left.
 */
static struct frame *disown_first(struct mm_domain *mm, bool *held)
{
	struct frame *f = NULL;

	lock_acquire(&heap_lock);
	if (mm->frames) {
		f = frame_at(mm->frames);
		*held = frame_get(f, mm->id);
		list_leave(mm, f);
		f->state = FRAME_ORPHAN;
		__atomic_store_n(&f->owner, DOMID_INVALID, __ATOMIC_RELEASE);
	}
	lock_release(&heap_lock);
	return f;
}

/*
 * Free those at the head of the list that nobody but the owner holds, as far as their numbers fall
 * one by one (they were listed in blocks), at most RUN of them. Returns how many.
 */
static uint64_t free_run(struct mm_domain *mm)
{
	uint64_t first = 0, n = 0;

	lock_acquire(&heap_lock);
	while (n < RUN && mm->frames && (!n || mm->frames == first - 1)) {
		struct frame *f = frame_at(mm->frames);
		uint32_t alone = REFS_ALLOCATED | 1;

		if (!__atomic_compare_exchange_n(&f->refs, &alone, 0, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			break;
		first = mm->frames;
		list_leave(mm, f);
		mm_m2p_set(MFN(first), ~0ull);
		f->type = machine_tlb_stamp();
		n++;
	}
	buddy_free_run(first, n);
	lock_release(&heap_lock);
	return n;
}

/*
 * The next pinned table among at most RUN frames from where the last look ended, with a reference.
 * That frame may have left the list meanwhile: then from the start.
 */
static struct frame *next_pinned(struct mm_domain *mm)
{
	struct frame *f, *found = NULL;
	uint32_t at;

	lock_acquire(&heap_lock);
	f = frame_at(mm->unpinned);
	at = mm->unpinned && f->state == FRAME_OWNED && f->owner == mm->id ? f->next : mm->frames;
	for (unsigned n = 0; at && n < RUN && !found; n++) {
		f = frame_at(at);
		if (frame_word(f) & TYPE_PINNED && frame_get(f, mm->id))
			found = f;
		mm->unpinned = at;
		at = f->next;
	}
	mm->all_unpinned = !at;
	lock_release(&heap_lock);
	return found;
}

/*
 * Under the mm lock, nothing pending: without its tables, most of a domain's frames are held by
 * nobody but it, and go in blocks.
 */
static int unpin_all(struct mm_domain *mm)
{
	int rc = 0;

	while (!mm->all_unpinned && !rc) {
		struct frame *f = next_pinned(mm);

		if (f && type_pin(f, false))
			pt_table_put(mm, f);
		if (f)
			frame_put(f);
		rc = pt_drain(mm);
		if (!rc && machine_budget_spent())
			rc = -ERESTART;
	}
	return rc;
}

/* The same: unpin and let go of every frame. */
static int let_all_go(struct mm_domain *mm)
{
	struct frame *f;
	bool held;
	int rc;

	for (;;) {
		while (free_run(mm))
			if (machine_budget_spent())
				return -ERESTART;
		f = disown_first(mm, &held);
		if (!f)
			return 0;
		if (!held)
			continue;
		if (word_level(frame_word(f)) && type_pin(f, false))
			pt_table_put(mm, f);
		if (give_up(f))
			frame_put(f);
		frame_put(f);
		rc = pt_drain(mm);
		if (rc)
			return rc;
		if (machine_budget_spent())
			return -ERESTART;
	}
}

int mm_domain_teardown(struct mm_domain *mm)
{
	int rc;

	lock_acquire(&heap_lock);
	mm->dying = true;
	claims -= mm->claim;
	mm->claim = 0;
	lock_release(&heap_lock);
	lock_acquire(&mm->lock);
	rc = pt_drain(mm);
	if (!rc) {
		pt_forget(mm);
		rc = unpin_all(mm);
	}
	if (!rc)
		rc = let_all_go(mm);
	lock_release(&mm->lock);
	if (rc)
		return rc;
	ASSERT(!mm->pages);
	if (mm->id < DOMID_FIRST_RESERVED && domains[mm->id] == mm)
		domains[mm->id] = NULL;
	heap_free(mm->map);
	mm->map = NULL;
	return 0;
}
