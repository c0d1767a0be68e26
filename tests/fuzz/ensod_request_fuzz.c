/* SPDX-License-Identifier: MIT */
/*
 * Any line as a request to ensod's socket: refused with an error, or a request within its limits.
 *
 * Links: toolstack/daemon/request.c toolstack/lib/error.c
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct request request;
	int n = 0;

	if (request_parse(&request, (const char *)data, size, &err)) {
		if (!err.code || !err.text[0])
			abort();
	} else {
		while (n <= REQUEST_ARGS_MAX && request.args[n]) {
			if (strlen(request.args[n++]) > REQUEST_ARG_MAX)
				abort();
		}
		if (n > REQUEST_ARGS_MAX || request.events != (n == 0))
			abort();
		if (request.input && (strlen(request.input) != request.input_len ||
				      request.input_len > size))
			abort();
	}
	if (request.id && !json_is_integer(request.id) && !json_is_string(request.id))
		abort();
	request_free(&request);
	return 0;
}
