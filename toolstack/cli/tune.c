/* SPDX-License-Identifier: MIT */
/* enso setmem, setmaxmem, setvcpus: what the guest's kernel does in its own time. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "vm/tune.h"

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
	{ "no-wait", 0, NULL, "tell the guest, and don't wait for it" }, CLI_SCOPE_OPTIONS
#define WAIT_LIVE 2	/* the place of --live in it */

/*
 * The definition first: what is refused there is not done to the guest either. True: that is all.
 */
static bool tune_config(struct vm *vm, const struct cli_args *args, int live,
			const struct vm_tuning *tuning, int *rc, struct error *err)
{
	enum vm_scope scope = cli_scope(args, live);

	*rc = scope == VM_LIVE ? 0 : vm_tune_defined(vm, args->operand[0], tuning, err);
	return *rc || scope == VM_CONFIG;
}

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
	struct vm_tuning tuning = { .cap = VM_SCHED_KEEP };
	struct vm_wait wait;
	struct vm_info info;
	int rc;

	if (read_wait(args, &wait, &shown, err) ||
	    read_size(args->operand[1], &tuning.memory_kib, err))
		return -1;
	if (tune_config(vm, args, WAIT_LIVE, &tuning, &rc, err))
		return rc;
	if (vm_find(vm, args->operand[0], &info, err))
		return -1;
	rc = vm_set_memory(vm, &info, tuning.memory_kib, &wait, err);
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
	struct vm_tuning tuning = { .cap = VM_SCHED_KEEP };
	struct vm_info info;
	bool later;
	int rc;

	if (read_size(args->operand[1], &tuning.max_memory_kib, err))
		return -1;
	if (tune_config(vm, args, 0, &tuning, &rc, err))
		return rc;
	if (vm_find(vm, args->operand[0], &info, err) ||
	    vm_set_max_memory(vm, &info, tuning.max_memory_kib, &later, err))
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
	.options = { CLI_SCOPE_OPTIONS },
	.run = run_setmaxmem,
};

#define MAXIMUM 4	/* the place of --maximum */

static int run_setvcpus(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct shown shown = { .what = "vCPUs", .unit = "" };
	struct vm_tuning tuning = { .cap = VM_SCHED_KEEP };
	struct vm_wait wait;
	struct vm_info info;
	long vcpus;
	int rc;

	if (read_wait(args, &wait, &shown, err) ||
	    cli_number("vcpus", args->operand[1], CONFIG_VCPUS_MAX, &vcpus, err))
		return -1;
	if (args->option[MAXIMUM] && cli_scope(args, WAIT_LIVE) != VM_CONFIG)
		return error_set(err, ERROR_USAGE, "--maximum: is for --config alone: a guest that "
						   "runs keeps its maximum");
	if (args->option[MAXIMUM])
		tuning.max_vcpus = (unsigned)vcpus;
	else
		tuning.vcpus = (unsigned)vcpus;
	if (tune_config(vm, args, WAIT_LIVE, &tuning, &rc, err))
		return rc;
	if (vm_find(vm, args->operand[0], &info, err))
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
	.options = { WAIT_OPTIONS,
		     { "maximum", 0, NULL, "with --config: the most that it may ever have" } },
	.run = run_setvcpus,
};
