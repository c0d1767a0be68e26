/* SPDX-License-Identifier: MIT */
/* A guest console's shared page: two byte rings, indices run freely and are masked on use. */
#ifndef ABI_IO_CONSOLE_H
#define ABI_IO_CONSOLE_H

#include <stdint.h>

typedef uint32_t XENCONS_RING_IDX;

#define MASK_XENCONS_IDX(idx, ring)	((idx) & (sizeof(ring) - 1))

struct xencons_interface {
	char in[1024];
	char out[2048];
	XENCONS_RING_IDX in_cons, in_prod;
	XENCONS_RING_IDX out_cons, out_prod;
};

#endif
