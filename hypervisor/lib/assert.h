/* SPDX-License-Identifier: MIT */
/* Assertions: about our own mistakes, never about what a guest asked. */
#ifndef LIB_ASSERT_H
#define LIB_ASSERT_H

/*
 * Stop the machine: prints the message, registers, stack trace, the running domain and the last
 * log lines, then halts or reboots as the command line told. x86/panic.c on iron; tests/fake
 * aborts.
 */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define ASSERT(cond)                                                                     \
	do {                                                                             \
		if (__builtin_expect(!(cond), 0))                                        \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond); \
	} while (0)

#endif
