/* SPDX-License-Identifier: MIT */
/* Files that guests have as disks: see vm/diskfile.h. */
#include "vm/diskfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/host.h"
#include "lib/file.h"
#include "vm/allowed.h"
#include "vm/device.h"

/* The head of a qcow2 image (QEMU's docs/interop/qcow2): all numbers are big-endian. */
struct qcow2_head {
	char magic[4];
	uint32_t version;
	uint64_t backing_offset;
	uint32_t backing_size, cluster_bits;
	uint64_t size;
	uint8_t tables[40];
	uint64_t incompatible;	/* of version 3: what a reader has to understand */
};
#define QCOW2_BASE	    32	/* bytes of the head that an image at least has */
#define QCOW2_DATA_ELSEWHERE 4	/* of incompatible */

static void read_qcow2(int fd, const struct qcow2_head *head, struct diskfile *file)
{
	uint32_t len = __builtin_bswap32(head->backing_size);

	file->format = VM_DISK_QCOW2;
	file->size = __builtin_bswap64(head->size);
	if (!head->backing_offset || len >= sizeof(file->backing) ||
	    file_read_at(fd, file->backing, len, (off_t)__builtin_bswap64(head->backing_offset)))
		len = 0;
	file->backing[len] = 0;
}

/* What a short file does not have of the head is zero. */
static bool is_qcow2(int fd, struct qcow2_head *head)
{
	ssize_t n;

	memset(head, 0, sizeof(*head));
	n = pread(fd, head, sizeof(*head), 0);
	return n >= QCOW2_BASE && !memcmp(head->magic, "QFI\xfb", 4);
}

int diskfile_behind(const char *path, char name[DISKFILE_BACKING])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = -1;
	struct qcow2_head head;
	uint64_t offset, len;

	if (fd < 0)
		return -1;
	memset(name, 0, DISKFILE_BACKING);
	if (!is_qcow2(fd, &head)) {
		close(fd);
		return 0;
	}
	offset = __builtin_bswap64(head.backing_offset);
	len = __builtin_bswap32(head.backing_size);
	if (__builtin_bswap32(head.version) < 3 ||
	    !(__builtin_bswap64(head.incompatible) & QCOW2_DATA_ELSEWHERE)) {
		if (!offset)
			rc = 0;
		else if (len && len < DISKFILE_BACKING && offset <= INT64_MAX &&
			 !file_read_at(fd, name, len, (off_t)offset))
			rc = 1;
	}
	close(fd);
	return rc;
}

static int look(const char *path, struct diskfile *file, struct stat *st, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct qcow2_head head;
	off_t end;

	*file = (struct diskfile){ .format = VM_DISK_RAW };
	if (fd < 0 || fstat(fd, st)) {
		int rc = -errno;

		if (fd >= 0)
			close(fd);
		return error_file(path, rc, err);
	}
	end = lseek(fd, 0, SEEK_END);
	file->is_block = S_ISBLK(st->st_mode);
	file->size = end > 0 ? (uint64_t)end : 0;
	file->allocated = file->is_block ? file->size : (uint64_t)st->st_blocks * 512;
	if (is_qcow2(fd, &head))
		read_qcow2(fd, &head, file);
	close(fd);
	if (!S_ISREG(st->st_mode) && !file->is_block)
		return error_set(err, ERROR_FILE, "%s: is neither a file nor a block device", path);
	return 0;
}

int diskfile_look(struct vm *vm, const char *path, struct diskfile *file, struct error *err)
{
	struct host_file identity;
	struct stat st;

	if (look(path, file, &st, err))
		return -1;
	/* Where no guest can run, none has it. */
	if (!host_file_look(path, &identity) && !vm_need_store(vm, NULL))
		disk_user(vm, &identity, file->used_by, NULL);
	return 0;
}

static int run_qemu_img(const char *const argv[], const char *path, struct error *err)
{
	char output[400];
	int rc = host_run(argv, NULL, output, sizeof(output));

	if (!rc)
		return 0;
	return error_set(err, ERROR_FILE, "%s: %s%.*s", path,
			 rc < 0	    ? error_text(rc)
			 : *output ? ""
				   : "qemu-img failed",
			 (int)strcspn(output, "\n"), output);
}

/* size 0: that of backing. backing (or NULL) is absolute: others would be sought beside path. */
static int run_create(const char *path, uint64_t size, const char *backing, const char *format,
		      struct error *err)
{
	const char *argv[12] = { "qemu-img", "create", "-q", "-f", "qcow2" };
	unsigned n = 5;
	char bytes[24];

	if (backing) {
		argv[n++] = "-b";
		argv[n++] = backing;
		argv[n++] = "-F";
		argv[n++] = format;
	}
	argv[n++] = path;
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)size);
	if (size)
		argv[n++] = bytes;
	return run_qemu_img(argv, path, err);
}

static int create_qcow2(const char *path, uint64_t size, const char *backing, struct error *err)
{
	char *whole = backing ? realpath(backing, NULL) : NULL;
	struct diskfile below = { .format = VM_DISK_RAW };
	struct stat st;
	int rc = backing && !whole ? error_file(backing, -errno, err) : 0;

	if (!rc && backing)
		rc = look(whole, &below, &st, err) || allowed_chain(whole, err) ? -1 : 0;
	if (!rc)
		rc = run_create(path, size, whole,
				below.format == VM_DISK_QCOW2 ? "qcow2" : "raw", err);
	free(whole);
	if (rc)
		unlink(path);
	return rc;
}

int diskfile_create(const char *path, enum vm_disk_format format, uint64_t size,
		    const char *backing, struct error *err)
{
	int fd, rc = 0;

	/* So that of two who make it one finds that it exists, also for qemu-img. */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? error_set(err, ERROR_EXISTS, "%s: exists already", path)
				       : error_file(path, -errno, err);
	if (format == VM_DISK_RAW && ftruncate(fd, (off_t)size))
		rc = -errno;
	close(fd);
	if (rc)
		unlink(path);
	if (rc)
		return error_file(path, rc, err);
	return format == VM_DISK_RAW ? 0 : create_qcow2(path, size, backing, err);
}

/* The loop devices of guests that have the file see its new end; blkback tells them. */
static void tell_guests(struct vm *vm, const char *path)
{
	struct host_file identity;
	char device[64];

	if (!host_file_look(path, &identity) && disk_user(vm, &identity, NULL, device))
		host_loop_resized(device);
}

static int resize_qcow2(const char *path, uint64_t size, bool shrink, struct error *err)
{
	char bytes[24];
	const char *argv[9] = { "qemu-img", "resize", "-q", "-f", "qcow2" };
	unsigned n = 5;

	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)size);
	if (shrink)
		argv[n++] = "--shrink";
	argv[n++] = path;
	argv[n] = bytes;
	return run_qemu_img(argv, path, err);
}

int diskfile_resize(struct vm *vm, const char *path, uint64_t size, bool shrink,
		    struct error *err)
{
	struct diskfile file;

	if (diskfile_look(vm, path, &file, err))
		return -1;
	if (file.is_block)
		return error_set(err, ERROR_FILE, "%s: a block device has the size that it has",
				 path);
	if (*file.used_by && (size < file.size || file.format != VM_DISK_RAW))
		return error_set(err, ERROR_STATE,
				 "%s: guest %s has it; detach it or shut the guest down first",
				 path, file.used_by);
	if (size < file.size && !shrink)
		return error_set(err, ERROR_USAGE,
				 "%s: has %llu bytes; --shrink makes it smaller and loses what is "
				 "behind the end",
				 path, (unsigned long long)file.size);
	if (file.format != VM_DISK_RAW && allowed_chain(path, err))
		return -1;
	if (file.format != VM_DISK_RAW)
		return resize_qcow2(path, size, shrink, err);
	if (truncate(path, (off_t)size))
		return error_file(path, -errno, err);
	if (*file.used_by)
		tell_guests(vm, path);
	return 0;
}
