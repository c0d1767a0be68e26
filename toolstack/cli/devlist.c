/* SPDX-License-Identifier: MIT */
/* enso domblklist, domiflist: the devices of a guest. */
#include <jansson.h>

#include "cli/cli.h"
#include "vm/hotplug.h"

static json_t *disk_json(const struct vm_disk *disk)
{
	return json_pack("{s:s s:s s:s s:s s:s s:b s:b}", "target", disk->target, "source",
			 disk->source, "type", disk->block ? "block" : "file", "device",
			 disk->cdrom ? "cdrom" : "disk", "format",
			 disk->format == VM_DISK_QCOW2 ? "qcow2" : "raw", "readonly",
			 disk->readonly, "shareable", disk->shareable);
}

static json_t *interface_json(const struct vm_interface *interface, const char *mac)
{
	json_t *object = json_pack(
		"{s:s s:s s:s s:I}", "type",
		interface->type == VM_INTERFACE_BRIDGE ? "bridge" : "network", "source",
		interface->source, "mac", mac, "outbound_kib", (json_int_t)interface->out_average);

	if (object && interface->target)
		json_object_set_new(object, "target", json_string(interface->target));
	return object;
}

static void print_disk(const struct vm_disk *disk)
{
	printf("%-9s  %-6s  %-5s  %s%s  %s\n", disk->target, disk->cdrom ? "cdrom" : "disk",
	       disk->format == VM_DISK_QCOW2 ? "qcow2" : "raw", disk->readonly ? "ro" : "rw",
	       disk->shareable ? ",shared" : "       ", disk->source);
}

static int run_domblklist(struct vm *vm, const struct cli_args *args, struct error *err)
{
	json_t *array = json_array();
	struct vm_config config;

	if (vm_guest_config(vm, args->operand[0], args->option[0], &config, err)) {
		json_decref(array);
		return -1;
	}
	if (!args->option[1])
		printf("%-9s  %-6s  %-5s  %-9s  %s\n", "Target", "Device", "Kept", "Mode",
		       "Source");
	for (unsigned i = 0; i < config.n_disks; i++) {
		if (args->option[1])
			json_array_append_new(array, disk_json(&config.disks[i]));
		else
			print_disk(&config.disks[i]);
	}
	config_free(&config);
	if (args->option[1])
		return cli_print_json(array, err);
	json_decref(array);
	return 0;
}

#define LIST_OPTIONS                                                                               \
	{                                                                                          \
		{ "inactive", 0, NULL, "what it has at its next start" },                          \
		{ "json", 0, NULL, "as JSON" },                                                    \
	}

const struct cli_verb cli_domblklist = {
	.name = "domblklist",
	.rights = CLI_GROUP,
	.aliases = "block-list",
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "List a guest's disks",
	.options = LIST_OPTIONS,
	.run = run_domblklist,
};

static void print_interface(const struct vm_interface *interface, const char *mac)
{
	printf("%-17s  %-7s  %-20s  %-15s", mac,
	       interface->type == VM_INTERFACE_BRIDGE ? "bridge" : "network", interface->source,
	       interface->target ? interface->target : "-");
	if (interface->out_average)
		printf("  %llu KiB/s", (unsigned long long)interface->out_average);
	printf("\n");
}

static int run_domiflist(struct vm *vm, const struct cli_args *args, struct error *err)
{
	json_t *array = json_array();
	struct vm_config config;

	if (vm_guest_config(vm, args->operand[0], args->option[0], &config, err)) {
		json_decref(array);
		return -1;
	}
	if (!args->option[1])
		printf("%-17s  %-7s  %-20s  %-15s  %s\n", "MAC", "Type", "Source", "Link", "Sends");
	for (unsigned i = 0; i < config.n_interfaces; i++) {
		char mac[CONFIG_MAC_TEXT];

		config_format_mac(config.interfaces[i].mac, mac);
		if (args->option[1])
			json_array_append_new(array, interface_json(&config.interfaces[i], mac));
		else
			print_interface(&config.interfaces[i], mac);
	}
	config_free(&config);
	if (args->option[1])
		return cli_print_json(array, err);
	json_decref(array);
	return 0;
}

const struct cli_verb cli_domiflist = {
	.name = "domiflist",
	.rights = CLI_GROUP,
	.aliases = "network-list",
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "List a guest's network interfaces",
	.options = LIST_OPTIONS,
	.run = run_domiflist,
};
