/* SPDX-License-Identifier: MIT */
/* Copying much. Pure. */
#ifndef LIB_COPY_H
#define LIB_COPY_H

#include <stddef.h>

/*
 * memcpy() between places that are aligned to 8 bytes. For much that is "rep movs", which an
 * emulator does byte by byte.
 */
void copy_bytes(void *to, const void *from, size_t len);

#endif
