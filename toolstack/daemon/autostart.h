/* SPDX-License-Identifier: MIT */
/*
 * Guests that start with the host, in their order, once in its life: who was started (or could not
 * be) stands in a file, so that one that ended since, or a restart of ensod, does not start it
 * again.
 */
#ifndef DAEMON_AUTOSTART_H
#define DAEMON_AUTOSTART_H

/* "/run/enso/host-ready", "/run/enso/autostarted"; tests have their own. */
extern const char *autostart_ready_file, *autostart_done_file;

/* Wait until disks and networks are there, then start them all. */
void autostart_all(void);

#endif
