/* SPDX-License-Identifier: MIT */
/*
 * Unpacks the ELF kernel of a bzImage once and keeps it: a file in the cache folder, with holes
 * where the kernel is zero, named by size, time and contents of the bzImage. A kernel is there in
 * full or not at all. Two processes may unpack the same one at a time; the last to finish stays.
 * The tools that unpack (zstd, gzip, ...; xz is built in) are Debian's or Busybox's.
 */
#ifndef BUILD_UNPACK_H
#define BUILD_UNPACK_H

#include "build/bzimage.h"
#include "lib/error.h"

#define UNPACK_KEEP 4U	/* kernels in the cache; the one used longest ago goes first */

/*
 * The unpacked kernel of the bzImage that fd and path name, opened read-only. Returns a descriptor
 * or -1 with err set.
 */
int unpack_open(int fd, const char *path, const struct bzimage *image, struct error *err);

#endif
