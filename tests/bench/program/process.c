// SPDX-License-Identifier: MIT
/*
 * Rows of whole processes: fork and exit, fork and execute this program, fork and have the shell
 * execute it.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* Starts a child n times; it becomes argv, or ends at once where that is NULL. */
static void children(unsigned long n, char *const argv[])
{
	for (unsigned long i = 0; i < n; i++) {
		int status;
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (child == 0) {
			if (argv)
				execve(argv[0], argv, (char *[]){ NULL });
			_exit(argv ? 127 : 0);
		}
		if (waitpid(child, &status, 0) != child || status)
			die("child");
	}
}

void fork_run(unsigned long n)
{
	children(n, NULL);
}

void exec_run(unsigned long n)
{
	children(n, (char *[]){ "/bin/bench", "true", NULL });
}

void shell_run(unsigned long n)
{
	children(n, (char *[]){ "/bin/sh", "-c", "/bin/bench true", NULL });
}
