/* SPDX-License-Identifier: MIT */
/*
 * The last BACKLOG_SIZE bytes that a guest wrote, for those who connect later and for those who
 * read slowly. Every byte has a position in the guest's stream; a reader keeps the position it
 * wants next, and skips what is no longer there.
 *
 * Lives in a file on a file system in memory, so that it outlives the daemon; without one, in
 * plain memory.
 */
#ifndef CONSOLE_BACKLOG_H
#define CONSOLE_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

#define BACKLOG_SIZE 32768u /* a power of two */

struct backlog;

/*
 * Opens the backlog @name in the directory @dir of the guest with this @uuid: what another
 * guest left there is dropped. @dir < 0, or no room there: plain memory. NULL: no memory.
 */
struct backlog *backlog_open(int dir, const char *name, const uint8_t uuid[16]);

/* Lets go; the file stays. */
void backlog_close(struct backlog *backlog);

void backlog_add(struct backlog *backlog, const char *bytes, size_t len);

/* The position behind the last byte. */
uint64_t backlog_end(const struct backlog *backlog);

/*
 * What is there from *@pos on, as far as it lies in one piece: *@bytes. Moves *@pos up to the
 * oldest byte first if that one is gone. Returns the length, 0 at the end.
 */
size_t backlog_read(const struct backlog *backlog, uint64_t *pos, const char **bytes);

#endif
