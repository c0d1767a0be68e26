/* SPDX-License-Identifier: MIT */
/*
 * <interface> in the domain XML: its rows of the table in elements.c, and MAC addresses. See
 * reader.h and enso-xml(5).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/reader.h"

#define KIB_MAX (UINT64_C(1) << 22)	/* of a rate or a burst: netback counts bytes in 32 bits */

static const char *const types[] = { "bridge", "network", NULL };

/* The interface that is being read. */
static struct vm_interface *current(const struct reader *reader)
{
	return &reader->cfg->interfaces[reader->cfg->n_interfaces - 1];
}

void config_format_mac(const uint8_t mac[6], char text[CONFIG_MAC_TEXT])
{
	snprintf(text, CONFIG_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

int config_parse_mac(const char *text, uint8_t mac[6])
{
	static const char digits[] = "0123456789abcdefABCDEF";
	unsigned int bytes[6];

	if (strlen(text) != CONFIG_MAC_TEXT - 1)
		return -EINVAL;
	for (unsigned int i = 0; i < CONFIG_MAC_TEXT - 1; i++) {
		if (i % 3 == 2 ? text[i] != ':' : !strchr(digits, text[i]))
			return -EINVAL;
	}
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
		   &bytes[4], &bytes[5]) != 6 ||
	    bytes[0] & 1)
		return -EINVAL;
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = (uint8_t)bytes[i];
	return 0;
}

/* 00:16:3e is the prefix that Xen's virtual interfaces have; 24 bits of an FNV hash follow. */
static void make_mac(const uint8_t uuid[16], unsigned int place, uint8_t mac[6])
{
	uint32_t hash = 2166136261u;

	for (unsigned int i = 0; i < 16; i++)
		hash = (hash ^ uuid[i]) * 16777619u;
	hash = (hash ^ place) * 16777619u;
	hash ^= hash >> 24;
	const uint8_t made[6] = { 0x00, 0x16, 0x3e, (uint8_t)(hash >> 16), (uint8_t)(hash >> 8),
				  (uint8_t)hash };
	memcpy(mac, made, sizeof(made));
}

static bool has_mac(const struct vm_config *cfg, const uint8_t mac[6])
{
	for (unsigned int i = 0; i < cfg->n_interfaces; i++) {
		if (cfg->interfaces[i].has_mac && !memcmp(cfg->interfaces[i].mac, mac, 6))
			return true;
	}
	return false;
}

void config_make_macs(struct vm_config *cfg)
{
	for (unsigned int i = 0; i < cfg->n_interfaces; i++) {
		struct vm_interface *interface = &cfg->interfaces[i];
		unsigned int place = i;
		uint8_t mac[6];

		if (interface->has_mac)
			continue;
		/* One that was added after another went may come to the place of a third. */
		do {
			make_mac(cfg->uuid, place, mac);
			place += CONFIG_INTERFACES_MAX;
		} while (has_mac(cfg, mac));
		memcpy(interface->mac, mac, sizeof(mac));
		interface->has_mac = true;
	}
}

int interface_start(struct reader *reader, xmlNode *node, const char *text)
{
	xmlChar *type = xmlGetNoNsProp(node, BAD_CAST "type");
	unsigned int which = 0;
	int rc = 0;

	(void)text;
	if (type)
		rc = reader_word(reader, node, "type", (const char *)type, types, &which);
	xmlFree(type);
	if (rc)
		return rc;
	const struct vm_interface interface = { .type = (enum vm_interface_type)which };
	rc = config_add_interface(reader->cfg, &interface);
	if (rc == -ENOSPC)
		return reader_refuse(reader, node, "more than %d interfaces are not possible",
				     CONFIG_INTERFACES_MAX);
	return rc ? reader_no_memory(reader) : 0;
}

static int set_source(struct reader *reader, const xmlNode *node, const char *value,
		      enum vm_interface_type type)
{
	struct vm_interface *interface = current(reader);

	if (interface->type != type)
		return reader_refuse(reader, node,
				     "an interface of type '%s' has a <source %s='...'>",
				     types[interface->type], types[interface->type]);
	if (type == VM_INTERFACE_BRIDGE ? !value_is_link(value) : !value_is_name(value))
		return reader_refuse(reader, node, "<source> '%s' is not the name of a %s", value,
				     types[type]);
	return reader_keep(reader, &interface->source, value);
}

static int set_bridge(struct reader *reader, const xmlNode *node, const char *value)
{
	return set_source(reader, node, value, VM_INTERFACE_BRIDGE);
}

static int set_network(struct reader *reader, const xmlNode *node, const char *value)
{
	return set_source(reader, node, value, VM_INTERFACE_NETWORK);
}

static int set_mac(struct reader *reader, const xmlNode *node, const char *value)
{
	struct vm_interface *interface = current(reader);

	if (config_parse_mac(value, interface->mac))
		return reader_refuse(reader, node,
				     "MAC address '%s' is not possible; it has six pairs of "
				     "hexadecimal digits, as 00:16:3e:12:34:56, and the first is "
				     "even",
				     value);
	interface->has_mac = true;
	return 0;
}

static int set_target(struct reader *reader, const xmlNode *node, const char *value)
{
	if (!value_is_link(value))
		return reader_refuse(reader, node,
				     "target '%s' is not possible; an interface's name has 1 to "
				     "15 letters, digits or ._- and begins with a letter or digit",
				     value);
	if (!strncmp(value, "vif", 3)) /* what the kernel calls them before they are renamed */
		return reader_warn(reader, node,
				   "target '%s' has no effect: names with vif are made by Linux",
				   value);
	return reader_keep(reader, &current(reader)->target, value);
}

static int set_rate(struct reader *reader, const xmlNode *node, const char *value, uint64_t *slot)
{
	if (value_number(value, 1, KIB_MAX, slot))
		return reader_refuse(reader, node,
				     "'%s' of <%s> is not possible; possible: 1 to %u KiB", value,
				     node->name, (unsigned int)KIB_MAX);
	return 0;
}

static int set_average(struct reader *reader, const xmlNode *node, const char *value)
{
	return set_rate(reader, node, value, &current(reader)->out_average);
}

static int set_burst(struct reader *reader, const xmlNode *node, const char *value)
{
	return set_rate(reader, node, value, &current(reader)->out_burst);
}

const struct attribute interface_attributes[] = {
	{ "type", .required = true, .handle = attribute_is_read_later },
	{ 0 },
};

const struct attribute interface_source_attributes[] = {
	{ "bridge", .handle = set_bridge },
	{ "network", .handle = set_network },
	{ 0 },
};

const struct attribute interface_mac_attributes[] = {
	{ "address", .required = true, .handle = set_mac },
	{ 0 },
};

const struct attribute interface_target_attributes[] = {
	{ "dev", .required = true, .handle = set_target },
	{ 0 },
};

const struct attribute interface_model_attributes[] = {
	{ "type", .required = true, .value = "netfront" },
	{ 0 },
};

const struct attribute interface_outbound_attributes[] = {
	{ "average", .required = true, .handle = set_average },
	{ "burst", .handle = set_burst },
	{ 0 },
};

int interfaces_check(struct reader *reader, const xmlNode *root)
{
	const struct vm_config *cfg = reader->cfg;

	for (unsigned int i = 0; i < cfg->n_interfaces; i++) {
		const struct vm_interface *interface = &cfg->interfaces[i];
		const xmlNode *node = device_node(root, "interface", i);

		if (!interface->source)
			return reader_refuse(reader, node, "<source> lacks its attribute %s",
					     types[interface->type]);
		for (unsigned int j = 0; j < i; j++) {
			const struct vm_interface *other = &cfg->interfaces[j];

			if (interface->has_mac && other->has_mac &&
			    !memcmp(interface->mac, other->mac, sizeof(other->mac)))
				return reader_refuse(reader, node,
						     "its MAC address is another interface's "
						     "already");
			if (interface->target && other->target &&
			    !strcmp(interface->target, other->target))
				return reader_refuse(reader, node,
						     "target %s is another interface's already",
						     interface->target);
		}
	}
	return 0;
}
