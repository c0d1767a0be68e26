/* SPDX-License-Identifier: MIT */
/*
 * What was worked out of kernel files once and is kept: cache_folder/<kind>/<size-time-hash of the
 * file>. An entry is there in full or not at all: it is written under another name and renamed. The
 * entries that were used longest ago go first. Losing the cache costs time, nothing else.
 */
#ifndef BUILD_CACHE_H
#define BUILD_CACHE_H

#include <limits.h>

/* "/var/cache/enso"; tests have their own. */
extern const char *cache_folder;

/* Where an entry for the file fd is kept. 0 or -errno; -ENODATA if the file is under 4 KiB. */
int cache_path(const char *kind, int fd, char path[PATH_MAX]);

/* Open an entry for reading, and note that it is in use. A descriptor or -errno. */
int cache_open(const char *path);

/*
 * Begin a new entry beside at most keep - 1 others: a descriptor and its name for now, or -errno.
 */
int cache_begin(const char *kind, unsigned keep, char temporary[PATH_MAX]);

/* Give it its name and close it; or, if rc is not 0, remove it. 0 or -errno (rc in that case). */
int cache_end(int fd, const char *temporary, const char *path, int rc);

#endif
