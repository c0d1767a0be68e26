/* SPDX-License-Identifier: MIT */
/*
 * A test kernel is a test_main() that makes named checks. Its last line is exactly one of
 * "Test result: PASS", "Test result: FAIL <n>" (n checks failed) and "Test result: SKIP <reason>".
 */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <stdint.h>

void test_main(void);

/* One check; its name is printed, with a mark if it fails. The result is `ok`. */
bool check(bool ok, const char *name, ...) __attribute__((format(printf, 2, 3)));
/* got == want, both printed if not. */
bool check_eq(int64_t got, int64_t want, const char *name, ...) __attribute__((format(printf, 3,
										      4)));
/* The last TRY() raised this vector with this error code (TRAP_NONE, 0: nothing). */
bool check_trap(unsigned int vector, uint32_t error, const char *name);
/* A result that must be an error, whichever. */
bool check_refused(int64_t got, const char *name);

void skip(const char *reason) __attribute__((noreturn));
/* The test can't go on: counts as a failure. */
void fail(const char *why) __attribute__((noreturn));

#endif
