/* SPDX-License-Identifier: MIT */
/* Programs of the control domain: see host.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/host.h"

#define END_LOOKS 300	/* of 10 ms */

/* In the child: standard input and output become what was prepared for it. */
static void become(const char *const argv[], int in, int out)
{
	sigset_t none;

	/* What its caller does with signals is not for the program, which may outlive it. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* A few KiB at most: a pipe holds them, so nobody waits for anybody. */
static void give(int fd, const char *input)
{
	size_t len = strlen(input);

	while (len) {
		ssize_t n = write(fd, input, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		input += n;
		len -= (size_t)n;
	}
}

static void take(int fd, char *output, size_t size)
{
	char drop[512];
	size_t have = 0;

	for (;;) {
		bool room = have + 1 < size;
		ssize_t n = read(fd, room ? output + have : drop,
				 room ? size - 1 - have : sizeof(drop));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += room ? (size_t)n : 0;
	}
	output[have] = 0;
}

/* A pipe, or /dev/null at both ends. */
static int open_ends(bool pipe, int ends[2])
{
	if (pipe)
		return pipe2(ends, O_CLOEXEC) ? -errno : 0;
	ends[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ends[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return ends[0] < 0 || ends[1] < 0 ? -errno : 0;
}

static int wait_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int host_run(const char *const argv[], const char *input, char *output, size_t size)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	int rc = open_ends(input, in);
	pid_t pid = -1;

	if (!rc)
		rc = open_ends(output, out);
	if (!rc) {
		pid = fork();
		rc = pid < 0 ? -errno : 0;
	}
	if (pid == 0)
		become(argv, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	if (!rc && input)
		give(in[1], input);
	close(in[1]);
	/* A program that goes on in the background has closed its end, or was given none. */
	if (!rc && output)
		take(out[0], output, size);
	close(out[0]);
	return rc ? rc : wait_status(pid);
}

/* The process that the file names, if it is the program called name; 0 if not. */
static pid_t find(const char *pid_file, const char *name)
{
	FILE *file = fopen(pid_file, "re");
	char path[40], comm[32] = "";
	long pid = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &pid) != 1 || pid <= 1)
		pid = 0;
	fclose(file);
	if (!pid)
		return 0;
	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = 0;
	fclose(file);
	comm[strcspn(comm, "\n")] = 0;
	return strcmp(comm, name) ? 0 : (pid_t)pid;
}

bool host_process_lives(const char *pid_file, const char *name)
{
	return find(pid_file, name) != 0;
}

int host_process_watch(const char *pid_file, const char *name)
{
	pid_t pid = find(pid_file, name);
	int fd = pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return pid ? -errno : -ESRCH;
	/* It was this one, and the number was not another's meanwhile. */
	if (find(pid_file, name) == pid)
		return fd;
	close(fd);
	return -ESRCH;
}

void host_process_end(const char *pid_file, const char *name)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	pid_t pid = find(pid_file, name);

	if (pid)
		kill(pid, SIGTERM);
	for (int i = 0; pid && i < END_LOOKS && find(pid_file, name); i++) {
		if (i == END_LOOKS / 2)
			kill(pid, SIGKILL);
		nanosleep(&moment, NULL);
	}
	unlink(pid_file);
}

int host_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}
