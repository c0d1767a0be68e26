/* SPDX-License-Identifier: MIT */
/*
 * ensod's socket as ensod(8) describes it: lines of JSON run a command and give its status and what
 * it wrote, or follow events; descriptors that come along become the command's own. A client that
 * sends garbage, a line without end or half a line, or leaves, gets an error or is left, and the
 * others go on. The command is a shell script here.
 * Links: toolstack/daemon/listen.c toolstack/daemon/serve.c toolstack/daemon/request.c
 * Links: toolstack/daemon/run.c toolstack/vm/event.c toolstack/config/ toolstack/lib/
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/request.h"
#include "daemon/run.h"
#include "daemon/serve.h"
#include "vm/event.h"

static char folder[] = "/tmp/serve_test-XXXXXX", program[64], path[64], events[64];
static pid_t listener;

static const char script[] =
	"#!/bin/sh\n"
	"case $1 in\n"
	"echo) shift; echo \"$@\" ;;\n"
	"who) echo $ENSO_CALLER ;;\n"
	"cat) cat ;;\n"
	"fail) echo wrong >&2; exit 7 ;;\n"
	"bytes) printf '\\377a' ;;\n"
	"much) while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done ;;\n"
	"sleep) echo $$ >$0.pid; exec sleep 1000 ;;\n"
	"esac\n";

static int setup(void **state)
{
	struct error err;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(program, sizeof(program), "%s/enso", folder);
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(events, sizeof(events), "%s/events", folder);
	fd = open(program, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(write(fd, script, strlen(script)), (ssize_t)strlen(script));
	close(fd);
	run_program = program;
	serve_path = path;
	vm_events_file = events;
	serve_memory_max = 0;	/* the sanitizer's own need more */
	fd = serve_open(getgid(), &err);
	assert_true(fd >= 0);
	listener = fork();
	if (listener == 0)
		_exit(serve_listen(fd) != 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	char command[200];

	(void)state;
	kill(listener, SIGKILL);
	waitpid(listener, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 60 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* The next line as JSON; NULL: the daemon closed the connection. */
static json_t *hear(int fd)
{
	static char text[1 << 16];
	size_t have = 0;

	while (have < sizeof(text) && recv(fd, text + have, 1, 0) == 1) {
		if (text[have++] == '\n')
			return json_loadb(text, have, 0, NULL);
	}
	return NULL;
}

static void answers(int fd, const char *line, int status, const char *output, const char *error)
{
	json_t *answer;

	say(fd, line);
	answer = hear(fd);
	assert_non_null(answer);
	assert_int_equal(json_integer_value(json_object_get(answer, "status")), status);
	if (output)
		assert_string_equal(json_string_value(json_object_get(answer, "output")), output);
	if (error)
		assert_non_null(strstr(json_string_value(json_object_get(answer, "error")), error));
	json_decref(answer);
}

static void runs_what_is_asked(void **state)
{
	char caller[20];
	int fd = dial();

	(void)state;
	snprintf(caller, sizeof(caller), "%u\n", getuid());
	answers(fd, "{\"id\":1,\"run\":[\"echo\",\"a b\",\"\"]}\n", 0, "a b \n", "");
	answers(fd, "{\"run\":[\"who\"]}\n", 0, caller, "");
	answers(fd, "{\"run\":[\"cat\"],\"input\":\"in\\nput\"}\n", 0, "in\nput", "");
	answers(fd, "{\"run\":[\"cat\"]}\n", 0, "", "");
	answers(fd, "{\"run\":[\"fail\"]}\n", 7, "", "wrong");
	answers(fd, "{\"run\":[\"bytes\"]}\n", 0, "?a", "");
	answers(fd, "{\"run\":[\"much\"]}\n", ERROR_FAILED, NULL, "too much");
	/* Two in one go, one in two. */
	say(fd, "{\"run\":[\"echo\",\"1\"]}\n{\"run\":[\"echo\",\"2\"]}\n{\"run\":");
	answers(fd, "", 0, "1\n", "");
	answers(fd, "", 0, "2\n", "");
	answers(fd, "[\"echo\",\"3\"]}\n", 0, "3\n", "");
	close(fd);
}

static void an_id_comes_back(void **state)
{
	int fd = dial();
	json_t *answer;

	(void)state;
	say(fd, "{\"id\":\"mine\",\"run\":[\"echo\"]}\n");
	answer = hear(fd);
	assert_string_equal(json_string_value(json_object_get(answer, "id")), "mine");
	json_decref(answer);
	close(fd);
}

static void garbage_is_refused(void **state)
{
	static const char *const lines[] = {
		"\n", "x\n", "[]\n", "{}\n", "null\n", "{\"run\":[]}\n", "{\"run\":[1]}\n",
		"{\"run\":\"list\"}\n", "{\"run\":[\"echo\"],\"run\":[\"echo\"]}\n",
		"{\"run\":[\"echo\"],\"events\":true}\n", "{\"events\":false}\n",
		"{\"run\":[\"a\\u0000b\"]}\n", "{\"run\":[\"echo\"],\"more\":1}\n",
		"{\"run\":[\"echo\"]} x\n", "{\"run\":[\"\xff\"]}\n",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
	};
	int fd = dial();

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		answers(fd, lines[i], ERROR_USAGE, NULL, "request: ");
	answers(fd, "{\"run\":[\"echo\",\"still\"]}\n", 0, "still\n", "");
	close(fd);
}

static void a_line_without_end_ends_the_connection(void **state)
{
	static char much[65536];
	int fd = dial(), other = dial();
	size_t sent = 0;
	json_t *answer;

	(void)state;
	memset(much, 'x', sizeof(much));
	while (sent < REQUEST_LINE_MAX) {
		size_t n = REQUEST_LINE_MAX - sent < sizeof(much) ? REQUEST_LINE_MAX - sent :
								    sizeof(much);

		sent += (size_t)send(fd, much, n, MSG_NOSIGNAL);
	}
	answer = hear(fd);
	assert_int_equal(json_integer_value(json_object_get(answer, "status")), ERROR_USAGE);
	json_decref(answer);
	assert_null(hear(fd));
	answers(other, "{\"run\":[\"echo\",\"me\"]}\n", 0, "me\n", "");
	close(fd);
	close(other);
}

/* Half lines, and a user who takes all places: who leaves makes room. */
static void a_flood_is_bounded(void **state)
{
	int fds[SERVE_USER_MAX], one;
	json_t *answer;

	(void)state;
	usleep(300000);		/* those of the other tests are gone */
	for (int i = 0; i < SERVE_USER_MAX; i++) {
		fds[i] = dial();
		answers(fds[i], "{\"run\":[\"echo\",\"x\"]}\n", 0, "x\n", "");
		say(fds[i], "{\"run\":");
	}
	one = dial();
	answer = hear(one);
	assert_int_equal(json_integer_value(json_object_get(answer, "status")), ERROR_STATE);
	json_decref(answer);
	assert_null(hear(one));
	close(one);
	for (int i = 0; i < SERVE_USER_MAX; i++)
		close(fds[i]);
	usleep(300000);
	one = dial();
	answers(one, "{\"run\":[\"echo\",\"again\"]}\n", 0, "again\n", "");
	close(one);
}

static void a_command_ends_with_its_client(void **state)
{
	char command[300];
	int fd = dial();

	(void)state;
	say(fd, "{\"run\":[\"sleep\"]}\n");
	snprintf(command, sizeof(command), "until [ -s %s.pid ]; do sleep 0.1; done", program);
	assert_int_equal(system(command), 0);
	close(fd);
	snprintf(command, sizeof(command),
		 "for i in $(seq 100); do kill -0 $(cat %s.pid) || exit 0; sleep 0.1; done "
		 "2>/dev/null; exit 1", program);
	assert_int_equal(system(command), 0);
}

static void descriptors_become_the_commands_own(void **state)
{
	union {
		char space[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr header;
	} control = { .header = { CMSG_LEN(3 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	char request[] = "{\"run\":[\"cat\"]}\n", got[20];
	struct iovec bytes = { request, strlen(request) };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int fd = dial(), in[2], out[2];

	(void)state;
	assert_int_equal(pipe(in) | pipe(out), 0);
	memcpy(CMSG_DATA(&control.header), (int[]){ in[0], out[1], out[1] }, 3 * sizeof(int));
	assert_true(sendmsg(fd, &message, 0) > 0);
	close(in[0]);
	close(out[1]);
	assert_int_equal(write(in[1], "through", 7), 7);
	close(in[1]);
	assert_int_equal(read(out[0], got, sizeof(got)), 7);
	assert_memory_equal(got, "through", 7);
	assert_int_equal(read(out[0], got, sizeof(got)), 0);
	answers(fd, "", 0, NULL, NULL);
	close(out[0]);
	close(fd);
}

static void events_are_followed(void **state)
{
	const uint8_t uuid[16] = { 1 };
	int fd = dial();
	json_t *event;

	(void)state;
	vm_event("started", "before", uuid, 1, NULL);
	answers(fd, "{\"events\":true}\n", 0, NULL, NULL);
	usleep(200000);
	vm_event("shutdown", "web", uuid, 3, "poweroff");
	event = hear(fd);
	assert_string_equal(json_string_value(json_object_get(event, "guest")), "web");
	assert_string_equal(json_string_value(json_object_get(event, "event")), "shutdown");
	assert_string_equal(json_string_value(json_object_get(event, "detail")), "poweroff");
	assert_int_equal(json_integer_value(json_object_get(event, "id")), 3);
	json_decref(event);
	/* Another request ends it. */
	answers(fd, "{\"run\":[\"echo\",\"done\"]}\n", 0, "done\n", "");
	close(fd);
}

static void the_socket_is_for_the_group(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_what_is_asked),
		cmocka_unit_test(an_id_comes_back),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(a_line_without_end_ends_the_connection),
		cmocka_unit_test(a_flood_is_bounded),
		cmocka_unit_test(a_command_ends_with_its_client),
		cmocka_unit_test(descriptors_become_the_commands_own),
		cmocka_unit_test(events_are_followed),
		cmocka_unit_test(the_socket_is_for_the_group),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
