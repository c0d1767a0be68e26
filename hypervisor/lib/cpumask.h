/* SPDX-License-Identifier: MIT */
/* A set of physical CPUs. */
#ifndef LIB_CPUMASK_H
#define LIB_CPUMASK_H

#include "lib/types.h"

#define CPU_MAX	512

struct cpumask {
	uint64_t bits[CPU_MAX / 64];
};

static inline void cpumask_set(struct cpumask *m, unsigned cpu)
{
	__atomic_fetch_or(&m->bits[cpu / 64], 1ull << (cpu % 64), __ATOMIC_SEQ_CST);
}

static inline void cpumask_clear(struct cpumask *m, unsigned cpu)
{
	__atomic_fetch_and(&m->bits[cpu / 64], ~(1ull << (cpu % 64)), __ATOMIC_SEQ_CST);
}

static inline bool cpumask_test(const struct cpumask *m, unsigned cpu)
{
	return __atomic_load_n(&m->bits[cpu / 64], __ATOMIC_RELAXED) >> (cpu % 64) & 1;
}

static inline unsigned cpumask_count(const struct cpumask *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CPU_MAX / 64; i++)
		for (uint64_t word = m->bits[i]; word; word &= word - 1)
			n++;
	return n;
}

/* The first CPU of the set at or after `from`, or CPU_MAX. */
static inline unsigned cpumask_next(const struct cpumask *m, unsigned from)
{
	for (unsigned i = from / 64; i < CPU_MAX / 64; i++) {
		uint64_t word = m->bits[i];

		if (i == from / 64)
			word &= ~0ull << (from % 64);
		if (word)
			return i * 64 + (unsigned)__builtin_ctzll(word);
	}
	return CPU_MAX;
}

#define cpumask_for_each(cpu, m) \
	for (unsigned cpu = cpumask_next(m, 0); cpu < CPU_MAX; cpu = cpumask_next(m, cpu + 1))

#endif
