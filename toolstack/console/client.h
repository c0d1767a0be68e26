/* SPDX-License-Identifier: MIT */
/*
 * The client's end of a guest's console: a UNIX stream socket of enso-consoled per domain, over
 * which bytes go both ways as they are. What the guest wrote last (its scroll-back) comes
 * first.
 *
 * Every int result that is negative is -errno.
 */
#ifndef CONSOLE_CLIENT_H
#define CONSOLE_CLIENT_H

#include <stdint.h>

/* Where enso-consoled has a socket per domain, named by its decimal id. */
#define CONSOLE_SOCKET_DIR "/run/enso/console"

/* Where it keeps a log per guest: <name>.log, and <name>.log.1 before that. */
#define CONSOLE_LOG_DIR "/var/log/enso/console"

/* The key that leaves a console: Ctrl-]. */
#define CONSOLE_ESCAPE 0x1d

/* Why console_interact() returned. */
enum console_end {
	CONSOLE_LEFT,	/* the person typed CONSOLE_ESCAPE, or standard input ended */
	CONSOLE_CLOSED, /* the guest is gone */
};

/*
 * Connects to the console of domain @domid; waits up to @patience_ms milliseconds for its
 * socket, because the daemon may not yet have seen a new domain. Returns a descriptor, or
 * -ENOENT (no such console), -ECONNREFUSED (no daemon).
 */
int console_connect(uint32_t domid, unsigned int patience_ms);

/*
 * Copies between the console @fd and standard input and output until CONSOLE_ESCAPE or the end
 * of either. A terminal on standard input is raw meanwhile and is put back before return, also
 * when a signal ends the program. Returns an enum console_end, or -errno.
 */
int console_interact(int fd);

#endif
