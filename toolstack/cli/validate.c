/* SPDX-License-Identifier: MIT */
/* enso validate: definitions are checked, and nothing is touched. */
#include "cli/cli.h"
#include "config/set.h"

static int run_validate(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const struct config_options options = { .strict = args->option[0], .warn = cli_warn };
	struct config_set set;

	(void)vm;
	if (config_set_load(&set, args->operand, (size_t)args->nr_operands, &options, cli_complain,
			    NULL, err))
		return -1;
	for (size_t i = 0; i < set.count; i++)
		printf("%s: guest %s\n", set.files[i].path, set.files[i].config.name);
	config_set_free(&set);
	return 0;
}

const struct cli_verb cli_validate = {
	.name = "validate",
	.rights = CLI_ALL,
	.operands = "FILE|FOLDER...",
	.min_operands = 1,
	.max_operands = CLI_MANY,
	.summary = "Check definitions without touching anything",
	.text = "Of a folder every NAME.xml is read. All that is wrong is told, a line for each "
		"file; no two\nmay define the same guest. - is standard input.",
	.options = { { "strict", 0, NULL, "refuse what would be a warning" } },
	.run = run_validate,
};
