/* SPDX-License-Identifier: MIT */
/* enso help, enso version. */
#include <jansson.h>

#include "cli/cli.h"
#include "lib/version.h"

static int run_help(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const struct cli_verb *verb;
	int used;

	(void)vm;
	if (!args->nr_operands) {
		cli_print_verbs(stdout);
		return 0;
	}
	verb = cli_find_words(args->nr_operands, args->operand, &used);
	if (!verb)
		return cli_unknown(args->operand[0], err);
	cli_print_help(stdout, verb);
	return 0;
}

const struct cli_verb cli_help = {
	.name = "help",
	.rights = CLI_ALL,
	.operands = "[VERB]",
	.max_operands = 2,
	.summary = "List the verbs, or tell more of one",
	.run = run_help,
};

static int run_version(struct vm *vm, const struct cli_args *args, struct error *err)
{
	(void)vm;
	if (args->option[0])
		return cli_print_json(json_pack("{s:s}", "version", ENSO_VERSION), err);
	printf("enso %s\n", ENSO_VERSION);
	return 0;
}

const struct cli_verb cli_version = {
	.name = "version",
	.rights = CLI_ALL,
	.operands = "",
	.summary = "Tell the version of these programs",
	.text = "The hypervisor's version is told by \"enso host\".",
	.options = { { "json", 0, NULL, "as JSON" } },
	.run = run_version,
};

int cli_print_json(struct json_t *value, struct error *err)
{
	int rc = value ? json_dumpf(value, stdout, JSON_INDENT(2)) : -1;

	json_decref(value);
	if (rc)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	putchar('\n');
	return 0;
}
