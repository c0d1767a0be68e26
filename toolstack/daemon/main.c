/* SPDX-License-Identifier: MIT */
/*
 * ensod: does what guests' definitions say about their end (on_poweroff, on_reboot, on_crash),
 * starts those that start with the host, clears away what programs that were killed left behind,
 * keeps the networks' dnsmasq running, and offers the command enso to the members of group enso
 * through a socket. Runs in the foreground, for a supervisor to start again; keeps nothing that
 * matters in its own memory, so it may be killed at any time: it finds guests and unfinished
 * restarts again (see vm/vm.h).
 *
 * Privileges: root's files and, of root's capabilities, those that making a guest needs: see
 * `kept` below. It cannot load code into the kernel, trace processes, set the clock or restart the
 * machine. Trusted: the store daemon and what only root writes. From guests it takes
 * no more than that they ended and why; from clients of its socket, see daemon/serve.h.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/networks.h"
#include "daemon/serve.h"
#include "daemon/supervise.h"
#include "lib/confine.h"
#include "lib/file.h"
#include "store/client.h"

#define START_WAIT_MS 30000	/* the store daemon may be started at the same time */
#define LOOK_MS 60000		/* a look at everything, whatever was told */
#define AT_WORK_MS 1000		/* the same while who saves or dumps a guest may be killed */
#define LOCK_FILE "/run/enso/ensod.lock"

static const unsigned kept[] = {
	CAP_DAC_OVERRIDE,	/* disk images of other users */
	CAP_CHOWN, CAP_FOWNER,
	CAP_NET_ADMIN,		/* a guest's interface into its bridge, rate limits, NAT */
	CAP_NET_BIND_SERVICE, CAP_NET_RAW,	/* DHCP and DNS of a network: dnsmasq, */
	CAP_SETUID, CAP_SETGID,			/* which becomes nobody */
	CAP_SYS_ADMIN,		/* loop and network block devices, hypercalls' memory */
	CAP_IPC_LOCK,
	CAP_KILL,		/* daemons of networks and disks */
};

static int start(struct supervisor *supervisor, struct error *err)
{
	int rc = file_make_dirs("/run/enso");

	if (!rc)
		rc = file_lock(LOCK_FILE, false);
	if (rc == -EWOULDBLOCK)
		return error_set(err, ERROR_STATE, "another ensod is running");
	if (rc < 0)
		return error_set(err, ERROR_FILE, LOCK_FILE ": %s", error_text(rc));
	if (vm_need_hyp(&supervisor->vm, err))
		return -1;
	rc = store_connect(&supervisor->vm.store, START_WAIT_MS);
	if (!rc)
		rc = store_watch(supervisor->vm.store, "@releaseDomain", "ensod");
	return rc ? error_set(err, ERROR_STORE, "the store daemon cannot be reached: %s",
			      error_text(rc))
		  : 0;
}

/* Processes that are there as long as this one: the one that listens, the one for networks. */
struct helpers {
	pid_t listener, networks;
};

/* The process that listens; -1 with err set. */
static pid_t start_listener(struct error *err)
{
	const struct group *group = getgrnam("enso");
	int listener = serve_open(group ? group->gr_gid : 0, err);
	pid_t pid;

	if (listener < 0)
		return -1;
	pid = supervise_branch();
	if (pid == 0)
		_exit(serve_listen(listener) ? ERROR_FAILED : 0);
	close(listener);
	return pid < 0 ? error_set(err, ERROR_NO_MEMORY, "no memory to listen") : pid;
}

static pid_t start_networks(struct error *err)
{
	pid_t pid = supervise_branch();

	if (pid == 0) {
		networks_keep();
		sleep(LOOK_MS / 1000);	/* and then once more */
		_exit(ERROR_FAILED);
	}
	return pid < 0 ? error_set(err, ERROR_NO_MEMORY, "no memory to look after networks") : pid;
}

static int start_helpers(struct helpers *helpers, struct error *err)
{
	if (!helpers->listener)
		helpers->listener = start_listener(err);
	if (helpers->listener > 0 && !helpers->networks)
		helpers->networks = start_networks(err);
	return helpers->listener < 0 || helpers->networks < 0 ? -1 : 0;
}

/* Processes that ended; those that are to be there are started again. */
static int reap(struct supervisor *supervisor, struct helpers *helpers, struct error *err)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (supervise_ended(supervisor, pid, status))
			continue;
		if (pid == helpers->listener) {
			say("the process that listens ended; another one starts");
			helpers->listener = 0;
		} else if (pid == helpers->networks) {
			helpers->networks = 0;
		}
	}
	return start_helpers(helpers, err);
}

/* What tells that there is something to look at; work: of vm_work_watch(), perhaps none. */
struct sources {
	int signals, work;
};

/* Wait for something to look at: an end of a domain, of a process, of a save or dump. */
static int wait_for_more(struct supervisor *supervisor, const struct sources *sources,
			 struct error *err)
{
	struct pollfd poll_on[] = { { store_fd(supervisor->vm.store), POLLIN, 0 },
				    { sources->signals, POLLIN, 0 },
				    { sources->work, POLLIN, 0 } };
	struct signalfd_siginfo info;
	struct store_event event;
	int rc;

	/* A guest that is only being created makes and closes files, too. */
	do
		rc = poll(poll_on, 3, vm_is_at_work() ? AT_WORK_MS : LOOK_MS);
	while (rc == 1 && poll_on[2].revents && !vm_work_ended(sources->work));
	if (poll_on[1].revents && read(sources->signals, &info, sizeof(info)) < 0 && errno != EINTR)
		return error_set(err, ERROR_FAILED, "signals: %s", error_text(-errno));
	/* Several ends need one look. */
	while (!(rc = store_wait(supervisor->vm.store, 0, &event)))
		store_event_free(&event);
	return rc == -ETIMEDOUT ? 0
				: error_set(err, ERROR_STORE,
					    "the store daemon does not come back: %s",
					    error_text(rc));
}

static int run(struct supervisor *supervisor, const struct sources *sources, struct error *err)
{
	struct helpers helpers = { 0 };

	if (start_helpers(&helpers, err))
		return -1;
	supervise_begin(supervisor);
	for (;;) {
		supervise_look(supervisor);
		if (wait_for_more(supervisor, sources, err) || reap(supervisor, &helpers, err))
			return -1;
	}
}

int main(int argc, char **argv)
{
	static struct supervisor supervisor;
	struct error err = { 0 };
	struct sources sources;
	sigset_t child;

	if (argc > 1) {
		fprintf(strcmp(argv[1], "--help") ? stderr : stdout,
			"usage: ensod\n"
			"Supervises guests and offers the command enso through a socket; runs in "
			"the foreground. See ensod(8).\n");
		return strcmp(argv[1], "--help") ? ERROR_USAGE : 0;
	}
	if (start(&supervisor, &err)) {
		fprintf(stderr, "ensod: %s\n", err.text);
		return err.code;
	}
	confine_keep(kept, sizeof(kept) / sizeof(kept[0]));
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	sources.signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	sources.work = vm_work_watch();
	run(&supervisor, &sources, &err);	/* returns only with an error */
	say("%s", err.text);
	return err.code; /* the supervisor of services starts us again */
}
