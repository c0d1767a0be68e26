// SPDX-License-Identifier: MIT
/* Rows of mappings: of a file of 1 MiB that is in memory, and of memory without a file. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

static const char file_path[] = "/tmp/bench-file";
static int file;

void file_prepare(int arg)
{
	static char page[PAGE_BYTES] = { 1 };

	(void)arg;
	file = open(file_path, O_CREAT | O_RDWR | O_TRUNC, 0644);
	if (file < 0)
		die(file_path);
	for (int i = 0; i < FILE_BYTES; i += PAGE_BYTES)
		if (write(file, page, PAGE_BYTES) != PAGE_BYTES)
			die(file_path);
}

void file_finish(void)
{
	close(file);
	unlink(file_path);
}

static volatile char *map(int protection, int flags, int from)
{
	char *memory = mmap(NULL, FILE_BYTES, protection, flags, from, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static void unmap(volatile char *memory)
{
	if (munmap((void *)memory, FILE_BYTES))
		die("munmap");
}

/* Maps the file, reads a byte of every page, and unmaps it: Linux maps 16 pages with each fault. */
void file_read_run(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		volatile char *memory = map(PROT_READ, MAP_SHARED, file);

		for (int offset = 0; offset < FILE_BYTES; offset += PAGE_BYTES)
			bench_sink = memory[offset];
		unmap(memory);
	}
}

void file_write_run(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		volatile char *memory = map(PROT_READ | PROT_WRITE, MAP_SHARED, file);

		for (int offset = 0; offset < FILE_BYTES; offset += PAGE_BYTES)
			memory[offset] = 1;
		unmap(memory);
	}
}

/* n faults, each on one page of the file that is in memory; the mapping is made anew every 256. */
void file_fault_run(unsigned long n)
{
	while (n) {
		volatile char *memory = map(PROT_READ, MAP_SHARED, file);

		madvise((void *)memory, FILE_BYTES, MADV_RANDOM);
		for (int offset = 0; offset < FILE_BYTES && n; offset += PAGE_BYTES, n--)
			bench_sink = memory[offset];
		unmap(memory);
	}
}

/* 1 MiB of new memory, every page written, and given back. */
void anonymous_run(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		volatile char *memory =
			map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

		madvise((void *)memory, FILE_BYTES, MADV_NOHUGEPAGE);
		for (int offset = 0; offset < FILE_BYTES; offset += PAGE_BYTES)
			memory[offset] = 1;
		unmap(memory);
	}
}
