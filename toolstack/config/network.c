/* SPDX-License-Identifier: MIT */
/*
 * What we support of libvirt's network XML: the table of elements and their handlers. See
 * network.h, reader.h and enso-network-xml(5).
 */
#include "config/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"

static const char *const forwards[] = {
	[NETWORK_ISOLATED] = "isolated", [NETWORK_NAT] = "nat", [NETWORK_ROUTE] = "route",
	[NETWORK_BRIDGE] = "bridge",
};

const char *network_forward_name(enum network_forward forward)
{
	return forwards[forward];
}

void network_format_address(uint32_t address, char text[NETWORK_ADDRESS_TEXT])
{
	snprintf(text, NETWORK_ADDRESS_TEXT, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
		 address >> 8 & 255, address & 255);
}

uint32_t network_mask(unsigned int prefix)
{
	return prefix ? ~UINT32_C(0) << (32 - prefix) : 0;
}

static int get_address(struct reader *reader, const xmlNode *node, const char *text,
		       uint32_t *address)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1 || !in.s_addr)
		return reader_refuse(reader, node, "'%s' of <%s> is not an IPv4 address", text,
				     node->name);
	*address = ntohl(in.s_addr);
	return 0;
}

static int set_name(struct reader *reader, xmlNode *node, const char *text)
{
	return reader_name(reader, node, text, &reader->net->name);
}

static int set_uuid(struct reader *reader, xmlNode *node, const char *text)
{
	return reader_uuid(reader, node, text, reader->net->uuid, &reader->net->has_uuid);
}

/* Without a mode, libvirt means this. */
static int start_forward(struct reader *reader, xmlNode *node, const char *text)
{
	(void)node;
	(void)text;
	if (reader->net->forward == NETWORK_ISOLATED)
		reader->net->forward = NETWORK_NAT;
	return 0;
}

static int set_mode(struct reader *reader, const xmlNode *node, const char *value)
{
	static const char *const modes[] = { "nat", "route", "bridge", NULL };
	unsigned int which = 0;

	if (reader_word(reader, node, "mode", value, modes, &which))
		return -1;
	reader->net->forward = (enum network_forward)(NETWORK_NAT + which);
	return 0;
}

static int set_device(struct reader *reader, const xmlNode *node, const char *value)
{
	if (!value_is_link(value))
		return reader_refuse(reader, node, "dev='%s' of <%s> is no network card's name",
				     value, node->name);
	if (reader->net->device && strcmp(reader->net->device, value))
		return reader_refuse(reader, node, "a network has one card, and '%s' is another",
				     value);
	free(reader->net->device);
	return reader_keep(reader, &reader->net->device, value);
}

static int set_bridge(struct reader *reader, const xmlNode *node, const char *value)
{
	if (!value_is_link(value))
		return reader_refuse(reader, node,
				     "bridge '%s' is not possible; its name has 1 to 15 letters, "
				     "digits or ._- and begins with a letter or digit",
				     value);
	return reader_keep(reader, &reader->net->bridge, value);
}

static int set_stp(struct reader *reader, const xmlNode *node, const char *value)
{
	static const char *const words[] = { "off", "on", NULL };
	unsigned int which = 0;

	if (reader_word(reader, node, "stp", value, words, &which))
		return -1;
	reader->net->stp = which;
	return 0;
}

static int set_mac(struct reader *reader, const xmlNode *node, const char *value)
{
	if (config_parse_mac(value, reader->net->mac))
		return reader_refuse(reader, node, "MAC address '%s' is not as 00:16:3e:12:34:56",
				     value);
	reader->net->has_mac = true;
	return 0;
}

static bool is_dns_name(const char *text)
{
	return value_is_name(text) && !strpbrk(text, "+:@_");
}

static int set_domain(struct reader *reader, const xmlNode *node, const char *value)
{
	if (!is_dns_name(value))
		return reader_refuse(reader, node, "domain '%s' is not a name for DNS", value);
	return reader_keep(reader, &reader->net->domain, value);
}

static int set_dns(struct reader *reader, const xmlNode *node, const char *value)
{
	static const char *const words[] = { "yes", "no", NULL };
	unsigned int which = 0;

	if (reader_word(reader, node, "enable", value, words, &which))
		return -1;
	reader->net->no_dns = which;
	return 0;
}

static int set_address(struct reader *reader, const xmlNode *node, const char *value)
{
	return get_address(reader, node, value, &reader->net->address);
}

static int check_prefix(struct reader *reader, const xmlNode *node, unsigned int prefix)
{
	if (reader->net->prefix && reader->net->prefix != prefix)
		return reader_refuse(reader, node, "netmask and prefix of <ip> differ");
	reader->net->prefix = prefix;
	return 0;
}

static int set_netmask(struct reader *reader, const xmlNode *node, const char *value)
{
	uint32_t mask = 0;

	if (get_address(reader, node, value, &mask))
		return -1;
	for (unsigned int prefix = 8; prefix <= 30; prefix++) {
		if (network_mask(prefix) == mask)
			return check_prefix(reader, node, prefix);
	}
	return reader_refuse(reader, node,
			     "netmask '%s' is not possible; possible: 255.0.0.0 to "
			     "255.255.255.252",
			     value);
}

static int set_prefix(struct reader *reader, const xmlNode *node, const char *value)
{
	uint64_t prefix;

	if (value_number(value, 8, 30, &prefix))
		return reader_refuse(reader, node, "prefix '%s' is not possible; possible: 8 to 30",
				     value);
	return check_prefix(reader, node, (unsigned int)prefix);
}

/* An address that an attribute of the element gives; 0 without it. */
static int later_address(struct reader *reader, const xmlNode *node, const char *name,
			 uint32_t *address)
{
	xmlChar *text = xmlGetNoNsProp(node, BAD_CAST name);
	int rc = 0;

	*address = 0;
	if (text)
		rc = get_address(reader, node, (const char *)text, address);
	xmlFree(text);
	return rc;
}

static int add_range(struct reader *reader, xmlNode *node, const char *text)
{
	struct network_config *net = reader->net;
	struct network_range range;

	(void)text;
	if (net->n_ranges == NETWORK_RANGES_MAX)
		return reader_refuse(reader, node, "more than %d ranges are not possible",
				     NETWORK_RANGES_MAX);
	if (later_address(reader, node, "start", &range.start) ||
	    later_address(reader, node, "end", &range.end))
		return -1;
	if (range.end < range.start)
		return reader_refuse(reader, node, "<range> ends before it starts");
	net->ranges[net->n_ranges++] = range;
	return 0;
}

/* The attributes of a host that are no address. */
static int read_host(struct reader *reader, const xmlNode *node, struct network_host *host)
{
	xmlChar *mac = xmlGetNoNsProp(node, BAD_CAST "mac");
	xmlChar *name = xmlGetNoNsProp(node, BAD_CAST "name");
	int rc = 0;

	if (!mac || config_parse_mac((const char *)mac, host->mac))
		rc = reader_refuse(reader, node, "MAC address '%s' is not as 00:16:3e:12:34:56",
				   mac ? (const char *)mac : "");
	else if (name && !is_dns_name((const char *)name))
		rc = reader_refuse(reader, node, "name '%s' is not a name for DNS", name);
	else if (name)
		rc = reader_keep(reader, &host->name, (const char *)name);
	xmlFree(mac);
	xmlFree(name);
	return rc;
}

static int add_host(struct reader *reader, xmlNode *node, const char *text)
{
	struct network_config *net = reader->net;
	struct network_host host = { .name = NULL }, *more;

	(void)text;
	if (net->n_hosts == NETWORK_HOSTS_MAX)
		return reader_refuse(reader, node, "more than %d hosts are not possible",
				     NETWORK_HOSTS_MAX);
	if (later_address(reader, node, "ip", &host.address) || read_host(reader, node, &host))
		return -1;
	more = reallocarray(net->hosts, net->n_hosts + 1, sizeof(*more));
	if (!more) {
		free(host.name);
		return reader_no_memory(reader);
	}
	net->hosts = more;
	net->hosts[net->n_hosts++] = host;
	return 0;
}

static const struct attribute forward_attributes[] = {
	{ "mode", .handle = set_mode },
	{ "dev", .handle = set_device },
	{ 0 },
};

static const struct attribute card_attributes[] = {
	{ "dev", .required = true, .handle = set_device },
	{ 0 },
};

static const struct attribute bridge_attributes[] = {
	{ "name", .handle = set_bridge },
	{ "stp", .handle = set_stp },
	{ "delay", .warn = true },
	{ 0 },
};

static const struct attribute mac_attributes[] = {
	{ "address", .required = true, .handle = set_mac },
	{ 0 },
};

static const struct attribute domain_attributes[] = {
	{ "name", .required = true, .handle = set_domain },
	{ "localOnly", .value = "yes" },
	{ 0 },
};

static const struct attribute dns_attributes[] = {
	{ "enable", .required = true, .handle = set_dns },
	{ 0 },
};

static const struct attribute ip_attributes[] = {
	{ "family", .value = "ipv4" },
	{ "address", .required = true, .handle = set_address },
	{ "netmask", .handle = set_netmask },
	{ "prefix", .handle = set_prefix },
	{ 0 },
};

static const struct attribute range_attributes[] = {
	{ "start", .required = true, .handle = attribute_is_read_later },
	{ "end", .required = true, .handle = attribute_is_read_later },
	{ 0 },
};

static const struct attribute host_attributes[] = {
	{ "mac", .required = true, .handle = attribute_is_read_later },
	{ "ip", .required = true, .handle = attribute_is_read_later },
	{ "name", .handle = attribute_is_read_later },
	{ 0 },
};

static const struct attribute connections_attributes[] = {
	{ 0 },
};

static const struct attribute network_attributes[] = {
	{ "connections", .warn = true }, /* of a running network, as net-dumpxml writes it */
	{ 0 },
};

static const struct element network_elements[] = {
	{ "network", ELEMENT_ONCE | ELEMENT_REQUIRED, network_attributes, NULL, NULL },
	{ "network/name", ELEMENT_ONCE | ELEMENT_REQUIRED | ELEMENT_TEXT, NULL, set_name, NULL },
	{ "network/uuid", ELEMENT_ONCE | ELEMENT_TEXT | ELEMENT_STRIP, NULL, set_uuid, NULL },
	{ "network/forward", ELEMENT_ONCE, forward_attributes, start_forward, NULL },
	{ "network/forward/interface", ELEMENT_ONCE, card_attributes, NULL, NULL },
	{ "network/forward/nat", ELEMENT_WARN, connections_attributes, NULL,
	  "Linux chooses the ports" },
	{ "network/bridge", ELEMENT_ONCE, bridge_attributes, NULL, NULL },
	{ "network/mac", ELEMENT_ONCE, mac_attributes, NULL, NULL },
	{ "network/domain", ELEMENT_ONCE, domain_attributes, NULL, NULL },
	{ "network/dns", ELEMENT_ONCE, dns_attributes, NULL, NULL },
	{ "network/ip", ELEMENT_ONCE, ip_attributes, NULL, NULL },
	{ "network/ip/dhcp", ELEMENT_ONCE, NULL, NULL, NULL },
	{ "network/ip/dhcp/range", 0, range_attributes, add_range, NULL },
	{ "network/ip/dhcp/host", 0, host_attributes, add_host, NULL },
};

/* Does an address belong to the network, and to none of its ends, nor to the host? */
static bool inside(const struct network_config *net, uint32_t address)
{
	uint32_t mask = network_mask(net->prefix);

	return (address & mask) == (net->address & mask) && (address & ~mask) &&
	       (address & ~mask) != ~mask;
}

static int check_addresses(struct reader *reader, const xmlNode *root)
{
	const struct network_config *net = reader->net;
	char text[NETWORK_ADDRESS_TEXT];
	uint32_t wrong = 0;

	if (!inside(net, net->address))
		wrong = net->address;
	for (unsigned int i = 0; i < net->n_ranges && !wrong; i++) {
		if (!inside(net, net->ranges[i].start) || !inside(net, net->ranges[i].end))
			wrong = net->ranges[i].start;
	}
	for (unsigned int i = 0; i < net->n_hosts && !wrong; i++) {
		if (!inside(net, net->hosts[i].address) || net->hosts[i].address == net->address)
			wrong = net->hosts[i].address;
	}
	network_format_address(wrong, text);
	return wrong ? reader_refuse(reader, child_named(root, "ip"),
				     "%s is not an address for a machine in this network", text)
		     : 0;
}

static int check_network(struct reader *reader, const xmlNode *root)
{
	struct network_config *net = reader->net;
	char bridge[CONFIG_NAME_MAX + 4];

	if (!net->bridge) {
		snprintf(bridge, sizeof(bridge), "br-%s", net->name);
		if (!value_is_link(bridge))
			return reader_refuse(reader, root,
					     "<bridge name='...'/> is missing, and cannot be made "
					     "of the name");
		if (reader_keep(reader, &net->bridge, bridge))
			return -1;
	}
	if (net->device && !strcmp(net->device, net->bridge))
		return reader_refuse(reader, root, "the bridge and its card have one name");
	if (net->forward == NETWORK_BRIDGE && (net->address || net->domain || net->has_mac))
		return reader_refuse(reader, root,
				     "a network with <forward mode='bridge'> has no <ip>, "
				     "<domain> or <mac>: those are its neighbours'");
	if (net->forward != NETWORK_BRIDGE && net->forward != NETWORK_ISOLATED && !net->address)
		return reader_refuse(reader, root, "<network> lacks its element <ip>");
	if (!net->address)
		return 0;
	if (!net->prefix)
		return reader_refuse(reader, child_named(root, "ip"),
				     "<ip> lacks its attribute netmask or prefix");
	return check_addresses(reader, root);
}

int network_parse(struct network_config *net, const char *text, size_t len, const char *file,
		  const struct config_options *options, struct error *err)
{
	struct reader reader = {
		.file = file, .options = options, .table = network_elements,
		.rows = sizeof(network_elements) / sizeof(network_elements[0]),
		.check = check_network, .net = net, .err = err,
	};

	*net = (struct network_config){ .name = NULL };
	int rc = reader_parse(&reader, text, len);
	if (rc)
		network_free(net);
	return rc;
}

void network_free(struct network_config *net)
{
	for (unsigned int i = 0; i < net->n_hosts; i++)
		free(net->hosts[i].name);
	free(net->hosts);
	free(net->name);
	free(net->device);
	free(net->bridge);
	free(net->domain);
	*net = (struct network_config){ .name = NULL };
}
