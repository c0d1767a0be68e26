/* SPDX-License-Identifier: MIT */
/*
 * What ensod does for networks: the dnsmasq of one that is active runs again within a second or two
 * of its end, whatever ended it.
 */
#ifndef DAEMON_NETWORKS_H
#define DAEMON_NETWORKS_H

/* Do so, in a process of its own. Returns only if it cannot. */
void networks_keep(void);

#endif
