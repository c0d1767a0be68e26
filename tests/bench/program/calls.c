// SPDX-License-Identifier: MIT
/* Rows of one system call each, and the controls, which make none. */
#include <fcntl.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static const char stat_path[] = "/tmp/bench-stat";

/* Control: user mode alone, a thousand additions. */
void user_run(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		unsigned long sum = i;

		for (int j = 0; j < 1000; j++)
			asm volatile("add %1, %0" : "+r"(sum) : "r"((unsigned long)j));
		bench_sink = sum;
	}
}

/* Control: 64 KiB copied in memory that is there. */
void memcpy_run(unsigned long n)
{
	static char from[64 * 1024], to[64 * 1024];

	for (unsigned long i = 0; i < n; i++) {
		memcpy(to, from, sizeof(to));
		asm volatile("" : : "r"(to) : "memory");
	}
}

void clock_run(unsigned long n)
{
	struct timespec time;

	for (unsigned long i = 0; i < n; i++)
		clock_gettime(CLOCK_MONOTONIC, &time);
	bench_sink = time.tv_nsec;
}

void null_run(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		syscall(SYS_getppid);
}

static int zero, null;

void io_prepare(int arg)
{
	(void)arg;
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	if (zero < 0 || null < 0)
		die("/dev/zero, /dev/null");
}

/* One byte read and one written, by turns. */
void io_run(unsigned long n)
{
	char byte;

	for (unsigned long i = 0; i < n; i += 2)
		if (read(zero, &byte, 1) != 1 || write(null, &byte, 1) != 1)
			die("null I/O");
}

void io_finish(void)
{
	close(zero);
	close(null);
}

void stat_prepare(int arg)
{
	int file = open(stat_path, O_CREAT | O_RDWR, 0644);

	(void)arg;
	if (file < 0)
		die(stat_path);
	close(file);
}

void stat_run(unsigned long n)
{
	struct stat status;

	for (unsigned long i = 0; i < n; i++)
		if (stat(stat_path, &status))
			die(stat_path);
}

void open_run(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		int file = open(stat_path, O_RDONLY);

		if (file < 0)
			die(stat_path);
		close(file);
	}
}

void stat_finish(void)
{
	unlink(stat_path);
}

enum { SELECTED = 100 };
static int ends[2], watched[SELECTED];
static int highest;

/* A hundred names of a pipe that has nothing to read: select looks at them all. */
void select_prepare(int arg)
{
	(void)arg;
	if (pipe(ends))
		die("pipe");
	highest = 0;
	for (int i = 0; i < SELECTED; i++) {
		watched[i] = dup(ends[0]);
		if (watched[i] < 0)
			die("dup");
		if (watched[i] > highest)
			highest = watched[i];
	}
}

void select_run(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		struct timeval none = { 0, 0 };
		fd_set set;

		FD_ZERO(&set);
		for (int j = 0; j < SELECTED; j++)
			FD_SET(watched[j], &set);
		if (select(highest + 1, &set, NULL, NULL, &none))
			die("select");
	}
}

void select_finish(void)
{
	for (int i = 0; i < SELECTED; i++)
		close(watched[i]);
	close(ends[0]);
	close(ends[1]);
}
