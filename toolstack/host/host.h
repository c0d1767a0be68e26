/* SPDX-License-Identifier: MIT */
/*
 * What the toolstack asks of the control domain's own kernel for guests' devices: files as disks,
 * network links and bridges, what the back ends have taken hold of. tests/fake/host.c stands in for
 * this folder. Results are 0 or more, or -errno. No state, no locks.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- disks: disk.c ------------------------------------------------------------------------- */

/* A block device that stands behind a guest's disk. */
struct host_block {
	int fd;			/* keeps it there until host_block_close() */
	unsigned major, minor;
	char path[64];		/* "/dev/loop0" */
};

enum {
	HOST_READONLY = 1,
	HOST_BUFFERED = 2,	/* through the page cache, not past it */
	HOST_SHARED = 4,	/* others may have it open for themselves */
};

/*
 * Make the file path a loop device. It goes by itself when nobody has it open any more: with fd
 * closed, it lives as long as a back end uses it. Past the page cache where the file system can.
 */
int host_loop_attach(const char *path, unsigned flags, struct host_block *block);

/* Open the block device path. -EBUSY if it is mounted or otherwise in use here, unless shared. */
int host_block_open(const char *path, unsigned flags, struct host_block *block);

void host_block_close(struct host_block *block);

/* The file behind the loop device has another size. */
int host_loop_resized(const char *device);

/* The numbers of a block device. */
int host_block_number(const char *path, unsigned *major, unsigned *minor);

/*
 * Make the image path, kept as format ("qcow2"), a block device by a process of its own, which
 * lives until host_image_end(). Others leave it alone until host_block_close(). why gets what the
 * program said when it failed (-EIO); -ENOPKG: there is no such program.
 */
int host_image_attach(const char *path, const char *format, unsigned flags,
		      struct host_block *block, char *why, size_t size);
/* Nobody uses the device any more: what was written reaches the image, and its process ends. */
void host_image_end(const char *device);
/* Call visit for each such device that nobody is just making. */
void host_image_each(void (*visit)(void *context, const char *device), void *context);

/*
 * Does a file still lie behind the loop device path ("/dev/loop0")? What it names is not looked at.
 */
bool host_loop_bound(const char *path);

/* Has Linux's back end opened the disk, or made the interface: kind is "vbd" or "vif". */
bool host_backend_ready(const char *kind, uint32_t domid, uint32_t id);

/* What a file is: its identity is its file system and its number there. */
struct host_file {
	uint64_t device, inode, size;
	bool is_block, is_file;
};
int host_file_look(const char *path, struct host_file *file);

/* --- links: link.c ------------------------------------------------------------------------- */

enum { HOST_LINK_NAME = 15 };	/* bytes in a link's name, IFNAMSIZ less its NUL */

bool host_link_exists(const char *name);
bool host_link_is_bridge(const char *name);
int host_link_rename(const char *from, const char *to);
int host_link_up(const char *name, bool up);
int host_bridge_make(const char *name);
int host_bridge_remove(const char *name);
/* Put a link on a bridge, or take it off. */
int host_bridge_add(const char *bridge, const char *link);
int host_bridge_drop(const char *bridge, const char *link);
/* The bridge that a link is on; -ENOENT: none. */
int host_bridge_of(const char *link, char *bridge, size_t size);
/* The number of links on a bridge. */
int host_bridge_ports(const char *bridge);

/* Set what is one word in /sys/class/net/LINK/FILE, or read it: text gets it without a newline. */
int host_link_set(const char *link, const char *file, const char *value);
int host_link_get(const char *link, const char *file, char *text, size_t size);

/* --- programs: process.c ------------------------------------------------------------------- */

/*
 * Run a program, found by PATH, until it ends. It reads input (may be NULL); what it writes goes to
 * output (may be NULL), cut to size bytes with the NUL. Its exit status, 128 and a signal's number,
 * or -errno.
 */
int host_run(const char *const argv[], const char *input, char *output, size_t size);

/* Is the process that a file names alive, and the program called name? */
bool host_process_lives(const char *pid_file, const char *name);
/* A descriptor that is readable once it has ended, or -errno; -ESRCH: it is not there. */
int host_process_watch(const char *pid_file, const char *name);
/* End it, wait until it is gone, for at most a few seconds, and remove the file. */
void host_process_end(const char *pid_file, const char *name);

/* Write a small value to a file of the kernel's: "/proc/sys/...". */
int host_write(const char *path, const char *value);

#endif
