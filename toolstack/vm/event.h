/* SPDX-License-Identifier: MIT */
/*
 * What happens to guests, for whoever wants to follow it: whoever does something appends a line to
 * vm_events_file, so that no daemon is needed for it and none that is killed loses any. The file is
 * turned over at a size, and its predecessor is kept.
 *
 * A line is a JSON object: "time" (UTC), "event", "guest", "uuid", and where there is something to
 * tell "id" (of the domain) and "detail". Events: defined, undefined, renamed, started, paused,
 * resumed, memory, vcpus, scheduling, attached, detached, shutdown, crashed, dumped, saved,
 * restored, destroyed, restarted, failed.
 */
#ifndef VM_EVENT_H
#define VM_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

/* "/run/enso/events"; tests have their own. */
extern const char *vm_events_file;

enum {
	VM_EVENTS_LIMIT = 262144,	/* bytes of the file until it is turned over */
	VM_EVENT_MAX = 2048,		/* bytes of a line, with its NUL */
};

/*
 * Note an event. detail may be NULL; domid 0: none. An event that cannot be written is lost: what
 * it tells of has been done.
 */
void vm_event(const char *event, const char *guest, const uint8_t uuid[16], uint32_t domid,
	      const char *detail);

/* Someone who follows: where it is in the file. */
struct vm_events {
	int fd;			/* -1: there is no file yet */
	size_t have;
	char buffer[VM_EVENT_MAX];
	bool older;		/* it still reads the predecessor */
};

/* From now on; or, with kept, from the oldest that is kept. */
void vm_events_open(struct vm_events *events, bool kept);
void vm_events_close(struct vm_events *events);

/*
 * The next line, without its newline: 1. 0: none came within timeout_ms (0: only looks). What is no
 * line of this kind (cut short, too long) is passed over.
 */
int vm_events_next(struct vm_events *events, int timeout_ms, char line[VM_EVENT_MAX]);

#endif
