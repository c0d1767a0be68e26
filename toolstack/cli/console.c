/* SPDX-License-Identifier: MIT */
/* enso console: the terminal becomes the guest's. */
#include <errno.h>
#include <unistd.h>

#include "cli/cli.h"
#include "console/client.h"

#define PATIENCE_MS 5000

int cli_console_open(uint32_t domid, const char *name, struct error *err)
{
	int fd = console_connect(domid, PATIENCE_MS);

	if (fd == -ENOENT)
		return error_set(err, ERROR_STATE, "%s: has no console; is enso-consoled running?",
				 name);
	if (fd < 0)
		return error_set(err, ERROR_FAILED,
				 "%s: its console cannot be reached: %s; is enso-consoled running?",
				 name, error_text(fd));
	return fd;
}

int cli_console_use(int fd, const char *name, struct error *err)
{
	int rc;

	if (isatty(STDIN_FILENO))
		fprintf(stderr, "Connected to %s; Ctrl-] leaves.\n", name);
	rc = console_interact(fd);
	close(fd);
	if (rc < 0)
		return error_set(err, ERROR_FAILED, "%s: its console failed: %s", name,
				 error_text(rc));
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "%s\n", rc == CONSOLE_CLOSED ? "The guest is gone." : "");
	return 0;
}

static int run_console(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_info info;
	int fd;

	if (vm_find(vm, args->operand[0], &info, err))
		return -1;
	if (info.domid == 0)
		return error_set(err, ERROR_STATE,
				 "Domain-0: its console is the one of this machine");
	fd = cli_console_open(info.domid, info.name, err);
	return fd < 0 ? -1 : cli_console_use(fd, info.name, err);
}

const struct cli_verb cli_console_verb = {
	.name = "console",
	.rights = CLI_GROUP,
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Connect to a guest's console; Ctrl-] leaves",
	.text = "What the guest wrote last comes first. Standard input and output may be files or "
		"pipes.",
	.run = run_console,
};
