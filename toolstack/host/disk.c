/* SPDX-License-Identifier: MIT */
/* Files and block devices behind guests' disks: see host.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/host.h"

#define ATTEMPTS 50	/* others may take the free device first */

int host_block_number(const char *path, unsigned *major_number, unsigned *minor_number)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	*major_number = major(st.st_rdev);
	*minor_number = minor(st.st_rdev);
	return 0;
}

static int fill_block(int fd, const char *path, struct host_block *block)
{
	block->fd = fd;
	snprintf(block->path, sizeof(block->path), "%s", path);
	return host_block_number(path, &block->major, &block->minor);
}

/* Open a loop device that is free now: its descriptor, and its path. */
static int open_free_loop(unsigned flags, char path[static 64])
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), number, fd;

	if (control < 0)
		return -errno;
	number = ioctl(control, LOOP_CTL_GET_FREE);
	if (number < 0) {
		number = -errno;
		close(control);
		return number;
	}
	close(control);
	snprintf(path, 64, "/dev/loop%d", number);
	fd = open(path, (flags & HOST_READONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int host_loop_attach(const char *path, unsigned flags, struct host_block *block)
{
	bool readonly = flags & HOST_READONLY;
	struct loop_config config = {
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | (readonly ? LO_FLAGS_READ_ONLY : 0) |
				 (flags & HOST_BUFFERED ? 0 : LO_FLAGS_DIRECT_IO),
	};
	int file = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC), loop = -EBUSY;
	char name[64];

	if (file < 0)
		return -errno;
	config.fd = (unsigned)file;
	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s", path);
	for (int i = 0; i < ATTEMPTS && loop == -EBUSY; i++) {
		loop = open_free_loop(flags, name);
		if (loop >= 0 && ioctl(loop, LOOP_CONFIGURE, &config)) {
			int rc = -errno;

			close(loop);
			loop = rc;
		}
	}
	close(file);
	return loop < 0 ? loop : fill_block(loop, name, block);
}

int host_block_open(const char *path, unsigned flags, struct host_block *block)
{
	int mode = (flags & HOST_READONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	int fd = open(path, mode | (flags & HOST_SHARED ? 0 : O_EXCL)), rc;

	if (fd < 0)
		return -errno;
	rc = fill_block(fd, path, block);
	if (rc)
		close(fd);
	return rc;
}

void host_block_close(struct host_block *block)
{
	if (block->fd >= 0)
		close(block->fd);
	block->fd = -1;
}

bool host_loop_bound(const char *path)
{
	char sys[128];

	if (strncmp(path, "/dev/loop", 9))
		return false;
	snprintf(sys, sizeof(sys), "/sys/block/%.60s/loop/backing_file", path + 5);
	return !access(sys, F_OK);
}

bool host_backend_ready(const char *kind, uint32_t domid, uint32_t id)
{
	char path[128];

	if (!strcmp(kind, "vif"))
		snprintf(path, sizeof(path), "/sys/class/net/vif%u.%u", domid, id);
	else
		snprintf(path, sizeof(path),
			 "/sys/bus/xen-backend/devices/%s-%u-%u/physical_device", kind, domid, id);
	return !access(path, F_OK);
}

int host_file_look(const char *path, struct host_file *file)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	*file = (struct host_file){
		.device = S_ISBLK(st.st_mode) ? 0 : st.st_dev,
		.inode = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_ino,
		.size = (uint64_t)st.st_size,
		.is_block = S_ISBLK(st.st_mode),
		.is_file = S_ISREG(st.st_mode),
	};
	return 0;
}

int host_loop_resized(const char *device)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, LOOP_SET_CAPACITY))
		rc = -errno;
	close(fd);
	return rc;
}
