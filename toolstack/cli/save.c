/* SPDX-License-Identifier: MIT */
/* enso save, restore, managedsave: a running guest into a file, and back. */
#include <string.h>

#include "cli/cli.h"
#include "vm/allowed.h"

#define WAIT_DEFAULT 60	/* seconds for the guest to suspend */

static int parse_packing(const char *name, enum stream_packing *packing, struct error *err)
{
	static const char *const names[] = {
		[STREAM_PLAIN] = "none", [STREAM_ZSTD] = "zstd", [STREAM_LZ4] = "lz4",
	};

	*packing = STREAM_PLAIN;
	if (!name)
		return 0;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(name, names[i])) {
			*packing = i;
			return 0;
		}
	}
	return error_set(err, ERROR_USAGE, "--compress: \"%s\" is not zstd, lz4 or none", name);
}

/* The options of both: compress, timeout. */
static int parse_save(const char *compress, const char *timeout, struct vm_save_options *options,
		      struct error *err)
{
	long seconds = WAIT_DEFAULT;

	if (parse_packing(compress, &options->packing, err))
		return -1;
	if (timeout && cli_number("timeout", timeout, 86400, &seconds, err))
		return -1;
	options->timeout_ms = (int)seconds * 1000;
	return 0;
}

/* To path, or if that is NULL to where managed saves are. */
static int save(struct vm *vm, const char *who, const char *path, struct vm_save_options *options,
		struct error *err)
{
	struct cli_progress progress;
	struct vm_info info;
	int rc;

	if (vm_find(vm, who, &info, err))
		return -1;
	options->context = &progress;
	options->progress = cli_progress_start(&progress, "saving");
	rc = path ? vm_save(vm, &info, path, options, err)
		  : vm_managedsave(vm, &info, options, err);
	cli_progress_end(&progress);
	return rc;
}

static int run_save(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_save_options options = { .checkpoint = args->option[0] };

	if (cli_for_member() && allowed_in(args->operand[1], "save", err))
		return -1;
	if (parse_save(args->option[1], args->option[2], &options, err))
		return -1;
	return save(vm, args->operand[0], args->operand[1], &options, err);
}

const struct cli_verb cli_save = {
	.name = "save",
	.rights = CLI_GROUP,
	.operands = "GUEST FILE",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Save a running guest's memory to a file, and end it",
	.text = "\"enso restore FILE\" lets it go on from there. If the guest does not suspend, or "
		"the file cannot be\nwritten, it runs on and there is no file. Its disks are not "
		"saved: they must be what they are now\nwhen it is restored.",
	.options = {
		{ "checkpoint", 'c', NULL, "the guest runs on after it is saved" },
		{ "compress", 0, "zstd|lz4", "a smaller file" },
		{ "timeout", 't', "SECONDS", "for the guest to suspend; by default 60" },
	},
	.run = run_save,
};

static int up_saved(struct vm *vm, void *path, const struct vm_create_options *options,
		    struct vm_restored *guest, struct error *err)
{
	return vm_restore(vm, path, options, guest, err);
}

static int run_restore(struct vm *vm, const struct cli_args *args, struct error *err)
{
	if (cli_for_member() && allowed_in(args->operand[0], "save", err))
		return -1;
	return cli_bring_up(vm, args, "restoring", up_saved, args->operand[0], err);
}

const struct cli_verb cli_restore = {
	.name = "restore",
	.rights = CLI_GROUP,
	.waits = true,
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Let a guest go on from a file of \"enso save\"",
	.text = "The file stays. One that is damaged or cut off is refused before anything is "
		"done.",
	.options = {
		{ "paused", 'p', NULL, "leave it paused" },
		{ "console", 'c', NULL, "connect to its console; Ctrl-] leaves" },
	},
	.run = run_restore,
};

static int run_managedsave(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_save_options options = { .checkpoint = false };

	if (parse_save(args->option[0], args->option[1], &options, err))
		return -1;
	return save(vm, args->operand[0], NULL, &options, err);
}

const struct cli_verb cli_managedsave = {
	.name = "managedsave",
	.rights = CLI_GROUP,
	.waits = true,
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Save a running guest and end it; \"enso start\" lets it go on",
	.options = {
		{ "compress", 0, "zstd|lz4", "a smaller file" },
		{ "timeout", 't', "SECONDS", "for the guest to suspend; by default 60" },
	},
	.run = run_managedsave,
};

static int run_managedsave_remove(struct vm *vm, const struct cli_args *args, struct error *err)
{
	(void)vm;
	return vm_managedsave_remove(args->operand[0], err);
}

const struct cli_verb cli_managedsave_remove = {
	.name = "managedsave-remove",
	.rights = CLI_GROUP,
	.waits = true,
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Forget a guest's managed save: it will start anew",
	.run = run_managedsave_remove,
};
