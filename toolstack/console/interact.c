/* SPDX-License-Identifier: MIT */
/*
 * A person at a guest's console: standard input and output on one side, the console on the
 * other. See client.h. The terminal's settings are the only global state; signals that end the
 * program put them back first.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "console/client.h"
#include "lib/file.h"

static struct termios cooked; /* as the terminal was; valid while raw is set */
static volatile sig_atomic_t raw;

static const int fatal_signals[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT };
#define N_SIGNALS (sizeof(fatal_signals) / sizeof(fatal_signals[0]))

static void terminal_restore(void)
{
	if (raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
	raw = 0;
}

/* Its disposition is back to the default (SA_RESETHAND): once more, and it ends the program. */
static void on_signal(int number)
{
	terminal_restore();
	raise(number);
}

static void terminal_raw(struct sigaction old[N_SIGNALS])
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	struct termios settings;

	if (tcgetattr(STDIN_FILENO, &cooked))
		return; /* not a terminal */
	settings = cooked;
	cfmakeraw(&settings);
	for (size_t i = 0; i < N_SIGNALS; i++)
		sigaction(fatal_signals[i], &action, &old[i]);
	raw = 1;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
}

/* Copies what is there. 1: the other side ended. */
static int copy(int from, int to)
{
	char bytes[4096];
	ssize_t got = read(from, bytes, sizeof(bytes));

	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : errno == ECONNRESET ? 1 : -errno;
	return got ? file_write_all(to, bytes, (size_t)got) : 1;
}

/* Copies what was typed, up to the escape. 1: that, or the end of input. */
static int copy_typed(int to)
{
	char bytes[256];
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	const char *escape = got ? memchr(bytes, CONSOLE_ESCAPE, (size_t)got) : bytes;
	int rc = file_write_all(to, bytes, escape ? (size_t)(escape - bytes) : (size_t)got);
	return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc ? rc : escape != NULL;
}

static int interact(int fd)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
				 { .fd = STDIN_FILENO, .events = POLLIN } };

	for (;;) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (fds[0].revents) {
			int rc = copy(fd, STDOUT_FILENO);
			if (rc)
				return rc < 0 ? rc : CONSOLE_CLOSED;
		}
		if (fds[1].revents) {
			int rc = copy_typed(fd);
			if (rc)
				return rc < 0 ? rc : CONSOLE_LEFT;
		}
	}
}

int console_interact(int fd)
{
	struct sigaction old[N_SIGNALS];
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old_pipe;

	sigaction(SIGPIPE, &ignore, &old_pipe);
	terminal_raw(old);
	bool was_raw = raw;
	int rc = interact(fd);
	terminal_restore();
	if (was_raw) {
		for (size_t i = 0; i < N_SIGNALS; i++)
			sigaction(fatal_signals[i], &old[i], NULL);
	}
	sigaction(SIGPIPE, &old_pipe, NULL);
	return rc;
}
