/* SPDX-License-Identifier: MIT */
/* enso dumpxml: a guest's definition, to be kept, changed and defined again. */
#include <stdlib.h>

#include "cli/cli.h"
#include "vm/hotplug.h"

int cli_print_config(const struct vm_config *config, struct error *err)
{
	char *text;
	size_t len;

	if (config_dump(config, &text, &len))
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	fwrite(text, 1, len, stdout);
	free(text);
	return 0;
}

static int run_dumpxml(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_config config;
	int rc;

	if (vm_guest_config(vm, args->operand[0], args->option[0], &config, err))
		return -1;
	rc = cli_print_config(&config, err);
	config_free(&config);
	return rc;
}

const struct cli_verb cli_dumpxml = {
	.name = "dumpxml",
	.rights = CLI_GROUP,
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Print a guest's definition as XML",
	.text = "That of a guest that runs is what it runs with.",
	.options = { { "inactive", 0, NULL, "what it starts with the next time" } },
	.run = run_dumpxml,
};
