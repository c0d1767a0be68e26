/* SPDX-License-Identifier: MIT */
/* enso setmem, setmaxmem, setvcpus: what the guest's kernel does in its own time. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"

#define PATIENCE 30	/* seconds without progress */

/* A line that changes in place, when there is something new to tell. */
struct shown {
	const char *what, *unit;
	unsigned shift;
	bool yet;
	uint64_t last;
};

static void show(void *context, uint64_t now, uint64_t wanted)
{
	struct shown *shown = context;

	if (shown->yet && shown->last == now >> shown->shift)
		return;
	shown->yet = true;
	shown->last = now >> shown->shift;
	fprintf(stderr, "\r%s: %llu of %llu%s ", shown->what, (unsigned long long)shown->last,
		(unsigned long long)(wanted >> shown->shift), shown->unit);
}

/* The options --timeout and --no-wait, at these positions in all tables here. */
static int read_wait(const struct cli_args *args, struct vm_wait *wait, struct shown *shown,
		     struct error *err)
{
	long seconds = PATIENCE;

	if (args->option[0] && cli_number("timeout", args->option[0], 86400, &seconds, err))
		return -1;
	*wait = (struct vm_wait){ .patience_ms = args->option[1] ? 0 : (int)seconds * 1000,
				  .context = shown };
	if (isatty(STDERR_FILENO))
		wait->progress = show;
	return 0;
}

static void end_progress(const struct shown *shown)
{
	if (shown->yet)
		fprintf(stderr, "\r\033[K");
}

#define WAIT_OPTIONS                                                                               \
	{ "timeout", 't', "SECONDS", "give up after so long without progress (30)" },              \
	{ "no-wait", 0, NULL, "tell the guest, and don't wait for it" }

static int read_size(const char *text, uint64_t *kib, struct error *err)
{
	return config_parse_memory(text, kib)
		       ? error_set(err, ERROR_USAGE,
				   "%s: is not an amount of memory with its unit, as 512MiB or 2G",
				   text)
		       : 0;
}

static int run_setmem(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct shown shown = { .what = "memory", .unit = " MiB", .shift = 10 };
	struct vm_wait wait;
	struct vm_info info;
	uint64_t kib;
	int rc;

	if (read_wait(args, &wait, &shown, err) || read_size(args->operand[1], &kib, err) ||
	    vm_find(vm, args->operand[0], &info, err))
		return -1;
	rc = vm_set_memory(vm, &info, kib, &wait, err);
	end_progress(&shown);
	return rc;
}

const struct cli_verb cli_setmem = {
	.name = "setmem",
	.rights = CLI_GROUP,
	.aliases = "mem-set",
	.operands = "GUEST SIZE",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Give a guest memory, or take some",
	.text = "SIZE is what it shall have, as 512MiB or 2G. Its balloon does it; Ctrl-C leaves "
		"it at that.",
	.options = { WAIT_OPTIONS },
	.run = run_setmem,
};

static int run_setmaxmem(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_info info;
	uint64_t kib;
	bool later;

	if (read_size(args->operand[1], &kib, err) || vm_find(vm, args->operand[0], &info, err) ||
	    vm_set_max_memory(vm, &info, kib, &later, err))
		return -1;
	if (later)
		printf("%s: holds from its next start on\n", info.name);
	return 0;
}

const struct cli_verb cli_setmaxmem = {
	.name = "setmaxmem",
	.rights = CLI_GROUP,
	.aliases = "mem-max",
	.operands = "GUEST SIZE",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Limit the memory that a guest may have",
	.text = "Less than before holds at once, more from its next start on: a kernel makes room "
		"for it then.",
	.run = run_setmaxmem,
};

static int run_setvcpus(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct shown shown = { .what = "vCPUs", .unit = "" };
	struct vm_wait wait;
	struct vm_info info;
	long vcpus;
	int rc;

	if (read_wait(args, &wait, &shown, err) ||
	    cli_number("vcpus", args->operand[1], CONFIG_VCPUS_MAX, &vcpus, err) ||
	    vm_find(vm, args->operand[0], &info, err))
		return -1;
	rc = vm_set_vcpus(vm, &info, (unsigned)vcpus, &wait, err);
	end_progress(&shown);
	return rc;
}

const struct cli_verb cli_setvcpus = {
	.name = "setvcpus",
	.rights = CLI_GROUP,
	.aliases = "vcpu-set",
	.operands = "GUEST NUMBER",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Switch a guest's vCPUs on and off",
	.text = "NUMBER of them are on then, at most those that it was created with.",
	.options = { WAIT_OPTIONS },
	.run = run_setvcpus,
};
