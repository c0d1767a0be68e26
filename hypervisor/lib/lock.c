/* SPDX-License-Identifier: MIT */
/*
 * One word: 0 or the holder. First come is not first served: where CPUs are an emulator's threads,
 * a queue would wait at each step for one certain thread to be run, which makes milliseconds of
 * microseconds; and nothing here holds a lock long enough for somebody to starve.
 *
 * With lock_checks on, each CPU's held locks are noted and the order is checked
 * at every acquisition: a wrong order is found the first time that it is tried, not the first
 * time that it deadlocks.
 */
#include "lib/lock.h"

#include "lib/assert.h"
#include "x86/machine.h"

#define HELD_MAX	16

static struct held {
	unsigned n;
	struct lock *lock[HELD_MAX];
} held[CPU_MAX];

bool lock_checks;

/*
 * A lock may be taken if its rank is above all that we hold, or equal for the second of
 * lock_two().
 */
static __attribute__((noinline)) void note_acquire(struct lock *lock, bool second)
{
	struct held *h = &held[machine_cpu()];

	for (unsigned i = 0; i < h->n; i++)
		ASSERT(h->lock[i]->rank < lock->rank || (second && h->lock[i]->rank == lock->rank));
	ASSERT(h->n < HELD_MAX);
	h->lock[h->n++] = lock;
}

static __attribute__((noinline)) void note_release(struct lock *lock)
{
	struct held *h = &held[machine_cpu()];
	unsigned i = 0;

	while (i < h->n && h->lock[i] != lock)
		i++;
	ASSERT(i < h->n);
	h->lock[i] = h->lock[--h->n];
}

void lock_init(struct lock *lock, enum lock_rank rank)
{
	*lock = (struct lock)LOCK_INIT(rank);
}

/* Take it if it is free. */
static inline bool grab(struct lock *lock)
{
	uint16_t nobody = 0, me = (uint16_t)(machine_cpu() + 1);

	return __atomic_compare_exchange_n(&lock->cpu, &nobody, me, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static __attribute__((noinline)) void wait_and_grab(struct lock *lock)
{
	ASSERT(!lock_held(lock));
	do {
		do
			machine_relax();
		while (__atomic_load_n(&lock->cpu, __ATOMIC_RELAXED));
	} while (!grab(lock));
}

static inline void acquire(struct lock *lock)
{
	if (unlikely(!grab(lock)))
		wait_and_grab(lock);
}

inline void lock_acquire(struct lock *lock)
{
	if (unlikely(lock_checks))
		note_acquire(lock, false);
	acquire(lock);
}

inline void lock_release(struct lock *lock)
{
	ASSERT(lock_held(lock));
	if (unlikely(lock_checks))
		note_release(lock);
	__atomic_store_n(&lock->cpu, 0, __ATOMIC_RELEASE);
}

bool lock_try(struct lock *lock)
{
	if (!grab(lock))
		return false;
	if (unlikely(lock_checks))
		note_acquire(lock, true); /* whoever does not wait may have one of the same rank */
	return true;
}

inline bool lock_held(const struct lock *lock)
{
	return __atomic_load_n(&lock->cpu, __ATOMIC_RELAXED) == machine_cpu() + 1;
}

void lock_two(struct lock *a, uint64_t key_a, struct lock *b, uint64_t key_b)
{
	if (a == b) {
		lock_acquire(a);
		return;
	}
	lock_acquire(key_a < key_b ? a : b);
	if (unlikely(lock_checks))
		note_acquire(key_a < key_b ? b : a, true);
	acquire(key_a < key_b ? b : a);
}

void unlock_two(struct lock *a, struct lock *b)
{
	lock_release(a);
	if (a != b)
		lock_release(b);
}
