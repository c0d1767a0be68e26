/* SPDX-License-Identifier: MIT */
/*
 * Guests that were started again: who does so too fast is in a loop. Pure; the caller tells the
 * time. Forgets the oldest when full, which only makes it more patient.
 */
#ifndef DAEMON_RESTARTS_H
#define DAEMON_RESTARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RESTARTS_MAX = 64,	/* guests that are remembered */
	RESTARTS_QUICK_MS = 10000,	/* a start sooner than this after the last one is quick */
	RESTARTS_PATIENCE = 5,	/* quick starts in a row */
};

struct restarts {
	struct restart {
		uint8_t uuid[16];
		long at_ms;
		unsigned quick;		/* quick starts in a row */
	} guest[RESTARTS_MAX];
	size_t count;
};

/* The guest ended now: would starting it again be one quick start too many? */
bool restarts_is_loop(struct restarts *restarts, const uint8_t uuid[16], long now_ms);

/* The guest was started again now. */
void restarts_note(struct restarts *restarts, const uint8_t uuid[16], long now_ms);

#endif
