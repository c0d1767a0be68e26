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

static int run_shutdown(struct vm *vm, const struct cli_args *args, struct error *err)
{
	return ask(vm, args, false, err);
}

const struct cli_verb cli_shutdown = {
	.name = "shutdown",
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Ask a guest to power itself off",
	.text = "Its kernel is asked and may take its time, or not listen: \"enso destroy\" ends "
		"it at once.",
	.options = {
		{ "wait", 'w', NULL, "until it has, at most a minute" },
		{ "timeout", 't', "SECONDS", "wait, but not longer than this" },
	},
	.run = run_shutdown,
};

static int run_reboot(struct vm *vm, const struct cli_args *args, struct error *err)
{
	return ask(vm, args, true, err);
}

const struct cli_verb cli_reboot = {
	.name = "reboot",
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
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "End a guest at once, as if its power failed",
	.run = run_destroy,
};
