/* SPDX-License-Identifier: MIT */
/*
 * The files a guest starts from, opened and checked: its kernel (ELF, or bzImage that is unpacked
 * through the cache) and its initrd. Nothing here needs a hypervisor. The kernel's headers are read
 * from a mapping of the file; contents are for the caller to read.
 */
#ifndef BUILD_IMAGE_H
#define BUILD_IMAGE_H

#include <stdint.h>

#include "build/data.h"
#include "lib/elf.h"
#include "lib/error.h"
#include "lib/pvimage.h"

struct image {
	int kernel_fd;
	void *map;			/* the kernel file, read-only */
	uint64_t map_size;
	struct elf_file elf;
	struct data_map data;		/* where the kernel file is not zero */
	struct pv_kernel kernel;
	int initrd_fd;			/* -1 if there is none */
	uint64_t initrd_size;
};

/*
 * Open both; initrd may be NULL. 0, or -1 and err (ERROR_FILE, ERROR_KERNEL, ERROR_NO_MEMORY) with
 * nothing open.
 */
int image_open(struct image *image, const char *kernel, const char *initrd, struct error *err);

/*
 * Read all that a guest will get of them, so that the next to do so waits for no disk. 0, or -1 and
 * err (ERROR_FILE).
 */
int image_read(const struct image *image, struct error *err);

void image_close(struct image *image);

#endif
