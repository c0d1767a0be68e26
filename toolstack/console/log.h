/* SPDX-License-Identifier: MIT */
/*
 * The log of a guest's console: <name>.log in a directory, moved to <name>.log.1 when it has
 * reached its limit, so that what a guest writes costs at most twice the limit. Failures (a
 * full disk) are told once and cost log lines only.
 */
#ifndef CONSOLE_LOG_H
#define CONSOLE_LOG_H

#include <stddef.h>
#include <stdint.h>

struct console_log {
	int dir;	 /* directory; not owned */
	int fd;		 /* -1: not open */
	uint64_t size, limit;
	int failed;	 /* errno that was told, or 0 */
	char name[80];	 /* of the file, without directory */
};

/*
 * Prepares the log of the guest @name, whose characters that don't fit a file name become '_'.
 * @limit in bytes, 0: no log.
 */
void console_log_open(struct console_log *log, int dir, const char *name, uint64_t limit);
void console_log_write(struct console_log *log, const char *bytes, size_t len);
void console_log_close(struct console_log *log);

#endif
