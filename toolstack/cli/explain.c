/* SPDX-License-Identifier: MIT */
/* enso explain: what an error's code means, where it comes from and what to do. */
#include <jansson.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/explain.h"

enum { WIDTH = 79 };

static json_t *to_json(const struct explanation *one)
{
	return json_pack("{s:i s:s s:s s:s s:s}", "code", (int)one->code, "name", one->name,
			 "summary", one->summary, "cause", one->cause, "remedy", one->remedy);
}

static int print_all(bool json, struct error *err)
{
	json_t *array = json ? json_array() : NULL;

	for (size_t i = 0; i < nr_explanations; i++) {
		const struct explanation *one = &explanations[i];

		if (json)
			json_array_append_new(array, to_json(one));
		else
			printf("%4d  %-11s %s\n", (int)one->code, one->name, one->summary);
	}
	return json ? cli_print_json(array, err) : 0;
}

/* A paragraph of at most WIDTH columns. */
static void print_wrapped(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column && column + 1 + len > WIDTH)
			column = 0, putchar('\n');
		printf("%s%.*s", column ? " " : "", (int)len, text);
		column += len + (column > 0);
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}

static int run_explain(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const struct explanation *one;

	(void)vm;
	if (!args->nr_operands)
		return print_all(args->option[0], err);
	one = explain_find(args->operand[0]);
	if (!one)
		return error_set(err, ERROR_USAGE, "%s: no such code; \"enso explain\" lists them",
				 args->operand[0]);
	if (args->option[0])
		return cli_print_json(to_json(one), err);
	printf("%d (%s): %s.\n\nCause:\n", (int)one->code, one->name, one->summary);
	print_wrapped(one->cause);
	printf("\nRemedy:\n");
	print_wrapped(one->remedy);
	return 0;
}

const struct cli_verb cli_explain = {
	.name = "explain",
	.rights = CLI_ALL,
	.operands = "[CODE]",
	.max_operands = 1,
	.summary = "Tell what an error's code means and what to do",
	.text = "CODE stands at the end of an error's line, and its number is the exit status.\n"
		"Without it all are listed.",
	.options = { { "json", 0, NULL, "as JSON" } },
	.run = run_explain,
};
