// SPDX-License-Identifier: MIT
/*
 * Rows of processes that wake each other. A ring hands a byte round by pipes, and each process
 * reads its own array when it has it (as lmbench's lat_ctx; what the pipe itself costs is not
 * taken off). An echo sends a byte there and back.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { RING_MOST = 16, KIB = 1024, LINE_BYTES = 64 };

static int processes, bytes;
static int pipes[RING_MOST][2];
static pid_t children[RING_MOST];

static void work(const char *array)
{
	unsigned long sum = 0;

	for (int i = 0; i < bytes; i += LINE_BYTES)
		sum += array[i];
	bench_sink = sum;
}

static char *new_array(void)
{
	char *array = calloc(1, bytes + 1);

	if (!array)
		die("calloc");
	for (int i = 0; i < bytes; i += PAGE_BYTES / 2)
		array[i] = 1;
	return array;
}

/* A child hands what comes from `in` to `out`, until it is ended. */
static void pass_on(int in, int out)
{
	char *array = new_array();
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(in, &byte, 1) == 1) {
		work(array);
		if (write(out, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static char *own_array;

void ring_prepare(int arg)
{
	processes = arg >> 16;
	bytes = (arg & 0xffff) * KIB;
	for (int i = 0; i < processes; i++)
		if (pipe(pipes[i]))
			die("pipe");
	for (int i = 1; i < processes; i++) {
		children[i] = fork();
		if (children[i] < 0)
			die("fork");
		if (children[i] == 0)
			pass_on(pipes[i - 1][0], pipes[i][1]);
	}
	own_array = new_array();
}

/* n hand-overs: n / processes times round. */
void ring_run(unsigned long n)
{
	char byte = 0;

	for (unsigned long i = 0; i < n; i += processes) {
		if (write(pipes[0][1], &byte, 1) != 1 ||
		    read(pipes[processes - 1][0], &byte, 1) != 1)
			die("ring");
		work(own_array);
	}
}

void ring_finish(void)
{
	for (int i = 1; i < processes; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	for (int i = 0; i < processes; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	free(own_array);
}

void pipe_prepare(int arg)
{
	(void)arg;
	ring_prepare(2 << 16);
}

void unix_prepare(int arg)
{
	(void)arg;
	processes = 2;
	bytes = 0;
	own_array = new_array();
	/*
	 * Both ends of each "pipe" are this one pair's: the child reads what we write, and we
	 * what it writes.
	 */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pipes[0]))
		die("socketpair");
	pipes[1][0] = dup(pipes[0][1]);
	pipes[1][1] = dup(pipes[0][0]);
	children[1] = fork();
	if (children[1] < 0)
		die("fork");
	if (children[1] == 0)
		pass_on(pipes[0][0], pipes[0][0]);
}

/* n times there and back. */
void echo_run(unsigned long n)
{
	ring_run(2 * n);
}

void echo_finish(void)
{
	ring_finish();
}
