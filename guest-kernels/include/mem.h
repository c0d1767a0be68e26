/* SPDX-License-Identifier: MIT */
/* The C library's memory and string functions that compilers and kernels want. */
#ifndef MEM_H
#define MEM_H

#include <stddef.h>

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

#endif
