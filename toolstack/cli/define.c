/* SPDX-License-Identifier: MIT */
/* enso define, undefine, autostart, rename: guests that stay when they don't run. */
#include "cli/cli.h"
#include "vm/defined.h"

static int run_define(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_config config;
	int rc;

	if (cli_load(&config, args->operand[0], args->option[0], err))
		return -1;
	rc = vm_define(vm, &config, NULL, err);
	config_free(&config);
	return rc;
}

const struct cli_verb cli_define = {
	.name = "define",
	.waits = true,
	.rights = CLI_GROUP_INPUT,
	.operands = "FILE.xml",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Keep a guest's definition; \"enso start\" starts it",
	.text = "A definition of the same name is replaced and keeps its uuid; a guest that runs "
		"gets the new\none when it starts the next time. - is standard input.",
	.options = { { "strict", 0, NULL, "refuse what would be a warning" } },
	.run = run_define,
};

static int run_undefine(struct vm *vm, const struct cli_args *args, struct error *err)
{
	return vm_undefine(vm, args->operand[0], err);
}

const struct cli_verb cli_undefine = {
	.name = "undefine",
	.waits = true,
	.rights = CLI_GROUP,
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Forget a guest's definition",
	.text = "A guest that runs goes on until it ends. Its disk images stay.",
	.run = run_undefine,
};

static int run_autostart(struct vm *vm, const struct cli_args *args, struct error *err)
{
	long order = VM_ORDER_DEFAULT;

	if (args->option[0] && args->option[1])
		return error_set(err, ERROR_USAGE, "autostart: --disable has no --order");
	if (args->option[1] && cli_number("order", args->option[1], VM_ORDER_MAX, &order, err))
		return -1;
	return vm_set_autostart(vm, args->operand[0], !args->option[0], (unsigned)order, err);
}

const struct cli_verb cli_autostart = {
	.name = "autostart",
	.waits = true,
	.rights = CLI_GROUP,
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Start a defined guest with the host, or not",
	.text = "Guests start one after the other: those of a lower order first, then by name.",
	.options = {
		{ "disable", 'd', NULL, "do not start it" },
		{ "order", 'o', "N", "1 to 999, by default 500" },
	},
	.run = run_autostart,
};

static int run_rename(struct vm *vm, const struct cli_args *args, struct error *err)
{
	return vm_rename(vm, args->operand[0], args->operand[1], err);
}

const struct cli_verb cli_rename = {
	.name = "rename",
	.waits = true,
	.rights = CLI_GROUP,
	.aliases = "domrename",
	.operands = "GUEST NAME",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Give a guest another name, also while it runs",
	.run = run_rename,
};
