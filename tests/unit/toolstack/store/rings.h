/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor as the store daemon sees it, with the store pages of domains 0 to RINGS_MAX - 1,
 * their event channels (which stay masked once they fired until they are unmasked), and nothing
 * else. The pages can be shared with other processes.
 */
#ifndef TESTS_UNIT_TOOLSTACK_STORE_RINGS_H
#define TESTS_UNIT_TOOLSTACK_STORE_RINGS_H

#include <stdbool.h>

#include "abi/io/xs_wire.h"

#define RINGS_MAX 8

extern struct xenstore_domain_interface *rings_page;	/* [RINGS_MAX] */

/* Makes the pages. */
void rings_init(void);

/* The domain sends its event. */
void rings_fire(unsigned int domid);

/* How often the daemon was told of one. */
extern unsigned int rings_told[RINGS_MAX];

#endif
