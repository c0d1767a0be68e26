/* SPDX-License-Identifier: MIT */
/* enso log: what a guest wrote to its console, also after its end. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "console/client.h"
#include "console/plain.h"

#define CHUNK 16384
#define LINES_DEFAULT 1000000000L

/* A log and its predecessor as one text. */
struct text {
	char *bytes;
	size_t len;
};

/* Append a file to it; one that is not there adds nothing. 0 or -errno. */
static int append(struct text *text, int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	for (;;) {
		char *more = realloc(text->bytes, text->len + CHUNK);
		ssize_t n = more ? read(fd, more + text->len, CHUNK) : -1;

		rc = !more ? -ENOMEM : n < 0 ? -errno : 0;
		if (more)
			text->bytes = more;
		if (n <= 0)
			break;
		text->len += (size_t)n;
	}
	close(fd);
	return rc;
}

/* Where the last so many lines begin. */
static size_t last_lines(const struct text *text, long lines)
{
	size_t at = text->len;

	while (at > 0 && (text->bytes[at - 1] != '\n' || at == text->len || --lines > 0))
		at--;
	return at;
}

static void print(const char *bytes, size_t len, bool raw)
{
	struct console_plain plain = { PLAIN_TEXT, { 0 }, 0, 0 };
	char shown[CHUNK + 8];

	for (size_t at = 0; at < len; at += CHUNK) {
		size_t n = len - at < CHUNK ? len - at : CHUNK;

		if (raw)
			fwrite(bytes + at, 1, n, stdout);
		else
			fwrite(shown, 1, console_plain(&plain, bytes + at, n, shown), stdout);
	}
}

static int read_log(const char *guest, struct text *text, struct error *err)
{
	int folder = open(CONSOLE_LOG_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	char name[CONFIG_NAME_MAX + 8];

	if (folder < 0)
		return error_set(err, ERROR_FILE, CONSOLE_LOG_DIR ": %s", error_text(-errno));
	snprintf(name, sizeof(name), "%s.log.1", guest);
	rc = append(text, folder, name);
	name[strlen(name) - 2] = 0;
	if (!rc)
		rc = append(text, folder, name);
	close(folder);
	if (rc)
		return error_set(err, ERROR_FILE, CONSOLE_LOG_DIR "/%s: %s", name, error_text(rc));
	return text->len ? 0
			 : error_set(err, ERROR_NO_DOMAIN,
				     "%s: there is no log of this guest's console", guest);
}

static int run_log(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const char *guest = args->operand[0];
	long lines = LINES_DEFAULT;
	struct text text = { 0 };
	size_t from;
	int rc;

	(void)vm;
	if (!config_is_name(guest))
		return error_set(err, ERROR_USAGE, "log: \"%s\" is not the name of a guest", guest);
	if (args->option[0] && cli_number("lines", args->option[0], LINES_DEFAULT, &lines, err))
		return -1;
	rc = read_log(guest, &text, err);
	if (!rc) {
		from = last_lines(&text, lines);
		print(text.bytes + from, text.len - from, args->option[1]);
	}
	free(text.bytes);
	return rc;
}

const struct cli_verb cli_log = {
	.name = "log",
	.operands = "NAME",
	.min_operands = 1,
	.max_operands = 1,
	.rights = CLI_GROUP,
	.summary = "Print what a guest wrote to its console, also after its end",
	.text = "Control characters are left out, so that a guest cannot play with your terminal.",
	.options = {
		{ "lines", 'n', "N", "only the last N lines" },
		{ "raw", 0, NULL, "as the guest wrote it" },
	},
	.run = run_log,
};
