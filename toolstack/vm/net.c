/* SPDX-License-Identifier: MIT */
/* Network interfaces of guests: their nodes, and their way onto a bridge. See device.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "vm/device.h"
#include "vm/network.h"

#define INTERVAL_US 50000u	/* how often the guest's allowance is filled up again */

struct interface_nodes {
	const struct vm_interface *interface;
	const char *bridge, *link;
	uint32_t id;
};

/* netback's rate is BYTES,MICROSECONDS: what the guest may send in each interval. */
static void put_rate(struct writer *w, const struct vm_interface *interface)
{
	uint64_t average = interface->out_average * 1024, interval = INTERVAL_US;
	uint64_t bytes = average * interval / 1000000;

	if (interface->out_burst) {
		bytes = interface->out_burst * 1024;
		interval = bytes * 1000000 / average;
	}
	writer_put(w, "rate", "%llu,%llu", (unsigned long long)(bytes ? bytes : 1),
		   (unsigned long long)(interval ? interval : 1));
}

static void put_front(struct writer *w, const void *context)
{
	const struct interface_nodes *nodes = context;
	char mac[CONFIG_MAC_TEXT];

	config_format_mac(nodes->interface->mac, mac);
	writer_put(w, "handle", "%u", nodes->id);
	writer_put(w, "mac", "%s", mac);
}

/* netback wants a script's name, and calls none: that is done by udev's rules where there are. */
static void put_back(struct writer *w, const void *context)
{
	const struct interface_nodes *nodes = context;
	char mac[CONFIG_MAC_TEXT];

	config_format_mac(nodes->interface->mac, mac);
	writer_put(w, "handle", "%u", nodes->id);
	writer_put(w, "mac", "%s", mac);
	writer_put(w, "bridge", "%s", nodes->bridge);
	if (nodes->interface->type == VM_INTERFACE_NETWORK)
		writer_put(w, "network", "%s", nodes->interface->source);
	writer_put(w, "vifname", "%s", nodes->link);
	writer_put(w, "script", "none");
	writer_put(w, "type", "vif");
	if (nodes->interface->out_average)
		put_rate(w, nodes->interface);
}

/* The bridge that the interface goes onto; a network is started for it. */
static int find_bridge(const struct vm_interface *interface, const char *name, char bridge[16],
		       struct error *err)
{
	struct error why;

	if (interface->type == VM_INTERFACE_NETWORK) {
		if (!vm_network_bridge(interface->source, bridge, &why))
			return 0;
		return error_set(err, why.code, "%s: %s", name, why.text);
	}
	snprintf(bridge, HOST_LINK_NAME + 1, "%s", interface->source);
	if (!host_link_is_bridge(bridge))
		return error_set(err, ERROR_DEVICE,
				 "%s: there is no bridge %s; \"enso net list\" shows the networks "
				 "there are",
				 name, bridge);
	return 0;
}

/* The link that netback made gets its name and place. */
static int connect_link(const struct interface_nodes *nodes, const char *made, const char *name,
			struct error *err)
{
	const char *what = "named";
	int rc = 0;

	if (strcmp(made, nodes->link))
		rc = host_link_rename(made, nodes->link);
	if (!rc) {
		what = "put on its bridge";
		rc = host_bridge_add(nodes->bridge, nodes->link);
	}
	if (!rc) {
		what = "switched on";
		rc = host_link_up(nodes->link, true);
	}
	return rc ? error_set(err, ERROR_DEVICE, "%s: %s cannot be %s: %s", name, nodes->link,
			      what, error_text(rc))
		  : 0;
}

int interface_attach(struct vm *vm, uint32_t domid, uint32_t id,
		     const struct vm_interface *interface, struct error *err)
{
	char name[32], made[HOST_LINK_NAME + 1 + 16], bridge[HOST_LINK_NAME + 1];
	const struct device device = { .kind = "vif", .domid = domid, .id = id, .name = name };
	struct interface_nodes nodes = { .interface = interface, .id = id };
	const struct device_nodes both = {
		.device = &device, .put_front = put_front, .put_back = put_back, .context = &nodes
	};
	int rc;

	snprintf(name, sizeof(name), "interface %u", id);
	snprintf(made, sizeof(made), "vif%u.%u", domid, id);
	nodes.bridge = bridge;
	nodes.link = interface->target ? interface->target : made;
	if (find_bridge(interface, name, bridge, err))
		return -1;
	if (interface->target && host_link_exists(interface->target))
		return error_set(err, ERROR_DEVICE,
				 "%s: there is a link %s already; choose another <target>", name,
				 interface->target);
	rc = device_write(vm, &both);
	if (rc)
		return vm_store_failed(rc, name, err);
	if (device_wait_ready(vm, &device, err) || connect_link(&nodes, made, name, err))
		goto fail;
	rc = device_back_write(vm, &device, "hotplug-status", "connected");
	if (!rc)
		return 0;
	vm_store_failed(rc, name, err);
fail:
	device_end(vm, &device);
	return -1;
}
