/* SPDX-License-Identifier: MIT */
/*
 * A line that a client of ensod's socket sent, as ensod(8) describes it: a JSON object with "run"
 * (a verb of enso and its arguments) or "events" (true). The client may be hostile: what is too
 * much is refused before memory is spent on it. Pure.
 */
#ifndef DAEMON_REQUEST_H
#define DAEMON_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

enum {
	REQUEST_LINE_MAX = 1536 * 1024,	/* bytes of a line, with its newline */
	REQUEST_ARGS_MAX = 32,
	REQUEST_ARG_MAX = 4096,		/* bytes of one argument */
};

struct json_t;

struct request {
	struct json_t *root;		/* holds all strings */
	struct json_t *id;		/* as the client gave it, an integer or a string; or NULL */
	bool events;
	const char *args[REQUEST_ARGS_MAX + 1];	/* the verb first; ends with NULL */
	const char *input;		/* for standard input, NULL: none */
	size_t input_len;
};

/*
 * Read a line of len bytes (without its newline). 0; or -1 with err set (ERROR_USAGE,
 * ERROR_NO_MEMORY): request->id is what could be read of it. request_free() in both cases.
 */
int request_parse(struct request *request, const char *line, size_t len, struct error *err);
void request_free(struct request *request);

#endif
