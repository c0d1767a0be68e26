/* SPDX-License-Identifier: MIT */
/*
 * Where in a Linux bzImage its ELF kernel is: a pure reading of the boot protocol's header (Linux,
 * Documentation/x86/boot.rst), which is not trusted. It unpacks nothing.
 */
#ifndef BUILD_BZIMAGE_H
#define BUILD_BZIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of the file that bzimage_parse() needs: the header, and the magic number of the payload
 * lies elsewhere.
 */
#define BZIMAGE_HEADER 0x268

struct bzimage {
	uint64_t offset;	/* of the compressed ELF in the file */
	uint64_t length;	/* its bytes, the last four of which are the unpacked size */
};

/* Is this the beginning of a bzImage? len bytes at head. */
bool bzimage_is(const uint8_t *head, size_t len);

/*
 * Find the payload of a file of file_size bytes that begins with head. 0, or -1 and *why, a
 * sentence fragment.
 */
int bzimage_parse(struct bzimage *image, const uint8_t *head, size_t len, uint64_t file_size,
		  const char **why);

/*
 * The command that unpacks a payload that begins with these bytes, to standard output: a
 * NULL-terminated argv of constants; NULL if the compression is unknown.
 */
const char *const *bzimage_unpacker(const uint8_t magic[6]);

#endif
