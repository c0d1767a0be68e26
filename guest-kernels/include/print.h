/* SPDX-License-Identifier: MIT */
/* Text to the hypervisor's console and, in a domain that has one, to its console ring. */
#ifndef PRINT_H
#define PRINT_H

#include <stdarg.h>
#include <stddef.h>

/* Find the console ring; before that text goes to the hypervisor only. */
void console_init(void);
void console_write(const char *text, size_t n);
/* Take up to n bytes that were typed on the console ring (not dom0's); how many there were. */
size_t console_read(char *text, size_t n);
/* The console ring's event channel, 0 if there is none. */
unsigned int console_port(void);

/* %c %s %d %u %x %p, with l for 64 bits, a zero and a width: "%016lx". */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vprint(const char *format, va_list args);

#endif
