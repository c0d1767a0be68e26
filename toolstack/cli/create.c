/* SPDX-License-Identifier: MIT */
/* enso create, start, prepare: a guest from its XML, or from its definition. */
#include <unistd.h>

#include "cli/cli.h"
#include "vm/allowed.h"
#include "vm/defined.h"

void cli_warn(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "enso: warning: %s\n", text);
}

int cli_load(struct vm_config *config, const char *path, bool strict, struct error *err)
{
	const struct config_options options = { .strict = strict, .warn = cli_warn };

	if (config_load(config, path, &options, err))
		return -1;
	if (!cli_for_member() || !allowed_config(config, err))
		return 0;
	config_free(config);
	return -1;
}

static int unpause(struct vm *vm, const char *name, struct error *err)
{
	struct vm_info info;

	return vm_find(vm, name, &info, err) || vm_unpause(vm, &info, err) ? -1 : 0;
}

int cli_bring_up(struct vm *vm, const struct cli_args *args, const char *what, cli_up_fn *up,
		 void *from, struct error *err)
{
	struct cli_progress progress;
	bool paused = args->option[0], console = args->option[1];
	struct vm_create_options options = { .paused = paused || console, .context = &progress };
	struct vm_restored guest;
	int rc, fd;

	options.progress = cli_progress_start(&progress, what);
	rc = up(vm, from, &options, &guest, err);
	cli_progress_end(&progress);
	if (rc || !console)
		return rc;
	/* Connected before it runs: it may end at once, and its first words are to be seen. */
	fd = cli_console_open(guest.domid, guest.name, err);
	if (!paused && unpause(vm, guest.name, fd < 0 ? NULL : err) && fd >= 0) {
		close(fd);
		return -1;
	}
	return fd < 0 ? -1 : cli_console_use(fd, guest.name, err);
}

static int up_new(struct vm *vm, void *from, const struct vm_create_options *options,
		  struct vm_restored *guest, struct error *err)
{
	struct vm_config *config = from;

	snprintf(guest->name, sizeof(guest->name), "%s", config->name);
	return vm_create(vm, config, options, &guest->domid, err);
}

static int run_create(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_config config;
	int rc;

	if (cli_load(&config, args->operand[0], args->option[2], err))
		return -1;
	rc = cli_bring_up(vm, args, "loading", up_new, &config, err);
	config_free(&config);
	return rc;
}

const struct cli_verb cli_create = {
	.name = "create",
	.waits = true,
	.rights = CLI_GROUP_INPUT,
	.operands = "FILE.xml",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Create a guest from its XML and start it",
	.text = "FILE.xml is a libvirt domain definition, as enso-xml(5) describes; - is standard "
		"input.",
	.options = {
		{ "paused", 'p', NULL, "leave it paused" },
		{ "console", 'c', NULL, "connect to its console; Ctrl-] leaves" },
		{ "strict", 0, NULL, "refuse what would be a warning" },
	},
	.run = run_create,
};

static int up_defined(struct vm *vm, void *name, const struct vm_create_options *options,
		      struct vm_restored *guest, struct error *err)
{
	snprintf(guest->name, sizeof(guest->name), "%s", (const char *)name);
	return vm_start(vm, name, options, &guest->domid, err);
}

static int run_start(struct vm *vm, const struct cli_args *args, struct error *err)
{
	return cli_bring_up(vm, args, "loading", up_defined, args->operand[0], err);
}

const struct cli_verb cli_start = {
	.name = "start",
	.waits = true,
	.rights = CLI_GROUP,
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Start a guest that is defined",
	.text = "If it has a managed save (\"enso managedsave\") it goes on from there, and the "
		"save is removed.",
	.options = {
		{ "paused", 'p', NULL, "leave it paused" },
		{ "console", 'c', NULL, "connect to its console; Ctrl-] leaves" },
	},
	.run = run_start,
};

/* What cannot be prepared does not keep others from it. The last such error is the result. */
static int run_prepare(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const struct config_options options = { .warn = cli_warn };
	struct vm_config config;
	bool failed = false;

	(void)vm;
	vm_prepare_host();
	for (int i = 0; i < args->nr_operands; i++) {
		struct error why;
		int rc = config_load(&config, args->operand[i], &options, &why);

		if (!rc) {
			rc = vm_prepare(&config, &why);
			config_free(&config);
		}
		if (!rc)
			continue;
		if (failed)
			cli_complain(NULL, err);
		error_set(err, why.code, "%s", why.text);
		failed = true;
	}
	return failed ? -1 : 0;
}

const struct cli_verb cli_prepare = {
	.name = "prepare",
	.operands = "FILE.xml...",
	.min_operands = 1,
	.max_operands = 1000,
	.summary = "Unpack and read guests' kernels, for a faster create",
	.text = "What create finds out about a kernel is kept until it changes; this does it\n"
		"now, and reads kernel and initrd into memory. The live system does so for its\n"
		"own guests. The addresses for the first guest's rings are made, too.",
	.run = run_prepare,
};
