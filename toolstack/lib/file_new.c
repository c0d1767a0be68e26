/* SPDX-License-Identifier: MIT */
/* Large files that get their name when they are whole: see file.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/file.h"

#define RESERVE (32ull << 20)	/* bytes of memory that are left to the host */

/* The folder that path lies in. */
static int folder_of(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(folder, path, len);
	folder[len] = 0;
	if (!len)
		strcpy(folder, slash ? "/" : ".");
	return 0;
}

/* A name beside path that nobody has. 0 or -errno. */
static int temporary_name(const struct file_new *file, const char *path, char name[PATH_MAX])
{
	return snprintf(name, PATH_MAX, "%s.%d.%d.new", path, getpid(), file->fd) < PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

bool file_is_in_memory(const struct statfs *fs)
{
	return fs->f_type == RAMFS_MAGIC || fs->f_type == TMPFS_MAGIC;
}

uint64_t file_room(int fd)
{
	unsigned long long available;
	struct statfs fs;
	char line[128];
	uint64_t room = UINT64_MAX;
	FILE *file;

	if (fstatfs(fd, &fs) || !file_is_in_memory(&fs))
		return room;
	file = fopen("/proc/meminfo", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %llu kB", &available) == 1)
			room = available << 10 > RESERVE ? (available << 10) - RESERVE : 0;
	}
	if (file)
		fclose(file);
	return room;
}

int file_new_open(struct file_new *file, const char *path, mode_t mode)
{
	char folder[PATH_MAX];
	int rc = folder_of(path, folder);

	*file = (struct file_new)FILE_NEW_NONE;
	if (rc)
		return rc;
	file->fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	if (file->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	if (snprintf(file->name, sizeof(file->name), "%s.XXXXXX", path) >= (int)sizeof(file->name))
		return -ENAMETOOLONG;
	file->fd = mkostemp(file->name, O_CLOEXEC);
	if (file->fd >= 0 && !fchmod(file->fd, mode))
		return 0;
	rc = -errno;
	file_new_abandon(file);
	return rc;
}

/* Give it a name, for a moment only. */
static int name_it(struct file_new *file, const char *path)
{
	char self[64], name[PATH_MAX];
	int rc = temporary_name(file, path, name);

	if (rc)
		return rc;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
	unlink(name);	/* of a process that had this number and died here */
	if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW))
		return -errno;
	memcpy(file->name, name, strlen(name) + 1);
	return 0;
}

int file_new_commit(struct file_new *file, const char *path)
{
	char folder[PATH_MAX];
	int rc = folder_of(path, folder);

	if (!rc && fsync(file->fd))
		rc = -errno;
	if (!rc && !file->name[0])
		rc = name_it(file, path);
	if (!rc && rename(file->name, path))
		rc = -errno;
	if (rc)
		return rc;
	file->name[0] = 0;
	close(file->fd);
	file->fd = -1;
	file_sync_folder(folder);	/* it is there now, whatever comes */
	return 0;
}

void file_new_abandon(struct file_new *file)
{
	if (file->name[0])
		unlink(file->name);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct file_new)FILE_NEW_NONE;
}
