/* SPDX-License-Identifier: MIT */
/* What nft and dnsmasq read of a network: see network_up.h. Pure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/network_up.h"

/*
 * nft's tables have letters, digits and _ in their names: other bytes of the bridge's are written
 * as _ and two hexadecimal digits, so that no two bridges have one name.
 */
static void table_name(const char *bridge, char name[64])
{
	size_t len = (size_t)sprintf(name, "enso_");

	for (; *bridge && len < 60; bridge++) {
		bool plain = (*bridge >= 'a' && *bridge <= 'z') ||
			     (*bridge >= 'A' && *bridge <= 'Z') ||
			     (*bridge >= '0' && *bridge <= '9');
		len += (size_t)sprintf(name + len, plain ? "%c" : "_%02x", (unsigned char)*bridge);
	}
}

/* From outside come only answers; guests with NAT are seen with the host's address. */
static void put_nat(FILE *out, const struct network_config *net, const char *subnet)
{
	char to[32] = "";

	if (net->device)
		snprintf(to, sizeof(to), "oifname \"%s\" ", net->device);
	fprintf(out,
		"\tchain postrouting {\n"
		"\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
		"\t\t%sip saddr %s ip daddr != { %s, 224.0.0.0/4, 255.255.255.255 } masquerade\n"
		"\t}\n",
		to, subnet, subnet);
	fprintf(out,
		"\tchain forward {\n"
		"\t\ttype filter hook forward priority filter; policy accept;\n"
		"\t\tiifname \"%s\" oifname \"%s\" accept\n"
		"\t\tiifname \"%s\" ip saddr != %s drop\n"
		"\t\toifname \"%s\" ct state established,related accept\n"
		"\t\toifname \"%s\" drop\n"
		"\t}\n",
		net->bridge, net->bridge, net->bridge, subnet, net->bridge, net->bridge);
}

static void put_isolated(FILE *out, const struct network_config *net)
{
	fprintf(out,
		"\tchain forward {\n"
		"\t\ttype filter hook forward priority filter; policy accept;\n"
		"\t\tiifname \"%s\" oifname \"%s\" accept\n"
		"\t\tiifname \"%s\" drop\n"
		"\t\toifname \"%s\" drop\n"
		"\t}\n",
		net->bridge, net->bridge, net->bridge, net->bridge);
}

char *network_rules(const struct network_config *net)
{
	char table[64], address[NETWORK_ADDRESS_TEXT], subnet[NETWORK_ADDRESS_TEXT + 4], *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	table_name(net->bridge, table);
	network_format_address(net->address & network_mask(net->prefix), address);
	snprintf(subnet, sizeof(subnet), "%s/%u", address, net->prefix);
	/* "add" first, as "delete" wants it to be there. */
	fprintf(out, "add table ip %s\ndelete table ip %s\n", table, table);
	if (net->forward == NETWORK_NAT || net->forward == NETWORK_ISOLATED) {
		fprintf(out, "table ip %s {\n", table);
		if (net->forward == NETWORK_NAT)
			put_nat(out, net, subnet);
		else
			put_isolated(out, net);
		fprintf(out, "}\n");
	}
	return fclose(out) ? NULL : text;
}

static void put_dhcp(FILE *out, const struct network_config *net, const char *folder)
{
	char text[NETWORK_ADDRESS_TEXT], mac[CONFIG_MAC_TEXT];
	unsigned leases = net->n_hosts;

	for (unsigned i = 0; i < net->n_ranges; i++) {
		network_format_address(net->ranges[i].start, text);
		fprintf(out, "dhcp-range=%s", text);
		network_format_address(net->ranges[i].end, text);
		fprintf(out, ",%s\n", text);
		leases += net->ranges[i].end - net->ranges[i].start + 1;
	}
	if (!net->n_ranges) {
		network_format_address(net->address, text);
		fprintf(out, "dhcp-range=%s,static\n", text);
	}
	for (unsigned i = 0; i < net->n_hosts; i++) {
		network_format_address(net->hosts[i].address, text);
		config_format_mac(net->hosts[i].mac, mac);
		fprintf(out, "dhcp-host=%s,%s%s%s\n", mac, text, net->hosts[i].name ? "," : "",
			net->hosts[i].name ? net->hosts[i].name : "");
	}
	fprintf(out, "dhcp-authoritative\ndhcp-no-override\ndhcp-lease-max=%u\n"
		     "dhcp-leasefile=%s/%s.leases\n", leases, folder, net->name);
	/* Who is not routed must not be told of a router. */
	if (net->forward == NETWORK_ISOLATED)
		fprintf(out, "dhcp-option=3\n");
}

char *network_dnsmasq(const struct network_config *net, const char *folder)
{
	char address[NETWORK_ADDRESS_TEXT], *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	network_format_address(net->address, address);
	fprintf(out, "# made by enso for network %s\n", net->name);
	fprintf(out, "interface=%s\nexcept-interface=lo\nbind-dynamic\nlisten-address=%s\n",
		net->bridge, address);
	fprintf(out, "pid-file=%s/%s.pid\nuser=nobody\ngroup=nogroup\nno-hosts\n", folder,
		net->name);
	if (net->no_dns)
		fprintf(out, "port=0\n");
	else if (net->forward == NETWORK_ISOLATED)
		fprintf(out, "no-resolv\n");
	if (net->domain)
		fprintf(out, "domain=%s\nlocal=/%s/\nexpand-hosts\n", net->domain, net->domain);
	if (net->n_ranges || net->n_hosts)
		put_dhcp(out, net, folder);
	return fclose(out) ? NULL : text;
}
