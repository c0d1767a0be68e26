/* SPDX-License-Identifier: MIT */
/*
 * Memory of ended domains is made zero by CPUs with nothing better to do, so that the next domain
 * need not wait for it, and what a guest has known does not stay. What is noted here is a hint: the
 * frames of a run may be in use again, and a run that finds no room is zeroed when it is allocated.
 * Frames say themselves that they are zero (FREE_ZERO). Lock: heap_lock.
 */
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/frame.h"
#include "x86/machine.h"

#define RUNS_MAX	256
#define STEP		8		/* frames: some microseconds without interrupts */

static struct run {
	uint64_t first, n;
	uint32_t stamp;			/* no TLB that was flushed after it knows the frames */
} runs[RUNS_MAX];

static unsigned nr_runs;

void scrub_later(uint64_t first, uint64_t n, uint32_t stamp)
{
	ASSERT(lock_held(&heap_lock));
	if (nr_runs && runs[nr_runs - 1].first == first + n)	/* lists are freed downwards */
		runs[nr_runs - 1] = (struct run){ first, n + runs[nr_runs - 1].n, stamp };
	else if (nr_runs < RUNS_MAX)
		runs[nr_runs++] = (struct run){ first, n, stamp };
}

static bool take_step(struct run *step)
{
	struct run *last;

	lock_acquire(&heap_lock);
	if (nr_runs) {
		last = &runs[nr_runs - 1];
		step->n = min(last->n, (uint64_t)STEP);
		step->stamp = last->stamp;
		last->n -= step->n;
		step->first = last->first + last->n;
		nr_runs -= !last->n;
	}
	lock_release(&heap_lock);
	return step->n;
}

static void scrub(uint64_t mfn, uint32_t stamp)
{
	struct frame *f = frame_at(mfn);

	lock_acquire(&heap_lock);
	if (frame_is_free(f) && !(f->type & FREE_ZERO) &&
	    (int32_t)(stamp - (uint32_t)f->type) >= 0) {
		memset(machine_va(MFN(mfn)), 0, PAGE_SIZE);
		f->type |= FREE_ZERO;
	}
	lock_release(&heap_lock);
}

bool mm_scrub(void)
{
	struct run step = { 0 };

	if (!__atomic_load_n(&nr_runs, __ATOMIC_RELAXED) || !take_step(&step))
		return false;
	flush_stale(*machine_cpus_online(), step.stamp);
	for (uint64_t i = 0; i < step.n; i++)
		scrub(step.first + i, step.stamp);
	return true;
}
