/* SPDX-License-Identifier: MIT */
/*
 * A network card of the host goes onto a bridge, and what made the host reachable by the card goes
 * to the bridge: addresses, routes, and the DHCP client that renews them. See network_up.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"
#include "lib/error.h"
#include "vm/network_up.h"

enum { ENTRIES = 16, WORDS = 12 };

/* Addresses and routes of a link, as the words for ip that make them again. */
struct reach {
	char text[8192];
	char *addresses[ENTRIES], *routes[ENTRIES];
	unsigned n_addresses, n_routes;
};

/* Does the line say that it is the kernel's own, made again by itself? */
static bool is_made_by_itself(const char *line)
{
	return strstr(line, "proto kernel") || strstr(line, " linkdown ");
}

/* The words behind "inet" of "2: eth0    inet 10.0.2.15/24 brd 10.0.2.255 scope global eth0". */
static void take_address(struct reach *reach, char *line)
{
	char *inet = strstr(line, " inet ");

	if (!inet || reach->n_addresses == ENTRIES)
		return;
	inet += 6;
	inet[strcspn(inet, " ")] = 0;
	reach->addresses[reach->n_addresses++] = inet;
}

static void take_route(struct reach *reach, char *line)
{
	if (*line && !is_made_by_itself(line) && reach->n_routes < ENTRIES)
		reach->routes[reach->n_routes++] = line;
}

static void read_reach(const char *link, struct reach *reach)
{
	const char *const addresses[] = { "ip", "-4", "-o", "addr", "show", "dev", link, NULL };
	const char *const routes[] = { "ip", "-4", "route", "show", "dev", link, NULL };
	const size_t half = sizeof(reach->text) / 2;
	char *line, *rest;

	*reach = (struct reach){ .n_routes = 0 };
	host_run(addresses, NULL, reach->text, half);
	for (line = strtok_r(reach->text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		take_address(reach, line);
	host_run(routes, NULL, reach->text + half, half);
	for (line = strtok_r(reach->text + half, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		take_route(reach, line);
}

/* "default via 10.0.2.2 metric 10": up to WORDS of what "ip route" printed, and the link. */
static void add_route(const char *route, const char *link)
{
	const char *argv[4 + WORDS + 3] = { "ip", "-4", "route", "replace" };
	char copy[256], *rest, *word;
	unsigned n = 4;

	snprintf(copy, sizeof(copy), "%s", route);
	word = strtok_r(copy, " ", &rest);

	for (; word && n < 4 + WORDS; word = strtok_r(NULL, " ", &rest)) {
		if (!strcmp(word, "dev"))
			strtok_r(NULL, " ", &rest);	/* that link is left now */
		else
			argv[n++] = word;
	}
	argv[n++] = "dev";
	argv[n] = link;
	host_run(argv, NULL, NULL, 0);
}

static void write_reach(const char *link, const struct reach *reach)
{
	for (unsigned i = 0; i < reach->n_addresses; i++) {
		const char *const argv[] = { "ip",  "-4", "addr", "replace", reach->addresses[i],
					     "brd", "+",  "dev",  link,	     NULL };
		host_run(argv, NULL, NULL, 0);
	}
	for (unsigned i = 0; i < reach->n_routes; i++)
		add_route(reach->routes[i], link);
}

static void flush(const char *link)
{
	const char *const argv[] = { "ip", "-4", "addr", "flush", "dev", link, NULL };

	host_run(argv, NULL, NULL, 0);
}

/* The client that keeps the lease: that of from ends, and one for to begins if there was one. */
static void move_client(const char *from, const char *to)
{
	char old[64], new[64];
	const char *const argv[] = { "udhcpc", "-b", "-S", "-i", to, "-p", new, "-s",
				     "/usr/share/udhcpc/lease", NULL };

	snprintf(old, sizeof(old), "/run/udhcpc.%.15s.pid", from);
	snprintf(new, sizeof(new), "/run/udhcpc.%.15s.pid", to);
	if (!host_process_lives(old, "udhcpc"))
		return;
	host_process_end(old, "udhcpc");
	host_run(argv, NULL, NULL, 0);
}

/* Moves all from one link to the other; the order keeps connections of the host alive. */
static void move(const char *from, const char *to)
{
	struct reach reach;

	read_reach(from, &reach);
	flush(from);
	write_reach(to, &reach);
	move_client(from, to);
	/* The client's first word empties the link; what was there stands until it hears more. */
	write_reach(to, &reach);
}

int network_card_up(const char *card, const char *bridge, struct error *err)
{
	char mac[CONFIG_MAC_TEXT], master[64] = "";
	const char *const set_mac[] = { "ip", "link", "set", bridge, "address", mac, NULL };
	int rc;

	if (!host_link_exists(card))
		return error_set(err, ERROR_DEVICE, "there is no network card %s", card);
	if (host_bridge_of(card, master, sizeof(master)) == 0 && !strcmp(master, bridge))
		return 0;
	if (master[0])
		return error_set(err, ERROR_DEVICE, "%s is on the bridge %s already", card, master);
	rc = host_link_get(card, "address", mac, sizeof(mac));
	if (!rc && host_run(set_mac, NULL, NULL, 0))
		rc = -EINVAL;
	if (!rc)
		rc = host_link_up(card, true);
	if (!rc)
		rc = host_bridge_add(bridge, card);
	if (!rc)
		rc = host_link_up(bridge, true);
	if (rc) {
		host_bridge_drop(bridge, card);
		return error_set(err, ERROR_DEVICE, "%s cannot go onto the bridge %s: %s", card,
				 bridge, error_text(rc));
	}
	move(card, bridge);
	return 0;
}

void network_card_down(const char *card, const char *bridge)
{
	if (!host_link_exists(card) || host_bridge_drop(bridge, card))
		return;
	move(bridge, card);
}
