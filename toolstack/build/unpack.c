/* SPDX-License-Identifier: MIT */
/* The cache of unpacked kernels: see build/unpack.h. */
#include "build/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build/cache.h"
#include "build/unxz.h"
#include "lib/file.h"

#define KIND "kernels"
#define BLOCK 4096UL
#define CHUNK (64 * 1024UL)
#define UNPACKED_MAX (1UL << 30)	/* the largest Debian kernel is 70 MiB */

extern char **environ;

/*
 * xz is unpacked by a child of ours, which reads what is not trusted and can only write a pipe's
 * end.
 */
static int start_unxz(int input, const int fds[2], pid_t *pid)
{
	*pid = fork();
	if (*pid == 0) {
		close(fds[0]); /* so that it ends with its parent */
		_exit(unxz(input, fds[1]) ? 1 : 0);
	}
	return *pid < 0 ? -errno : 0;
}

/* Start the tool with input at the payload; *out is the pipe with what it unpacks. */
static int start_tool(const char *const *argv, int input, int *out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	if (!strcmp(argv[0], "xz")) {
		rc = start_unxz(input, fds, pid);
		goto out;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	rc = -posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
out:
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
 * Unpack into fd. What counts is that the promised number of bytes comes out: tools differ in what
 * they say to the four bytes behind the stream.
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
		return error_set(err, ERROR_FILE, "kernel %s: %s", path, error_text(rc));
	argv = bzimage_unpacker(magic);
	if (!argv)
		return error_set(
			err, ERROR_KERNEL,
			"kernel %s: compressed in an unknown way; known are xz, zstd, gzip, bzip2, "
			"lzma, lz4, lzo",
			path);
	if (promised > UNPACKED_MAX)
		return error_set(err, ERROR_KERNEL, "kernel %s: claims to unpack to %u MiB", path,
				 promised >> 20);
	if (lseek(in, (off_t)image->offset, SEEK_SET) < 0)
		return error_set(err, ERROR_FILE, "kernel %s: %s", path, error_text(-errno));
	rc = start_tool(argv, in, &pipe, &pid);
	if (rc)
		return error_set(err, ERROR_KERNEL,
				 "kernel %s: cannot be unpacked with %s: %s; install it", path,
				 argv[0], error_text(rc));
	size = drain(pipe, out, promised);
	close(pipe);
	kill(pid, SIGKILL);	/* it may still write, into a pipe that is gone */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (size < 0)
		return error_set(err, ERROR_FILE, "kernel %s: cannot be unpacked to %s: %s", path,
				 cache_folder, error_text((int)size));
	if (size != (ssize_t)promised)
		return error_set(err, ERROR_KERNEL,
				 "kernel %s: its payload is damaged, or %s cannot unpack it", path,
				 argv[0]);
	return 0;
}

int unpack_open(int in, const char *path, const struct bzimage *image, struct error *err)
{
	char name[PATH_MAX], temporary[PATH_MAX];
	int rc = cache_path(KIND, in, name), fd;

	if (rc)
		return error_set(err, ERROR_FILE, "kernel %s: %s", path, error_text(rc));
	fd = cache_open(name);
	if (fd >= 0)
		return fd;
	fd = cache_begin(KIND, UNPACK_KEEP, temporary);
	if (fd < 0)
		return error_set(err, ERROR_FILE, "%s: %s", temporary, error_text(fd));
	if (unpack(in, path, image, fd, err)) {
		cache_end(fd, temporary, name, -ECANCELED);
		return -1;
	}
	rc = cache_end(fd, temporary, name, 0);
	fd = rc ? rc : cache_open(name);
	return fd < 0 ? error_set(err, ERROR_FILE, "%s: %s", name, error_text(fd)) : fd;
}
