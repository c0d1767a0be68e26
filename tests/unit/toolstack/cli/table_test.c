/* SPDX-License-Identifier: MIT */
/*
 * The command line is read by the table of verbs: names, aliases, options with and without values,
 * operands; what does not fit is told, and every verb's help is whole.
 * Links: toolstack/cli/table.c toolstack/lib/error.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static int nothing(struct vm *vm, const struct cli_args *args, struct error *err)
{
	(void)vm, (void)args, (void)err;
	return 0;
}

/* Every verb of the table, without what it does: named as its variable is. */
#define STUB(verb)                                                                                 \
	const struct cli_verb verb = { .name = #verb,                                              \
				       .aliases = #verb "-a " #verb "-b",                          \
				       .operands = "",                                             \
				       .summary = #verb,                                           \
				       .run = nothing };
CLI_VERBS(STUB)

static const struct cli_verb sample = {
	.name = "create",
	.aliases = "build make",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 2,
	.summary = "Make one",
	.text = "More.",
	.run = nothing,
	.options = { { "paused", 'p', NULL, "not yet" }, { "timeout", 't', "SECONDS", "wait" } },
};

static struct cli_args args;
static struct error err;

static int parse(int n, ...)
{
	static char *argv[8];
	va_list words;

	va_start(words, n);
	for (int i = 0; i < n; i++)
		argv[i] = va_arg(words, char *);
	va_end(words);
	return cli_parse(&sample, n, argv, &args, &err);
}

static void verbs_have_names_and_aliases(void **state)
{
	(void)state;
	assert_ptr_equal(cli_find("cli_create"), &cli_create);
	assert_ptr_equal(cli_find("cli_list-a"), &cli_list);
	assert_ptr_equal(cli_find("cli_list-b"), &cli_list);
	assert_null(cli_find("cli_lis"));
	assert_null(cli_find("cli_list-a cli_list-b"));
	assert_null(cli_find(""));
	assert_null(cli_find(" "));
}

static void options_and_operands_mix(void **state)
{
	(void)state;
	assert_int_equal(parse(4, "a", "-p", "--timeout", "7"), 0);
	assert_string_equal(args.operand[0], "a");
	assert_int_equal(args.nr_operands, 1);
	assert_non_null(args.option[0]);
	assert_string_equal(args.option[1], "7");
	assert_int_equal(parse(3, "--timeout=9", "a", "b"), 0);
	assert_string_equal(args.option[1], "9");
	assert_null(args.option[0]);
	assert_int_equal(args.nr_operands, 2);
	assert_int_equal(parse(3, "-t", "5", "-"), 0);
	assert_string_equal(args.operand[0], "-");
	assert_int_equal(parse(2, "--", "-p"), 0);
	assert_string_equal(args.operand[0], "-p");
	assert_int_equal(parse(1, "--help"), 1);
	assert_int_equal(parse(2, "a", "-h"), 1);
}

static void told(int rc, const char *what)
{
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, ERROR_USAGE);
	assert_non_null(strstr(err.text, what));
	assert_non_null(strstr(err.text, "enso help create"));
}

static void what_does_not_fit_is_told(void **state)
{
	(void)state;
	told(parse(0), "missing FILE");
	told(parse(3, "a", "b", "c"), "too much: c");
	told(parse(2, "a", "--nope"), "unknown option --nope");
	told(parse(2, "a", "-x"), "unknown option -x");
	told(parse(2, "a", "-pt"), "unknown option -pt");
	told(parse(2, "a", "--paus"), "unknown option --paus");
	told(parse(2, "a", "--paused=1"), "no value belongs to --paused=1");
	told(parse(2, "a", "--timeout"), "a value is missing after --timeout");
}

static void numbers_are_whole_and_in_range(void **state)
{
	static const char *const wrong[] = { "",   "0",	 "-1",	"+3",
					     " 3", "3s", "101", "99999999999999999999" };
	long value;

	(void)state;
	assert_int_equal(cli_number("timeout", "100", 100, &value, &err), 0);
	assert_int_equal(value, 100);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(cli_number("timeout", wrong[i], 100, &value, &err), -1);
}

static void help_says_all_that_the_table_has(void **state)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	cli_print_help(out, &sample);
	cli_print_verbs(out);
	fclose(out);
	assert_non_null(strstr(text, "usage: enso create [OPTION]... FILE\n"));
	assert_non_null(strstr(text, "-p, --paused "));
	assert_non_null(strstr(text, "-t, --timeout SECONDS"));
	assert_non_null(strstr(text, "also known as: build make"));
	for (size_t i = 0; cli_verbs[i]; i++)
		assert_non_null(strstr(text, cli_verbs[i]->summary));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs_have_names_and_aliases),
		cmocka_unit_test(options_and_operands_mix),
		cmocka_unit_test(what_does_not_fit_is_told),
		cmocka_unit_test(numbers_are_whole_and_in_range),
		cmocka_unit_test(help_says_all_that_the_table_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
