/* SPDX-License-Identifier: MIT */
/*
 * A network in the control domain's kernel: see vm/network.h, whose lock the caller holds. Each
 * step can be repeated: what is there already is left.
 */
#ifndef VM_NETWORK_UP_H
#define VM_NETWORK_UP_H

#include "config/network.h"

#define NETWORK_DNSMASQ "dnsmasq"	/* the program */

/* Make all of it: the bridge, addresses, rules, dnsmasq. What was made stays after an error. */
int network_up(const struct network_config *net, struct error *err);
/* Start its dnsmasq, if it has one, and that does not run: 1. 0: there was nothing to do. */
int network_serve(const struct network_config *net, struct error *err);
/* Take all of it away, as far as it is there; links of guests stay, without a bridge. */
void network_down(const struct network_config *net);

/*
 * A card and its bridge: the card's addresses, routes and DHCP client move to the bridge (up) or
 * back (down). So the host is reached at the same address.
 */
int network_card_up(const char *card, const char *bridge, struct error *err);
void network_card_down(const char *card, const char *bridge);

/* The text by which nft removes a network's table and makes it anew. malloc'd or NULL. */
char *network_rules(const struct network_config *net);
/* The text of dnsmasq's configuration; its files are in folder. malloc'd or NULL. */
char *network_dnsmasq(const struct network_config *net, const char *folder);

/* "FOLDER/NAMESUFFIX" of an active network. */
void network_run_path(const char *name, const char *suffix, char path[256]);

#endif
