/* SPDX-License-Identifier: MIT */
/*
 * The C library's allocator with a switch: makes the n-th allocation fail, to walk every clean-up
 * path of a function. A test that links failing_alloc.c gets malloc, calloc, realloc, reallocarray,
 * strdup, strndup, asprintf and vasprintf of everything linked with it through here (not those
 * inside shared libraries). One thread only.
 */
#ifndef TESTS_UNIT_SUPPORT_FAILING_ALLOC_H
#define TESTS_UNIT_SUPPORT_FAILING_ALLOC_H

#include <stdbool.h>

/* From now on the n-th allocation (1 is the next) fails once, and all others succeed; 0: none
 * fails. */
void failing_alloc_arm(unsigned int n);

/* Whether the armed failure has happened. The usual loop over all of them:
 *	for (n = 1, failing_alloc_arm(n); try(); n++, failing_alloc_arm(n))
 *		if (!failing_alloc_hit())
 *			break;
 */
bool failing_alloc_hit(void);

#endif
