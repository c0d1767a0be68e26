/* SPDX-License-Identifier: MIT */
/* enso pause, unpause, shutdown, reboot, destroy: one word to a running guest. */
#include "cli/cli.h"

#define WAIT_DEFAULT 60	/* seconds */

static int run_pause(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_info info;

	return vm_find(vm, args->operand[0], &info, err) || vm_pause(vm, &info, err) ? -1 : 0;
}

const struct cli_verb cli_pause = {
	.name = "pause",
	.rights = CLI_GROUP,
	.aliases = "suspend",
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Stop a guest's vCPUs until \"enso unpause\"",
	.run = run_pause,
};

static int run_unpause(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_info info;

	return vm_find(vm, args->operand[0], &info, err) || vm_unpause(vm, &info, err) ? -1 : 0;
}

const struct cli_verb cli_unpause = {
	.name = "unpause",
	.rights = CLI_GROUP,
	.aliases = "resume",
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Let a paused guest run",
	.run = run_unpause,
};

static int ask(struct vm *vm, const struct cli_args *args, bool reboot, struct error *err)
{
	long seconds = WAIT_DEFAULT;
	struct vm_info info;

	if (args->option[1] && cli_number("timeout", args->option[1], 86400, &seconds, err))
		return -1;
	if (vm_find(vm, args->operand[0], &info, err) || vm_ask_shutdown(vm, &info, reboot, err))
		return -1;
	if (!args->option[0] && !args->option[1])
		return 0;
	return vm_wait_stopped(vm, &info, (int)seconds * 1000, err);
}

static void tell(void *context, const char *guest, const char *what)
{
	(void)context;
	printf("%s: %s\n", guest, what);
	fflush(stdout);
}

static int shutdown_all(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_shutdown how = { .destroy = args->option[3], .tell = tell };
	long seconds = args->option[0] || args->option[3] ? WAIT_DEFAULT : 0;

	if (args->nr_operands)
		return error_set(err, ERROR_USAGE, "shutdown: either a guest or --all");
	if (args->option[1] && cli_number("timeout", args->option[1], 86400, &seconds, err))
		return -1;
	how.timeout_ms = (int)seconds * 1000;
	return vm_shutdown_all(vm, &how, err);
}

static int run_shutdown(struct vm *vm, const struct cli_args *args, struct error *err)
{
	if (args->option[2])
		return shutdown_all(vm, args, err);
	if (!args->nr_operands || args->option[3])
		return error_set(err, ERROR_USAGE, "shutdown: %s; see \"enso help shutdown\"",
				 args->option[3] ? "--destroy belongs to --all" :
						   "missing GUEST, or --all");
	return ask(vm, args, false, err);
}

const struct cli_verb cli_shutdown = {
	.name = "shutdown",
	.rights = CLI_GROUP,
	.operands = "GUEST",
	.max_operands = 1,
	.summary = "Ask a guest to power itself off",
	.text = "Its kernel is asked and may take its time, or not listen: \"enso destroy\" ends "
		"it at once.",
	.options = {
		{ "wait", 'w', NULL, "until it has, at most a minute" },
		{ "timeout", 't', "SECONDS", "wait, but not longer than this" },
		{ "all", 'a', NULL, "ask all guests" },
		{ "destroy", 0, NULL, "with --all: end those that have not, then" },
	},
	.run = run_shutdown,
};

static int run_reboot(struct vm *vm, const struct cli_args *args, struct error *err)
{
	return ask(vm, args, true, err);
}

const struct cli_verb cli_reboot = {
	.name = "reboot",
	.rights = CLI_GROUP,
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Ask a guest to reboot",
	.text = "Its kernel is asked; ensod starts it again as its <on_reboot> says.",
	.options = {
		{ "wait", 'w', NULL, "until it has gone down, at most a minute" },
		{ "timeout", 't', "SECONDS", "wait, but not longer than this" },
	},
	.run = run_reboot,
};

static int run_destroy(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_info info;

	return vm_find(vm, args->operand[0], &info, err) || vm_destroy(vm, &info, err) ? -1 : 0;
}

const struct cli_verb cli_destroy = {
	.name = "destroy",
	.rights = CLI_GROUP,
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "End a guest at once, as if its power failed",
	.run = run_destroy,
};
