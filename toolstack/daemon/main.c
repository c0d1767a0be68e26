/* SPDX-License-Identifier: MIT */
/*
 * ensod: does what guests' definitions say about their end (on_poweroff, on_reboot, on_crash), and
 * clears away what programs that were killed left behind. Runs in the foreground, for a supervisor
 * to start again; keeps nothing that matters in its own memory, so it may be killed at any time: it
 * finds guests and unfinished restarts again (see vm/vm.h).
 *
 * Privileges: root, as it creates and destroys domains. Trusted: the store daemon and what only
 * root writes. From guests it takes no more than that they ended and why.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/restarts.h"
#include "hyp/hyp.h"
#include "lib/file.h"
#include "store/client.h"
#include "vm/vm.h"

#define START_WAIT_MS 30000	/* the store daemon may be started at the same time */
#define LOOK_MS 60000		/* a look at everything, whatever was told */
#define SAVING_MS 1000		/* the same while somebody saves a guest, and may be killed */
#define LOCK_FILE "/run/enso/ensod.lock"

/* The log is standard error: a line per event. */
static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	char when[32];
	time_t now = time(NULL);
	struct tm tm;
	va_list args;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", localtime_r(&now, &tm));
	fprintf(stderr, "%s ", when);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A guest has ended. */
static void finish(struct vm *vm, struct restarts *restarts, const struct vm_info *info)
{
	const char *reason = vm_reason_name(info->shutdown_reason);
	struct error err = { 0 };
	uint32_t domid = 0;
	bool loop = restarts_is_loop(restarts, info->uuid, now_ms());
	int action;

	action = vm_finish(vm, info, !loop, &domid, &err);
	if (action < 0)
		say("%s: ended (%s): %s", info->name, reason, err.text);
	else if (action == VM_ACTION_DESTROY)
		say("%s: ended (%s), destroyed%s", info->name, reason,
		    loop ? ": it ends again and again" : "");
	else if (action == VM_ACTION_RESTART)
		say("%s: ended (%s), started again as domain %u", info->name, reason, domid);
	if (action == VM_ACTION_RESTART)
		restarts_note(restarts, info->uuid, now_ms());
}

static void look(struct vm *vm, struct restarts *restarts)
{
	struct error err = { 0 };
	struct vm_info *infos;
	size_t count;

	if (vm_list(vm, &infos, &count, &err)) {
		say("%s", err.text);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (infos[i].state == VM_SHUTDOWN || infos[i].state == VM_CRASHED)
			finish(vm, restarts, &infos[i]);
	}
	free(infos);
	if (vm_sweep(vm, &err))
		say("%s", err.text);
}

/* What a former ensod had begun. */
static void resume(struct vm *vm)
{
	for (;;) {
		struct error err = { 0 };
		uint32_t domid;
		int rc = vm_resume_restart(vm, &domid, &err);

		if (rc == 0)
			return;
		if (rc < 0)
			say("a guest that was to start again: %s", err.text);
		else
			say("domain %u: started again", domid);
	}
}

static int start(struct vm *vm, struct error *err)
{
	int rc = file_make_dirs("/run/enso");

	if (!rc)
		rc = file_lock(LOCK_FILE, false);
	if (rc == -EWOULDBLOCK)
		return error_set(err, ERROR_STATE, "another ensod is running");
	if (rc < 0)
		return error_set(err, ERROR_FILE, LOCK_FILE ": %s", error_text(rc));
	if (vm_need_hyp(vm, err))
		return -1;
	rc = store_connect(&vm->store, START_WAIT_MS);
	if (!rc)
		rc = store_watch(vm->store, "@releaseDomain", "ensod");
	return rc ? error_set(err, ERROR_STORE, "the store daemon cannot be reached: %s",
			      error_text(rc))
		  : 0;
}

int main(int argc, char **argv)
{
	struct restarts restarts = { .count = 0 };
	struct vm vm = { 0 };
	struct error err;

	if (argc > 1) {
		fprintf(strcmp(argv[1], "--help") ? stderr : stdout,
			"usage: ensod\n"
			"Does what guests' definitions say about their end; runs in the "
			"foreground. See ensod(8).\n");
		return strcmp(argv[1], "--help") ? ERROR_USAGE : 0;
	}
	if (start(&vm, &err)) {
		fprintf(stderr, "ensod: %s\n", err.text);
		return err.code;
	}
	resume(&vm);
	for (;;) {
		struct store_event event;
		int rc;

		look(&vm, &restarts);
		rc = store_wait(vm.store, vm_saving() ? SAVING_MS : LOOK_MS, &event);
		while (!rc) {	/* several ends need one look */
			store_event_free(&event);
			rc = store_wait(vm.store, 0, &event);
		}
		if (rc != -ETIMEDOUT) {
			say("the store daemon does not come back: %s", error_text(rc));
			return ERROR_STORE; /* the supervisor starts us again */
		}
	}
}
