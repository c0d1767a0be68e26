/* SPDX-License-Identifier: MIT */
/* Events of guests, as lines of a file: see vm/event.h. */
#include "vm/event.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/file.h"

#define LOOK_MS 200

const char *vm_events_file = "/run/enso/events";

static void older_path(char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s.1", vm_events_file);
}

/* ---- writing ---- */

/* Is fd still the file of that name? */
static bool is_current(int fd)
{
	struct stat mine, now;

	return !fstat(fd, &mine) && !stat(vm_events_file, &now) && mine.st_ino == now.st_ino &&
	       mine.st_dev == now.st_dev;
}

/* The file, locked, not too long. -1: it cannot be had. */
static int open_to_write(void)
{
	char older[PATH_MAX];
	struct stat st;

	for (int tries = 0; tries < 10; tries++) {
		int fd = open(vm_events_file,
			      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX) || !is_current(fd)) {	/* turned over meanwhile */
			close(fd);
			continue;
		}
		if (fstat(fd, &st) || st.st_size < VM_EVENTS_LIMIT)
			return fd;
		older_path(older);
		rename(vm_events_file, older);
		close(fd);
	}
	return -1;
}

static json_t *describe(const char *event, const char *guest, const uint8_t uuid[16],
			uint32_t domid, const char *detail)
{
	char when[32], text[CONFIG_UUID_TEXT];
	time_t now = time(NULL);
	struct tm tm;
	json_t *object;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	config_format_uuid(uuid, text);
	object = json_pack("{s:s s:s s:s s:s}", "time", when, "event", event, "guest", guest,
			   "uuid", text);
	if (object && domid)
		json_object_set_new(object, "id", json_integer(domid));
	if (object && detail)
		json_object_set_new(object, "detail", json_stringn_nocheck(detail, strlen(detail)));
	return object;
}

void vm_event(const char *event, const char *guest, const uint8_t uuid[16], uint32_t domid,
	      const char *detail)
{
	json_t *object = describe(event, guest, uuid, domid, detail);
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	size_t len = text ? strlen(text) : 0;
	int fd = len && len < VM_EVENT_MAX - 1 ? open_to_write() : -1;

	if (fd >= 0) {
		text[len] = '\n';	/* in place of the NUL: one write, one line */
		file_write_all(fd, text, len + 1);
		close(fd);
	}
	free(text);
	json_decref(object);
}

/* ---- reading ---- */

void vm_events_open(struct vm_events *events, bool kept)
{
	char older[PATH_MAX];

	*events = (struct vm_events){ .fd = -1 };
	older_path(older);
	if (kept)
		events->fd = open(older, O_RDONLY | O_CLOEXEC);
	events->older = events->fd >= 0;
	if (!events->older)
		events->fd = open(vm_events_file, O_RDONLY | O_CLOEXEC);
	if (!kept && events->fd >= 0)
		lseek(events->fd, 0, SEEK_END);
}

void vm_events_close(struct vm_events *events)
{
	if (events->fd >= 0)
		close(events->fd);
	events->fd = -1;
}

/* At the end of a file: is there one after it? */
static bool next_file(struct vm_events *events)
{
	if (events->fd >= 0 && !events->older && is_current(events->fd))
		return false;
	int next = open(vm_events_file, O_RDONLY | O_CLOEXEC);
	if (next < 0)
		return false;
	vm_events_close(events);
	events->fd = next;
	events->have = 0;
	events->older = false;
	return true;
}

/* A whole line of the buffer, or false. */
static bool take_line(struct vm_events *events, char line[VM_EVENT_MAX])
{
	for (;;) {
		char *end = memchr(events->buffer, '\n', events->have);
		size_t len = end ? (size_t)(end - events->buffer) : 0;

		if (!end && events->have < sizeof(events->buffer))
			return false;
		if (!end) {	/* too long for one of ours */
			events->have = 0;
			return false;
		}
		bool ours = len && events->buffer[0] == '{' && events->buffer[len - 1] == '}';
		memcpy(line, events->buffer, len);
		line[len] = 0;
		events->have -= len + 1;
		memmove(events->buffer, end + 1, events->have);
		if (ours)
			return true;
	}
}

int vm_events_next(struct vm_events *events, int timeout_ms, char line[VM_EVENT_MAX])
{
	for (;;) {
		if (take_line(events, line))
			return 1;
		ssize_t n = events->fd < 0 ? 0
					   : read(events->fd, events->buffer + events->have,
						  sizeof(events->buffer) - events->have);
		if (n > 0) {
			events->have += (size_t)n;
			continue;
		}
		if (next_file(events))
			continue;
		if (timeout_ms <= 0)
			return 0;
		int nap = timeout_ms < LOOK_MS ? timeout_ms : LOOK_MS;
		usleep((unsigned)nap * 1000);
		timeout_ms -= nap;
	}
}
