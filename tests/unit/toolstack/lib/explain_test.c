/* SPDX-License-Identifier: MIT */
/*
 * Every code of error.h is explained, in order, and enso(1) lists it: one number, one name, one
 * meaning. Run from the top of the repository.
 * Links: toolstack/lib/explain.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/explain.h"

static char *read_file(const char *path)
{
	char *text = calloc(1, 1 << 17);
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 17) - 1, file) > 0);
	fclose(file);
	return text;
}

/* "ERROR_NO_MEMORY" is called "no-memory"; 0 is no error. */
static void name_of(const char *enumerator, char *name, size_t size)
{
	size_t len = 0;

	for (const char *c = enumerator + strlen("ERROR_"); *c && len + 1 < size; c++)
		name[len++] = *c == '_' ? '-' : (char)tolower(*c);
	name[len] = 0;
}

static void every_code_is_explained(void **state)
{
	char *header = read_file("toolstack/lib/error.h");
	size_t seen = 0;

	(void)state;
	for (char *at = strstr(header, "ERROR_NONE"); at; at = strstr(at + 1, "\tERROR_")) {
		char enumerator[40], name[40];
		int number;

		at += *at == '\t';
		if (sscanf(at, "%39[A-Z_] = %d", enumerator, &number) != 2)
			fail_msg("not understood: %.40s", at);
		name_of(enumerator, name, sizeof(name));
		const struct explanation *one = explain_find(number ? name : "done");
		if (!one || (int)one->code != number)
			fail_msg("%s is not explained, or with another name", enumerator);
		assert_ptr_equal(one, &explanations[seen++]);
		assert_true(one->summary[0] && one->cause[0] && one->remedy[0]);
	}
	assert_int_equal(seen, nr_explanations);
	free(header);
}

static void the_manual_lists_the_same(void **state)
{
	char *manual = read_file("toolstack/man/enso.1");
	const char *at = strstr(manual, ".SH EXIT STATUS");

	(void)state;
	assert_non_null(at);
	for (size_t i = 0; i < nr_explanations; i++) {
		char head[80];

		snprintf(head, sizeof(head), "\n.TP\n.B %d \\fR%s\n", (int)explanations[i].code,
			 explanations[i].name);
		const char *found = strstr(at, head);
		if (!found)
			fail_msg("enso(1) does not list %d (%s)", (int)explanations[i].code,
				 explanations[i].name);
		assert_memory_equal(found + strlen(head), explanations[i].summary,
				    strlen(explanations[i].summary));
		at = found;
	}
	free(manual);
}

static void codes_are_found_by_number_and_name(void **state)
{
	(void)state;
	assert_int_equal(explain_find("8")->code, ERROR_STATE);
	assert_int_equal(explain_find("E8")->code, ERROR_STATE);
	assert_int_equal(explain_find("state")->code, ERROR_STATE);
	assert_string_equal(explain_name(ERROR_STATE), "state");
	assert_null(explain_find(""));
	assert_null(explain_find("E"));
	assert_null(explain_find("-1"));
	assert_null(explain_find("999"));
	assert_null(explain_find("8x"));
	assert_null(explain_find("State"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_is_explained),
		cmocka_unit_test(the_manual_lists_the_same),
		cmocka_unit_test(codes_are_found_by_number_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
