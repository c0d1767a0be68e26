/* SPDX-License-Identifier: MIT */
/* enso create, start: a guest from its XML, or from its definition. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "vm/defined.h"

/* Progress is worth a line on a terminal once the work has taken a second. */
struct progress {
	struct timespec start, last;
	bool shown;
};

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void show_progress(void *context, uint64_t done, uint64_t all)
{
	struct progress *progress = context;
	double seconds = seconds_since(&progress->start);

	if (seconds < 1.0 || (seconds_since(&progress->last) < 0.1 && done < all))
		return;
	fprintf(stderr, "\rloading: %llu of %llu MiB, %.0f MiB/s ", (unsigned long long)done >> 20,
		(unsigned long long)all >> 20, (double)done / 1048576.0 / seconds);
	clock_gettime(CLOCK_MONOTONIC, &progress->last);
	progress->shown = true;
}

void cli_warn(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "enso: warning: %s\n", text);
}

/* From config, or if that is NULL from the definition of who. */
static int create(struct vm *vm, struct vm_config *config, const char *who,
		  const struct cli_args *args, struct error *err)
{
	struct progress progress = { .shown = false };
	struct vm_create_options options = { .paused = args->option[0], .context = &progress };
	uint32_t domid;
	int rc;

	clock_gettime(CLOCK_MONOTONIC, &progress.start);
	if (isatty(STDERR_FILENO))
		options.progress = show_progress;
	rc = config ? vm_create(vm, config, &options, &domid, err)
		    : vm_start(vm, who, &options, &domid, err);
	if (progress.shown)
		fprintf(stderr, "\r\033[K");
	if (rc || !args->option[1])
		return rc;
	return cli_attach(domid, who, err);
}

static int run_create(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const struct config_options options = { .strict = args->option[2], .warn = cli_warn };
	struct vm_config config;
	int rc;

	if (config_load(&config, args->operand[0], &options, err))
		return -1;
	rc = create(vm, &config, config.name, args, err);
	config_free(&config);
	return rc;
}

const struct cli_verb cli_create = {
	.name = "create",
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

static int run_start(struct vm *vm, const struct cli_args *args, struct error *err)
{
	return create(vm, NULL, args->operand[0], args, err);
}

const struct cli_verb cli_start = {
	.name = "start",
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Start a guest that is defined",
	.options = {
		{ "paused", 'p', NULL, "leave it paused" },
		{ "console", 'c', NULL, "connect to its console; Ctrl-] leaves" },
	},
	.run = run_start,
};
