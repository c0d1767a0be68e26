/* SPDX-License-Identifier: MIT */
/*
 * Network XML: each tests/golden/network/NAME.xml gives what NAME.out says: its warnings, its
 * canonical form and what nft and dnsmasq are told; or the error. A canonical form is read to
 * itself. Every allocation of ours fails in turn. With GOLDEN_WRITE set, what comes out is written.
 *
 * Links: tests/unit/support/failing_alloc.c toolstack/config/ toolstack/lib/
 * Links: toolstack/vm/network_text.c
 */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/network.h"
#include "lib/error.h"
#include "unit/support/failing_alloc.h"
#include "vm/network_up.h"

#define GOLDEN "tests/golden/network/"

static void on_warning(void *context, const char *text)
{
	fprintf(context, "warning: %s\n", text);
}

/* The canonical form is read to itself, strictly. */
static void check_again(const char *dump, size_t len)
{
	const struct config_options strict = { .strict = true };
	struct network_config again;
	struct error err;
	char *second;
	size_t second_len;

	if (network_parse(&again, dump, len, "dump", &strict, &err))
		fail_msg("%s", err.text);
	assert_int_equal(network_dump(&again, &second, &second_len), 0);
	assert_string_equal(dump, second);
	free(second);
	network_free(&again);
}

static void put(FILE *out, const char *path)
{
	const struct config_options options = { .warn = on_warning, .context = out };
	char name[200], *text[3];
	struct network_config net;
	FILE *file = fopen(path, "r");
	static char xml[1 << 16];
	size_t len = fread(xml, 1, sizeof(xml), file);
	struct error err;

	fclose(file);
	snprintf(name, sizeof(name), "%s", path + strlen(GOLDEN));
	if (network_parse(&net, xml, len, name, &options, &err)) {
		fprintf(out, "error %d: %s\n", err.code, err.text);
		return;
	}
	assert_int_equal(network_dump(&net, &text[0], &len), 0);
	check_again(text[0], len);
	text[1] = network_rules(&net);
	text[2] = network_dnsmasq(&net, "/run/enso/networks");
	for (int i = 0; i < 3; i++) {
		fprintf(out, "%s%s", i ? "---\n" : "", text[i]);
		free(text[i]);
	}
	network_free(&net);
}

static void gives_what_the_golden_files_say(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob(GOLDEN "*.xml", 0, NULL, &files), 0);
	assert_true(files.gl_pathc > 30);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		char golden[256], *got, wanted[16384] = "";
		size_t len;
		FILE *out = open_memstream(&got, &len), *file;

		put(out, path);
		fclose(out);
		snprintf(golden, sizeof(golden), "%.*s.out", (int)strlen(path) - 4, path);
		file = fopen(golden, getenv("GOLDEN_WRITE") ? "w+" : "r");
		if (file && getenv("GOLDEN_WRITE")) {
			fwrite(got, 1, len, file);
			rewind(file);
		}
		if (!file)
			fail_msg("no %s", golden);
		assert_int_not_equal(fread(wanted, 1, sizeof(wanted) - 1, file), 0);
		fclose(file);
		assert_string_equal(got, wanted);
		free(got);
	}
	globfree(&files);
}

static void survives_without_memory(void **state)
{
	static const char text[] =
		"<network><name>n</name><forward mode='nat' dev='e'><interface dev='e'/></forward>"
		"<domain name='d'/><ip address='10.0.0.1' prefix='8'><dhcp>"
		"<host mac='00:16:3e:00:00:01' name='h' ip='10.0.0.2'/></dhcp></ip></network>";
	struct network_config net;
	struct error err;

	(void)state;
	for (unsigned int n = 1;; n++) {
		failing_alloc_arm(n);
		int rc = network_parse(&net, text, strlen(text), "f", NULL, &err);
		bool hit = failing_alloc_hit();
		failing_alloc_arm(0);
		network_free(&net);
		if (!hit) {
			assert_int_equal(rc, 0);
			assert_true(n > 5);
			return;
		}
		assert_int_equal(rc, -1);
		assert_int_equal(err.code, ERROR_NO_MEMORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_the_golden_files_say),
		cmocka_unit_test(survives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
