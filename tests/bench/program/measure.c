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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* A short round has a chance that nothing else on the emulator's host gets in its way. */
enum { FIXED_ROUNDS = 3, WALL_ROUNDS = 15, WALL_ROUND_NS = 6 * 1000 * 1000 };

volatile unsigned long bench_sink;

void die(const char *what)
{
	printf("bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

double now_ns(void)
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

static double once_ns(const struct row *row, unsigned long n)
{
	double start = now_ns();

	row->run(n);
	return now_ns() - start;
}

/* How often is long enough for a round; without marks, so that the plugin sees rounds only. */
static unsigned long calibrate(const struct row *row)
{
	unsigned long n = 1;

	while (n < (1UL << 40)) {
		double ns = once_ns(row, n);

		/* Once more, should something have come in between. */
		if (ns >= WALL_ROUND_NS / 4)
			ns = once_ns(row, n);
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
	int rounds = mode == MODE_WALL ? WALL_ROUNDS : FIXED_ROUNDS;
	double each[WALL_ROUNDS];

	if (row->prepare)
		row->prepare(row->arg);
	/* What the first times fault in, allocate and cache. */
	if (mode == MODE_WALL)
		n = calibrate(row);
	else
		row->run(n / 8 + 1);
	for (int i = 0; i < rounds; i++)
		each[i] = round_ns(row, n) / n;
	qsort(each, rounds, sizeof(each[0]), compare);
	printf("bench %s %.2f ns min %.2f max %.2f rounds %d times %lu\n",
	       row->name, each[rounds / 2], each[0], each[rounds - 1], rounds, n);
	fflush(stdout);
	if (row->finish)
		row->finish();
}

void print_time(const char *name, double ns)
{
	printf("bench %s %.0f ns\n", name, ns);
	fflush(stdout);
}

void print_rate(const char *name, double bytes, double ns)
{
	printf("bench %s %.2f MiB/s\n", name, bytes / (1 << 20) / (ns / 1e9));
	fflush(stdout);
}

void measure_command(const char *name, char **argv)
{
	double start = now_ns();
	pid_t child = fork();
	int status;

	if (child == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		die(argv[0]);
	print_time(name, now_ns() - start);
}

/* A mark without a begin: the plugin counts from the machine's start, firmware as user mode. */
void report_uptime(void)
{
	double ns = now_ns();

	mark_end();
	printf("bench boot %.0f ns min %.0f max %.0f rounds 1 times 1\n", ns, ns, ns);
	fflush(stdout);
}
