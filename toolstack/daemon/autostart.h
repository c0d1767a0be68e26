/* SPDX-License-Identifier: MIT */
/*
 * Guests that start with the host, in their order, once in its life: who was started (or could not
 * be) stands in a file, so that one that ended since, or a restart of ensod, does not start it
 * again.
 */
#ifndef DAEMON_AUTOSTART_H
#define DAEMON_AUTOSTART_H

/* "/run/enso/autostarted"; tests have their own. */
extern const char *autostart_done_file;

/* Wait until disks and networks are there (see vm/await.h), then start them all. */
void autostart_all(void);

#endif
