/* SPDX-License-Identifier: MIT */
/* What a daemon gives up once it has opened what it needs. */
#ifndef LIB_CONFINE_H
#define LIB_CONFINE_H

#include <stddef.h>

/*
 * Drops every capability of this process, and the right to get any back. The user id stays:
 * root's files can still be used, as their owner.
 */
void confine_self(void);

/* The same, but for the n capabilities kept (CAP_*), which programs that it runs have, too. */
void confine_keep(const unsigned *kept, size_t n);

/*
 * Daemons are the last that the kernel ends when memory runs out (see dom0-rootfs' sbin/service);
 * a process that one of them has started, and would start again, is not: it says so with this, for
 * those that it starts, too.
 */
void confine_expendable(void);

#endif
