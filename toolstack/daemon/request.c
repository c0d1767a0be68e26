/* SPDX-License-Identifier: MIT */
/* Requests of clients: see request.h. */
#include "daemon/request.h"

#include <jansson.h>
#include <string.h>

#define TOKENS_MAX (REQUEST_ARGS_MAX + 32)	/* what stands between values: [ { , : */

static int bad(struct error *err, const char *what)
{
	return error_set(err, ERROR_USAGE, "request: %s", what);
}

/* So that a line of brackets costs no more than a line: values are counted before they are made. */
static bool is_modest(const char *line, size_t len)
{
	bool text = false;
	unsigned tokens = 0;

	for (size_t i = 0; i < len; i++) {
		if (text && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			text = !text;
		else if (!text && line[i] && strchr("[{,:", line[i]))
			tokens++;
	}
	return tokens <= TOKENS_MAX;
}

static int read_args(struct request *request, const json_t *run, struct error *err)
{
	size_t n = json_array_size(run);

	if (!n || n > REQUEST_ARGS_MAX)
		return bad(err, "\"run\" is an array of a verb and at most 31 arguments");
	for (size_t i = 0; i < n; i++) {
		const json_t *arg = json_array_get(run, i);

		if (!json_is_string(arg) || json_string_length(arg) > REQUEST_ARG_MAX)
			return bad(err, "an argument in \"run\" is no string up to 4096 bytes");
		request->args[i] = json_string_value(arg);
	}
	return 0;
}

static int read_members(struct request *request, struct error *err)
{
	const json_t *run = NULL;
	const char *name;
	json_t *value;

	json_object_foreach(request->root, name, value) {
		if (!strcmp(name, "id") && (json_is_integer(value) || json_is_string(value)))
			request->id = value;
		else if (!strcmp(name, "run") && json_is_array(value))
			run = value;
		else if (!strcmp(name, "events") && json_is_true(value))
			request->events = true;
		else if (!strcmp(name, "input") && json_is_string(value))
			request->input = json_string_value(value);
		else
			return bad(err, "a member is unknown or of a wrong type; known: id (number "
					"or string), run (array), input (string), events (true)");
		if (request->input == json_string_value(value) && request->input)
			request->input_len = json_string_length(value);
	}
	if (!!run == request->events || (request->events && request->input))
		return bad(err, "needs either \"run\" or \"events\"");
	return run ? read_args(request, run, err) : 0;
}

int request_parse(struct request *request, const char *line, size_t len, struct error *err)
{
	json_error_t why;

	*request = (struct request){ 0 };
	if (!is_modest(line, len))
		return bad(err, "has too many values");
	request->root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (!request->root)
		return json_error_code(&why) == json_error_out_of_memory
			       ? error_set(err, ERROR_NO_MEMORY, "request: out of memory")
			       : bad(err, "is not one JSON object in a line");
	if (!json_is_object(request->root))
		return bad(err, "is not one JSON object in a line");
	return read_members(request, err);
}

void request_free(struct request *request)
{
	json_decref(request->root);
	*request = (struct request){ 0 };
}
