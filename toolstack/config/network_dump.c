/* SPDX-License-Identifier: MIT */
/* A network as XML, see network.h: what network_parse() reads to an equal one. */
#include <stdio.h>

#include "config/network.h"
#include "config/reader.h"

/* No text in it needs to be escaped: names and addresses have none of those characters. */
static void put_dhcp(FILE *out, const struct network_config *net)
{
	char text[NETWORK_ADDRESS_TEXT], mac[CONFIG_MAC_TEXT];

	if (!net->n_ranges && !net->n_hosts)
		return;
	fprintf(out, "    <dhcp>\n");
	for (unsigned int i = 0; i < net->n_ranges; i++) {
		network_format_address(net->ranges[i].start, text);
		fprintf(out, "      <range start='%s'", text);
		network_format_address(net->ranges[i].end, text);
		fprintf(out, " end='%s'/>\n", text);
	}
	for (unsigned int i = 0; i < net->n_hosts; i++) {
		network_format_address(net->hosts[i].address, text);
		config_format_mac(net->hosts[i].mac, mac);
		fprintf(out, "      <host mac='%s'", mac);
		if (net->hosts[i].name)
			fprintf(out, " name='%s'", net->hosts[i].name);
		fprintf(out, " ip='%s'/>\n", text);
	}
	fprintf(out, "    </dhcp>\n");
}

static void put_ip(FILE *out, const struct network_config *net)
{
	char address[NETWORK_ADDRESS_TEXT], mask[NETWORK_ADDRESS_TEXT];

	network_format_address(net->address, address);
	network_format_address(network_mask(net->prefix), mask);
	fprintf(out, "  <ip address='%s' netmask='%s'>\n", address, mask);
	put_dhcp(out, net);
	fprintf(out, "  </ip>\n");
}

static void put_forward(FILE *out, const struct network_config *net)
{
	if (net->forward == NETWORK_ISOLATED)
		return;
	fprintf(out, "  <forward mode='%s'", network_forward_name(net->forward));
	if (net->device)
		fprintf(out, " dev='%s'>\n    <interface dev='%s'/>\n  </forward>\n", net->device,
			net->device);
	else
		fprintf(out, "/>\n");
}

static void put_network(FILE *out, const void *config)
{
	const struct network_config *net = config;
	char text[CONFIG_UUID_TEXT];

	fprintf(out, "<network>\n  <name>%s</name>\n", net->name);
	if (net->has_uuid) {
		config_format_uuid(net->uuid, text);
		fprintf(out, "  <uuid>%s</uuid>\n", text);
	}
	put_forward(out, net);
	fprintf(out, "  <bridge name='%s'", net->bridge);
	if (net->forward != NETWORK_BRIDGE || net->stp)
		fprintf(out, " stp='%s'", net->stp ? "on" : "off");
	fprintf(out, "/>\n");
	if (net->has_mac) {
		config_format_mac(net->mac, text);
		fprintf(out, "  <mac address='%s'/>\n", text);
	}
	if (net->domain)
		fprintf(out, "  <domain name='%s'/>\n", net->domain);
	if (net->no_dns)
		fprintf(out, "  <dns enable='no'/>\n");
	if (net->address)
		put_ip(out, net);
	fprintf(out, "</network>\n");
}

int network_dump(const struct network_config *net, char **text, size_t *len)
{
	return dump_text(put_network, net, text, len);
}
