/* SPDX-License-Identifier: MIT */
/*
 * Dumps of guests as core files, on demand and when they crash: see vm/vm.h. A core appears under
 * its name when it is whole; a process that dies leaves nothing of it behind.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "stream/core.h"
#include "vm/defined.h"
#include "vm/internal.h"

#define CORE ".core"
#define PAUSED "paused"	/* in it: by who dumps, or is about to be */
#define KEPT 3			/* dumps of crashes kept of each guest */
#define LOOK_BYTES (16u << 20)	/* between two looks at the room that is left */
#define ROOM_MIN (64ull << 20)	/* a crash leaves at least so much of the file system free */

struct dump {
	int fd;
	bool leaves_room;	/* the file system is not filled: nobody asked for this dump */
	uint64_t looked_at;
	void (*progress)(void *context, uint64_t done, uint64_t all);
	void *context;
};

/* Is there room for more of a dump that nobody asked for? A file system in memory is the host's. */
static int check_room(int fd, struct error *err)
{
	struct statfs fs;
	uint64_t all, left;
	bool in_memory;

	if (fstatfs(fd, &fs))
		return error_set(err, ERROR_FILE, "crash dump: %s", error_text(-errno));
	in_memory = file_is_in_memory(&fs);
	all = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	left = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	if (left > ROOM_MIN && left > all / (in_memory ? 2 : 10))
		return 0;
	return error_set(err, ERROR_FILE,
			 "crash dump: no room: %llu MiB free of %llu MiB%s",
			 (unsigned long long)left >> 20, (unsigned long long)all >> 20,
			 in_memory ? "; a disk labelled ENSO-DATA would have some" : "");
}

static int on_progress(void *context, uint64_t done, uint64_t all, struct error *err)
{
	struct dump *dump = context;

	if (dump->progress)
		dump->progress(dump->context, done, all);
	if (done < dump->looked_at + LOOK_BYTES)
		return 0;
	dump->looked_at = done;
	if (dump->leaves_room)
		return check_room(dump->fd, err);
	return file_room(dump->fd) ? 0
				   : error_set(err, ERROR_FILE, "cannot be written: %s",
					       error_text(-ENOSPC));
}

static int write_core(struct vm *vm, const struct vm_info *info, const char *path,
		      struct dump *dump, struct error *err)
{
	const struct core_request request = { on_progress, dump };
	struct file_new file = FILE_NEW_NONE;
	int rc = file_new_open(&file, path, 0600);

	if (rc)
		return error_file(path, rc, err);
	dump->fd = file.fd;
	if (dump->leaves_room)
		rc = check_room(file.fd, err);
	if (!rc && core_write(vm->hyp, info->domid, file.fd, &request, err))
		rc = error_set(err, err->code, "%s: %s", path, err->text);
	if (!rc) {
		rc = file_new_commit(&file, path);
		if (rc)
			rc = error_file(path, rc, err);
	}
	file_new_abandon(&file);
	return rc;
}

/* It is said before it is done, for who finds that this process was killed. */
static int note_and_pause(struct vm *vm, const struct vm_info *info, int marker, struct error *err)
{
	int rc = file_write_all(marker, PAUSED, strlen(PAUSED));

	if (rc)
		return error_file(vm_run_dir, rc, err);
	rc = hyp_domain_pause(vm->hyp, info->domid);
	return rc ? vm_refused(info, "pause", rc, err) : 0;
}

int vm_dump(struct vm *vm, const struct vm_info *info, const char *path,
	    void (*progress)(void *context, uint64_t done, uint64_t all), void *context,
	    struct error *err)
{
	struct dump dump = { .progress = progress, .context = context };
	struct error why = { 0 };
	bool pause = info->state == VM_RUNNING || info->state == VM_BLOCKED;
	int marker, rc;

	if (vm_not_domain0(info, "dumped", err))
		return -1;
	if (info->state == VM_DYING)
		return error_set(err, ERROR_STATE, "%s: is being destroyed", info->name);
	marker = vm_mark(info, DUMP_MARKER, "dumped", err);
	if (marker < 0)
		return -1;
	rc = pause ? note_and_pause(vm, info, marker, err) : 0;
	if (rc) {
		vm_unmark(info, DUMP_MARKER, marker);
		return rc;
	}
	rc = write_core(vm, info, path, &dump, &why);
	if (pause)
		hyp_domain_unpause(vm->hyp, info->domid);
	vm_unmark(info, DUMP_MARKER, marker);
	if (!rc)
		vm_event("dumped", info->name, info->uuid, info->domid, path);
	return rc ? error_set(err, why.code, "%s: %s", info->name, why.text) : 0;
}

void vm_dump_recover(struct vm *vm, const struct vm_info *info)
{
	char text[sizeof(PAUSED)] = "";
	int marker;

	if (!vm_is_marked(info, DUMP_MARKER) || vm_mark_is_held(info, DUMP_MARKER))
		return;
	marker = vm_mark(info, DUMP_MARKER, "dumped", NULL);
	if (marker < 0)
		return;
	if (info->state == VM_PAUSED && pread(marker, text, sizeof(text) - 1, 0) > 0 &&
	    !strcmp(text, PAUSED))
		hyp_domain_unpause(vm->hyp, info->domid);
	vm_unmark(info, DUMP_MARKER, marker);
}

/* ---- crashes ---- */

/* Is it a core of this guest: NAME-, 16 characters of a date, .core? */
static bool is_core_of(const char *file, const char *guest)
{
	size_t len = strlen(guest);

	return !strncmp(file, guest, len) && strlen(file) == len + 1 + 16 + strlen(CORE) &&
	       file[len] == '-' && !strcmp(file + len + 1 + 16, CORE);
}

/* The oldest of a guest's cores go until there is a place for one more. */
static void make_place(const char *folder, const char *guest)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort), have = 0;
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = n - 1; i >= 0; i--) {
		if (is_core_of(names[i]->d_name, guest) && ++have >= KEPT)
			unlinkat(dir, names[i]->d_name, 0);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	if (dir >= 0)
		close(dir);
}

int vm_dump_crash(struct vm *vm, const struct vm_info *info, struct error *err)
{
	struct dump dump = { .leaves_room = true };
	char folder[PATH_MAX / 2], path[PATH_MAX], when[32];
	time_t now = time(NULL);
	struct tm tm;
	int rc;

	/* A name that is no name of ours could lead anywhere. */
	if (!config_is_name(info->name))
		return error_set(err, ERROR_STATE, "crash dump: the guest has no name for a file");
	snprintf(folder, sizeof(folder), "%s/crash", vm_state_dir);
	rc = file_make_dirs(folder);
	if (rc)
		return error_file(folder, rc, err);
	make_place(folder, info->name);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	snprintf(path, sizeof(path), "%s/%s-%s" CORE, folder, info->name, when);
	rc = write_core(vm, info, path, &dump, err);
	vm_event(rc ? "failed" : "dumped", info->name, info->uuid, info->domid,
		 rc && err ? err->text : path);
	return rc;
}
