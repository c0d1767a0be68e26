/* SPDX-License-Identifier: MIT */
/* enso events: what happened to guests, and what happens. */
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "vm/event.h"

#define LOOK_MS 1000

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* A line for people, or the line as it is; who may be NULL. */
static void print(const char *line, const char *who, bool as_json)
{
	json_t *object = json_loads(line, 0, NULL);
	bool wanted = object && (!who || !strcmp(text_of(object, "guest"), who) ||
				 !strcmp(text_of(object, "uuid"), who));

	if (wanted && as_json)
		printf("%s\n", line);
	else if (wanted)
		printf("%s  %-16s %s%s%s\n", text_of(object, "time"), text_of(object, "guest"),
		       text_of(object, "event"), json_object_get(object, "detail") ? ": " : "",
		       text_of(object, "detail"));
	json_decref(object);
}

static int run_events(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const char *who = args->nr_operands ? args->operand[0] : NULL;
	bool follow = args->option[0];
	struct vm_events events;
	char line[VM_EVENT_MAX];

	(void)vm;
	vm_events_open(&events, !follow);
	if (!follow && events.fd < 0 && access(vm_events_file, F_OK) == 0)
		return error_set(err, ERROR_PERMISSION, "%s: cannot be read; run as root",
				 vm_events_file);
	do {
		while (vm_events_next(&events, follow ? LOOK_MS : 0, line) > 0)
			print(line, who, args->option[1]);
	} while (follow && !fflush(stdout) && !ferror(stdout));
	vm_events_close(&events);
	return 0;
}

const struct cli_verb cli_events = {
	.name = "events",
	.rights = CLI_GROUP,
	.aliases = "event",
	.operands = "[GUEST]",
	.max_operands = 1,
	.summary = "Tell what happened to guests, or follow what happens",
	.text = "GUEST is a name or a uuid: only its events.",
	.options = {
		{ "follow", 'f', NULL, "tell what happens from now on, until Ctrl-C" },
		{ "json", 0, NULL, "a JSON object in each line" },
	},
	.run = run_events,
};
