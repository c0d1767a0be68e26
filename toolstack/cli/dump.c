/* SPDX-License-Identifier: MIT */
/* enso dump: a guest's memory and registers into a file. */
#include "cli/cli.h"
#include "vm/allowed.h"

static int run_dump(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct cli_progress progress;
	cli_progress_fn *show = cli_progress_start(&progress, "dumping");
	struct vm_info info;
	int rc;

	if (cli_for_member() && allowed_in(args->operand[1], "crash", err))
		return -1;
	if (vm_find(vm, args->operand[0], &info, err))
		return -1;
	rc = vm_dump(vm, &info, args->operand[1], show, &progress, err);
	cli_progress_end(&progress);
	return rc;
}

const struct cli_verb cli_dump = {
	.name = "dump",
	.rights = CLI_GROUP,
	.aliases = "dump-core",
	.operands = "GUEST FILE",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Write a guest's memory and registers as a core file for gdb",
	.text = "The guest stands still meanwhile. \"gdb VMLINUX FILE\" shows its vCPUs as "
		"threads.",
	.run = run_dump,
};
