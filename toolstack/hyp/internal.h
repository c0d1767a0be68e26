/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share: the open devices and the buffer through which hypercall
 * arguments go.
 */
#ifndef HYP_INTERNAL_H
#define HYP_INTERNAL_H

#include "hyp/hyp.h"

struct hyp {
	int privcmd;		/* /dev/xen/privcmd */
	int hypercall;		/* /dev/xen/hypercall, or -1 where Linux is older than 4.18 */
	uint8_t *buffer;	/* memory that the kernel neither moves nor swaps */
	size_t size, used;
	bool short_lived;
	uint64_t left_mapped;	/* pages that the end of the process unmaps */
};

/*
 * Memory for the arguments of one hypercall, zeroed, 64-byte aligned; valid until hyp_call() with
 * release, or the next hyp_reserve(). hyp_reserve() makes sure of room for size bytes in all and
 * drops what was there. 0 or -ENOMEM.
 */
int hyp_reserve(struct hyp *hyp, size_t size);
void *hyp_take(struct hyp *hyp, size_t size);

/* Issue a hypercall. Its result, or -errno. */
long hyp_call(struct hyp *hyp, unsigned op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);

/* memory_op with one structure of size bytes, copied in and out. */
long hyp_memory_op(struct hyp *hyp, unsigned cmd, void *arg, size_t size);

#endif
