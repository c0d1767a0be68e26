/* SPDX-License-Identifier: MIT */
/*
 * Network XML: each tests/golden/network/NAME.xml gives what NAME.out says: its warnings, its
 * canonical form and what nft and dnsmasq are told; or the error. A canonical form is read to
 * itself. The schema agrees. Every allocation of ours fails in turn. See golden.h.
 *
 * Links: tests/unit/support/failing_alloc.c tests/unit/support/golden.c toolstack/config/
 * Links: toolstack/lib/ toolstack/vm/network_text.c
 */
#include <errno.h>
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
#include "unit/support/golden.h"
#include "vm/network_up.h"

#define GOLDEN "tests/golden/network/"

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

static void put(FILE *out, const char *name, const char *xml, size_t len)
{
	const struct config_options options = { .warn = golden_warning, .context = out };
	struct network_config net;
	struct error err;
	char *text[3];

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
	(void)state;
	golden_check(GOLDEN "*.xml", 30, put);
}

static bool accepts(const char *path)
{
	struct network_config net;
	bool accepted = !network_load(&net, path, NULL, NULL);

	network_free(&net);
	return accepted;
}

/* The schema accepts what the code accepts, and refuses what it refuses but for these. */
static void agrees_with_the_schema(void **state)
{
	static const char *const files[] = { GOLDEN "*.xml", "configs/networks/*.xml", NULL };
	static const char beyond[] = "bad-bridge-is-card.xml bad-bridge-long.xml bad-doctype.xml "
				     "bad-host-is-ours.xml bad-host-many.xml "
				     "bad-ip-broadcast.xml bad-ip-of-network.xml "
				     "bad-mask-differs.xml bad-range-many.xml "
				     "bad-range-outside.xml bad-range.xml bad-two-cards.xml ";

	(void)state;
	golden_schema("configs/schema/enso-network.rng", files, accepts, beyond);
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
		cmocka_unit_test(agrees_with_the_schema),
		cmocka_unit_test(survives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
