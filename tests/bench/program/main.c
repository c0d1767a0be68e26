// SPDX-License-Identifier: MIT
/*
 * bench wall|fixed [PATTERN...]: measures the rows whose name holds a PATTERN (all without one)
 * and prints a line for each (see measure()). It runs as the only work of a small Linux system:
 * as the machine's, as the control domain's, or as a guest's. "bench list" names them. "bench time
 * NAME COMMAND..." measures a command.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define RING(processes, kib) ring_prepare, ring_run, ring_finish, 1000, (processes) << 16 | (kib)

static const struct row rows[] = {
	{ "user-loop", NULL, user_run, NULL, 2000, 0 },
	{ "memcpy-64k", NULL, memcpy_run, NULL, 200, 0 },
	{ "null-call", NULL, null_run, NULL, 10000, 0 },
	{ "null-io", io_prepare, io_run, io_finish, 5000, 0 },
	{ "stat", stat_prepare, stat_run, stat_finish, 1000, 0 },
	{ "open-close", stat_prepare, open_run, stat_finish, 800, 0 },
	{ "select-100", select_prepare, select_run, select_finish, 200, 0 },
	{ "signal-install", NULL, install_run, NULL, 5000, 0 },
	{ "signal-handle", handle_prepare, handle_run, NULL, 1000, 0 },
	{ "protection-fault", fault_prepare, fault_run, fault_finish, 1000, 0 },
	{ "fork-exit", NULL, fork_run, NULL, 40, 0 },
	{ "fork-exec", NULL, exec_run, NULL, 16, 0 },
	{ "fork-sh", NULL, shell_run, NULL, 8, 0 },
	{ "switch-2p-0k", RING(2, 0) },
	{ "switch-2p-16k", RING(2, 16) },
	{ "switch-8p-16k", RING(8, 16) },
	{ "switch-16p-64k", RING(16, 64) },
	{ "pipe", pipe_prepare, echo_run, echo_finish, 500, 0 },
	{ "unix", unix_prepare, echo_run, echo_finish, 500, 0 },
	{ "mmap-read-1m", file_prepare, file_read_run, file_finish, 20, 0 },
	{ "mmap-write-1m", file_prepare, file_write_run, file_finish, 10, 0 },
	{ "page-fault", file_prepare, file_fault_run, file_finish, 2560, 0 },
	{ "anonymous-1m", NULL, anonymous_run, NULL, 10, 0 },
	{ "clock-gettime", NULL, clock_run, NULL, 20000, 0 },
	{ "job-build", build_prepare, build_run, build_finish, 6, 0 },
	{ "job-serve", serve_prepare, serve_run, serve_finish, 70, 0 },
};

static int wanted(const char *name, char **patterns)
{
	if (!*patterns)
		return 1;
	for (; *patterns; patterns++)
		if (strstr(name, *patterns))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { [MODE_WALL] = "wall", [MODE_FIXED] = "fixed" };

	/* What fork-exec, fork-sh and job-build start. */
	if (argc > 1 && !strcmp(argv[1], "true"))
		return 0;
	if (argc > 2 && !strcmp(argv[1], "compile"))
		return compile(argv[2]);
	if (argc > 3 && !strcmp(argv[1], "time")) {
		measure_command(argv[2], argv + 3);
		return 0;
	}
	for (enum mode mode = MODE_WALL; argc > 1 && mode <= MODE_FIXED; mode++) {
		if (strcmp(argv[1], modes[mode]))
			continue;
		if (wanted("boot", argv + 2))
			report_uptime();
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (wanted(rows[i].name, argv + 2))
				measure(&rows[i], mode);
		puts("bench done");
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "list")) {
		puts("boot");
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			puts(rows[i].name);
		return 0;
	}
	puts("usage: bench wall|fixed [PATTERN...] | list");
	return 2;
}
