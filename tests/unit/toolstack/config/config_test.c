/* SPDX-License-Identifier: MIT */
/*
 * Domain XML: each tests/golden/config/NAME.xml gives what NAME.out says: its warnings and its
 * canonical form, or the error. A canonical form is read to itself. Values and uuids by
 * themselves; and every allocation of ours failing in turn. See golden.h.
 *
 * Links: tests/unit/support/failing_alloc.c tests/unit/support/golden.c toolstack/config/
 * Links: toolstack/lib/
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/reader.h"
#include "unit/support/failing_alloc.h"
#include "unit/support/golden.h"

#define GOLDEN "tests/golden/config/"

static void put(FILE *out, const char *name, const char *text, size_t len)
{
	struct config_options options = { .warn = golden_warning, .context = out };
	struct vm_config cfg, again;
	struct error err;
	char *dump, *second;
	size_t dump_len, second_len;

	if (config_parse(&cfg, text, len, name, &options, &err)) {
		fprintf(out, "error %d: %s\n", err.code, err.text);
		return;
	}
	assert_int_equal(config_dump(&cfg, &dump, &dump_len), 0);
	fprintf(out, "%s", dump);
	options.strict = true;
	if (config_parse(&again, dump, dump_len, "dump", &options, &err))
		fail_msg("%s", err.text);
	assert_int_equal(config_dump(&again, &second, &second_len), 0);
	assert_string_equal(dump, second);
	free(dump);
	free(second);
	config_free(&cfg);
	config_free(&again);
}

static void gives_what_the_golden_files_say(void **state)
{
	(void)state;
	golden_check(GOLDEN "*.xml", 20, put);
}

static bool accepts(const char *path)
{
	struct vm_config cfg;
	bool accepted = !config_load(&cfg, path, NULL, NULL);

	config_free(&cfg);
	return accepted;
}

/* The schema accepts what the code accepts, and refuses what it refuses but for these. */
static void agrees_with_the_schema(void **state)
{
	static const char *const files[] = { GOLDEN "*.xml", "configs/guests/*.xml", NULL };
	static const char beyond[] = "bad-current-memory.xml bad-memory-huge.xml "
				     "bad-memory-zero.xml bad-no-kernel.xml bad-pi.xml "
				     "bad-vcpus-current.xml "
				     "bad-disk-many.xml bad-disk-twice.xml "
				     "bad-interface-many.xml bad-interface-mac-twice.xml "
				     "bad-interface-target-twice.xml "
				     "bad-cputune-global-quota.xml bad-cputune-quota-huge.xml "
				     "bad-cputune-quota-much.xml bad-vcpupin-vcpu.xml "
				     "bad-vcpupin-twice.xml bad-vcpupin-cpuset.xml "
				     "bad-vcpupin-none.xml bad-vcpu-cpuset.xml ";

	(void)state;
	golden_schema("configs/schema/enso-domain.rng", files, accepts, beyond);
}

static void warns_or_refuses(void **state)
{
	static const char text[] = "<domain type='xen' id='1'><name>x</name><memory>4096</memory>"
				   "<os><type>xen</type><kernel>/k</kernel></os></domain>";
	struct config_options strict = { .strict = true };
	struct vm_config cfg;
	struct error err;

	(void)state;
	assert_int_equal(config_parse(&cfg, text, strlen(text), "f", NULL, &err), 0);
	assert_false(cfg.has_uuid);
	assert_int_equal(cfg.vcpus, 1);
	assert_int_equal(cfg.memory_kib, 4096);
	assert_int_equal(cfg.current_memory_kib, 4096);
	assert_int_equal(cfg.on_poweroff, VM_ACTION_DESTROY);
	assert_int_equal(cfg.on_reboot, VM_ACTION_RESTART);
	config_free(&cfg);
	assert_int_equal(config_parse(&cfg, text, strlen(text), "f", &strict, &err), -1);
	assert_int_equal(err.code, ERROR_DEFINITION);
	assert_null(cfg.name);
}

static void refuses_what_is_too_much(void **state)
{
	size_t size = CONFIG_TEXT_MAX + 2;
	char *text = malloc(size);
	struct vm_config cfg;
	struct error err;

	(void)state;
	memset(text, ' ', size);
	memcpy(text, "<domain>", 8);
	assert_int_equal(config_parse(&cfg, text, size, "f", NULL, &err), -1);
	assert_int_equal(err.code, ERROR_DEFINITION);
	/* Nesting without end. */
	for (size_t i = 0; i + 3 < 100000; i += 3)
		memcpy(text + i, "<a>", 3);
	assert_int_equal(config_parse(&cfg, text, 99999, "f", NULL, &err), -1);
	assert_int_equal(config_load(&cfg, "/nonexistent/x.xml", NULL, &err), -1);
	assert_int_equal(err.code, ERROR_FILE);
	assert_int_equal(config_load(&cfg, "/", NULL, &err), -1);
	assert_int_equal(err.code, ERROR_FILE);
	free(text);
}

static void reads_amounts(void **state)
{
	static const struct {
		const char *text, *unit;
		uint64_t kib;
	} good[] = {
		{ "1", NULL, 1 }, { "1025", "b", 2 }, { "1024", "bytes", 1 }, { "1", "KB", 1 },
		{ "1000", "KB", 977 }, { "1", "k", 1 }, { "3", "MiB", 3072 }, { "3", "M", 3072 },
		{ "1", "MB", 977 }, { "2", "G", 2 << 20 }, { "1", "GB", 976563 },
		{ "1", "TiB", 1 << 30 }, { "2", "gib", 2 << 20 }, { "1", "Eb", 976562500000000 },
		{ "1", "PIB", 1ull << 40 }, { "1023", "byte", 1 },
		{ "16777215", "TiB", 16777215ull << 30 },
	};
	static const char *const bad[] = {
		"", "-1", "+1", "0x10", "1 ", "1.5", "99999999999999999999"
	};
	uint64_t kib;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(value_memory(good[i].text, good[i].unit, &kib), 0);
		assert_int_equal(kib, good[i].kib);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(value_memory(bad[i], NULL, &kib), -EINVAL);
	assert_int_equal(value_memory("1", "KiBs", &kib), -EINVAL);
	assert_int_equal(value_memory("1", "", &kib), -EINVAL);
	assert_int_equal(value_memory("16777216", "TiB", &kib), -EINVAL);
	assert_int_equal(value_memory("18446744073709551615", "b", &kib), -EINVAL);
}

static void reads_uuids(void **state)
{
	uint8_t uuid[16], other[16];
	char text[CONFIG_UUID_TEXT];

	(void)state;
	assert_int_equal(config_parse_uuid("00112233-4455-6677-8899-aAbBcCdDeEfF", uuid), 0);
	config_format_uuid(uuid, text);
	assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
	assert_int_equal(config_parse_uuid("00112233445566778899aabbccddeeff", other), 0);
	assert_memory_equal(uuid, other, 16);
	assert_int_equal(config_parse_uuid("", uuid), -EINVAL);
	assert_int_equal(config_parse_uuid("00112233-4455-6677-8899-aabbccddeef", uuid), -EINVAL);
	assert_int_equal(config_parse_uuid("00112233-4455-6677-8899-aabbccddeeff0", uuid), -EINVAL);
	assert_int_equal(config_parse_uuid("-0112233445566778899aabbccddeeff", uuid), -EINVAL);
	assert_int_equal(config_make_uuid(uuid), 0);
	assert_int_equal(uuid[6] >> 4, 4);
	assert_int_equal(config_make_uuid(other), 0);
	assert_memory_not_equal(uuid, other, 16);
}

static void survives_without_memory(void **state)
{
	static const char text[] =
		"<domain type='xen'><name>x</name><title>t</title><description>d</description>"
		"<metadata><a xmlns='u'/></metadata><memory unit='MiB'>4</memory>"
		"<os><type>xen</type><kernel>/k</kernel><initrd>/i</initrd><cmdline>c</cmdline></"
		"os>"
		"</domain>";
	struct vm_config cfg;
	struct error err;

	(void)state;
	for (unsigned int n = 1;; n++) {
		failing_alloc_arm(n);
		int rc = config_parse(&cfg, text, strlen(text), "f", NULL, &err);
		bool hit = failing_alloc_hit();
		failing_alloc_arm(0);
		config_free(&cfg);
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
		cmocka_unit_test(agrees_with_the_schema),
		cmocka_unit_test(warns_or_refuses),
		cmocka_unit_test(refuses_what_is_too_much),
		cmocka_unit_test(reads_amounts),
		cmocka_unit_test(reads_uuids),
		cmocka_unit_test(survives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
