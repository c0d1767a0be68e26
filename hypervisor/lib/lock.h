/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks that know their holder and their rank. Interrupts are always off in the
 * hypervisor, so there is one kind. The ranks are the lock order of ARCHITECTURE.md: a CPU may
 * take a lock only if its rank is above all it holds (two of the same rank: lock_two(), by
 * ascending key).
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include "lib/types.h"

enum lock_rank {
	RANK_DOMAIN_LIST = 1, RANK_DOMAIN, RANK_GRANT, RANK_EVENT, RANK_EVENT_PORT, RANK_MM,
	RANK_IRQ, RANK_DEVICE, RANK_SCHED, RANK_TIMER, RANK_MAP, RANK_HEAP, RANK_CONSOLE,
};

struct lock {
	uint16_t cpu;		/* the holder + 1, or 0 */
	uint16_t rank;
};

#define LOCK_INIT(r)	{ .rank = (r) }

/*
 * Check holders and ranks at every step: debug builds, option lock-check. To be set while no
 * lock is held.
 */
extern bool lock_checks;

void lock_init(struct lock *lock, enum lock_rank rank);
void lock_acquire(struct lock *lock);
void lock_release(struct lock *lock);
bool lock_try(struct lock *lock);
bool lock_held(const struct lock *lock);

/*
 * Take two locks of one rank in the order of their keys (domain ids); the same lock twice is
 * taken once.
 */
void lock_two(struct lock *a, uint64_t key_a, struct lock *b, uint64_t key_b);
void unlock_two(struct lock *a, struct lock *b);

#endif
