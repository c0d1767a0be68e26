/* SPDX-License-Identifier: MIT */
/* A network is made and taken away: see network_up.h. */
#include "vm/network_up.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"
#include "lib/file.h"
#include "vm/network.h"

void network_run_path(const char *name, const char *suffix, char path[256])
{
	snprintf(path, 256, "%s/%s%s", vm_network_run_dir, name, suffix);
}

/* A program's status as an error: its first line says why. */
static int program_failed(const char *what, int rc, const char *output, struct error *err)
{
	return error_set(err, ERROR_DEVICE, "%s: %s%.*s", what,
			 rc < 0 ? error_text(rc) : rc == 127 ? "is not installed" : "",
			 rc > 0 && rc != 127 ? (int)strcspn(output, "\n") : 0, output);
}

static int run(const char *const argv[], const char *input, struct error *err)
{
	char output[400];
	int rc = host_run(argv, input, output, sizeof(output));

	return rc ? program_failed(argv[0], rc, output, err) : 0;
}

/* The bridge's own MAC address: without one it would change with the links that are on it. */
static void bridge_mac(const struct network_config *net, char text[CONFIG_MAC_TEXT])
{
	uint8_t mac[6] = { 0x00, 0x16, 0x3e };
	uint32_t hash = 2166136261u;

	for (const char *at = net->bridge; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	hash ^= net->address;
	mac[3] = (uint8_t)(hash >> 16);
	mac[4] = (uint8_t)(hash >> 8);
	mac[5] = (uint8_t)hash;
	config_format_mac(net->has_mac ? net->mac : mac, text);
}

static int make_bridge(const struct network_config *net, struct error *err)
{
	int rc = 0;

	if (!host_link_is_bridge(net->bridge))
		rc = host_bridge_make(net->bridge);
	if (rc == -EEXIST)
		return error_set(err, ERROR_DEVICE,
				 "there is a link %s that is not a bridge; choose another name in "
				 "<bridge>",
				 net->bridge);
	if (rc)
		return error_set(err, ERROR_DEVICE, "bridge %s cannot be made: %s", net->bridge,
				 error_text(rc));
	host_link_set(net->bridge, "bridge/stp_state", net->stp ? "1" : "0");
	return 0;
}

/* Another link of the host that is in the same network, in name; 0 if there is none. */
static bool subnet_is_taken(const struct network_config *net, char name[16])
{
	FILE *routes = fopen("/proc/net/route", "re");
	char line[256], link[32];
	unsigned long to, mask;
	bool taken = false;

	while (routes && !taken && fgets(line, sizeof(line), routes)) {
		if (sscanf(line, "%31s %lx %*x %*x %*d %*d %*d %lx", link, &to, &mask) != 3 ||
		    !mask || !strcmp(link, net->bridge))
			continue;
		uint32_t both = __builtin_bswap32((uint32_t)mask) & network_mask(net->prefix);
		taken = !((__builtin_bswap32((uint32_t)to) ^ net->address) & both);
		snprintf(name, 16, "%.15s", link);
	}
	if (routes)
		fclose(routes);
	return taken;
}

static int give_address(const struct network_config *net, struct error *err)
{
	char address[NETWORK_ADDRESS_TEXT], with_prefix[NETWORK_ADDRESS_TEXT + 4];
	char mac[CONFIG_MAC_TEXT], other[16];
	const char *const set_mac[] = { "ip", "link", "set", net->bridge, "address", mac, NULL };
	const char *const set_address[] = { "ip",  "addr", "replace", with_prefix,
					    "brd", "+",	   "dev",     net->bridge, NULL };

	bridge_mac(net, mac);
	network_format_address(net->address, address);
	snprintf(with_prefix, sizeof(with_prefix), "%s/%u", address, net->prefix);
	if (net->address && subnet_is_taken(net, other))
		return error_set(err, ERROR_DEVICE,
				 "%s is in the network that this host has on %s; choose another "
				 "<ip>",
				 with_prefix, other);
	if (run(set_mac, NULL, err) || (net->address && run(set_address, NULL, err)))
		return -1;
	/* A bridge without links has no carrier, and DHCP is served all the same. */
	int rc = host_link_up(net->bridge, true);
	return rc ? error_set(err, ERROR_DEVICE, "bridge %s cannot be switched on: %s",
			      net->bridge, error_text(rc))
		  : 0;
}

static int make_rules(const struct network_config *net, struct error *err)
{
	static const char *const nft[] = { "nft", "-f", "-", NULL };
	char *text;
	int rc;

	if (net->forward == NETWORK_NAT || net->forward == NETWORK_ROUTE) {
		rc = host_write("/proc/sys/net/ipv4/ip_forward", "1");
		if (rc)
			return error_set(err, ERROR_DEVICE, "Linux does not forward: %s",
					 error_text(rc));
	}
	text = network_rules(net);
	rc = text ? run(nft, text, err) : error_set(err, ERROR_NO_MEMORY, "out of memory");
	free(text);
	return rc;
}

int network_serve(const struct network_config *net, struct error *err)
{
	char pid[256], conf[256], argument[300], *text;
	const char *const argv[] = { NETWORK_DNSMASQ, argument, NULL };
	int rc;

	network_run_path(net->name, ".pid", pid);
	network_run_path(net->name, ".dnsmasq", conf);
	if (!net->address || host_process_lives(pid, NETWORK_DNSMASQ))
		return 0;
	text = network_dnsmasq(net, vm_network_run_dir);
	if (!text)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	rc = file_write(conf, text, strlen(text), 0644);
	free(text);
	if (rc)
		return error_set(err, ERROR_FILE, "%s: %s", conf, error_text(rc));
	snprintf(argument, sizeof(argument), "--conf-file=%s", conf);
	return run(argv, NULL, err) ? -1 : 1;
}

int network_up(const struct network_config *net, struct error *err)
{
	if (make_bridge(net, err))
		return -1;
	if (net->forward == NETWORK_BRIDGE && net->device)
		return network_card_up(net->device, net->bridge, err);
	if (net->forward == NETWORK_BRIDGE) {
		int rc = host_link_up(net->bridge, true);

		return rc ? error_set(err, ERROR_DEVICE, "bridge %s cannot be switched on: %s",
				      net->bridge, error_text(rc))
			  : 0;
	}
	return give_address(net, err) || make_rules(net, err) || network_serve(net, err) < 0 ? -1
											      : 0;
}

void network_down(const struct network_config *net)
{
	static const char *const nft[] = { "nft", "-f", "-", NULL };
	/* Of one that is neither NAT nor isolated, the rules only remove the table. */
	struct network_config none = *net;
	char path[256], *text;

	network_run_path(net->name, ".pid", path);
	host_process_end(path, NETWORK_DNSMASQ);
	network_run_path(net->name, ".dnsmasq", path);
	unlink(path);
	none.forward = NETWORK_ROUTE;
	text = net->forward == NETWORK_BRIDGE ? NULL : network_rules(&none);
	if (text)
		host_run(nft, text, NULL, 0);
	free(text);
	if (net->forward == NETWORK_BRIDGE && net->device)
		network_card_down(net->device, net->bridge);
	host_bridge_remove(net->bridge);
}
