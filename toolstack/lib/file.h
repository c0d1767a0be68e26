/* SPDX-License-Identifier: MIT */
/*
 * Files as the toolstack keeps them: written whole or not at all. Results are 0 or more, or -errno.
 * No state.
 */
#ifndef LIB_FILE_H
#define LIB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Make the folder path and those above it, 0755; existing ones are fine. */
int file_make_dirs(const char *path);

/*
 * Replace path by len bytes of data: a temporary file beside it, fsync, rename. After any error
 * path is what it was and the temporary file is gone.
 */
int file_write(const char *path, const void *data, size_t len, mode_t mode);

/* After it, what was made, renamed and removed in the folder stays so when the power fails. */
int file_sync_folder(const char *path);

/*
 * A large file that gets its name when it is whole. Open it, write to fd, commit; abandon it in any
 * case, which does nothing after a commit. A process that dies leaves nothing behind, or, where the
 * file system knows no files without a name, the file called `name`.
 */
struct file_new {
	int fd;			/* -1: none */
	char name[4096];	/* "" while it has none */
};
#define FILE_NEW_NONE { .fd = -1 }
int file_new_open(struct file_new *file, const char *path, mode_t mode);
/* fsync, then path names it, in place of what path named. */
int file_new_commit(struct file_new *file, const char *path);
void file_new_abandon(struct file_new *file);

/* Do its files lie in the host's memory? */
struct statfs;
bool file_is_in_memory(const struct statfs *fs);

/*
 * How many bytes may be written to the file system that fd is on. One on a disk says itself when it
 * is full (UINT64_MAX); one in memory would end the host before, which needs some of that.
 */
uint64_t file_room(int fd);

/* Read len bytes at offset into buf: all of them, or -errno; -ENODATA if the file ends before. */
int file_read_at(int fd, void *buf, size_t len, off_t offset);

/* Write len bytes at the file's position: all of them, or -errno. */
int file_write_all(int fd, const void *data, size_t len);

/*
 * Create path if need be and lock it for this process (flock, exclusive). Returns a descriptor:
 * closing it, also by death, unlocks. With wait false: -EWOULDBLOCK if another holds it.
 */
int file_lock(const char *path, bool wait);

/*
 * Does a process hold the lock of the file, which is there? Who waits for one that is closed after
 * writing (inotify) does not hear of this look.
 */
bool file_is_locked(const char *path);

#endif
