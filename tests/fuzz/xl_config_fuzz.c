/* SPDX-License-Identifier: MIT */
/*
 * Any text as a configuration of xl: refused with a message, or a definition that is read again as
 * XML without a warning.
 * Links: toolstack/config/ toolstack/lib/
 */
#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"
#include "lib/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct config_options strict = { .strict = true };
	struct vm_config config, again;
	struct error err = { 0 };
	char *xml;
	size_t len;

	if (config_import(&config, (const char *)data, size, "fuzz", NULL, &err)) {
		if (!err.code || !err.text[0])
			abort();
		return 0;
	}
	if (config_dump(&config, &xml, &len) ||
	    config_parse(&again, xml, len, "xml", &strict, &err))
		abort();
	free(xml);
	config_free(&config);
	config_free(&again);
	return 0;
}
