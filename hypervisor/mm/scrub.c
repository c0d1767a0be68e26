/* SPDX-License-Identifier: MIT */
/*
 * Free memory is made zero by a CPU with nothing better to do, so that the next domain need not
 * wait for it, and what a guest has known does not stay: all that was freed, and of what the
 * machine came with so much that a part of the free memory is always ready. (All of it would be
 * the host's, if that is a machine that gives memory at its first use.) One CPU at a time: memory
 * is what limits it, and who waits for the heap waits for one page. What is noted here is a hint:
 * the frames of a run may be in use again. Frames say themselves that they are zero (FREE_ZERO),
 * and those that do not are made so when they are allocated. Lock: heap_lock.
 */
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/frame.h"
#include "x86/machine.h"

#define RUNS_MAX	256
#define STEP		8		/* frames: some microseconds without interrupts */
#define READY_PART	4		/* one in so many free frames is to be zero */

static struct run {
	uint64_t first, n;
	uint32_t stamp;			/* no TLB that was flushed after it knows the frames */
} runs[RUNS_MAX];

static unsigned nr_runs, nr_first;	/* those below nr_first the machine came with */
static uint64_t zero_frames;

void scrub_first_runs(void)
{
	nr_first = min(nr_runs, RUNS_MAX - 1u);
}

void scrub_count(int64_t n)
{
	__atomic_fetch_add(&zero_frames, (uint64_t)n, __ATOMIC_RELAXED);
}

/* Of what others may be changing: a look before the lock is taken. */
static bool is_wanted(void)
{
	return __atomic_load_n(&nr_runs, __ATOMIC_RELAXED) > nr_first ||
	       (nr_first && __atomic_load_n(&zero_frames, __ATOMIC_RELAXED) <
				    buddy_free_frames() / READY_PART);
}

void scrub_later(uint64_t first, uint64_t n)
{
	struct run *last = nr_runs > nr_first ? &runs[nr_runs - 1] : NULL;
	uint64_t end = first + n, last_end = last ? last->first + last->n : 0;

	ASSERT(lock_held(&heap_lock));
	if (!last || (last->first != end && last_end != first && nr_runs < RUNS_MAX)) {
		runs[nr_runs++] = (struct run){ first, n, machine_tlb_stamp() };
		return;
	}
	/* Where there is no room for one more the last takes in all between. */
	last->first = min(first, last->first);
	last->n = max(end, last_end) - last->first;
	last->stamp = machine_tlb_stamp();
}

static bool take_step(struct run *step)
{
	struct run *last;

	lock_acquire(&heap_lock);
	if (is_wanted()) {
		last = &runs[nr_runs - 1];
		step->n = min(last->n, (uint64_t)STEP);
		step->stamp = last->stamp;
		last->n -= step->n;
		step->first = last->first + last->n;
		nr_runs -= !last->n;
		nr_first = min(nr_first, nr_runs);
	}
	lock_release(&heap_lock);
	return step->n;
}

static void scrub(uint64_t mfn, uint32_t stamp)
{
	struct frame *f = frame_of(MFN(mfn));

	lock_acquire(&heap_lock);
	if (f && frame_is_free(f) && !(f->type & FREE_ZERO) &&
	    (int32_t)(stamp - (uint32_t)f->type) >= 0) {
		memset(machine_va(MFN(mfn)), 0, PAGE_SIZE);
		f->type |= FREE_ZERO;
		scrub_count(1);
	}
	lock_release(&heap_lock);
}

bool mm_scrub(void)
{
	static bool busy;
	struct run step = { 0 };

	if (!is_wanted() || __atomic_test_and_set(&busy, __ATOMIC_ACQUIRE))
		return false;
	if (take_step(&step)) {
		flush_stale(*machine_cpus_online(), step.stamp);
		for (uint64_t i = 0; i < step.n; i++)
			scrub(step.first + i, step.stamp);
	}
	__atomic_clear(&busy, __ATOMIC_RELEASE);
	return step.n;
}
