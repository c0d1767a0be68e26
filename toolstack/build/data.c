/* SPDX-License-Identifier: MIT */
/* Where a file is not zero: see build/data.h. A kept map is an array of runs behind a header. */
#include "build/data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build/cache.h"
#include "lib/file.h"

#define KIND "data"
#define KEEP 32U
#define BLOCK 4096UL
#define CHUNK (16 * BLOCK)
#define RUNS_MAX 65536UL

static const char magic[8] = "ensodat1";

struct header {
	char magic[8];
	uint64_t size;	/* of the file that is described */
	uint64_t count;
};

static int add_run(struct data_map *map, uint64_t start, uint64_t end)
{
	struct data_run *last = map->count ? &map->run[map->count - 1] : NULL;
	struct data_run *more;

	if (last && start - last->end < DATA_GAP) {
		last->end = end;
		return 0;
	}
	more = realloc(map->run, (map->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	map->run = more;
	map->run[map->count++] = (struct data_run){ start, end };
	return 0;
}

static int scan(struct data_map *map, int fd, uint64_t size)
{
	static const uint8_t zero[BLOCK];
	static uint8_t chunk[CHUNK];

	for (uint64_t at = 0; at < size; at += CHUNK) {
		size_t len = size - at < CHUNK ? size - at : CHUNK;
		int rc = file_read_at(fd, chunk, len, (off_t)at);

		for (size_t i = 0; i < len && !rc; i += BLOCK) {
			size_t n = len - i < BLOCK ? len - i : BLOCK;

			if (memcmp(chunk + i, zero, n))
				rc = add_run(map, at + i, at + i + n);
		}
		if (rc)
			return rc;
	}
	return 0;
}

/* Is it a map that scan() could have made? A damaged one would leave parts of a kernel out. */
static int check(const struct data_map *map, uint64_t size)
{
	uint64_t at = 0;

	for (size_t i = 0; i < map->count; i++) {
		if (map->run[i].start < at || map->run[i].end <= map->run[i].start ||
		    map->run[i].end > size)
			return -EINVAL;
		at = map->run[i].end;
	}
	return 0;
}

static int load(struct data_map *map, const char *path, uint64_t size)
{
	int fd = cache_open(path), rc;
	struct header header;
	struct stat st;

	if (fd < 0)
		return fd;
	rc = file_read_at(fd, &header, sizeof(header), 0);
	if (!rc && (memcmp(header.magic, magic, sizeof(magic)) || header.size != size ||
		    header.count > RUNS_MAX || fstat(fd, &st) ||
		    (uint64_t)st.st_size != sizeof(header) + header.count * sizeof(*map->run)))
		rc = -EINVAL;
	if (!rc) {
		map->count = header.count;
		map->run = calloc(header.count + 1, sizeof(*map->run));
		rc = map->run ? file_read_at(fd, map->run, header.count * sizeof(*map->run),
					     sizeof(header))
			      : -ENOMEM;
	}
	close(fd);
	return rc ? rc : check(map, size);
}

/* A map that cannot be kept is made again next time. */
static void keep(const struct data_map *map, const char *path, uint64_t size)
{
	struct header header = { .size = size, .count = map->count };
	char temporary[PATH_MAX];
	int fd = cache_begin(KIND, KEEP, temporary), rc;

	if (fd < 0)
		return;
	memcpy(header.magic, magic, sizeof(magic));
	rc = file_write_all(fd, &header, sizeof(header));
	if (!rc)
		rc = file_write_all(fd, map->run, map->count * sizeof(*map->run));
	cache_end(fd, temporary, path, rc);
}

int data_map_open(struct data_map *map, int fd, uint64_t size)
{
	char path[PATH_MAX];
	int named = cache_path(KIND, fd, path), rc = named;

	*map = (struct data_map){ 0 };
	if (!named)
		rc = load(map, path, size);
	if (!rc)
		return 0;
	data_map_free(map);
	rc = scan(map, fd, size);
	if (rc)
		data_map_free(map);
	else if (!named)
		keep(map, path, size);
	return rc;
}

void data_map_free(struct data_map *map)
{
	free(map->run);
	*map = (struct data_map){ 0 };
}
