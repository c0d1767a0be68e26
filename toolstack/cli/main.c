/* SPDX-License-Identifier: MIT */
/*
 * The command enso: finds the verb, runs it, tells its error in one line. The exit code is the
 * error's: see enso(1).
 */
#include <signal.h>
#include <string.h>

#include "cli/cli.h"
#include "vm/await.h"

#define WAIT_MS 120000

void cli_complain(void *context, const struct error *err)
{
	(void)context;
	fprintf(stderr, "enso: %s [E%d]\n", err->text, (int)err->code);
}

static int fail(const struct error *err)
{
	cli_complain(NULL, err);
	return err->code;
}

static void tell_waiting(void)
{
	fprintf(stderr, "enso: this host is still starting: waiting for its disks and networks\n");
}

static int run(const struct cli_verb *verb, int argc, char **argv)
{
	struct error err = { ERROR_FAILED, "" };
	struct vm vm = { .short_lived = true };
	struct cli_args args;
	int status, rc = cli_remote(verb, argc, argv, &status, &err);

	if (rc > 0)
		return status;
	if (!rc)
		rc = cli_parse(verb, argc, argv, &args, &err);

	if (rc > 0) {
		cli_print_help(stdout, verb);
		return 0;
	}
	if (!rc)
		rc = cli_check_caller(verb, &args, &err);
	if (!rc && verb->waits)
		rc = vm_await_host(WAIT_MS, tell_waiting, &err);
	if (!rc)
		rc = verb->run(&vm, &args, &err);
	vm_close(&vm);
	if (!rc && (fflush(stdout) || ferror(stdout)))
		rc = error_set(&err, ERROR_FILE, "standard output cannot be written");
	return rc ? fail(&err) : 0;
}

int main(int argc, char **argv)
{
	const struct cli_verb *verb;
	struct error err;
	int used;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		cli_print_verbs(stderr);
		return ERROR_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		argv[1] = "help";
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		argv[1] = "version";
	verb = cli_find_words(argc - 1, argv + 1, &used);
	if (verb)
		return run(verb, argc - 1 - used, argv + 1 + used);
	cli_unknown(argv[1], &err);
	return fail(&err);
}
