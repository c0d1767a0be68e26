/* SPDX-License-Identifier: MIT */
/* Ends and starts of guests: see supervise.h. */
#include "daemon/supervise.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi/sched.h"
#include "daemon/autostart.h"
#include "lib/confine.h"

#define GOING_DOWN "/run/enso/going-down"	/* the host shuts down: no guest starts again */
#define STATUS_FAILED 100			/* exit status of a process that saw to an end; */
						/* lower ones are an enum vm_action */
#define AGAIN_S 10		/* after a failure, before the same end is seen to once more */

void say(const char *fmt, ...)
{
	char when[32], text[1024];
	time_t now = time(NULL);
	struct tm tm;
	va_list args;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", localtime_r(&now, &tm));
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "%s %s\n", when, text);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

pid_t supervise_branch(void)
{
	pid_t parent = getpid(), pid = fork();
	sigset_t none;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(STATUS_FAILED);
	confine_expendable();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

/* --- ends ---------------------------------------------------------------------------------- */

/* In a process of its own: what becomes of a guest that has ended. */
static int finish(const struct vm_info *info, bool loop)
{
	const char *reason = vm_reason_name(info->shutdown_reason);
	bool may_restart = !loop && access(GOING_DOWN, F_OK);
	struct error err = { 0 };
	struct vm vm = { 0 };
	uint32_t domid = 0;
	int action = -1;

	if (!vm_need_hyp(&vm, &err) && !vm_need_store(&vm, &err))
		action = vm_finish(&vm, info, may_restart, &domid, &err);
	if (action < 0)
		say("%s: ended (%s): %s", info->name, reason, err.text);
	else if (action == VM_ACTION_DESTROY)
		say("%s: ended (%s), destroyed%s", info->name, reason,
		    loop ? ": it ends again and again" : "");
	else if (action == VM_ACTION_RESTART)
		say("%s: ended (%s), started again as domain %u", info->name, reason, domid);
	vm_close(&vm);
	if (action >= 0)
		return action;
	sleep(AGAIN_S);
	return STATUS_FAILED;
}

static bool is_seen_to(const struct supervisor *supervisor, const struct vm_info *info)
{
	for (int i = 0; i < SUPERVISE_AT_ONCE; i++) {
		if (supervisor->finishers[i].pid &&
		    !memcmp(supervisor->finishers[i].uuid, info->uuid, 16))
			return true;
	}
	for (unsigned i = 0; i < supervisor->nr_left && i < SUPERVISE_LEFT; i++) {
		if (supervisor->left[i].domid == info->domid &&
		    !memcmp(supervisor->left[i].uuid, info->uuid, 16))
			return true;
	}
	return false;
}

/* A guest has ended. One that finds no place is seen at the next look. */
static void see_to(struct supervisor *supervisor, const struct vm_info *info)
{
	struct finisher *place = NULL;
	pid_t pid;
	bool loop;

	if (info->shutdown_reason == SHUTDOWN_suspend && vm_is_being_saved(info))
		return;
	for (int i = 0; i < SUPERVISE_AT_ONCE; i++) {
		if (!supervisor->finishers[i].pid)
			place = &supervisor->finishers[i];
	}
	if (!place || is_seen_to(supervisor, info))
		return;
	loop = restarts_is_loop(&supervisor->restarts, info->uuid, now_ms());
	pid = supervise_branch();
	if (pid == 0)
		_exit(finish(info, loop));
	if (pid < 0) {
		say("%s: has ended, and there is no memory to see to it", info->name);
		return;
	}
	place->pid = pid;
	place->domid = info->domid;
	place->suspended = info->shutdown_reason == SHUTDOWN_suspend;
	memcpy(place->uuid, info->uuid, 16);
}

bool supervise_ended(struct supervisor *supervisor, pid_t pid, int status)
{
	int action = WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_FAILED;

	if (pid == supervisor->autostarter) {
		supervisor->autostarter = 0;
		return true;
	}
	for (int i = 0; i < SUPERVISE_AT_ONCE; i++) {
		struct finisher *one = &supervisor->finishers[i];

		if (one->pid != pid)
			continue;
		one->pid = 0;
		if (action == VM_ACTION_RESTART)
			restarts_note(&supervisor->restarts, one->uuid, now_ms());
		/* One that is being saved is looked at again: its saver may be killed. */
		if (action == VM_ACTION_PRESERVE && !one->suspended) {
			struct left *left = &supervisor->left[supervisor->nr_left++ %
							      SUPERVISE_LEFT];

			left->domid = one->domid;
			memcpy(left->uuid, one->uuid, 16);
		}
		return true;
	}
	return false;
}

void supervise_look(struct supervisor *supervisor)
{
	struct error err = { 0 };
	struct vm_info *infos;
	size_t count;

	if (vm_list(&supervisor->vm, &infos, &count, &err)) {
		say("%s", err.text);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (infos[i].state == VM_SHUTDOWN || infos[i].state == VM_CRASHED)
			see_to(supervisor, &infos[i]);
	}
	free(infos);
	if (vm_sweep(&supervisor->vm, &err))
		say("%s", err.text);
}

/* --- starts -------------------------------------------------------------------------------- */

void supervise_begin(struct supervisor *supervisor)
{
	for (;;) {
		struct error err = { 0 };
		uint32_t domid;
		int rc = vm_resume_restart(&supervisor->vm, &domid, &err);

		if (rc == 0)
			break;
		if (rc < 0)
			say("a guest that was to start again: %s", err.text);
		else
			say("domain %u: started again", domid);
	}
	supervisor->autostarter = supervise_branch();
	if (supervisor->autostarter == 0) {
		autostart_all();
		_exit(0);
	}
	if (supervisor->autostarter < 0)
		supervisor->autostarter = 0;
}
