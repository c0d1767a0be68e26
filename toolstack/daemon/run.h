/* SPDX-License-Identifier: MIT */
/* The command enso, run on behalf of a client of the socket. */
#ifndef DAEMON_RUN_H
#define DAEMON_RUN_H

#include <stddef.h>
#include <sys/types.h>

#include "daemon/request.h"

/* "/usr/sbin/enso"; tests have their own. */
extern const char *run_program;

enum { RUN_OUTPUT_MAX = 4 << 20 };	/* bytes of output kept of a command */

struct run_output {
	char *text;
	size_t len, size;
};

/*
 * Run it for the user uid with what was asked, and wait for its end: its exit status. With fds its
 * standard input, output and error are these three (closed here in any case); else input is
 * request->input and both outputs are collected, malloc'd even on failure. It is ended when the
 * client's socket closes. -1 with err set if it could not be run, was ended by a signal or wrote
 * too much.
 */
int run_enso(const struct request *request, uid_t uid, const int *fds, int client,
	     struct run_output output[2], struct error *err);

#endif
