/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's memory with a switch: makes the n-th allocation fail, of the heap (heap_alloc())
 * or of frames (buddy_alloc()), to walk every clean-up path. A test that links failing_heap.c gets
 * every call of these that crosses a file through here. One thread only.
 */
#ifndef TESTS_UNIT_SUPPORT_FAILING_HEAP_H
#define TESTS_UNIT_SUPPORT_FAILING_HEAP_H

#include <stdbool.h>

/* From now on the n-th allocation (1 is the next) fails once, and all others succeed; 0: none
 * fails. */
void failing_heap_arm(unsigned int n);

/* Whether the armed failure has happened. */
bool failing_heap_hit(void);

/* How many blocks of the heap are in use. */
unsigned int failing_heap_blocks(void);

#endif
