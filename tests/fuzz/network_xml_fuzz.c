/* SPDX-License-Identifier: MIT */
/*
 * Any text as network XML: refused with a message, or read, written and read again to the same;
 * and what nft and dnsmasq are told of it is one line for each thing.
 *
 * Links: toolstack/config/ toolstack/lib/ toolstack/vm/network_text.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/network.h"
#include "lib/error.h"
#include "vm/network_up.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing of the XML can be a line of its own in what the programs read. */
static void check_text(char *text)
{
	if (!text)
		abort();
	for (const char *at = text; *at; at++) {
		if (*at == '\r' || (*at < ' ' && *at != '\n' && *at != '\t'))
			abort();
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct config_options strict = { .strict = true };
	struct network_config net, again;
	struct error err = { 0 };
	char *first, *second;
	size_t len, second_len;

	if (network_parse(&net, (const char *)data, size, "fuzz", NULL, &err)) {
		if (!err.code || !err.text[0])
			abort();
		return 0;
	}
	check_text(network_rules(&net));
	check_text(network_dnsmasq(&net, "/run"));
	if (network_dump(&net, &first, &len))
		abort();
	if (network_parse(&again, first, len, "again", &strict, &err))
		abort();
	if (network_dump(&again, &second, &second_len))
		abort();
	if (len != second_len || memcmp(first, second, len))
		abort();
	free(first);
	free(second);
	network_free(&net);
	network_free(&again);
	return 0;
}
