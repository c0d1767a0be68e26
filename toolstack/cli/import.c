/* SPDX-License-Identifier: MIT */
/* enso import: a configuration of xl or xm becomes a definition. */
#include "cli/cli.h"

static int run_import(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const struct config_options options = { .strict = args->option[0], .warn = cli_warn };
	struct vm_config config;

	(void)vm;
	if (config_import_file(&config, args->operand[0], &options, err))
		return -1;
	int rc = cli_print_config(&config, err);
	config_free(&config);
	return rc;
}

const struct cli_verb cli_import = {
	.name = "import",
	.operands = "FILE.cfg",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Turn an xl or xm configuration into a definition",
	.text = "The XML is printed: enso import web.cfg | enso define -. What cannot be said in "
		"it is\nrefused by line and name. - is standard input.",
	.options = { { "strict", 0, NULL, "refuse what would be a warning" } },
	.rights = CLI_ALL,
	.run = run_import,
};
