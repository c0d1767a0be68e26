/* SPDX-License-Identifier: MIT */
/*
 * The command enso: a table of verbs, one verb per file. Only this folder prints and exits. A verb
 * gets its options and operands parsed by the table that also prints its help; what it can't do it
 * reports through struct error, whose code is the exit code.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "cli/verbs.h"
#include "lib/error.h"
#include "vm/vm.h"

enum {
	CLI_OPTIONS_MAX = 12,
	CLI_MANY = 1 << 20, /* operands: as many as the person likes */
};

/* An option, --name or -letter (0: none). value names its argument, NULL if it takes none. */
struct cli_option {
	const char *name;
	char letter;
	const char *value;
	const char *text;
};

/*
 * What was given: by position of the option in the verb's table, "" for one without argument, NULL
 * if absent.
 */
struct cli_args {
	const char *option[CLI_OPTIONS_MAX];
	char **operand;
	int nr_operands;
};

/* Who may use a verb. Others than root do it through ensod, see remote.c. */
enum cli_rights {
	CLI_ROOT,	 /* root alone: it reads or writes files that its operands name, or worse */
	CLI_GROUP,	 /* members of group enso, too */
	CLI_GROUP_INPUT, /* these, but the first operand, a file, is read with their own rights */
	CLI_ALL,	 /* everybody, without ensod */
};

struct cli_verb {
	const char *name;
	const char *aliases; /* with spaces between, or NULL: the words of virsh and xl */
	const char *operands;		/* as in the synopsis */
	int min_operands, max_operands;
	const char *summary;		/* one line for the list of verbs */
	const char *text;		/* more, for its own help; may be NULL */
	struct cli_option options[CLI_OPTIONS_MAX];	/* ends with a NULL name */
	enum cli_rights rights;
	bool waits;	/* for the host's start to have come so far that it can be done */
	/* 0, or -1 with err set. */
	int (*run)(struct vm *vm, const struct cli_args *args, struct error *err);
};

/* The table, ends with NULL. */
extern const struct cli_verb *const cli_verbs[];

#define CLI_DECLARE(verb) extern const struct cli_verb verb;
CLI_VERBS(CLI_DECLARE)

/* The verb called name, or with it as alias; NULL if there is none. */
const struct cli_verb *cli_find(const char *name);

/* The verb that argv begins with, of two words or one: *used. NULL if there is none. */
const struct cli_verb *cli_find_words(int argc, char **argv, int *used);

/* Sets the error for a word that is no verb, but may be the first of two. Returns -1. */
int cli_unknown(const char *word, struct error *err);

/* Parse argv[0..argc) behind the verb. 0, 1 if help was asked for, or -1 with err set. */
int cli_parse(const struct cli_verb *verb, int argc, char **argv, struct cli_args *args,
	      struct error *err);

/*
 * Is this verb to be done by ensod, because we are not root? Then do so: 1 and *status, the exit
 * status; -1 with err set; 0: it is for this process.
 */
int cli_remote(const struct cli_verb *verb, int argc, char **argv, int *status, struct error *err);
/* May the one for whom ensod runs us do this? 0, or -1 with err set. */
int cli_check_caller(const struct cli_verb *verb, const struct cli_args *args, struct error *err);

/*
 * Does ensod run us for a member of group enso, not root? What it names is to be looked at by
 * vm/allowed.h then.
 */
bool cli_for_member(void);

/* A definition from a file, with warnings told. 0, or -1 with err set. */
int cli_load(struct vm_config *config, const char *path, bool strict, struct error *err);

void cli_print_help(FILE *out, const struct cli_verb *verb);
void cli_print_verbs(FILE *out);

/* Tells a warning of the reader of XML, see struct config_options. */
void cli_warn(void *context, const char *text);

/* Tells an error in one line, with its code. */
void cli_complain(void *context, const struct error *err);

/* Print a guest's definition on standard output. */
int cli_print_config(const struct vm_config *config, struct error *err);

/* A descriptor for the console of a domain, or -1. */
int cli_console_open(uint32_t domid, const char *name, struct error *err);
/* The terminal is that console's until the person leaves or the guest ends. Closes fd. */
int cli_console_use(int fd, const char *name, struct error *err);

/* A line about work that takes longer than a second: how much, how fast, how long still. */
struct cli_progress {
	const char *what;	/* "saving" */
	struct timespec start, last;
	bool shown;
};
typedef void cli_progress_fn(void *context, uint64_t done, uint64_t all);
/* The function to call with progress as its context; NULL where nobody would see it. */
cli_progress_fn *cli_progress_start(struct cli_progress *progress, const char *what);
void cli_progress_end(struct cli_progress *progress);

/*
 * What create, start and restore have in common: up() gives a guest, with progress called what;
 * then, with option 1, the terminal is its console's. Option 0 leaves it paused.
 */
typedef int cli_up_fn(struct vm *vm, void *from, const struct vm_create_options *options,
		      struct vm_restored *guest, struct error *err);
int cli_bring_up(struct vm *vm, const struct cli_args *args, const char *what, cli_up_fn *up,
		 void *from, struct error *err);

/* A whole number from 1 to max, as the value of an option. 0 or -1 with err set. */
int cli_number(const char *option, const char *text, long max, long *value, struct error *err);

/* Both options at these positions of the verb's table: virsh's --live (the default), --config. */
#define CLI_SCOPE_OPTIONS                                                                          \
	{ "live", 0, NULL, "change the guest that runs: the default" },                            \
	{ "config", 0, NULL, "change its definition, for its next start" }
enum vm_scope cli_scope(const struct cli_args *args, int live);

struct json_t;
/*
 * Print a JSON value on standard output and free it; NULL stands for memory that ran out. 0 or -1
 * with err set.
 */
int cli_print_json(struct json_t *value, struct error *err);

#endif
