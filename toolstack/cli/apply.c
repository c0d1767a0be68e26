/* SPDX-License-Identifier: MIT */
/* enso apply: the host is made to match a set of definitions. */
#include <jansson.h>

#include "cli/cli.h"
#include "vm/apply.h"

enum { STOP_SECONDS = 60 };
enum options { DRY_RUN, PRUNE, START, NO_START, TIMEOUT, STRICT, JSON };

static void print_step(void *context, const struct plan_step *step)
{
	(void)context;
	printf("%s %s: %s\n", plan_acts(step->kind) ? "*" : " ", step->name, step->text);
	fflush(stdout);
}

static void say_nothing(void *context, const struct plan_step *step)
{
	(void)context;
	(void)step;
}

static void print_failure(void *context, const struct plan_step *step, const struct error *err)
{
	(void)step;
	cli_complain(context, err);
}

static int print_json(const struct plan *plan, struct error *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];

		json_array_append_new(array, json_pack("{s:s s:s s:b s:s}", "guest", step->name,
						       "action", plan_kind_name(step->kind),
						       "acts", (int)plan_acts(step->kind), "text",
						       step->text));
	}
	return cli_print_json(array, err);
}

static int show(const struct plan *plan, bool json, struct error *err)
{
	if (json)
		return print_json(plan, err);
	for (size_t i = 0; i < plan->count; i++)
		print_step(NULL, &plan->steps[i]);
	return 0;
}

static int perform(struct vm *vm, const struct plan *plan, const struct cli_args *args,
		   struct error *err)
{
	long seconds = STOP_SECONDS;
	bool json = args->option[JSON], acts = false;

	if (args->option[TIMEOUT] &&
	    cli_number("timeout", args->option[TIMEOUT], 86400, &seconds, err))
		return -1;
	const struct apply_options options = {
		.stop_ms = (int)seconds * 1000,
		.step = json ? say_nothing : print_step,
		.failed = print_failure,
	};
	for (size_t i = 0; i < plan->count; i++)
		acts = acts || plan_acts(plan->steps[i].kind);
	if (args->option[DRY_RUN] || json) {
		if (show(plan, json, err))
			return -1;
	}
	if (!json && !acts)
		printf("Nothing to do.\n");
	if (args->option[DRY_RUN])
		return 0;
	return apply_perform(vm, plan, &options, err);
}

static int run_apply(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const struct config_options reading = { .strict = args->option[STRICT], .warn = cli_warn };
	const struct plan_options wishes = {
		.prune = args->option[PRUNE],
		.start_all = args->option[START],
		.start_none = args->option[NO_START],
	};
	struct apply_state state;
	struct config_set set;
	struct plan plan;
	int rc = -1;

	if (wishes.start_all && wishes.start_none)
		return error_set(err, ERROR_USAGE,
				 "apply: --start and --no-start exclude each other");
	if (config_set_load(&set, args->operand, (size_t)args->nr_operands, &reading, cli_complain,
			    NULL, err))
		return -1;
	if (!apply_look(vm, &state, err)) {
		if (!plan_adopt(&set, state.guests, state.count, err) &&
		    !plan_make(&plan, state.guests, state.count, &set, &wishes, err)) {
			rc = perform(vm, &plan, args, err);
			plan_free(&plan);
		}
		apply_free(&state);
	}
	config_set_free(&set);
	return rc;
}

const struct cli_verb cli_apply = {
	.name = "apply",
	.waits = true,
	.operands = "FILE|FOLDER...",
	.min_operands = 1,
	.max_operands = CLI_MANY,
	.summary = "Make the host match a set of definitions",
	.text = "Guests that are missing are defined and started; those that are there get their "
		"new\ndefinition, and while they run what can change then; what needs a restart "
		"is told. If any\nfile is wrong, nothing is touched. Done twice, it does nothing "
		"the second time.",
	.options = {
		[DRY_RUN] = { "dry-run", 'n', NULL, "print what would be done" },
		[PRUNE] = { "prune", 0, NULL, "shut down and undefine all other guests" },
		[START] = { "start", 0, NULL, "start those that are shut off, too" },
		[NO_START] = { "no-start", 0, NULL, "start none" },
		[TIMEOUT] = { "timeout", 't', "SECONDS", "to shut down (60), else destroy" },
		[STRICT] = { "strict", 0, NULL, "refuse what would be a warning" },
		[JSON] = { "json", 0, NULL, "print the plan as JSON" },
	},
	.run = run_apply,
};
