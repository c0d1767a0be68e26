/* SPDX-License-Identifier: MIT */
/*
 * Buddy allocator. Blocks are kept in zones: zone z has the frames whose number has z significant
 * bits, so an address limit picks zones, an unlimited request starts at the highest, and a block
 * never crosses a zone. Invariant: the first frame of each free block is FRAME_FREE with its order,
 * all others are FRAME_FREE_REST; two free buddies are always merged. Of blocks of one size that
 * comes first which has been free for longest, and of a block that is split the upper part: it is
 * the most likely to be zero already, and in no TLB. So each list has its last block as `prev` of
 * its first. Lock: heap_lock, taken by the caller. It neither zeroes nor flushes: frame_clean()
 * does, and before it, if a CPU is idle, mm_scrub().
 */
#include "mm/buddy.h"

#include "console/log.h"
#include "lib/assert.h"
#include "mm/frame.h"

#define ZONES	33			/* frame numbers fit 32 bits */

static struct zone {
	uint32_t nonempty;		/* bit per order */
	uint32_t head[BUDDY_ORDER_MAX + 1];
} zones[ZONES];

static uint64_t free_frames;

struct lock heap_lock = LOCK_INIT(RANK_HEAP);

static struct zone *zone_of(uint64_t mfn)
{
	return &zones[mfn ? 64 - __builtin_clzll(mfn) : 0];
}

static void block_push(uint64_t mfn, unsigned order)
{
	struct zone *z = zone_of(mfn);
	uint32_t *head = &z->head[order];
	struct frame *f = frame_at(mfn);

	f->state = FRAME_FREE;
	f->order = (uint8_t)order;
	f->next = 0;
	f->prev = (uint32_t)mfn;
	if (*head) {
		f->prev = frame_at(*head)->prev;
		frame_at(f->prev)->next = (uint32_t)mfn;
		frame_at(*head)->prev = (uint32_t)mfn;
	} else {
		*head = (uint32_t)mfn;
		z->nonempty |= 1u << order;
	}
}

static void block_remove(uint64_t mfn)
{
	struct zone *z = zone_of(mfn);
	struct frame *f = frame_at(mfn);
	uint32_t *head = &z->head[f->order];

	ASSERT(f->state == FRAME_FREE);
	if (*head == mfn)
		*head = f->next;
	else
		frame_at(f->prev)->next = f->next;
	if (*head)
		frame_at(f->next ? f->next : *head)->prev = f->prev;
	else
		z->nonempty &= ~(1u << f->order);
	f->state = FRAME_FREE_REST;
	f->next = f->prev = 0;
}

static mfn_t zone_alloc(struct zone *z, unsigned order)
{
	uint32_t fitting = z->nonempty & (~0u << order);
	unsigned have;
	uint64_t mfn;

	if (!fitting)
		return MFN_NONE;
	have = (unsigned)__builtin_ctz(fitting);
	mfn = z->head[have];
	block_remove(mfn);
	while (have > order) {
		have--;
		block_push(mfn, have);
		mfn += 1ull << have;
	}
	free_frames -= 1ull << order;
	return MFN(mfn);
}

mfn_t buddy_alloc(unsigned order, unsigned addr_bits)
{
	unsigned zone = ZONES - 1;
	mfn_t mfn = MFN_NONE;

	ASSERT(lock_held(&heap_lock));
	if (order > BUDDY_ORDER_MAX || (addr_bits && addr_bits < PAGE_SHIFT))
		return MFN_NONE;
	if (addr_bits && addr_bits - PAGE_SHIFT < zone)
		zone = addr_bits - PAGE_SHIFT;
	do {
		mfn = zone_alloc(&zones[zone], order);
	} while (mfn_eq(mfn, MFN_NONE) && zone--);
	return mfn;
}

void buddy_free(mfn_t first, unsigned order)
{
	uint64_t mfn = first.n;

	ASSERT(lock_held(&heap_lock));
	ASSERT(mfn && !(mfn & ((1ull << order) - 1)));
	for (uint64_t i = 0; i < 1ull << order; i++) {
		struct frame *f = frame_at(mfn + i);

		ASSERT(!frame_is_free(f) && !f->refs);
		f->state = FRAME_FREE_REST;
		f->owner = DOMID_INVALID;
	}
	free_frames += 1ull << order;
	scrub_later(mfn, 1ull << order);
	for (; order < BUDDY_ORDER_MAX; order++) {
		uint64_t buddy = mfn ^ 1ull << order;
		const struct frame *b = frame_of(MFN(buddy));

		if (!b || b->state != FRAME_FREE || b->order != order)
			break;
		block_remove(buddy);
		mfn &= ~(1ull << order);
	}
	block_push(mfn, order);
}

void buddy_free_run(uint64_t first, uint64_t n)
{
	while (n) {
		int order = min(__builtin_ctzll(first), 63 - __builtin_clzll(n));

		order = min(order, BUDDY_ORDER_MAX);
		buddy_free(MFN(first), (unsigned)order);
		first += 1ull << order;
		n -= 1ull << order;
	}
}

uint64_t buddy_free_frames(void)
{
	return __atomic_load_n(&free_frames, __ATOMIC_RELAXED);
}

unsigned buddy_check(void)
{
	unsigned errors = 0;
	uint64_t sum = 0;

	for (unsigned z = 0; z < ZONES; z++) {
		for (unsigned order = 0; order <= BUDDY_ORDER_MAX; order++) {
			for (uint64_t mfn = zones[z].head[order]; mfn; mfn = frame_at(mfn)->next) {
				const struct frame *f = frame_at(mfn);

				errors += f->state != FRAME_FREE || f->order != order;
				sum += 1ull << order;
			}
		}
	}
	errors += sum != free_frames;
	if (errors)
		log_error("free blocks: %u contradictions, %lu frames listed, %lu counted", errors,
			  sum, free_frames);
	return errors;
}
