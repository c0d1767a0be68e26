// SPDX-License-Identifier: MIT
/*
 * The benchmark's program, run as the only work of a small Linux system: the machine's, the
 * control domain's or a guest's.
 *
 *	bench wall|fixed [PATTERN...]	measure the rows whose name holds a PATTERN (see measure())
 *	bench list			name them
 *	bench time NAME COMMAND...	measure a command
 *	bench disk DEVICE		measure a disk, whose contents are lost
 *	bench server; bench streams IP	measure TCP from and to the system that runs the server
 *	bench hog fork|disk		be an ill-behaved guest
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

static void list_rows(void)
{
	puts("boot");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		puts(rows[i].name);
}

static void measure_rows(enum mode mode, char **patterns)
{
	if (wanted("boot", patterns))
		report_uptime();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (wanted(rows[i].name, patterns))
			measure(&rows[i], mode);
	puts("bench done");
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	/* What fork-exec, fork-sh and job-build start comes first. */
	if (!strcmp(verb, "true"))
		return 0;
	if (!strcmp(verb, "compile") && argc == 3)
		return compile(argv[2]);
	if (!strcmp(verb, "wall"))
		measure_rows(MODE_WALL, argv + 2);
	else if (!strcmp(verb, "fixed"))
		measure_rows(MODE_FIXED, argv + 2);
	else if (!strcmp(verb, "list"))
		list_rows();
	else if (!strcmp(verb, "time") && argc > 3)
		measure_command(argv[2], argv + 3);
	else if (!strcmp(verb, "disk") && argc == 3)
		measure_disk(argv[2]);
	else if (!strcmp(verb, "streams") && argc == 3)
		measure_streams(argv[2]);
	else if (!strcmp(verb, "server"))
		stream_server();
	else if (!strcmp(verb, "hog") && argc == 3)
		hog(argv[2]);
	else
		die("usage: see the head of main.c");
	return 0;
}
