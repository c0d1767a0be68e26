/* SPDX-License-Identifier: MIT */
/* A guest's kernel and initrd: see build/image.h. */
#include "build/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build/bzimage.h"
#include "build/unpack.h"
#include "lib/file.h"

/* Open a regular file; *size becomes its bytes. */
static int open_regular(const char *what, const char *path, uint64_t *size, struct error *err)
{
	/* O_NONBLOCK: a FIFO must not make us wait before we have seen that it is one. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return error_set(err, ERROR_FILE, "%s %s: %s", what, path, error_text(-errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return error_set(err, ERROR_FILE, "%s %s: not a file", what, path);
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

/* If the file is a bzImage, put its ELF kernel in its place. */
static int unwrap(struct image *image, const char *path, struct error *err)
{
	uint8_t head[BZIMAGE_HEADER];
	size_t len = image->map_size < sizeof(head) ? image->map_size : sizeof(head);
	struct bzimage bzimage;
	const char *why;
	struct stat st;
	int rc, fd;

	rc = file_read_at(image->kernel_fd, head, len, 0);
	if (rc)
		return error_set(err, ERROR_FILE, "kernel %s: %s", path, error_text(rc));
	if (!bzimage_is(head, len))
		return 0;
	if (bzimage_parse(&bzimage, head, len, image->map_size, &why))
		return error_set(err, ERROR_KERNEL, "kernel %s: %s", path, why);
	fd = unpack_open(image->kernel_fd, path, &bzimage, err);
	if (fd < 0)
		return -1;
	close(image->kernel_fd);
	image->kernel_fd = fd;
	if (fstat(fd, &st))
		return error_set(err, ERROR_FILE, "kernel %s: %s", path, error_text(-errno));
	image->map_size = (uint64_t)st.st_size;
	return 0;
}

static int read_kernel(struct image *image, const char *path, struct error *err)
{
	const char *why = "";
	void *map;
	int rc;

	if (image->map_size == 0)
		return error_set(err, ERROR_KERNEL, "kernel %s: the file is empty", path);
	map = mmap(NULL, image->map_size, PROT_READ, MAP_PRIVATE, image->kernel_fd, 0);
	if (map == MAP_FAILED)
		return error_set(err, ERROR_NO_MEMORY, "kernel %s: %s", path, error_text(-errno));
	image->map = map;
	if (elf_parse(&image->elf, map, image->map_size, &why) ||
	    pv_kernel_parse(&image->kernel, &image->elf, &why))
		return error_set(err, ERROR_KERNEL, "kernel %s: %s", path, why);
	rc = data_map_open(&image->data, image->kernel_fd, image->map_size);
	if (rc == -ENOMEM)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	return rc ? error_set(err, ERROR_FILE, "kernel %s: %s", path, error_text(rc)) : 0;
}

int image_open(struct image *image, const char *kernel, const char *initrd, struct error *err)
{
	*image = (struct image){ .kernel_fd = -1, .initrd_fd = -1 };
	image->kernel_fd = open_regular("kernel", kernel, &image->map_size, err);
	if (image->kernel_fd < 0)
		return -1;
	if (unwrap(image, kernel, err) || read_kernel(image, kernel, err))
		goto fail;
	if (initrd) {
		image->initrd_fd = open_regular("initrd", initrd, &image->initrd_size, err);
		if (image->initrd_fd < 0)
			goto fail;
	}
	return 0;
fail:
	image_close(image);
	return -1;
}

static int read_through(int fd, uint64_t start, uint64_t end)
{
	static uint8_t chunk[1 << 16];
	int rc = 0;

	while (start < end && !rc) {
		size_t len = end - start < sizeof(chunk) ? end - start : sizeof(chunk);

		rc = file_read_at(fd, chunk, len, (off_t)start);
		start += len;
	}
	return rc;
}

int image_read(const struct image *image, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < image->data.count && !rc; i++)
		rc = read_through(image->kernel_fd, image->data.run[i].start,
				  image->data.run[i].end);
	if (!rc && image->initrd_fd >= 0)
		rc = read_through(image->initrd_fd, 0, image->initrd_size);
	return rc ? error_set(err, ERROR_FILE, "kernel or initrd: %s", error_text(rc)) : 0;
}

void image_close(struct image *image)
{
	data_map_free(&image->data);
	if (image->map)
		munmap(image->map, image->map_size);
	if (image->kernel_fd >= 0)
		close(image->kernel_fd);
	if (image->initrd_fd >= 0)
		close(image->initrd_fd);
	*image = (struct image){ .kernel_fd = -1, .initrd_fd = -1 };
}
