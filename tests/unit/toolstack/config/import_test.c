/* SPDX-License-Identifier: MIT */
/*
 * Configurations of xl and xm: each tests/golden/import/NAME.cfg gives what NAME.out says: its
 * warnings and the definition, or the error. Every allocation of ours failing in turn. See
 * golden.h.
 * Links: tests/unit/support/failing_alloc.c tests/unit/support/golden.c toolstack/config/
 * Links: toolstack/lib/
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/error.h"
#include "unit/support/failing_alloc.h"
#include "unit/support/golden.h"

#define GOLDEN "tests/golden/import/"

/* What is imported is a definition like others: it is read as XML without a warning. */
static void check_definition(const char *xml, size_t len)
{
	const struct config_options strict = { .strict = true };
	struct vm_config again;
	struct error err;

	if (config_parse(&again, xml, len, "xml", &strict, &err))
		fail_msg("%s", err.text);
	config_free(&again);
}

static void put(FILE *out, const char *name, const char *text, size_t len)
{
	const struct config_options options = { .warn = golden_warning, .context = out };
	struct vm_config config;
	struct error err;
	char *xml;

	if (config_import(&config, text, len, name, &options, &err)) {
		fprintf(out, "error %d: %s\n", err.code, err.text);
		return;
	}
	assert_int_equal(config_dump(&config, &xml, &len), 0);
	fwrite(xml, 1, len, out);
	check_definition(xml, len);
	free(xml);
	config_free(&config);
}

static void gives_what_the_golden_files_say(void **state)
{
	(void)state;
	golden_check(GOLDEN "*.cfg", 50, put);
}

static void survives_without_memory(void **state)
{
	size_t len;
	char *text = golden_read(GOLDEN "full.cfg", &len);
	struct vm_config config;
	struct error err;

	(void)state;
	for (unsigned int n = 1;; n++) {
		failing_alloc_arm(n);
		int rc = config_import(&config, text, len, "f", NULL, &err);
		bool hit = failing_alloc_hit();
		failing_alloc_arm(0);
		config_free(&config);
		if (!hit) {
			assert_int_equal(rc, 0);
			assert_true(n > 20);
			free(text);
			return;
		}
		assert_int_equal(rc, -1);
		assert_int_equal(err.code, ERROR_NO_MEMORY);
	}
}

static void refuses_when_strict(void **state)
{
	static const char text[] = "name='a'\nkernel='/k'\nvnc=1\n";
	const struct config_options strict = { .strict = true };
	struct vm_config config;
	struct error err;

	(void)state;
	assert_int_equal(config_import(&config, text, strlen(text), "f", NULL, &err), 0);
	config_free(&config);
	assert_int_equal(config_import(&config, text, strlen(text), "f", &strict, &err), -1);
	assert_int_equal(err.code, ERROR_DEFINITION);
	assert_int_equal(config_import(&config, text, CONFIG_TEXT_MAX + 1, "f", NULL, &err), -1);
	assert_int_equal(config_import_file(&config, "/nonexistent", NULL, &err), -1);
	assert_int_equal(err.code, ERROR_FILE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_the_golden_files_say),
		cmocka_unit_test(survives_without_memory),
		cmocka_unit_test(refuses_when_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
