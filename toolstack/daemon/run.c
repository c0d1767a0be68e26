/* SPDX-License-Identifier: MIT */
/* Running the command enso for a client: see run.h. */
#include "daemon/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"

#define CHUNK 16384

const char *run_program = "/usr/sbin/enso";

/* In the new process: nothing of the client but the words. */
static void become_enso(const struct request *request, uid_t uid, const int fds[3])
{
	char caller[40];
	char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", caller,
				       NULL };
	const char *argv[REQUEST_ARGS_MAX + 2] = { "enso" };
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	snprintf(caller, sizeof(caller), "ENSO_CALLER=%u", (unsigned)uid);
	for (int i = 0; i < REQUEST_ARGS_MAX && request->args[i]; i++)
		argv[i + 1] = request->args[i];
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setrlimit(RLIMIT_AS, &unlimited);
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 3; i++) {
		if (dup2(fds[i], i) < 0)	/* none of fds is below 3: see move_up() */
			_exit(ERROR_FAILED);
	}
	if (syscall(SYS_close_range, 3U, ~0U, 0U))
		_exit(ERROR_FAILED);
	execve(run_program, (char *const *)argv, environment);
	dprintf(2, "enso: %s: %s\n", run_program, strerror(errno));
	_exit(ERROR_FAILED);
}

/* Something readable with the input: a file in memory, so that nobody has to feed it. */
static int input_file(const struct request *request)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (request->input && (file_write_all(fd, request->input, request->input_len) ||
			       lseek(fd, 0, SEEK_SET))) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* More of what the command wrote. 1: read, 0: it closed that end, -1: too much or no memory. */
static int collect(int fd, struct run_output *output)
{
	ssize_t n;

	if (output->size - output->len < CHUNK) {
		size_t size = output->size ? output->size * 2 : 2 * CHUNK;
		char *text = size <= 2 * RUN_OUTPUT_MAX ? realloc(output->text, size) : NULL;

		if (!text)
			return -1;
		output->text = text;
		output->size = size;
	}
	n = read(fd, output->text + output->len, CHUNK);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n <= 0)
		return 0;
	output->len += (size_t)n;
	return output->len > RUN_OUTPUT_MAX ? -1 : 1;
}

/* Until both pipes and the process have ended. False: it had to be ended. */
static bool watch(int process, int pipes[2], int client, struct run_output output[2])
{
	struct pollfd poll_on[4] = {
		{ pipes[0], POLLIN, 0 },
		{ pipes[1], POLLIN, 0 },
		{ process, POLLIN, 0 },
		{ client, POLLRDHUP, 0 },
	};

	while (poll_on[0].fd >= 0 || poll_on[1].fd >= 0 || poll_on[2].fd >= 0) {
		if (poll(poll_on, 4, -1) < 0 && errno != EINTR)
			return false;
		for (int i = 0; i < 2; i++) {
			int rc = poll_on[i].revents ? collect(pipes[i], &output[i]) : 1;

			if (rc < 0)
				return false;
			if (!rc)
				poll_on[i].fd = -1;
		}
		if (poll_on[3].revents)
			return false;
		if (poll_on[2].revents) {	/* what it left running may hold the pipes */
			poll_on[2].fd = -1;
			for (int i = 0; i < 2; i++) {
				if (poll_on[i].fd >= 0 && !poll_on[i].revents)
					poll_on[i].fd = -1;
			}
		}
	}
	return true;
}

static int await(pid_t pid, int pipes[2], int client, struct run_output output[2],
		 struct error *err)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0), status;
	bool ended = process >= 0 && watch(process, pipes, client, output);

	if (!ended)
		kill(pid, SIGTERM);
	if (process >= 0)
		close(process);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (ended && WIFEXITED(status))
		return WEXITSTATUS(status);
	return error_set(err, ERROR_FAILED, "the command was ended: %s",
			 ended ? strsignal(WTERMSIG(status)) : "it wrote too much, or you left");
}

/* So that no descriptor is one of those that it becomes. */
static int move_up(int fd)
{
	int up = fd < 0 || fd > 2 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (up != fd)
		close(fd);
	return up;
}

int run_enso(const struct request *request, uid_t uid, const int *fds, int client,
	     struct run_output output[2], struct error *err)
{
	int ends[3] = { -1, -1, -1 }, pipes[2] = { -1, -1 }, pair[2], rc = -1;
	pid_t pid = -1;

	for (int i = 0; i < 3; i++) {
		if (fds) {
			ends[i] = move_up(fds[i]);
		} else if (i == 0) {
			ends[i] = move_up(input_file(request));
		} else if (!pipe2(pair, O_CLOEXEC)) {
			pipes[i - 1] = move_up(pair[0]);
			ends[i] = move_up(pair[1]);
		}
	}
	if (ends[0] >= 0 && ends[1] >= 0 && ends[2] >= 0)
		pid = fork();
	if (pid == 0)
		become_enso(request, uid, ends);
	for (int i = 0; i < 3; i++)
		close(ends[i]);
	if (pid > 0)
		rc = await(pid, pipes, client, output, err);
	else
		error_set(err, ERROR_FAILED, "the command cannot be run: %s", error_text(-errno));
	close(pipes[0]);
	close(pipes[1]);
	return rc;
}
