/* SPDX-License-Identifier: MIT */
/*
 * The words of the protocol: strings and numbers out of payloads, error names, paths and
 * permission lists.
 *
 * Links: toolstack/store/wire.c toolstack/store/path.c toolstack/store/perms.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/path.h"
#include "store/perms.h"
#include "store/wire.h"

static void takes_strings(void **state)
{
	struct wire_reader reader = { "a\0\0bc", 5 };

	(void)state;
	assert_string_equal(wire_string(&reader), "a");
	assert_string_equal(wire_string(&reader), "");
	assert_null(wire_string(&reader)); /* without its NUL it is none */
	assert_int_equal(reader.left, 2);
	reader = (struct wire_reader){ NULL, 0 };
	assert_null(wire_string(&reader));
}

static void takes_numbers(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616"
	};
	uint64_t value = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(wire_number(bad[i], UINT64_MAX, &value), -EINVAL);
	assert_int_equal(wire_number("11", 10, &value), -EINVAL);
	assert_int_equal(wire_number("100", 10, &value), -EINVAL);
	assert_int_equal(wire_number("9", 5, &value), -EINVAL);
	assert_int_equal(value, 77);
	assert_int_equal(wire_number("10", 10, &value), 0);
	assert_int_equal(value, 10);
	assert_int_equal(wire_number("18446744073709551615", UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
}

static void names_errors(void **state)
{
	(void)state;
	assert_string_equal(wire_error_name(ENOENT), "ENOENT");
	assert_string_equal(wire_error_name(EPROTO), "EINVAL"); /* one that has no name there */
	assert_int_equal(wire_error_number("EAGAIN", 7), -EAGAIN);
	assert_int_equal(wire_error_number("EAGAIN", 6), -EPROTO);
	assert_int_equal(wire_error_number("EWHAT", 6), -EPROTO);
	assert_int_equal(wire_error_number("", 0), -EPROTO);
}

static void fills_payloads(void **state)
{
	static struct wire_message message;
	static char bytes[XENSTORE_PAYLOAD_MAX];

	(void)state;
	assert_int_equal(wire_add(&message, bytes, sizeof(bytes) - 2), 0);
	assert_int_equal(wire_add_string(&message, "xx"), -E2BIG);
	assert_int_equal(message.header.len, sizeof(bytes) - 2);
	assert_int_equal(wire_add_string(&message, "x"), 0);
	assert_int_equal(wire_add(&message, bytes, 0), 0);
	assert_int_equal(wire_add(&message, bytes, 1), -E2BIG);
}

static void makes_paths_canonical(void **state)
{
	static const char *const bad[] = { "",	   "//",   "/a/",	"a//b",
					   "/a\n", "/a.b", "/\xc3\xa4", "a/" };
	static char longest[XENSTORE_ABS_PATH_MAX + 2];
	struct path path;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(path_canonical(bad[i], 1, &path), -EINVAL);
	assert_int_equal(path_canonical("/", 1, &path), 0);
	assert_int_equal(path_canonical("a-B_9@/c", 12, &path), 0);
	assert_string_equal(path.text, "/local/domain/12/a-B_9@/c");
	memset(longest, 'p', sizeof(longest) - 1);
	longest[0] = '/';
	assert_int_equal(path_canonical(longest, 1, &path), -EINVAL);
	longest[XENSTORE_ABS_PATH_MAX] = 0;
	assert_int_equal(path_canonical(longest, 1, &path), 0);
	assert_false(path_append(&path, "x"));
	longest[0] = 'p';
	longest[XENSTORE_REL_PATH_MAX + 1] = 0;
	assert_int_equal(path_canonical(longest, 1, &path), -EINVAL);
	longest[XENSTORE_REL_PATH_MAX] = 0;
	assert_int_equal(path_canonical(longest, 1, &path), 0);
}

static void walks_paths(void **state)
{
	struct path path = { "/a/bc" };
	const char *at = path.text;
	size_t len;

	(void)state;
	assert_memory_equal(path_next(&at, &len), "a", 1);
	assert_int_equal(len, 1);
	assert_memory_equal(path_next(&at, &len), "bc", 2);
	assert_null(path_next(&at, &len));
	assert_true(path_parent(&path));
	assert_string_equal(path.text, "/a");
	assert_true(path_parent(&path));
	assert_string_equal(path.text, "/");
	assert_false(path_parent(&path));
	assert_true(path_append(&path, "x"));
	assert_true(path_append(&path, "y"));
	assert_string_equal(path.text, "/x/y");
}

static void reads_permissions(void **state)
{
	struct wire_reader reader = { "n1\0r2\0b3\0w4", 12 };
	struct wire_message message = { .header = { 0 } };
	const struct actor owner = { 1, 1, false }, two = { 2, 2, false }, three = { 3, 3, false };
	const struct actor four = { 4, 4, false }, five = { 5, 5, false }, control = { 0, 0, true };
	const struct actor helper = { 5, 1, false };
	struct perms *perms;

	(void)state;
	assert_int_equal(perms_parse(&reader, &perms), 0);
	assert_true(perms_allow(perms, &owner, STORE_BOTH) && perms_owned(perms, &owner));
	assert_true(perms_allow(perms, &two, STORE_READ) && !perms_allow(perms, &two, STORE_WRITE));
	assert_true(perms_allow(perms, &three, STORE_BOTH) && !perms_owned(perms, &three));
	assert_true(perms_allow(perms, &four, STORE_WRITE) &&
		    !perms_allow(perms, &four, STORE_READ));
	assert_false(perms_allow(perms, &four, STORE_BOTH));
	assert_false(perms_allow(perms, &five, STORE_READ));
	assert_true(perms_allow(perms, &helper, STORE_BOTH) && perms_owned(perms, &helper));
	assert_true(perms_allow(perms, &control, STORE_BOTH) && perms_owned(perms, &control));
	assert_int_equal(perms_format(perms, &message), 0);
	assert_memory_equal(message.payload, "n1\0r2\0b3\0w4", 12);
	struct perms *without = perms_without(perms, 3), *same = perms_without(perms, 9);
	assert_int_equal(without->count, 3);
	assert_ptr_equal(same, perms);
	perms_put(same);
	perms_put(without);
	perms_put(perms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_strings),	 cmocka_unit_test(takes_numbers),
		cmocka_unit_test(names_errors),		 cmocka_unit_test(fills_payloads),
		cmocka_unit_test(makes_paths_canonical), cmocka_unit_test(walks_paths),
		cmocka_unit_test(reads_permissions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
