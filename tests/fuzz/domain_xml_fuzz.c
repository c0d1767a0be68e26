/* SPDX-License-Identifier: MIT */
/*
 * Any text as domain XML: refused with a message, or read, written and read again to the same.
 *
 * Links: toolstack/config/ toolstack/lib/
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct config_options strict = { .strict = true };
	struct vm_config cfg, again;
	struct error err = { 0 };
	char *first, *second;
	size_t len, second_len;

	if (config_parse(&cfg, (const char *)data, size, "fuzz", NULL, &err)) {
		if (!err.code || !err.text[0])
			abort();
		return 0;
	}
	if (config_dump(&cfg, &first, &len))
		abort();
	if (config_parse(&again, first, len, "again", &strict, &err))
		abort();
	if (config_dump(&again, &second, &second_len))
		abort();
	if (len != second_len || memcmp(first, second, len))
		abort();
	free(first);
	free(second);
	config_free(&cfg);
	config_free(&again);
	return 0;
}
