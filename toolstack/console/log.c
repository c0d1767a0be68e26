/* SPDX-License-Identifier: MIT */
/* The log of a guest's console: see log.h. */
#include "console/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES 63

static void complain(struct console_log *log, int number)
{
	if (log->failed == number)
		return;
	log->failed = number;
	fprintf(stderr, "enso-consoled: log %s: %s; output is not logged until this ends\n",
		log->name, strerror(number));
}

static void open_file(struct console_log *log)
{
	struct stat info;

	log->fd = openat(log->dir, log->name,
			 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->fd < 0) {
		complain(log, errno);
		return;
	}
	log->size = fstat(log->fd, &info) ? 0 : (uint64_t)info.st_size;
}

void console_log_open(struct console_log *log, int dir, const char *name, uint64_t limit)
{
	*log = (struct console_log){ .dir = dir, .fd = -1, .limit = limit };
	snprintf(log->name, sizeof(log->name), "%.*s.log", NAME_MAX_BYTES, name);
	for (char *c = log->name; *c; c++) {
		if (*c == '/' || (unsigned char)*c <= ' ' || *c == 127 ||
		    (c == log->name && *c == '.'))
			*c = '_';
	}
	if (limit)
		open_file(log);
}

static void rotate(struct console_log *log)
{
	char old[sizeof(log->name) + 2];

	snprintf(old, sizeof(old), "%s.1", log->name);
	close(log->fd);
	log->fd = -1;
	if (renameat(log->dir, log->name, log->dir, old)) {
		complain(log, errno);
		return;
	}
	open_file(log);
}

void console_log_write(struct console_log *log, const char *bytes, size_t len)
{
	if (!log->limit)
		return;
	if (log->fd >= 0 && log->size + len > log->limit)
		rotate(log);
	if (log->fd < 0)
		open_file(log);
	if (log->fd < 0)
		return;
	ssize_t done = write(log->fd, bytes, len);
	if (done < 0) {
		complain(log, errno);
		return;
	}
	log->size += (uint64_t)done;
	if ((size_t)done < len)
		complain(log, ENOSPC);
	else
		log->failed = 0;
}

void console_log_close(struct console_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}
