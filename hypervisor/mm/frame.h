/* SPDX-License-Identifier: MIT */
/*
 * struct frame, one per machine frame; mm/ only. The frame table is an array by frame number,
 * mapped where there is RAM.
 *
 * type word, changed by compare-and-swap:
 *
 *    63   61   60      59       58     57          32 31           0
 *   +-------+-------+--------+---------+-------------+--------------+
 *   | type  | valid | pinned | foreign |    count    |  TLB stamp   |
 *   +-------+-------+--------+---------+-------------+--------------+
 *
 * The stamp is in the same word because it must be that of the put which made the count zero: a
 * stamp of its own could be overwritten by an older one (two puts racing), and a stale mapping
 * would then be missed. valid: contents are checked (tables, descriptors), TLBs are flushed
 * (writable). foreign: mapped writable by others than the owner since the last change.
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "lib/types.h"
#include "mm/mm.h"
#include "x86/machine.h"

enum frame_type { TYPE_NONE, TYPE_L1, TYPE_L2, TYPE_L3, TYPE_L4, TYPE_WRITABLE, TYPE_SEGDESC };

#define TYPE_SHIFT	61
#define TYPE_VALID	(1ull << 60)
#define TYPE_PINNED	(1ull << 59)
#define TYPE_FOREIGN	(1ull << 58)
#define TYPE_ONE	(1ull << 32)
#define TYPE_COUNT	(TYPE_FOREIGN - TYPE_ONE)
#define TYPE_STAMP	(TYPE_ONE - 1)

#define FREE_ZERO	TYPE_FOREIGN	/* of a free frame: it is zero, and no TLB knows it */

#define REFS_ALLOCATED	(1u << 31)	/* one reference is the owner's: it has not given it up */
#define REFS_COUNT	(REFS_ALLOCATED - 1)

enum frame_state {
	FRAME_RESERVED,			/* the hypervisor's own for ever */
	FRAME_NOT_RAM,
	FRAME_FREE,			/* first of a free block of 2^order frames, on a list */
	FRAME_FREE_REST,		/* the others of a free block */
	FRAME_HEAP,			/* first of a block of the heap's */
	FRAME_SLAB,			/* the heap's, cut into objects (heap.c) */
	FRAME_OWNED,			/* a domain's, on its list */
	FRAME_SHARED,			/* the hypervisor's, lent to the owner */
	FRAME_ORPHAN,			/* its owner is gone, others still map it */
};

struct frame {
	uint64_t type;
	uint32_t refs;
	uint16_t owner;
	uint8_t state;
	uint8_t order;
	uint32_t next, prev;		/* frame numbers, 0: none (frame 0 is never handed out) */
	uint32_t work;			/* the next table to invalidate */
	uint32_t recount;		/* mm_check()'s */
};

_Static_assert(sizeof(struct frame) == 32, "the frame table is sized by this");

/* The table is mapped in pieces of 2 MiB, each for so many frames. */
#define FRAMES_PER_CHUNK	((2ull << 20) / sizeof(struct frame))
#define FRAME_CHUNKS		((5ull << 40 >> PAGE_SHIFT) / FRAMES_PER_CHUNK)

extern uint64_t frame_chunks[FRAME_CHUNKS / 64];
extern uint64_t frame_max;

static inline struct frame *frame_at(uint64_t mfn)
{
	return (struct frame *)FRAME_TABLE_VA + mfn;
}

/* The frame's entry, or NULL if it is no RAM. */
static inline struct frame *frame_of(mfn_t mfn)
{
	uint64_t chunk = mfn.n / FRAMES_PER_CHUNK;

	if (mfn.n >= frame_max || !(frame_chunks[chunk / 64] >> (chunk % 64) & 1) ||
	    frame_at(mfn.n)->state == FRAME_NOT_RAM)
		return NULL;
	return frame_at(mfn.n);
}

static inline bool frame_is_free(const struct frame *f)
{
	return f->state == FRAME_FREE || f->state == FRAME_FREE_REST;
}

static inline mfn_t frame_mfn(const struct frame *f)
{
	return MFN(f - (const struct frame *)FRAME_TABLE_VA);
}

static inline uint64_t frame_word(const struct frame *f)
{
	return __atomic_load_n(&f->type, __ATOMIC_ACQUIRE);
}

static inline enum frame_type word_type(uint64_t word)
{
	return (enum frame_type)(word >> TYPE_SHIFT);
}

/*
 * Level of the validated table that a word stands for, or 0. Type and valid in one, as this is
 * asked everywhere; what is valid has a count.
 */
static inline unsigned word_level(uint64_t word)
{
	const unsigned top = word >> (TYPE_SHIFT - 1);

	_Static_assert(TYPE_VALID == 1ull << (TYPE_SHIFT - 1), "below the type");
	return top & 1 && top <= (TYPE_L4 << 1 | 1) ? top >> 1 : 0;
}

static inline bool word_change(struct frame *f, uint64_t *old, uint64_t new)
{
	return __atomic_compare_exchange_n(&f->type, old, new, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

/* -- frame.c: references -- */

bool must_check frame_get(struct frame *f, domid_t owner);
void frame_put(struct frame *f);
/* Free a frame that nothing refers to. */
void frame_release(struct frame *f);
/* Flush those of the CPUs that may still know what ended at this stamp. */
static inline void flush_stale(struct cpumask cpus, uint32_t stamp)
{
	machine_tlb_filter(&cpus, stamp);
	if (cpumask_next(&cpus, 0) < CPU_MAX)
		machine_tlb_flush(&cpus);
}
/* Make a block from the allocator fit for a new owner: no TLB knows it, and it is zero. */
void frame_clean(mfn_t mfn, unsigned order);
/* n free frames from number first on wait for mm_scrub(). Under heap_lock, after their stamps. */
void scrub_later(uint64_t first, uint64_t n);
/* What waits now is what the machine came with: less haste, see scrub.c. Once, at start-up. */
void scrub_first_runs(void);
/* So many frames more are free and zero (FREE_ZERO). */
void scrub_count(int64_t n);
/* The domain with this id that has not been torn down. */
struct mm_domain *mm_domain_of(domid_t id);

/* -- page_type.c -- */

enum type_result {
	TYPE_REFUSED,
	TYPE_HELD,			/* it had the type already: one reference more */
	TYPE_NEW,			/* it has it now: check it, then type_validate() */
};

/*
 * Take a type reference; `mm` is whose tables (or registers) will use the frame. The caller holds a
 * reference to the frame.
 */
enum type_result must_check type_get(struct frame *f, enum frame_type type,
				     const struct mm_domain *mm);
/* One more of a type that it has, which is so nearly always; `foreign` is 0 or TYPE_FOREIGN. */
static inline bool must_check type_get_again(struct frame *f, enum frame_type type,
					     uint64_t foreign)
{
	const uint64_t valid = ((uint64_t)type << TYPE_SHIFT | TYPE_VALID) / TYPE_VALID;
	uint64_t word = frame_word(f);

	while (word / TYPE_VALID == valid && (word & TYPE_COUNT) != TYPE_COUNT)
		if (likely(word_change(f, &word, (word + TYPE_ONE) | foreign)))
			return true;
	return false;
}
bool must_check type_get_writable(struct frame *f, const struct mm_domain *mm);
void type_validate(struct frame *f);
void type_put(struct frame *f);
/*
 * For tables, in place of the put of the last reference: that stays, the table is not valid any
 * more, and its entries' references must be dropped.
 */
void type_last_put(struct frame *f);
/* Set or clear the pin; false if it was so already. Under the owner's mm lock. */
bool must_check type_pin(struct frame *f, bool pin);

#endif
