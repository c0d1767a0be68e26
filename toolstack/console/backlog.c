/* SPDX-License-Identifier: MIT */
/* The last bytes that a guest wrote: see backlog.h. */
#include "console/backlog.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct backlog {
	char magic[8];
	uint8_t uuid[16];
	uint64_t end;
	char bytes[BACKLOG_SIZE];
};

static const char magic[8] = "ensocon1";

/* The file, with all its room taken now, because a full file system must not kill us later. */
static void *map_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	void *map = MAP_FAILED;

	if (fd < 0)
		return map;
	if (!posix_fallocate(fd, 0, sizeof(struct backlog)))
		map = mmap(NULL, sizeof(struct backlog), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		unlinkat(dir, name, 0);
	close(fd);
	return map;
}

struct backlog *backlog_open(int dir, const char *name, const uint8_t uuid[16])
{
	struct backlog *backlog = dir < 0 ? MAP_FAILED : map_file(dir, name);

	if (backlog == MAP_FAILED)
		backlog = mmap(NULL, sizeof(*backlog), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (backlog == MAP_FAILED)
		return NULL;
	if (memcmp(backlog->magic, magic, sizeof(magic)) || memcmp(backlog->uuid, uuid, 16)) {
		backlog->end = 0;
		memcpy(backlog->uuid, uuid, 16);
		memcpy(backlog->magic, magic, sizeof(magic));
	}
	return backlog;
}

void backlog_close(struct backlog *backlog)
{
	munmap(backlog, sizeof(*backlog));
}

void backlog_add(struct backlog *backlog, const char *bytes, size_t len)
{
	while (len) {
		size_t at = backlog->end % BACKLOG_SIZE, part = BACKLOG_SIZE - at;
		if (part > len)
			part = len;
		memcpy(backlog->bytes + at, bytes, part);
		backlog->end += part;
		bytes += part;
		len -= part;
	}
}

uint64_t backlog_end(const struct backlog *backlog)
{
	return backlog->end;
}

size_t backlog_read(const struct backlog *backlog, uint64_t *pos, const char **bytes)
{
	uint64_t end = backlog->end, oldest = end > BACKLOG_SIZE ? end - BACKLOG_SIZE : 0;

	if (*pos < oldest)
		*pos = oldest;
	if (*pos >= end)
		return 0;
	size_t at = *pos % BACKLOG_SIZE, len = BACKLOG_SIZE - at;
	*bytes = backlog->bytes + at;
	return len < end - *pos ? len : (size_t)(end - *pos);
}
