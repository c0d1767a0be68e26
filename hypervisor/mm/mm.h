/* SPDX-License-Identifier: MIT */
/*
 * Memory: who owns a machine frame, what type it has, and every change of a guest's page tables.
 * Invariant: a frame is never writable by a guest and a page table (or descriptor page) at once; see mm_check().
 */
#ifndef MM_MM_H
#define MM_MM_H

#include "abi/types.h"
#include "lib/cpumask.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"

struct frame;

/* A domain's memory. Everything but the counters that say otherwise is under `lock`. */
struct mm_domain {
	struct lock lock;		/* RANK_MM */
	domid_t id;
	bool dying;
	bool privileged;		/* may map machine memory that is nobody's RAM (devices) and foreign frames */
	uint64_t pages;			/* frames that are allocated to it */
	uint64_t max_pages;
	uint64_t peak_pages;
	struct cpumask cpus;		/* CPUs whose TLBs may hold its entries */
	/* owned by mm/: frame list, pending work (decision 6 of ARCHITECTURE.md) ... */
	uint32_t frames_head;
	void *pending;
};

/* A vCPU's page-table roots; each holds a type reference. */
struct mm_vcpu {
	mfn_t kernel_table;		/* MFN_NONE before the first is set */
	mfn_t user_table;		/* MFN_NONE if none */
};
/* -- start-up -- */

/* A range of usable RAM, in bytes, page-aligned. */
struct mm_range { uint64_t start, end; };
/*
 * Take over the machine's memory: builds frame table and M2P (both mapped only where there is RAM) and gives all of `free` to the
 * page allocator. `ram` is all RAM of the machine (frames that guests may name), `free` the part that nobody uses yet.
 */
void mm_init(const struct mm_range *ram, unsigned nr_ram, const struct mm_range *free, unsigned nr_free);
/* One more range of boot memory (modules, the initial image) becomes free. */
void mm_free_range(struct mm_range r);
uint64_t mm_total_frames(void), mm_free_frames(void);
/* The machine frame number after the last RAM frame. */
uint64_t mm_max_mfn(void);

/* -- hypervisor memory (heap.h: heap_alloc(size) zeroed, heap_free(ptr); frames: buddy.h) -- */

/* One zeroed frame of the hypervisor's own that guests may be given access to, by mm_share(); NULL if out of memory. */
void *mm_alloc_shared(struct mm_domain *mm);
void mm_free_shared(void *page);

/* -- a domain's memory -- */

void mm_domain_init(struct mm_domain *mm, domid_t id, uint64_t max_pages);
/* Give back everything: unpins, drops pending work, frees frames as their references go. 0, or -ERESTART: call again. */
int must_check mm_domain_teardown(struct mm_domain *mm);
/* Allocate 2^order contiguous frames to the domain, zeroed, below 2^addr_bits (0: anywhere); MFN_NONE if none or above max_pages. */
mfn_t mm_alloc(struct mm_domain *mm, unsigned order, unsigned addr_bits);
/* Take a reference to a frame that `mm` owns; false if it doesn't own it. */
bool must_check mm_get(mfn_t mfn, const struct mm_domain *mm);
void mm_put(mfn_t mfn);
/* The same with a type: writable data. */
bool must_check mm_get_writable(mfn_t mfn, const struct mm_domain *mm);
void mm_put_writable(mfn_t mfn);
/* Who owns it: DOMID_INVALID if nobody (free, or the hypervisor), DOMID_IO if it is no RAM. */
domid_t mm_owner(mfn_t mfn);
uint64_t mm_m2p(mfn_t mfn);
void mm_m2p_set(mfn_t mfn, uint64_t pfn);

/* -- page tables: all return 0, -errno, or -ERESTART when the budget is spent (same arguments again) -- */

/*
 * One mmu_update: write `value` to the entry (or plain qword of an untyped frame) at machine address `ptr` of `table_owner`'s memory. Entries may
 * name frames of `mm` or, for a privileged `mm`, of `frame_owner` (or of nobody: device memory, frame_owner->id == DOMID_IO).
 */
int must_check mm_update_entry(struct mm_domain *mm, struct mm_domain *table_owner, struct mm_domain *frame_owner,
			       uint64_t ptr, uint64_t value, bool preserve_ad);
/* Write the L1 entry that maps `va` in the tables under `root`. */
int must_check mm_update_va(struct mm_domain *mm, struct mm_domain *frame_owner, mfn_t root, vaddr_t va, uint64_t value);
/* A guest's own write to a mapped L1..L4 table, trapped as a page fault at `va`: do it checked. `size` 4 or 8 bytes... see ptwrite.c */
int must_check mm_pin(struct mm_domain *mm, mfn_t mfn, unsigned level);
int must_check mm_unpin(struct mm_domain *mm, mfn_t mfn);
/* Make `mfn` the kernel or user root of a vCPU (user: MFN_NONE clears); the old one's reference is dropped. Does not load CR3. */
int must_check mm_set_root(struct mm_domain *mm, struct mm_vcpu *mv, mfn_t mfn, bool user);
/* The level-1 entry for va under root: 0 and *entry (and where it lives), -ENOENT if a level is not present. */
int must_check mm_walk(mfn_t root, vaddr_t va, uint64_t *entry, uint64_t *entry_maddr);

/* -- descriptor tables -- */

/* Check that all frames may hold descriptors and take references for them; drop them. */
int must_check mm_get_descriptor_frame(struct mm_domain *mm, mfn_t mfn);
void mm_put_descriptor_frame(mfn_t mfn);
/* Check an 8-byte descriptor as a guest may have it; fixes its DPL and accessed bits up. False: refused. */
bool must_check mm_descriptor_fix(uint64_t *descriptor);

/* -- the invariant -- */

/* Walk every page table of the machine and recount; log and count every contradiction. 0 means sound. For debug builds, tests, `debug key`. */
unsigned mm_check(void);

#endif
