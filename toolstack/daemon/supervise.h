/* SPDX-License-Identifier: MIT */
/*
 * What ensod does for guests: follows their ends as their definitions say, clears away what killed
 * programs left, starts those that start with the host. Each end is seen to by a process of its
 * own (a crash dump takes its time), which dies with ensod and leaves nothing that the next one
 * does not find and finish.
 */
#ifndef DAEMON_SUPERVISE_H
#define DAEMON_SUPERVISE_H

#include <sys/types.h>

#include "daemon/restarts.h"
#include "vm/vm.h"

enum { SUPERVISE_AT_ONCE = 8, SUPERVISE_LEFT = 64 };

struct supervisor {
	struct vm vm;
	struct restarts restarts;
	struct finisher {
		pid_t pid;		/* 0: free */
		uint8_t uuid[16];
		uint32_t domid;
		bool suspended;
	} finishers[SUPERVISE_AT_ONCE];
	struct left {			/* dead domains that are preserved, the last ones seen */
		uint8_t uuid[16];
		uint32_t domid;
	} left[SUPERVISE_LEFT];
	unsigned nr_left;
	pid_t autostarter;		/* 0: none */
};

/* A line in the log, which is standard error. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A process that does not outlive this one. 0 in it, as fork() has it. */
pid_t supervise_branch(void);

/* Take up what a former ensod had begun, and start the guests that start with the host. */
void supervise_begin(struct supervisor *supervisor);
/* Look at all guests: see to those that ended. */
void supervise_look(struct supervisor *supervisor);
/* A process ended: was it one of ours? */
bool supervise_ended(struct supervisor *supervisor, pid_t pid, int status);

#endif
