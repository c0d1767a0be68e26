/* SPDX-License-Identifier: MIT */
/*
 * Golden files: what comes of an input stands beside it as NAME.out. Tests run from the top of the
 * repository; with GOLDEN_WRITE set, what comes out is written in place of being compared.
 */
#ifndef UNIT_SUPPORT_GOLDEN_H
#define UNIT_SUPPORT_GOLDEN_H

#include <stdbool.h>
#include <stdio.h>

/* Fails unless there are more than @more files that match @pattern and each gives its .out. */
void golden_check(const char *pattern, size_t more,
		  void (*put)(FILE *out, const char *name, const char *text, size_t len));

/* The whole of a file, and a NUL; to be freed. Fails the test if there is none. */
char *golden_read(const char *path, size_t *len);

/* A config_options.warn for @context, a FILE. */
void golden_warning(void *context, const char *text);

/*
 * Fails the test unless the RELAX NG schema accepts, of the files that match these patterns, which
 * end with NULL, what accepts() does, and refuses what it refuses, but for the names in @beyond,
 * each followed by a space: what only the code can see.
 */
void golden_schema(const char *schema, const char *const *patterns,
		   bool (*accepts)(const char *path), const char *beyond);

#endif
