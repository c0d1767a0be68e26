/* SPDX-License-Identifier: MIT */
/*
 * Disk images that are not plain: one qemu-nbd for each makes it a network block device of this
 * host (/dev/nbdN). It goes on when the toolstack is killed; who it belongs to is found by its
 * process id in HOST_IMAGE_DIR/nbdN.pid. Whoever starts it holds nbdN.lock meanwhile. See host.h.
 *
 * nbdN.used stays until host_image_end(), also when the process dies: a back end may have the
 * device open still, and must not find another's image behind it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "host/host.h"
#include "lib/file.h"

#define HOST_IMAGE_DIR "/run/enso/disks"
#define SERVER "qemu-nbd"
#define DEVICES_MAX 32
#define DEVICES_TEXT "nbds_max=32"
#define IDLE_LOOKS 500	/* of 10 ms */

static void run_path(unsigned number, const char *suffix, char path[64])
{
	snprintf(path, 64, HOST_IMAGE_DIR "/nbd%u%s", number, suffix);
}

/* The number in "/dev/nbd7", or -1. */
static int number_of(const char *device)
{
	unsigned number;
	char rest;

	return sscanf(device, "/dev/nbd%u%c", &number, &rest) == 1 && number < DEVICES_MAX
		       ? (int)number
		       : -1;
}

static bool in_use(unsigned number)
{
	char path[64], used[64];

	run_path(number, ".used", used);
	snprintf(path, sizeof(path), "/sys/block/nbd%u/pid", number);
	return !access(used, F_OK) || !access(path, F_OK);
}

/* Linux has these devices once its module is there; that they are many costs some memory. */
static int need_module(void)
{
	static const char *const argv[] = { "modprobe", "nbd", DEVICES_TEXT, NULL };

	if (!access("/sys/block/nbd0", F_OK))
		return 0;
	return host_run(argv, NULL, NULL, 0) ? -ENODEV : 0;
}

/* A device that nobody has or is about to have: its number, and the lock in *lock. */
static int claim(int *lock)
{
	for (unsigned number = 0; number < DEVICES_MAX; number++) {
		char path[64];

		run_path(number, ".lock", path);
		*lock = file_lock(path, false);
		if (*lock >= 0 && !in_use(number))
			return (int)number;
		if (*lock >= 0)
			close(*lock);
	}
	*lock = -1;
	return -EBUSY;
}

/* Not every file system can be written past the page cache. */
static const char *cache_mode(const char *path, unsigned flags)
{
	int fd = flags & HOST_BUFFERED ? -1 : open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? "--cache=none" : "--cache=writeback";
}

static int start(unsigned number, const char *path, const char *format, unsigned flags,
		 char *why, size_t size)
{
	char connect[40], pid[80], pid_path[64], socket[80], socket_path[64], kept[32];
	const char *argv[] = { SERVER, connect, "--fork", pid, socket, kept,
			       cache_mode(path, flags), "--discard=unmap",
			       flags & HOST_READONLY ? "--read-only" : "--",
			       flags & HOST_READONLY ? "--" : path,
			       flags & HOST_READONLY ? path : NULL, NULL };

	run_path(number, ".pid", pid_path);
	snprintf(connect, sizeof(connect), "--connect=/dev/nbd%u", number);
	snprintf(pid, sizeof(pid), "--pid-file=%s", pid_path);
	run_path(number, ".socket", socket_path);
	snprintf(socket, sizeof(socket), "--socket=%s", socket_path);
	snprintf(kept, sizeof(kept), "--format=%s", format);
	return host_run(argv, NULL, why, size);
}

int host_image_attach(const char *path, const char *format, unsigned flags,
		      struct host_block *block, char *why, size_t size)
{
	int rc = need_module(), number, lock = -1;
	char used[64];

	why[0] = 0;
	if (!rc)
		rc = file_make_dirs(HOST_IMAGE_DIR);
	number = rc ? rc : claim(&lock);
	if (number < 0)
		return number;
	run_path((unsigned)number, ".used", used);
	rc = file_write(used, path, strlen(path), 0644);
	if (!rc)
		rc = start((unsigned)number, path, format, flags, why, size);
	if (rc) {
		unlink(used);
		close(lock);
		return rc < 0 ? rc : rc == 127 ? -ENOPKG : -EIO;
	}
	*block = (struct host_block){ .fd = lock, .minor = (unsigned)number };
	snprintf(block->path, sizeof(block->path), "/dev/nbd%d", number);
	return host_block_number(block->path, &block->major, &block->minor);
}

static bool idle(unsigned number)
{
	char path[64];
	unsigned reads = 0, writes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/block/nbd%u/inflight", number);
	file = fopen(path, "re");
	if (file && fscanf(file, "%u %u", &reads, &writes) != 2)
		reads = 0;
	if (file)
		fclose(file);
	return !reads && !writes;
}

void host_image_end(const char *device)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	int number = number_of(device);
	char path[64];

	if (number < 0)
		return;
	for (int i = 0; i < IDLE_LOOKS && !idle((unsigned)number); i++)
		nanosleep(&moment, NULL);
	run_path((unsigned)number, ".pid", path);
	host_process_end(path, SERVER);
	run_path((unsigned)number, ".socket", path);
	unlink(path);
	run_path((unsigned)number, ".used", path);
	unlink(path);
}

void host_image_each(void (*visit)(void *context, const char *device), void *context)
{
	for (unsigned number = 0; number < DEVICES_MAX; number++) {
		char path[64], device[32];
		int lock;

		run_path(number, ".used", path);
		if (access(path, F_OK))
			continue;
		run_path(number, ".lock", path);
		lock = file_lock(path, false);
		if (lock < 0)
			continue;
		snprintf(device, sizeof(device), "/dev/nbd%u", number);
		visit(context, device);
		close(lock);
	}
}
