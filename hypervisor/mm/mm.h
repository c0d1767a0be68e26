/* SPDX-License-Identifier: MIT */
/*
 * Memory: who owns a machine frame, what type it has, and every change of a guest's page tables.
 *
 * The invariant that everything else stands on: a frame is never writable by a guest and a page
 * table (or descriptor page) at once. Types change only at count zero, after every TLB that could
 * hold a stale mapping is flushed. See mm_check().
 */
#ifndef MM_MM_H
#define MM_MM_H

#include "abi/xen.h"
#include "lib/cpumask.h"
#include "lib/lock.h"
#include "lib/types.h"

/* A table that is being validated: entries below `index` hold their references. */
struct mm_cursor {
	uint32_t table;			/* frame number */
	uint16_t index;
	uint16_t level;
};

/*
 * Work on page tables that ran out of budget; whoever takes the mm lock next goes on with it before
 * anything else.
 */
struct mm_pending {
	struct mm_cursor walk[4];	/* the path to the table being validated, root first */
	unsigned depth;
	int error;			/* why the walk failed: it goes back; 0: it goes forward */
	int result;			/* of the walk that ended last */
	bool parked;			/* the call that began the walk will be issued again */
	uint32_t queue;			/* tables to invalidate, linked by frame.work; 0: none */
	unsigned index;			/* entries done of the queue's first */
	uint32_t done;			/* a parked walk that ended, not asked about yet; 0: none */
	uint16_t done_level;
	int done_result;		/* 0: we hold its reference */
};

/*
 * A domain's memory. Page tables and pending work are under `lock`; the frame list and page counts
 * under the heap's lock.
 */
struct mm_domain {
	struct lock lock;		/* RANK_MM */
	domid_t id;
	bool dying;
	bool privileged;		/* may map machine memory that is no RAM (devices) */
	uint64_t pages;			/* frames that it owns */
	uint64_t max_pages;
	uint64_t peak_pages;
	uint64_t claim;			/* frames set aside for it and not yet allocated */
	struct cpumask cpus;		/* whose TLBs may hold its entries; kept by domain/ */
	uint32_t frames;		/* its frames, linked by frame.next and prev; 0: none */
	uint32_t unpinned;		/* at its end: the frame up to which none is pinned */
	bool all_unpinned;
	struct mm_pending pending;
	struct mm_map *map;		/* what XENMEM_memory_map says, no longer than its entries,
					   or NULL; under lock */
};

/*
 * Whose frames a foreign mapping may name besides domains': DOMID_XEN is the M2P table (read-only),
 * DOMID_IO no RAM at all.
 */
extern struct mm_domain mm_xen, mm_io;

/* A vCPU's page-table roots; each holds a reference. */
struct mm_vcpu {
	mfn_t kernel_table;		/* MFN_NONE before the first is set */
	mfn_t user_table;		/* MFN_NONE if none */
};

/* -- start-up -- */

/* A range of RAM, in bytes, page-aligned. */
struct mm_range {
	uint64_t start, end;
};

/*
 * Take over the machine's memory: builds frame table and M2P (both mapped only where there is RAM)
 * and gives the rest of `free` to the page allocator. `ram` is all RAM of the machine (frames that
 * guests may name), `free` the part that nobody uses yet.
 */
void mm_init(const struct mm_range *ram, unsigned nr_ram, const struct mm_range *free,
	     unsigned nr_free);
/* One more range of boot memory (modules, the initial image) becomes free. */
void mm_free_range(struct mm_range r);
/*
 * Machine memory that is no RAM and that not even the control domain may map (interrupt
 * controllers), in bytes.
 */
void mm_deny_io(struct mm_range r);
uint64_t mm_total_frames(void), mm_free_frames(void);
/* Make a little of the free memory zero, for an idle CPU; false: nothing to do. */
bool mm_scrub(void);
/* The machine frame number after the last RAM frame. */
uint64_t mm_max_mfn(void);

/* -- memory maps, as the ABI shows them: entries of 20 bytes -- */

struct mm_map_entry {
	uint64_t start, size;
	uint32_t type;			/* 1 is RAM (ACPI 15, "System Address Map Interfaces") */
} __attribute__((packed));

#define MM_MAP_ENTRIES	128

struct mm_map {
	unsigned nr;
	struct mm_map_entry entry[MM_MAP_ENTRIES];
};

/* The machine's: set once by boot/ from the firmware's; the rest is cut off. */
extern struct mm_map mm_machine_map;
void mm_set_machine_map(const struct mm_map_entry *entry, unsigned nr);
/* A domain's, replaced. 0, -EINVAL (too long, or the domain is dying), -ENOMEM. */
int must_check mm_set_map(struct mm_domain *mm, const struct mm_map_entry *entry, unsigned nr);
/* A copy of a domain's; false if none was set. */
bool mm_get_map(struct mm_domain *mm, struct mm_map *map);

/* -- a domain's memory -- */

void mm_domain_init(struct mm_domain *mm, domid_t id, uint64_t max_pages);
/*
 * Give back everything: unpins, drops pending work, lets all frames go; those that others still map
 * are freed when they unmap them. vCPUs' roots and descriptor frames must be gone. 0, or -ERESTART:
 * call again.
 */
int must_check mm_domain_teardown(struct mm_domain *mm);
/*
 * Allocate 2^order contiguous frames to the domain, zeroed, below 2^addr_bits (0: anywhere);
 * MFN_NONE if none or above max_pages.
 */
mfn_t mm_alloc(struct mm_domain *mm, unsigned order, unsigned addr_bits);
/* The same in exchange for as many taken frames: max_pages is not looked at. */
mfn_t mm_alloc_exchange(struct mm_domain *mm, unsigned order, unsigned addr_bits);
/*
 * The domain gives up a frame; it is freed when the last mapping goes. False if it doesn't own it
 * (any more).
 */
bool must_check mm_release(struct mm_domain *mm, mfn_t mfn);
/*
 * Take a frame that nothing refers to from the calling domain, so that nothing can from now on;
 * give it back; or free it.
 */
bool must_check mm_take(struct mm_domain *mm, mfn_t mfn);
void mm_untake(mfn_t mfn);
void mm_free_taken(mfn_t mfn);
/* Set frames aside so that the domain can have `pages` in all (0: none any more). 0 or -ENOMEM. */
int must_check mm_claim(struct mm_domain *mm, uint64_t pages);

/*
 * One zeroed frame of the hypervisor's own that the domain may map but not give away; NULL if out
 * of memory.
 */
void *mm_alloc_shared(struct mm_domain *mm);
/* The hypervisor uses it no more (NULL: nothing); it is freed when the guests have unmapped it. */
void mm_free_shared(void *page);

/* Take a reference to a frame that `mm` owns; false if it doesn't own it. */
bool must_check mm_get(mfn_t mfn, const struct mm_domain *mm);
void mm_put(mfn_t mfn);
/* The same with a type: writable data. */
bool must_check mm_get_writable(mfn_t mfn, const struct mm_domain *mm);
void mm_put_writable(mfn_t mfn);
/* Who owns it: DOMID_INVALID if nobody (free, or the hypervisor), DOMID_IO if it is no RAM. */
domid_t mm_owner(mfn_t mfn);
/* For the toolstack: 0 no table, 1..4 the level of a table in use; *pinned. */
unsigned mm_table_level(mfn_t mfn, bool *pinned);

/* -- machine to physical -- */

/* ~0 if it has none or is no RAM; setting what is no RAM does nothing. */
uint64_t mm_m2p(mfn_t mfn);
void mm_m2p_set(mfn_t mfn, uint64_t pfn);
/*
 * The frame that holds the i-th 2 MiB of the table (1 GiB of machine memory); MFN_NONE where there
 * is no RAM, or after the end.
 */
mfn_t mm_m2p_chunk(unsigned i);

/*
 * -- page tables: all return 0, -errno, or -ERESTART when the budget is spent (same arguments
 * again). A budget must have been started. Entries may name frames of `frames`, which is the
 * table's own domain unless the caller is privileged or holds a grant; the decoding layer decides
 * that. Frames that are no RAM go into tables of a privileged domain only. --
 */

/*
 * Changes as mmu_update asks for them (abi/xen.h; all but MMU_MACHPHYS_UPDATE): each to the entry
 * at machine address u->ptr of a table that `mm` owns, or to the aligned 8 bytes there if the frame
 * is plain data. *done: how many were made before the end, or the first error.
 */
int must_check mm_update_entries(struct mm_domain *mm, struct mm_domain *frames,
				 const struct mmu_update *u, unsigned n, unsigned *done);
/* One of them; `preserve_ad` keeps accessed and dirty bits that are set. */
int must_check mm_update_entry(struct mm_domain *mm, struct mm_domain *frames, uint64_t ptr,
			       uint64_t value, bool preserve_ad);
/* Write the L1 entry that maps `va` in the tables under `root`. -EINVAL if there is no L1 table. */
int must_check mm_update_va(struct mm_domain *mm, struct mm_domain *frames, mfn_t root, vaddr_t va,
			    uint64_t value);
/*
 * The guest's own write to a table that it has mapped read-only at `va` (8-aligned): replaces the
 * entry if it is `old`. -EAGAIN: it is not. -ENOENT: va maps no page table of the domain.
 */
int must_check mm_emulate_cmpxchg(struct mm_domain *mm, mfn_t root, vaddr_t va, uint64_t old,
				  uint64_t new);
/* The same whatever the entry is: *old tells. */
int must_check mm_emulate_exchange(struct mm_domain *mm, mfn_t root, vaddr_t va, uint64_t new,
				   uint64_t *old);
int must_check mm_pin(struct mm_domain *mm, mfn_t mfn, unsigned level);
int must_check mm_unpin(struct mm_domain *mm, mfn_t mfn);
/*
 * Make `mfn` the kernel or user root of a vCPU (MFN_NONE: none); the old one's reference is
 * dropped. `load`: the vCPU runs here and on this root, so the new one is loaded (and the TLB
 * flushed) before the old one goes.
 */
int must_check mm_set_root(struct mm_domain *mm, struct mm_vcpu *mv, mfn_t mfn, bool user,
			   bool load);
/*
 * The level-1 entry for va under root: 0 and *entry (and where it lives), -ENOENT if a level is not
 * present. Takes no lock: the answer may be old, references must be taken with their checks.
 */
int must_check mm_walk(mfn_t root, vaddr_t va, uint64_t *entry, uint64_t *entry_maddr);

/* -- descriptor tables -- */

/* Check that a frame may hold descriptors and take a reference as such; drop it. -EINVAL if not. */
int must_check mm_get_descriptor_frame(struct mm_domain *mm, mfn_t mfn);
void mm_put_descriptor_frame(mfn_t mfn);
/*
 * Check an 8-byte descriptor as a guest may have it; fixes its DPL and accessed bits up. False:
 * refused.
 */
bool must_check mm_descriptor_fix(uint64_t *descriptor);
/*
 * Write one at machine address `ptr` (8-aligned) of a descriptor frame, or of plain data. 0 or
 * -EINVAL.
 */
int must_check mm_update_descriptor(struct mm_domain *mm, uint64_t ptr, uint64_t descriptor);

/* -- the invariant -- */

/*
 * Walk every page table of the machine and recount; log and count every contradiction. 0 means
 * sound. What no table and no pin accounts for is summed up in *refs and *types (either may be
 * NULL): roots, descriptor frames, grants, shared frames. The machine must stand still.
 */
unsigned mm_check(uint64_t *refs, uint64_t *types);

#endif
