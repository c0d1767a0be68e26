/* SPDX-License-Identifier: MIT */
/* What a daemon gives up once it has opened what it needs. */
#ifndef LIB_CONFINE_H
#define LIB_CONFINE_H

/*
 * Drops every capability of this process, and the right to get any back. The user id stays:
 * root's files can still be used, as their owner.
 */
void confine_self(void);

#endif
