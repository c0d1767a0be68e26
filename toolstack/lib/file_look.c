/* SPDX-License-Identifier: MIT */
/*
 * Looking at what a file holds where the kernel has it: see file.h. A page that is not there (any
 * more) is a signal, SIGBUS; while we look, that ends the look. One thread.
 */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#define WINDOW (4UL << 20)	/* bytes that are mapped at a time */

static sigjmp_buf away;

static void on_sigbus(int number)
{
	(void)number;
	siglongjmp(away, 1);
}

static int show(const void *data, size_t len, file_see_fn *see, void *context)
{
	struct sigaction action = { .sa_handler = on_sigbus }, before;
	int rc = 0;

	sigaction(SIGBUS, &action, &before);
	if (sigsetjmp(away, true))
		rc = -EIO;
	else
		see(context, data, len);
	sigaction(SIGBUS, &before, NULL);
	return rc;
}

int file_look(int fd, off_t offset, size_t len, file_see_fn *see, void *context)
{
	const size_t skip = (size_t)offset % (size_t)sysconf(_SC_PAGESIZE);
	int rc = 0;

	offset -= (off_t)skip;
	len += skip;
	for (size_t at = 0; at < len && !rc; at += WINDOW) {
		size_t n = len - at < WINDOW ? len - at : WINDOW, first = at ? 0 : skip;
		char *va = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, offset + (off_t)at);

		if (va == MAP_FAILED)
			return -errno;
		posix_fadvise(fd, offset + (off_t)(at + n), WINDOW, POSIX_FADV_WILLNEED);
		rc = show(va + first, n - first, see, context);
		munmap(va, n);
	}
	return rc;
}
