/* SPDX-License-Identifier: MIT */
/* The table of verbs, and what is read and printed from it: see cli/cli.h. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define CLI_POINTER(verb) &(verb),
const struct cli_verb *const cli_verbs[] = {
	CLI_VERBS(CLI_POINTER) NULL,
};

/* Is name one of the words? */
static bool among(const char *words, const char *name)
{
	size_t len = strlen(name);

	if (strchr(name, ' '))
		return false;
	for (const char *at = words; at && len; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (!strncmp(at, name, len) && (at[len] == ' ' || at[len] == 0))
			return true;
	}
	return false;
}

const struct cli_verb *cli_find(const char *name)
{
	for (size_t i = 0; cli_verbs[i]; i++) {
		if (!strcmp(cli_verbs[i]->name, name) || among(cli_verbs[i]->aliases, name))
			return cli_verbs[i];
	}
	return NULL;
}

const struct cli_verb *cli_find_words(int argc, char **argv, int *used)
{
	char both[60];

	*used = 2;
	if (argc > 1 &&
	    snprintf(both, sizeof(both), "%s %s", argv[0], argv[1]) < (int)sizeof(both) &&
	    cli_find(both))
		return cli_find(both);
	*used = 1;
	return cli_find(argv[0]);
}

int cli_unknown(const char *word, struct error *err)
{
	char second[200] = "";
	size_t len = strlen(word);

	for (size_t i = 0; cli_verbs[i]; i++) {
		const char *name = cli_verbs[i]->name;
		size_t have = strlen(second);

		if (!strncmp(name, word, len) && name[len] == ' ')
			snprintf(second + have, sizeof(second) - have, "%s%s", have ? ", " : "",
				 name + len + 1);
	}
	if (*second)
		return error_set(err, ERROR_USAGE, "%s: say what: %s", word, second);
	return error_set(err, ERROR_USAGE, "%s: no such verb; \"enso help\" lists them", word);
}

static int usage(const struct cli_verb *verb, struct error *err, const char *what,
		 const char *which)
{
	return error_set(err, ERROR_USAGE, "%s: %s%s; see \"enso help %s\"", verb->name, what,
			 which, verb->name);
}

/* The position of the option that arg (without its dashes, up to len) names, or -1. */
static int find_option(const struct cli_verb *verb, const char *name, size_t len, char letter)
{
	for (int i = 0; i < CLI_OPTIONS_MAX && verb->options[i].name; i++) {
		const struct cli_option *option = &verb->options[i];

		if (letter ? option->letter == letter
			   : strlen(option->name) == len && !strncmp(option->name, name, len))
			return i;
	}
	return -1;
}

/* One option at argv[*at]; *at moves over an argument that follows. 1 if it is a call for help. */
static int parse_option(const struct cli_verb *verb, int argc, char **argv, int *at,
			struct cli_args *args, struct error *err)
{
	const char *arg = argv[*at], *value = NULL;
	bool is_long = arg[1] == '-';
	size_t len = strcspn(arg + 2, "=");
	int which;

	if (!strcmp(arg, "--help") || !strcmp(arg, "-h"))
		return 1;
	if (!is_long && arg[2])
		return usage(verb, err, "unknown option ", arg);
	which = find_option(verb, arg + 2, len, is_long ? 0 : arg[1]);
	if (which < 0)
		return usage(verb, err, "unknown option ", arg);
	if (is_long && arg[2 + len])
		value = arg + 2 + len + 1;
	if (!verb->options[which].value) {
		if (value)
			return usage(verb, err, "no value belongs to ", arg);
		value = "";
	} else if (!value) {
		if (*at + 1 >= argc)
			return usage(verb, err, "a value is missing after ", arg);
		value = argv[++*at];
	}
	args->option[which] = value;
	return 0;
}

int cli_parse(const struct cli_verb *verb, int argc, char **argv, struct cli_args *args,
	      struct error *err)
{
	bool only_operands = false;

	memset(args, 0, sizeof(*args));
	args->operand = argv;
	for (int i = 0; i < argc; i++) {
		int rc;

		if (only_operands || argv[i][0] != '-' || !argv[i][1]) {
			argv[args->nr_operands++] = argv[i];
			continue;
		}
		if (!strcmp(argv[i], "--")) {
			only_operands = true;
			continue;
		}
		rc = parse_option(verb, argc, argv, &i, args, err);
		if (rc)
			return rc;
	}
	if (args->nr_operands < verb->min_operands)
		return usage(verb, err, "missing ", verb->operands);
	if (args->nr_operands > verb->max_operands)
		return usage(verb, err, "too much: ", argv[verb->max_operands]);
	return 0;
}

void cli_print_help(FILE *out, const struct cli_verb *verb)
{
	fprintf(out, "usage: enso %s%s%s%s\n\n%s.\n", verb->name,
		verb->options[0].name ? " [OPTION]..." : "", *verb->operands ? " " : "",
		verb->operands, verb->summary);
	if (verb->text)
		fprintf(out, "%s\n", verb->text);
	if (verb->options[0].name)
		fprintf(out, "\n");
	for (int i = 0; i < CLI_OPTIONS_MAX && verb->options[i].name; i++) {
		const struct cli_option *option = &verb->options[i];
		char name[40];

		snprintf(name, sizeof(name), "--%s%s%s", option->name, option->value ? " " : "",
			 option->value ? option->value : "");
		if (option->letter)
			fprintf(out, "  -%c, %-20s %s\n", option->letter, name, option->text);
		else
			fprintf(out, "      %-20s %s\n", name, option->text);
	}
	if (verb->aliases)
		fprintf(out, "\nalso known as: %s\n", verb->aliases);
}

void cli_print_verbs(FILE *out)
{
	fprintf(out, "usage: enso VERB [OPTION]... [OPERAND]...\n\n");
	for (size_t i = 0; cli_verbs[i]; i++) {
		char head[80];

		snprintf(head, sizeof(head), "%s %s", cli_verbs[i]->name, cli_verbs[i]->operands);
		fprintf(out, "  %-24s %s\n", head, cli_verbs[i]->summary);
	}
	fprintf(out, "\n\"enso help VERB\" says more; \"enso explain\" lists what can go wrong.\n");
}

enum vm_scope cli_scope(const struct cli_args *args, int live)
{
	if (!args->option[live + 1])
		return VM_LIVE;
	return args->option[live] ? VM_LIVE_AND_CONFIG : VM_CONFIG;
}

int cli_number(const char *option, const char *text, long max, long *value, struct error *err)
{
	char *end;

	*value = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || *value < 1 || *value > max)
		return error_set(err, ERROR_USAGE, "--%s: \"%s\" is not a number from 1 to %ld",
				 option, text, max);
	return 0;
}
