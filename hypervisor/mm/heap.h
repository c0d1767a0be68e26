/* SPDX-License-Identifier: MIT */
/* Memory for the hypervisor's own structures. */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include "lib/types.h"

/*
 * `size` bytes, zeroed; aligned to the power of two at or above size, up to a page. NULL if out of
 * memory (or size is 0).
 */
void *heap_alloc(size_t size);
/* NULL is nothing. */
void heap_free(void *p);

#endif
