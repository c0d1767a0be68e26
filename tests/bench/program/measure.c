// SPDX-License-Identifier: MIT
/*
 * Times rows: several rounds, of which the median counts. The clock is CLOCK_MONOTONIC, read
 * twice a round, so what it costs does not show. Two instructions that do nothing mark a round
 * for the plugin that counts (tests/bench/plugin).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

enum { ROUNDS = 3, WALL_ROUND_NS = 60 * 1000 * 1000 };

volatile unsigned long bench_sink;

void die(const char *what)
{
	printf("bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

/*
 * nopl 0x4e534201(%rax) and nopl 0x4e534202(%rax): never executed elsewhere, and known to the
 * plugin by their bytes.
 */
static inline void mark_begin(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80, 0x01, 0x42, 0x53, 0x4e" ::: "memory");
}

static inline void mark_end(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80, 0x02, 0x42, 0x53, 0x4e" ::: "memory");
}

static double round_ns(const struct row *row, unsigned long n)
{
	double start = now_ns();

	mark_begin();
	row->run(n);
	mark_end();
	return now_ns() - start;
}

/* How often is long enough for a round; without marks, so that the plugin sees rounds only. */
static unsigned long calibrate(const struct row *row)
{
	unsigned long n = 1;

	while (n < (1UL << 40)) {
		double start = now_ns(), ns;

		row->run(n);
		ns = now_ns() - start;
		if (ns >= WALL_ROUND_NS / 4)
			return n * (WALL_ROUND_NS / ns) + 1;
		n *= ns > WALL_ROUND_NS / 64 ? 2 : 8;
	}
	return n;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void measure(const struct row *row, enum mode mode)
{
	unsigned long n = row->count;
	double each[ROUNDS];

	if (row->prepare)
		row->prepare(row->arg);
	/* What the first times fault in, allocate and cache. */
	if (mode == MODE_WALL)
		n = calibrate(row);
	else
		row->run(n / 8 + 1);
	for (int i = 0; i < ROUNDS; i++)
		each[i] = round_ns(row, n) / n;
	qsort(each, ROUNDS, sizeof(each[0]), compare);
	printf("bench %s %.2f ns min %.2f max %.2f rounds %d times %lu\n",
	       row->name, each[ROUNDS / 2], each[0], each[ROUNDS - 1], ROUNDS, n);
	fflush(stdout);
	if (row->finish)
		row->finish();
}
