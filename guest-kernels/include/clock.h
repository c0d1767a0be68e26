/* SPDX-License-Identifier: MIT */
/* Time. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* System time: nanoseconds since the host started. */
uint64_t clock_now(void);
/* Seconds since 1970. */
uint64_t clock_wall(void);
/* Spin for some nanoseconds. */
void clock_spin(uint64_t ns);

static inline uint64_t clock_tsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#endif
