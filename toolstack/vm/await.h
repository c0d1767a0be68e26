/* SPDX-License-Identifier: MIT */
/*
 * The host's own start: its services run before its drivers, its medium and what stays over a
 * reboot are there. A guest made too early would miss one of them.
 */
#ifndef VM_AWAIT_H
#define VM_AWAIT_H

struct error;

/*
 * "/run/enso/starting", which the first script of the start makes; "/run/enso/host-ready", which
 * the one that looks for hardware makes. Without the first, as on a host that Enso did not set up,
 * nothing is waited for. Tests have their own.
 */
extern const char *vm_host_starting_file, *vm_host_ready_file;

/*
 * Wait until guests can be made, at most so long; waiting (may be NULL) is called once if that is
 * not yet so. 0, or -1: ERROR_TIMEOUT.
 */
int vm_await_host(unsigned int timeout_ms, void (*waiting)(void), struct error *err);

#endif
