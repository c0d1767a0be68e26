/* SPDX-License-Identifier: MIT */
/* Kept results: see build/cache.h. */
#include "build/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

#define BLOCK 4096UL

const char *cache_folder = "/var/cache/enso";

/* FNV-1a, 64 bits: tells files apart, protects against nothing. */
static uint64_t hash(const uint8_t *data, size_t len)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ data[i]) * 0x100000001b3;
	return sum;
}

/*
 * The first and last block take part: a bzImage ends with the CRC that its build made of all of it.
 */
int cache_path(const char *kind, int fd, char path[PATH_MAX])
{
	uint8_t ends[2 * BLOCK];
	unsigned long long time;
	struct stat st;
	int rc;

	if (fstat(fd, &st))
		return -errno;
	if ((size_t)st.st_size < BLOCK)
		return -ENODATA;
	rc = file_read_at(fd, ends, BLOCK, 0);
	if (!rc)
		rc = file_read_at(fd, ends + BLOCK, BLOCK, st.st_size - (off_t)BLOCK);
	if (rc)
		return rc;
	time = (unsigned long long)st.st_mtim.tv_sec * 1000000000 +
	       (unsigned long long)st.st_mtim.tv_nsec;
	snprintf(path, PATH_MAX, "%s/%s/%llx-%llx-%llx", cache_folder, kind,
		 (unsigned long long)st.st_size, time,
		 (unsigned long long)hash(ends, sizeof(ends)));
	return 0;
}

int cache_open(const char *path)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	futimens(fd, times);
	return fd;
}

/* The number of entries, and the name of the one used longest ago. */
static unsigned find_oldest(DIR *dir, char oldest[NAME_MAX + 1])
{
	struct timespec when = { 0 };
	struct dirent *entry;
	unsigned count = 0;

	while ((entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &st, 0))
			continue;
		if (!count++ || st.st_atim.tv_sec < when.tv_sec) {
			when = st.st_atim;
			snprintf(oldest, NAME_MAX + 1, "%s", entry->d_name);
		}
	}
	return count;
}

/* Failures leave more than wanted. */
static void make_room(const char *folder, unsigned keep)
{
	char oldest[NAME_MAX + 1] = "";
	DIR *dir = opendir(folder);

	while (dir && find_oldest(dir, oldest) >= keep && !unlinkat(dirfd(dir), oldest, 0))
		rewinddir(dir);
	if (dir)
		closedir(dir);
}

int cache_begin(const char *kind, unsigned keep, char temporary[PATH_MAX])
{
	int rc, fd;

	snprintf(temporary, PATH_MAX, "%s/%s", cache_folder, kind);
	rc = file_make_dirs(temporary);
	if (rc)
		return rc;
	make_room(temporary, keep);
	snprintf(temporary, PATH_MAX, "%s/%s/.new-XXXXXX", cache_folder, kind);
	fd = mkostemp(temporary, O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cache_end(int fd, const char *temporary, const char *path, int rc)
{
	if (!rc && fsync(fd))
		rc = -errno;
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc && rename(temporary, path))
		rc = -errno;
	if (rc)
		unlink(temporary);
	return rc;
}
