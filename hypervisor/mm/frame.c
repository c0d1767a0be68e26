/* SPDX-License-Identifier: MIT */
/*
 * The frame table: built once at start-up, and the general references to frames. Invariant: a frame
 * with no reference has no owner's mapping, no type count, and is free or on its way to be.
 * References change by compare-and-swap without a lock. Types are page_type.c's.
 */
#include "mm/pt_entry.h"

#include "lib/assert.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "x86/machine.h"

#define CHUNK_BYTES		(2ull << 20)
#define CHUNK_FRAMES		(CHUNK_BYTES >> PAGE_SHIFT)
#define M2P_PER_CHUNK		(CHUNK_BYTES / sizeof(uint64_t))
#define RANGES_MAX		1024

uint64_t frame_chunks[FRAME_CHUNKS / 64];
uint64_t frame_max;

static uint64_t total_frames;

/* -- references -- */

inline bool frame_get(struct frame *f, domid_t owner)
{
	uint32_t refs = __atomic_load_n(&f->refs, __ATOMIC_RELAXED);

	/* whoever only tries others' frames must not move their counts: mm_take() looks at them */
	if (__atomic_load_n(&f->owner, __ATOMIC_RELAXED) != owner)
		return false;
	do {
		/* a slab's count is the heap's; a full one (2^31) is refused, not wrapped */
		if (!(refs & REFS_COUNT) || (refs & REFS_COUNT) == REFS_COUNT ||
		    f->state == FRAME_SLAB)
			return false;
	} while (!__atomic_compare_exchange_n(&f->refs, &refs, refs + 1, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	/* the owner can't change as long as we hold the reference, but to none */
	if (__atomic_load_n(&f->owner, __ATOMIC_ACQUIRE) == owner)
		return true;
	frame_put(f);
	return false;
}

inline void frame_put(struct frame *f)
{
	uint32_t refs = __atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL);

	ASSERT(refs & REFS_COUNT);
	if ((refs & REFS_COUNT) == 1)
		frame_release(f);
}

void frame_clean(mfn_t mfn, unsigned order)
{
	struct cpumask cpus = { { 0 } };
	struct frame *f = frame_at(mfn.n);
	uint64_t last = ~0ull;
	int64_t zero = 0;

	for (uint64_t i = 0; i < 1ull << order; i++) {
		struct cpumask stale;

		zero += !!(f[i].type & FREE_ZERO);
		if (f[i].type & FREE_ZERO || (f[i].type & TYPE_STAMP) == last)
			continue;
		last = f[i].type & TYPE_STAMP;
		stale = *machine_cpus_online();
		machine_tlb_filter(&stale, (uint32_t)last);
		for (unsigned w = 0; w < ARRAY_SIZE(cpus.bits); w++)
			cpus.bits[w] |= stale.bits[w];
	}
	if (cpumask_next(&cpus, 0) < CPU_MAX)
		machine_tlb_flush(&cpus);
	for (uint64_t i = 0; i < 1ull << order; i++) {
		if (!(f[i].type & FREE_ZERO))
			memset(machine_va(MFN(mfn.n + i)), 0, PAGE_SIZE);
		f[i].type &= ~FREE_ZERO;
	}
	scrub_count(-zero);
}

bool mm_get(mfn_t mfn, const struct mm_domain *mm)
{
	struct frame *f = frame_of(mfn);

	return f && frame_get(f, mm->id);
}

void mm_put(mfn_t mfn)
{
	frame_put(frame_at(mfn.n));
}

domid_t mm_owner(mfn_t mfn)
{
	const struct frame *f = frame_of(mfn);

	if (!f)
		return DOMID_IO;
	return f->refs & REFS_COUNT && f->state != FRAME_SLAB ? f->owner : DOMID_INVALID;
}

/* -- start-up -- */

static struct mm_range ranges[RANGES_MAX];
static unsigned nr_ranges;

/* 2 MiB, aligned, from the top of the highest range that has them. */
static mfn_t carve_chunk(void)
{
	struct mm_range *best = NULL;
	uint64_t at;

	for (unsigned i = 0; i < nr_ranges; i++) {
		struct mm_range *r = &ranges[i];

		if ((r->end & ~(CHUNK_BYTES - 1)) >= r->start + CHUNK_BYTES &&
		    (!best || r->end > best->end))
			best = r;
	}
	if (!best)
		panic("no memory for the frame table");
	at = (best->end & ~(CHUNK_BYTES - 1)) - CHUNK_BYTES;
	if (best->end > at + CHUNK_BYTES && nr_ranges < RANGES_MAX)
		ranges[nr_ranges++] = (struct mm_range){ at + CHUNK_BYTES, best->end };
	best->end = at;
	return MFN(at >> PAGE_SHIFT);
}

static void map_chunk(uint64_t va, mfn_t mfn, unsigned flags)
{
	if (machine_map(VADDR(va), mfn, CHUNK_FRAMES, flags))
		panic("can't map the frame table at %lx", va);
}

static void frames_map(uint64_t first, uint64_t last)
{
	for (uint64_t c = first / FRAMES_PER_CHUNK; c <= last / FRAMES_PER_CHUNK; c++) {
		struct frame *f = frame_at(c * FRAMES_PER_CHUNK);

		if (bitmap_test(frame_chunks, c))
			continue;
		map_chunk((uint64_t)(uintptr_t)f, carve_chunk(), MAP_WRITE | MAP_GLOBAL);
		memset(f, 0, CHUNK_BYTES);
		for (uint64_t i = 0; i < FRAMES_PER_CHUNK; i++)
			f[i].state = FRAME_NOT_RAM;
		bitmap_set(frame_chunks, c);
	}
}

/*
 * Guests may read the M2P, and nobody but us may ever write it: a type count without a type keeps
 * every type away.
 */
static void m2p_lend(mfn_t mfn)
{
	for (uint64_t i = 0; i < CHUNK_FRAMES; i++) {
		struct frame *f = frame_at(mfn.n + i);

		f->owner = DOMID_XEN;
		f->refs = 1;
		f->type = TYPE_ONE;
	}
}

static void m2p_map(uint64_t first, uint64_t last, mfn_t *chunks)
{
	for (uint64_t c = first / M2P_PER_CHUNK; c <= last / M2P_PER_CHUNK; c++) {
		if (chunks[c].n)
			continue;
		chunks[c] = carve_chunk();
		map_chunk(M2P_VA + c * CHUNK_BYTES, chunks[c], MAP_WRITE | MAP_GLOBAL);
		map_chunk(M2P_GUEST_VA + c * CHUNK_BYTES, chunks[c], MAP_USER | MAP_GLOBAL);
		memset((void *)(uintptr_t)(M2P_VA + c * CHUNK_BYTES), 0xff, CHUNK_BYTES);
	}
}

static mfn_t m2p_chunks[FRAME_CHUNKS * FRAMES_PER_CHUNK / M2P_PER_CHUNK];

mfn_t mm_m2p_chunk(unsigned i)
{
	return i < ARRAY_SIZE(m2p_chunks) && m2p_chunks[i].n ? m2p_chunks[i] : MFN_NONE;
}

void mm_free_range(struct mm_range r)
{
	uint64_t mfn = max(DIV_ROUND_UP(r.start, PAGE_SIZE), 1ul), end = r.end >> PAGE_SHIFT;

	/* From above: what is free for longest is taken first, and made zero from there on. */
	lock_acquire(&heap_lock);
	while (mfn < end) {
		unsigned order = min((unsigned)__builtin_ctzll(end), (unsigned)BUDDY_ORDER_MAX);

		while (mfn + (1ull << order) > end)
			order--;
		end -= 1ull << order;
		for (uint64_t i = 0; i < 1ull << order; i++)
			ASSERT(frame_of(MFN(end + i)) &&
			       frame_at(end + i)->state == FRAME_RESERVED);
		buddy_free(MFN(end), order);
	}
	lock_release(&heap_lock);
}

static void frame_start(struct frame *f)
{
	*f = (struct frame){ .owner = DOMID_INVALID, .state = FRAME_RESERVED };
}

void mm_init(const struct mm_range *ram, unsigned nr_ram, const struct mm_range *free,
	     unsigned nr_free)
{
	ASSERT(nr_free < RANGES_MAX);
	memcpy(ranges, free, nr_free * sizeof(*free));
	nr_ranges = nr_free;
	pt_start();
	for (unsigned i = 0; i < nr_ram; i++) {
		uint64_t first = ram[i].start >> PAGE_SHIFT, end = ram[i].end >> PAGE_SHIFT;

		if (first >= end)
			continue;
		ASSERT(end <= FRAME_CHUNKS * FRAMES_PER_CHUNK);
		frames_map(first, end - 1);
		m2p_map(first, end - 1, m2p_chunks);
		for (uint64_t mfn = first; mfn < end; mfn++)
			frame_start(frame_at(mfn));
		total_frames += end - first;
		frame_max = max(frame_max, end);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(m2p_chunks); i++)
		if (m2p_chunks[i].n)
			m2p_lend(m2p_chunks[i]);
	for (unsigned i = 0; i < nr_ranges; i++)
		mm_free_range(ranges[i]);
	scrub_first_runs();
}

uint64_t mm_total_frames(void)
{
	return total_frames;
}

uint64_t mm_free_frames(void)
{
	return buddy_free_frames();
}

uint64_t mm_max_mfn(void)
{
	return frame_max;
}
