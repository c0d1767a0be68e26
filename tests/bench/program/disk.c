// SPDX-License-Identifier: MIT
/* Streams to and from a disk, past the page cache: large requests, then single pages. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { STREAM_BYTES = 16 << 20, LARGE_BYTES = 256 * 1024, SMALL = 500 };

static int disk;
static char *block;

static void write_large(void)
{
	for (off_t at = 0; at < STREAM_BYTES; at += LARGE_BYTES)
		if (pwrite(disk, block, LARGE_BYTES, at) != LARGE_BYTES)
			die("write");
	if (fsync(disk))
		die("fsync");
}

static void read_large(void)
{
	for (off_t at = 0; at < STREAM_BYTES; at += LARGE_BYTES)
		if (pread(disk, block, LARGE_BYTES, at) != LARGE_BYTES)
			die("read");
}

static void read_small(void)
{
	for (off_t i = 0; i < SMALL; i++) {
		off_t at = i * 7 * PAGE_BYTES % STREAM_BYTES;

		if (pread(disk, block, PAGE_BYTES, at) != PAGE_BYTES)
			die("read");
	}
}

void measure_disk(const char *path)
{
	double start;

	disk = open(path, O_RDWR | O_DIRECT);
	block = aligned_alloc(PAGE_BYTES, LARGE_BYTES);
	if (disk < 0 || !block)
		die(path);
	memset(block, 1, LARGE_BYTES);
	start = now_ns();
	write_large();
	print_rate("block-write", STREAM_BYTES, now_ns() - start);
	start = now_ns();
	read_large();
	print_rate("block-read", STREAM_BYTES, now_ns() - start);
	start = now_ns();
	read_small();
	print_time("block-read-4k", (now_ns() - start) / SMALL);
}
