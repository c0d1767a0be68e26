/* SPDX-License-Identifier: MIT */
/*
 * Configurations of xl and xm: each tests/golden/import/NAME.cfg gives what NAME.out says: its
 * warnings and the definition, or the error. Every allocation of ours failing in turn. Run from
 * the top of the repository; with GOLDEN_WRITE set, what comes out is written, not compared.
 * Links: tests/unit/support/failing_alloc.c toolstack/config/ toolstack/lib/
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/error.h"
#include "unit/support/failing_alloc.h"

#define GOLDEN "tests/golden/import/"

static void on_warning(void *context, const char *text)
{
	fprintf(context, "warning: %s\n", text);
}

static size_t read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	if (!file)
		fail_msg("no %s", path);
	size_t len = fread(text, 1, size - 1, file);
	text[len] = 0;
	fclose(file);
	return len;
}

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

static void run(const char *text, size_t len, const char *name, FILE *out)
{
	const struct config_options options = { .warn = on_warning, .context = out };
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
	static char text[16384], wanted[16384];
	glob_t files;

	(void)state;
	assert_int_equal(glob(GOLDEN "*.cfg", 0, NULL, &files), 0);
	assert_true(files.gl_pathc > 50);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		size_t len = read_file(path, text, sizeof(text)), out_len;
		char out_path[256], *result;
		FILE *out = open_memstream(&result, &out_len);

		run(text, len, path + strlen(GOLDEN), out);
		fclose(out);
		snprintf(out_path, sizeof(out_path), "%.*s.out", (int)strlen(path) - 4, path);
		if (getenv("GOLDEN_WRITE")) {
			FILE *file = fopen(out_path, "w");
			fwrite(result, 1, out_len, file);
			fclose(file);
		} else if (read_file(out_path, wanted, sizeof(wanted)) != out_len ||
			   strcmp(wanted, result)) {
			fail_msg("%s:\n%s\n--- wanted:\n%s", path, result, wanted);
		}
		free(result);
	}
	globfree(&files);
}

static void survives_without_memory(void **state)
{
	static char text[16384];
	size_t len = read_file(GOLDEN "full.cfg", text, sizeof(text));
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
