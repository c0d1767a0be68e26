/* SPDX-License-Identifier: MIT */
/* Saves and dumps that others are at, told by their markers in vm_run_dir: see vm.h. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/file.h"
#include "vm/internal.h"

static bool is_marker(const char *file)
{
	size_t len = strlen(file);

	return len > 4 && (!strcmp(file + len - 4, SAVE_MARKER) ||
			   !strcmp(file + len - 4, DUMP_MARKER));
}

bool vm_is_at_work(void)
{
	DIR *dir = opendir(vm_run_dir);
	const struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = is_marker(entry->d_name);
	closedir(dir);
	return found;
}

int vm_work_watch(void)
{
	int rc = file_make_dirs(vm_run_dir), fd;

	if (rc)
		return rc;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd >= 0 && inotify_add_watch(fd, vm_run_dir, IN_CLOSE_WRITE) >= 0)
		return fd;
	rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

bool vm_work_ended(int fd)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool ended = false;
	ssize_t len;

	while ((len = read(fd, buf, sizeof(buf))) > 0) {
		const struct inotify_event *event;

		for (ssize_t at = 0; at < len; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const struct inotify_event *)(buf + at);
			ended |= event->mask & IN_Q_OVERFLOW ||
				 (event->len && is_marker(event->name));
		}
	}
	return ended;
}
