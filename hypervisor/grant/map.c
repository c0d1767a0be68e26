/* SPDX-License-Identifier: MIT */
/*
 * Mapping and unmapping others' grants.
 *
 * A mapping holds one pin of its entry and one reference to the granting domain, however it is
 * mapped (page table, device, both), and gives them back once, when neither is left and no TLB can
 * have it. The page-table entry has references of its own (mm/), so a guest that overwrites it
 * itself endangers nobody.
 *
 * Lock: our table's, for handles; a mapping that is `busy` is in one vCPU's hands, and every other
 * request for it is refused. The granter's lock is taken after ours is dropped.
 */
#include "grant/table.h"

#include "abi/errno.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/machine.h"

/* Bits of an L1 entry (Intel SDM 3A, table 4-20). */
#define PTE_PRESENT	(1ull << 0)
#define PTE_WRITE	(1ull << 1)
#define PTE_USER	(1ull << 2)
#define PTE_ACCESSED	(1ull << 5)
#define PTE_DIRTY	(1ull << 6)
#define PTE_AVAIL_SHIFT	9
#define PTE_ADDRESS	0x000ffffffffff000ull

#define TRACK_ROOM_FIRST	4	/* pages of mappings */
#define MAP_KINDS	(GNTMAP_host_map | GNTMAP_device_map)
/* The ABI's guest_avail bits, of which x86 has three. */
#define GUEST_AVAIL(flags)	(((uint64_t)(flags) >> 16) & 7)

static struct grant_mapping *mapping_at(struct grant_domain *gd, grant_handle_t handle)
{
	unsigned page = handle / GRANT_TRACK_PER_PAGE;

	ASSERT(lock_held(&gd->lock));
	return page < gd->nr_track ? &gd->track[page][handle % GRANT_TRACK_PER_PAGE] : NULL;
}

/* The list of pages has room for one more. Under the lock. */
static bool make_room(struct grant_domain *gd)
{
	unsigned room = gd->track_room ? 2 * gd->track_room : TRACK_ROOM_FIRST;
	struct grant_mapping **fresh;

	if (gd->nr_track < gd->track_room)
		return true;
	fresh = heap_alloc(room * sizeof(*fresh));
	if (!fresh)
		return false;
	for (unsigned i = 0; i < gd->nr_track; i++)
		fresh[i] = gd->track[i];
	heap_free(gd->track);
	gd->track = fresh;
	gd->track_room = room;
	return true;
}

/* One page more of free handles. Under the lock. */
static bool add_track_page(struct grant_domain *gd)
{
	grant_handle_t base = gd->nr_track * GRANT_TRACK_PER_PAGE;
	struct grant_mapping *page;

	if (gd->nr_track == gd->max_track || !make_room(gd))
		return false;
	page = heap_alloc(PAGE_SIZE);
	if (!page)
		return false;
	for (unsigned i = 0; i < GRANT_TRACK_PER_PAGE; i++)
		page[i].next_free = i + 1 < GRANT_TRACK_PER_PAGE ? base + i + 1 : gd->first_free;
	gd->track[gd->nr_track++] = page;
	gd->first_free = base;
	return true;
}

/*
 * A handle that is busy and ours until handle_publish() or handle_free(); GRANT_NO_HANDLE if there
 * is none.
 */
static grant_handle_t handle_alloc(struct grant_domain *gd)
{
	grant_handle_t handle;
	struct grant_mapping *m;

	lock_acquire(&gd->lock);
	if (gd->first_free == GRANT_NO_HANDLE && !add_track_page(gd)) {
		lock_release(&gd->lock);
		return GRANT_NO_HANDLE;
	}
	handle = gd->first_free;
	m = mapping_at(gd, handle);
	gd->first_free = m->next_free;
	m->busy = true;
	lock_release(&gd->lock);
	return handle;
}

static void handle_free(struct grant_domain *gd, grant_handle_t handle)
{
	struct grant_mapping *m;

	lock_acquire(&gd->lock);
	m = mapping_at(gd, handle);
	ASSERT(m->busy);
	*m = (struct grant_mapping){ .next_free = gd->first_free };
	gd->first_free = handle;
	lock_release(&gd->lock);
}

/* The mapping is what `as` says and no longer busy. */
static void handle_publish(struct grant_domain *gd, grant_handle_t handle, struct grant_mapping as)
{
	lock_acquire(&gd->lock);
	as.busy = false;
	*mapping_at(gd, handle) = as;
	lock_release(&gd->lock);
}

/* Take the mapping into our hands and copy it; false if there is none or somebody else has it. */
static bool handle_grab(struct grant_domain *gd, grant_handle_t handle, struct grant_mapping *copy)
{
	struct grant_mapping *m;
	bool ok;

	lock_acquire(&gd->lock);
	m = mapping_at(gd, handle);
	ok = m && m->flags && !m->busy;
	if (ok) {
		m->busy = true;
		*copy = *m;
	}
	lock_release(&gd->lock);
	return ok;
}

/*
 * Write a page-table entry that names a frame of `frames`: at a machine address, or where `at` is
 * mapped.
 */
static int write_entry(struct grant_domain *gd, struct mm_domain *frames, mfn_t root,
		       uint32_t flags, uint64_t at, uint64_t entry)
{
	if (flags & GNTMAP_contains_pte)
		return mm_update_entry(gd->mm, frames, at, entry, false);
	return mm_update_va(gd->mm, frames, root, VADDR(at), entry);
}

static int map_host(struct grant_domain *gd, struct grant_domain *granter, mfn_t root, mfn_t frame,
		    const struct gnttab_map_grant_ref *op)
{
	uint64_t entry = frame.n << PAGE_SHIFT | PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY;
	bool pinned;

	if (op->flags & GNTMAP_contains_pte &&
	    mm_table_level(MFN(op->host_addr >> PAGE_SHIFT), &pinned) != 1)
		return -EINVAL;
	if (!(op->flags & GNTMAP_readonly))
		entry |= PTE_WRITE;
	entry |= GUEST_AVAIL(op->flags) << PTE_AVAIL_SHIFT;
	return write_entry(gd, granter->mm, root, op->flags, op->host_addr, entry);
}

int grant_map(struct grant_domain *gd, struct grant_domain *granter, mfn_t root,
	      struct gnttab_map_grant_ref *op)
{
	bool readonly = op->flags & GNTMAP_readonly;
	struct grant_mapping m = { .granter = granter, .host_addr = op->host_addr, .ref = op->ref,
				   .flags = op->flags };
	grant_handle_t handle;
	mfn_t frame;
	int rc = 0;

	ASSERT(gd->put);
	op->status = GNTST_general_error;
	if (!(op->flags & MAP_KINDS))
		return 0;
	handle = handle_alloc(gd);
	if (handle == GRANT_NO_HANDLE) {
		op->status = GNTST_no_device_space;
		return 0;
	}
	op->status = grant_pin(granter, op->ref, gd->mm->id, readonly, &frame);
	if (op->status != GNTST_okay) {
		handle_free(gd, handle);
		return 0;
	}
	if (op->flags & GNTMAP_host_map)
		rc = map_host(gd, granter, root, frame, op);
	if (rc) {
		grant_unpin(granter, op->ref, readonly);
		handle_free(gd, handle);
		op->status = GNTST_general_error;
		return rc == -ERESTART ? rc : 0;
	}
	handle_publish(gd, handle, m);
	op->handle = handle;
	/*
	 * With any kind: Linux maps for the host alone, and yet takes the frame that its devices
	 * then read and write from here (arch/x86/xen/p2m.c, set_foreign_p2m_mapping()).
	 */
	op->dev_bus_addr = frame.n << PAGE_SHIFT;
	return 0;
}

/* The L1 entry that a mapping was made in, as it is now; false if it can't be found. */
static bool read_entry(struct grant_domain *gd, mfn_t root, const struct grant_mapping *m,
		       uint64_t *entry)
{
	mfn_t table = MFN(m->host_addr >> PAGE_SHIFT);
	uint64_t at;

	if (!(m->flags & GNTMAP_contains_pte))
		return !mm_walk(root, VADDR(m->host_addr), entry, &at);
	if (!mm_get(table, gd->mm))
		return false;
	at = m->host_addr & ~PAGE_MASK & ~7ull;
	*entry = __atomic_load_n((const uint64_t *)((char *)machine_va(table) + at),
				 __ATOMIC_RELAXED);
	mm_put(table);
	return true;
}

/*
 * Clear the entry, or put there what is mapped at new_addr, whose own entry is cleared. It must
 * still map the granted frame: elsewhere it may be mapped in tables that are not loaded now, and
 * then the pin must stay.
 */
static int16_t unmap_host(struct grant_domain *gd, mfn_t root, const struct grant_mapping *m,
			  uint64_t new_addr, int *rc)
{
	mfn_t frame = grant_pinned_frame(m->granter, m->ref);
	uint64_t entry, other = 0, at;

	if (!read_entry(gd, root, m, &entry) || !(entry & PTE_PRESENT) ||
	    (entry & PTE_ADDRESS) >> PAGE_SHIFT != frame.n)
		return GNTST_general_error;
	if (new_addr &&
	    (m->flags & GNTMAP_contains_pte || mm_walk(root, VADDR(new_addr), &other, &at)))
		return GNTST_general_error;
	*rc = write_entry(gd, gd->mm, root, m->flags, m->host_addr, other);
	if (!*rc && new_addr)
		*rc = mm_update_va(gd->mm, gd->mm, root, VADDR(new_addr), 0);
	return *rc ? GNTST_general_error : GNTST_okay;
}

/*
 * What op asks to unmap of what is mapped: checks it against the mapping. GNTST_*, and the kinds.
 */
static int16_t kinds_to_unmap(const struct grant_mapping *m,
			      const struct gnttab_unmap_grant_ref *op, uint32_t *kinds)
{
	*kinds = 0;
	if (op->host_addr) {
		if (!(m->flags & GNTMAP_host_map) || m->host_addr != op->host_addr)
			return GNTST_general_error;
		*kinds |= GNTMAP_host_map;
	}
	if (op->dev_bus_addr) {
		if (!(m->flags & GNTMAP_device_map) ||
		    op->dev_bus_addr >> PAGE_SHIFT != grant_pinned_frame(m->granter, m->ref).n)
			return GNTST_bad_dev_addr;
		*kinds |= GNTMAP_device_map;
	}
	return GNTST_okay;
}

int grant_unmap(struct grant_domain *gd, mfn_t root, struct gnttab_unmap_grant_ref *op,
		uint64_t new_addr, struct grant_batch *batch)
{
	struct grant_mapping m;
	uint32_t kinds;
	int rc = 0;

	ASSERT(batch->nr < GRANT_BATCH);
	if (!handle_grab(gd, op->handle, &m)) {
		op->status = GNTST_bad_handle;
		return 0;
	}
	op->status = kinds_to_unmap(&m, op, &kinds);
	if (op->status == GNTST_okay && kinds & GNTMAP_host_map)
		op->status = unmap_host(gd, root, &m, new_addr, &rc);
	if (op->status == GNTST_okay) {
		m.flags &= ~kinds;
		batch->flush |= kinds & GNTMAP_host_map;
	}
	if (m.flags & MAP_KINDS)
		handle_publish(gd, op->handle, m);
	else
		batch->handle[batch->nr++] = op->handle;
	return rc == -ERESTART ? rc : 0;
}

/* Give back what a mapping holds; it is in our hands and mapped nowhere. */
static void let_go(struct grant_domain *gd, grant_handle_t handle)
{
	struct grant_mapping m;

	lock_acquire(&gd->lock);
	m = *mapping_at(gd, handle);
	lock_release(&gd->lock);
	ASSERT(m.busy);
	grant_unpin(m.granter, m.ref, m.flags & GNTMAP_readonly);
	handle_free(gd, handle);
	gd->put(m.granter);
}

void grant_unmap_finish(struct grant_domain *gd, struct grant_batch *batch)
{
	if (batch->flush)
		machine_tlb_flush(&gd->mm->cpus);
	for (unsigned i = 0; i < batch->nr; i++)
		let_go(gd, batch->handle[i]);
	batch->nr = 0;
	batch->flush = false;
}

int grant_domain_release_mappings(struct grant_domain *gd)
{
	struct grant_mapping m;
	unsigned done = 0;

	if (gd->nr_track)
		machine_tlb_flush(&gd->mm->cpus);
	for (; gd->release_cursor < gd->nr_track * GRANT_TRACK_PER_PAGE; gd->release_cursor++) {
		if (done++ && machine_budget_spent())
			return -ERESTART;
		if (handle_grab(gd, gd->release_cursor, &m))
			let_go(gd, gd->release_cursor);
	}
	return 0;
}
