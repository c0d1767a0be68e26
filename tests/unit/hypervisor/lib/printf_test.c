/* SPDX-License-Identifier: MIT */
/*
 * Formatted text says what the C library's says, for all that it understands.
 *
 * Links: hypervisor/lib/printf.c
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/printf.h"

#define SAME(...) do {									\
	char ours[256], theirs[256];							\
	size_t n = format_text(ours, sizeof(ours), __VA_ARGS__);			\
	assert_int_equal(n, snprintf(theirs, sizeof(theirs), __VA_ARGS__));		\
	assert_string_equal(ours, theirs);						\
} while (0)

static void numbers(void **state)
{
	(void)state;
	SAME("%d %d %d %i", 0, INT_MAX, INT_MIN, -7);
	SAME("%u %lu %llu", 4000000000u, ULONG_MAX, ULLONG_MAX);
	SAME("%ld %lld", LONG_MIN, LLONG_MAX);
	SAME("%hhd %hhu %hd %hx", 200, 200, 40000, 0x12345);
	SAME("%zu %x %lX", (size_t)12345, 0xbeef, 0xdeadbeefcafeul);
}

static void widths(void **state)
{
	(void)state;
	SAME("[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
	SAME("[%16lx] [%016lx] [%-6x]|", 0xabcul, 0xabcul, 0xab);
	SAME("[%#x] [%#lx] [%#X]", 0x1f, 0xffff82d080200000ul, 0xab);
	SAME("[%3d] [%1d]", 12345, 12345);
}

static void text(void **state)
{
	const char *unended = "abcdef";

	(void)state;
	SAME("%s|%10s|%-10s|%c%c", "word", "right", "left", 'a', 'b');
	SAME("%.3s|%.*s|%.0s|%.10s", unended, 2, unended, unended, unended);
	SAME("100%% %s", "");
}

static void unknown_is_copied(void **state)
{
	const char *volatile nothing = NULL;
	char out[64];

	(void)state;
	format_text(out, sizeof(out), "%s", nothing);
	assert_string_equal(out, "(null)");
	format_text(out, sizeof(out), "%p", (void *)0x1234);
	assert_string_equal(out, "0000000000001234");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
	format_text(out, sizeof(out), "50%! and %");
	assert_string_equal(out, "50%! and %");
#pragma GCC diagnostic pop
}

static void small_buffers(void **state)
{
	char out[8] = "XXXXXXX";

	(void)state;
	assert_int_equal(format_text(out, 0, "%d", 12345), 5);
	assert_int_equal(out[0], 'X');
	assert_int_equal(format_text(out, 1, "%d", 12345), 5);
	assert_string_equal(out, "");
	assert_int_equal(format_text(out, 4, "%s", "abcdef"), 6);
	assert_string_equal(out, "abc");
	assert_int_equal(out[4], 'X');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(widths), cmocka_unit_test(text),
		cmocka_unit_test(unknown_is_copied), cmocka_unit_test(small_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
