/* SPDX-License-Identifier: MIT */
/* Who may connect, and how many: see serve.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/serve.h"

const char *serve_path = "/run/enso/ensod.sock";

struct connection {
	pid_t pid;	/* 0: free */
	uid_t uid;
};

static struct connection connections[SERVE_ALL_MAX];

int serve_open(gid_t gid, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char temporary[sizeof(address.sun_path)];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Whole before it has its name: nobody sees one that is not listened to, or too open. */
	snprintf(temporary, sizeof(temporary), "%.90s.new", serve_path);
	memcpy(address.sun_path, temporary, sizeof(temporary));
	unlink(temporary);
	if (fd < 0 || fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    chown(temporary, 0, gid) || chmod(temporary, 0660) || listen(fd, 16) ||
	    rename(temporary, serve_path)) {
		error_set(err, ERROR_FILE, "%s: %s", serve_path, error_text(-errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static void forget_ended(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (int i = 0; i < SERVE_ALL_MAX; i++) {
			if (connections[i].pid == pid)
				connections[i].pid = 0;
		}
	}
}

/* A place for one more of this user, or NULL. */
static struct connection *find_place(uid_t uid)
{
	struct connection *place = NULL;
	int mine = 0;

	for (int i = 0; i < SERVE_ALL_MAX; i++) {
		if (!connections[i].pid)
			place = &connections[i];
		else
			mine += connections[i].uid == uid;
	}
	return mine < SERVE_USER_MAX ? place : NULL;
}

static void refuse(int client, const char *why)
{
	char text[200];
	int len = snprintf(text, sizeof(text),
			   "{\"id\":null,\"status\":%d,\"error\":\"%s\"}\n", ERROR_STATE, why);

	if (send(client, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;	/* who does not read, does not learn why */
}

static void start(int listener, int client)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	struct connection *place;
	pid_t pid;

	if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &who, &len))
		return;
	place = find_place(who.uid);
	if (!place) {
		refuse(client, "ensod: too many connections; close one first");
		return;
	}
	pid = fork();
	if (pid == 0) {
		close(listener);
		serve_client(client, who.uid);
		_exit(0);
	}
	if (pid > 0)
		*place = (struct connection){ pid, who.uid };
	else
		refuse(client, "ensod: no memory for another connection");
}

static void wake(int signal)
{
	(void)signal;
}

int serve_listen(int listener)
{
	/* An end of one interrupts accept(), so that its place is free for who waits. */
	const struct sigaction end = { .sa_handler = wake };

	sigaction(SIGCHLD, &end, NULL);
	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		int why = client < 0 ? errno : 0;

		forget_ended();
		if (client >= 0) {
			start(listener, client);
			close(client);
		} else if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM) {
			usleep(100000);
		} else if (why != EINTR && why != ECONNABORTED && why != EPERM) {
			return -why;
		}
	}
}
