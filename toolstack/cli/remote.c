/* SPDX-License-Identifier: MIT */
/*
 * enso for members of group enso: ensod runs the same verb as root, with our terminal or files as
 * its own, see ensod(8). It then calls us with ENSO_CALLER set to the user's id.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"

#define SOCKET "/run/enso/ensod.sock"
#define ANSWER_MAX 2048

static int refuse(struct error *err, const char *verb)
{
	return error_set(err, ERROR_PERMISSION, "%s: only root may do this", verb);
}

bool cli_for_member(void)
{
	const char *caller = getenv("ENSO_CALLER");

	return caller && strcmp(caller, "0");
}

int cli_check_caller(const struct cli_verb *verb, const struct cli_args *args, struct error *err)
{
	if (!cli_for_member() || verb->rights == CLI_GROUP || verb->rights == CLI_ALL)
		return 0;
	if (verb->rights == CLI_ROOT)
		return refuse(err, verb->name);
	if (args->nr_operands && strcmp(args->operand[0], "-"))
		return error_set(err, ERROR_PERMISSION,
				 "%s: a file is given as standard input, its name being -",
				 verb->name);
	return 0;
}

static int connect_daemon(struct error *err)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	if (errno == EACCES || errno == EPERM)
		error_set(err, ERROR_PERMISSION,
			  "you are neither root nor in the group enso, which is a line of "
			  "/etc/group");
	else
		error_set(err, ERROR_PERMISSION,
			  "you are not root, and ensod cannot be reached: " SOCKET ": %s",
			  error_text(-errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The words, and the three descriptors that shall be the command's own. */
static int send_request(int fd, const char *verb, int argc, char **argv, const int fds[3],
			struct error *err)
{
	json_t *run = json_pack("[s]", verb);
	char *text;
	union {
		char space[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr header;
	} control = { .header = { CMSG_LEN(3 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec bytes;
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = -1;

	for (int i = 0; run && i < argc; i++)
		json_array_append_new(run, json_string(argv[i]));
	text = json_dumps(json_pack("{s:o}", "run", run), JSON_COMPACT);
	if (!text)
		return error_set(err, ERROR_USAGE, "%s: an operand is not UTF-8", verb);
	bytes = (struct iovec){ text, strlen(text) };
	text[bytes.iov_len++] = '\n';
	memcpy(CMSG_DATA(&control.header), fds, 3 * sizeof(int));
	if (bytes.iov_len < ANSWER_MAX * 16)	/* goes into the socket's buffer as a whole */
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	free(text);
	return n == (ssize_t)bytes.iov_len
		       ? 0
		       : error_set(err, ERROR_FAILED, "ensod does not take the request");
}

static int read_answer(int fd, int *status, struct error *err)
{
	char text[ANSWER_MAX];
	size_t have = 0;
	ssize_t n;
	json_t *answer;

	while (have < sizeof(text) - 1 && !memchr(text, '\n', have)) {
		n = read(fd, text + have, sizeof(text) - 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set(err, ERROR_FAILED,
					 "ensod ended; what was asked may be done or not");
		have += (size_t)n;
	}
	answer = json_loadb(text, have, JSON_DISABLE_EOF_CHECK, NULL);
	if (!json_is_integer(json_object_get(answer, "status"))) {
		json_decref(answer);
		return error_set(err, ERROR_FAILED, "ensod gives no answer that is one");
	}
	*status = (int)json_integer_value(json_object_get(answer, "status"));
	if (json_object_get(answer, "error"))
		error_set(err, (enum error_code)*status, "%s",
			  json_string_value(json_object_get(answer, "error")));
	n = json_object_get(answer, "error") ? -1 : 0;
	json_decref(answer);
	return (int)n;
}

/* The first operand of verbs that read a file is opened with our rights; -1: there is none. */
static int open_input(int argc, char **argv, struct error *err)
{
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			error_set(err, ERROR_FILE, "%s: %s", argv[i], error_text(-errno));
		argv[i] = "-";
		return fd;
	}
	return STDIN_FILENO;
}

int cli_remote(const struct cli_verb *verb, int argc, char **argv, int *status, struct error *err)
{
	int fds[3] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO }, fd, rc;

	if (geteuid() == 0 || verb->rights == CLI_ALL)
		return 0;
	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return 0;
	}
	if (verb->rights == CLI_ROOT)
		return refuse(err, verb->name);
	fd = connect_daemon(err);
	if (fd < 0)
		return -1;
	if (verb->rights == CLI_GROUP_INPUT)
		fds[0] = open_input(argc, argv, err);
	rc = fds[0] < 0 || send_request(fd, verb->name, argc, argv, fds, err) ||
			     read_answer(fd, status, err)
		     ? -1
		     : 1;
	close(fd);
	return rc;
}
