// SPDX-License-Identifier: MIT
/* What the ill-behaved Linux guests of the isolation benchmark do, without an end. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { BOMBERS = 50, BLOCK_BYTES = 64 * 1024, DISK_BYTES = 16 << 20 };

/* A bomb whose fragments end again, so that it goes on for as long as the guest does. */
static void __attribute__((noreturn)) fork_without_end(void)
{
	for (int i = 0; i < BOMBERS; i++)
		if (fork() == 0)
			break;
	for (;;) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		if (child > 0)
			waitpid(child, NULL, 0);
	}
}

static void __attribute__((noreturn)) use_disk_without_end(void)
{
	int disk = open("/dev/xvda", O_RDWR | O_DIRECT);
	char *block = aligned_alloc(PAGE_BYTES, BLOCK_BYTES);

	if (disk < 0 || !block)
		die("/dev/xvda");
	memset(block, 1, BLOCK_BYTES);
	for (off_t at = 0;; at = (at + BLOCK_BYTES) % DISK_BYTES)
		if (pwrite(disk, block, BLOCK_BYTES, at) < 0 ||
		    pread(disk, block, BLOCK_BYTES, at) < 0)
			die("/dev/xvda");
}

void hog(const char *what)
{
	if (!strcmp(what, "fork"))
		fork_without_end();
	if (!strcmp(what, "disk"))
		use_disk_without_end();
	die(what);
}
