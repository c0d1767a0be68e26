/* SPDX-License-Identifier: MIT */
/* The cache of unpacked kernels: see build/unpack.h. */
#include "build/unpack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"

#define BLOCK 4096UL
#define CHUNK (64 * 1024UL)
#define UNPACKED_MAX (1UL << 30)	/* the largest Debian kernel is 70 MiB */

extern char **environ;

/* FNV-1a, 64 bits: tells files apart, protects against nothing. */
static uint64_t hash(uint64_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ data[i]) * 0x100000001b3UL;
	return sum;
}

/* The name under which the file's kernel is kept. Its last bytes hold the CRC that Linux's build made of all of it. */
static int cache_name(int fd, char name[PATH_MAX])
{
	uint8_t ends[2 * BLOCK];
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
	snprintf(name, PATH_MAX, "%s/%llx-%llx-%llx", UNPACK_CACHE, (unsigned long long)st.st_size,
		 (unsigned long long)st.st_mtim.tv_sec * 1000000000ULL + (unsigned long long)st.st_mtim.tv_nsec,
		 (unsigned long long)hash(0xcbf29ce484222325UL, ends, sizeof(ends)));
	return 0;
}

/* Start the tool with input at the payload; *out is the pipe with what it unpacks. */
static int start_tool(const char *const *argv, int input, int *out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	rc = -posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (rc)
		close(fds[0]);
	else
		*out = fds[0];
	return rc;
}

/* Write len bytes at offset, but leave holes for blocks of zeros. */
static int write_sparse(int fd, const uint8_t *data, size_t len, off_t offset)
{
	static const uint8_t zero[BLOCK];

	while (len) {
		size_t n = len < BLOCK ? len : BLOCK;
		ssize_t done = memcmp(data, zero, n) ? pwrite(fd, data, n, offset) : (ssize_t)n;

		if (done < 0)
			return -errno;
		data += done;
		offset += done;
		len -= (size_t)done;
	}
	return 0;
}

/* Copy the pipe to the file, to its end or to limit bytes. The number of bytes, or -errno. */
static ssize_t drain(int pipe, int fd, size_t limit)
{
	static uint8_t chunk[CHUNK];
	size_t total = 0, fill = 0;
	int rc = 0;

	while (!rc && total + fill <= limit) {
		ssize_t n = read(pipe, chunk + fill, sizeof(chunk) - fill);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		fill += (size_t)n;
		if (n && fill < sizeof(chunk))
			continue;
		rc = write_sparse(fd, chunk, fill, (off_t)total);
		total += fill;
		fill = 0;
		if (!n)
			break;
	}
	if (!rc && ftruncate(fd, (off_t)total))
		rc = -errno;
	return rc ? rc : (ssize_t)total;
}

/*
 * Unpack into fd. What counts is that the promised number of bytes comes out: tools differ in what they say to the four
 * bytes behind the stream.
 */
static int unpack(int in, const char *path, const struct bzimage *image, int out, struct error *err)
{
	uint32_t promised;
	const char *const *argv;
	uint8_t magic[6];
	int pipe = -1, rc;
	ssize_t size;
	pid_t pid;

	rc = file_read_at(in, magic, sizeof(magic), (off_t)image->offset);
	if (!rc)
		rc = file_read_at(in, &promised, 4, (off_t)(image->offset + image->length - 4));
	if (rc)
		return error_set(err, ERROR_FILE, "%s: %s", path, error_text(rc));
	argv = bzimage_unpacker(magic);
	if (!argv)
		return error_set(err, ERROR_KERNEL, "%s: compressed in an unknown way; known are xz, zstd, gzip, bzip2, "
				 "lzma, lz4, lzo", path);
	if (promised > UNPACKED_MAX)
		return error_set(err, ERROR_KERNEL, "%s: claims to unpack to %u MiB", path, promised >> 20);
	if (lseek(in, (off_t)image->offset, SEEK_SET) < 0)
		return error_set(err, ERROR_FILE, "%s: %s", path, error_text(-errno));
	rc = start_tool(argv, in, &pipe, &pid);
	if (rc)
		return error_set(err, ERROR_KERNEL, "%s: cannot be unpacked with %s: %s; install it", path, argv[0],
				 error_text(rc));
	size = drain(pipe, out, promised);
	close(pipe);
	kill(pid, SIGKILL);	/* it may still write, into a pipe that is gone */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (size < 0)
		return error_set(err, ERROR_FILE, "%s: cannot unpack the kernel to %s: %s", path, UNPACK_CACHE,
				 error_text((int)size));
	if (size != (ssize_t)promised)
		return error_set(err, ERROR_KERNEL, "%s: its payload is damaged, or %s cannot unpack it", path, argv[0]);
	return 0;
}

/* Remove the kernels used longest ago until fewer than UNPACK_KEEP are left; failures leave more than wanted. */
static void make_room(void)
{
	for (;;) {
		DIR *dir = opendir(UNPACK_CACHE);
		char oldest[NAME_MAX + 1] = "";
		struct timespec when = { 0 };
		struct dirent *entry;
		unsigned count = 0;

		if (!dir)
			return;
		while ((entry = readdir(dir))) {
			struct stat st;

			if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &st, 0))
				continue;
			if (!count++ || st.st_atim.tv_sec < when.tv_sec) {
				when = st.st_atim;
				snprintf(oldest, sizeof(oldest), "%s", entry->d_name);
			}
		}
		if (count >= UNPACK_KEEP && unlinkat(dirfd(dir), oldest, 0))
			count = 0;
		closedir(dir);
		if (count < UNPACK_KEEP)
			return;
	}
}

/* Unpack into a temporary file, and give it its name when it is whole. */
static int fill_cache(int in, const char *path, const struct bzimage *image, const char *name, struct error *err)
{
	char temporary[] = UNPACK_CACHE "/.new-XXXXXX";
	int rc, fd;

	rc = file_make_dirs(UNPACK_CACHE);
	if (rc)
		return error_set(err, ERROR_FILE, "%s: %s", UNPACK_CACHE, error_text(rc));
	make_room();
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_set(err, ERROR_FILE, "%s: %s", temporary, error_text(-errno));
	rc = unpack(in, path, image, fd, err);
	if (!rc && (fsync(fd) || rename(temporary, name)))
		rc = error_set(err, ERROR_FILE, "%s: %s", name, error_text(-errno));
	if (rc) {
		unlink(temporary);
		close(fd);
		return -1;
	}
	return fd;
}

int unpack_open(int fd, const char *path, const struct bzimage *image, struct error *err)
{
	char name[PATH_MAX];
	int rc = cache_name(fd, name), kept;

	if (rc)
		return error_set(err, ERROR_FILE, "%s: %s", path, error_text(rc));
	kept = open(name, O_RDONLY | O_CLOEXEC);
	if (kept < 0)
		return fill_cache(fd, path, image, name, err);
	futimens(kept, (const struct timespec[]){ { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } });
	return kept;
}
