/* SPDX-License-Identifier: MIT */
/* enso list, enso info: what domains there are. */
#include <jansson.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "vm/defined.h"

static bool ended(const struct vm_info *info)
{
	return info->state == VM_SHUTDOWN || info->state == VM_CRASHED;
}

/* With guest, what is known of its definition is told, too. */
static json_t *to_json(const struct vm_info *info, const struct vm_guest *guest)
{
	char uuid[CONFIG_UUID_TEXT];
	json_t *object;

	config_format_uuid(info->uuid, uuid);
	object = json_pack("{s:I s:s s:s s:s s:I s:I s:I s:f}", "id", (json_int_t)info->domid,
			   "name", info->name, "uuid", uuid, "state", vm_state_name(info->state),
			   "vcpus", (json_int_t)info->vcpus, "memory_kib",
			   (json_int_t)info->memory_kib, "max_memory_kib",
			   (json_int_t)info->max_memory_kib, "cpu_seconds",
			   (double)info->cpu_ns / 1e9);
	if (object && ended(info))
		json_object_set_new(object, "reason",
				    json_string(vm_reason_name(info->shutdown_reason)));
	if (object && guest) {
		json_object_set_new(object, "persistent", json_boolean(guest->defined));
		json_object_set_new(object, "autostart", json_boolean(guest->autostart));
		if (guest->autostart)
			json_object_set_new(object, "autostart_order", json_integer(guest->order));
	}
	if (object && info->state == VM_SHUT_OFF)
		json_object_set_new(object, "id", json_null());
	return object;
}

static void print_head(void)
{
	printf("%5s  %-24s %-9s %5s %11s %10s\n", "Id", "Name", "State", "vCPUs", "Memory MiB",
	       "CPU s");
}

static void print_line(const struct vm_info *info)
{
	char id[12] = "-";

	if (info->state != VM_SHUT_OFF)
		snprintf(id, sizeof(id), "%u", info->domid);
	printf("%5s  %-24s %-9s %5u %11llu %10.1f\n", id, info->name, vm_state_name(info->state),
	       info->vcpus, (unsigned long long)info->memory_kib >> 10,
	       (double)info->cpu_ns / 1e9);
}

/* The domains alone, as a list of guests: nothing is read of their definitions. */
static int list_domains(struct vm *vm, struct vm_guest **guests, size_t *count, struct error *err)
{
	struct vm_info *infos;

	if (vm_list(vm, &infos, count, err))
		return -1;
	*guests = calloc(*count + 1, sizeof(**guests));
	for (size_t i = 0; *guests && i < *count; i++)
		(*guests)[i].info = infos[i];
	free(infos);
	return *guests ? 0 : error_set(err, ERROR_NO_MEMORY, "out of memory");
}

static int run_list(struct vm *vm, const struct cli_args *args, struct error *err)
{
	bool json = args->option[0], all = args->option[1];
	json_t *array = json ? json_array() : NULL;
	struct vm_guest *guests;
	size_t count;

	if (all ? vm_list_all(vm, &guests, &count, err) : list_domains(vm, &guests, &count, err)) {
		json_decref(array);
		return -1;
	}
	if (!json)
		print_head();
	for (size_t i = 0; i < count; i++) {
		if (guests[i].problem.code)
			cli_warn(NULL, guests[i].problem.text);
		if (json)
			json_array_append_new(array, to_json(&guests[i].info,
							     all ? &guests[i] : NULL));
		else
			print_line(&guests[i].info);
	}
	free(guests);
	return json ? cli_print_json(array, err) : 0;
}

const struct cli_verb cli_list = {
	.name = "list",
	.rights = CLI_GROUP,
	.aliases = "ls",
	.operands = "",
	.summary = "List the domains that there are",
	.options = {
		{ "json", 0, NULL, "as a JSON array" },
		{ "all", 'a', NULL, "and the guests that are defined and shut off" },
	},
	.run = run_list,
};

static void print_info(const struct vm_guest *guest)
{
	const struct vm_info *info = &guest->info;
	char uuid[CONFIG_UUID_TEXT];

	config_format_uuid(info->uuid, uuid);
	if (info->state == VM_SHUT_OFF)
		printf("Id:          -\n");
	else
		printf("Id:          %u\n", info->domid);
	printf("Name:        %s\nUUID:        %s\nState:       %s", info->name, uuid,
	       vm_state_name(info->state));
	if (ended(info))
		printf(" (%s)", vm_reason_name(info->shutdown_reason));
	printf("\nvCPUs:       %u\nMemory:      %llu KiB\n", info->vcpus,
	       (unsigned long long)info->memory_kib);
	if (info->max_memory_kib >> 40)
		printf("Max memory:  no limit\n");
	else
		printf("Max memory:  %llu KiB\n", (unsigned long long)info->max_memory_kib);
	printf("CPU time:    %.1f s\nPersistent:  %s\n", (double)info->cpu_ns / 1e9,
	       guest->defined ? "yes" : "no");
	if (guest->autostart)
		printf("Autostart:   yes (order %u)\n", guest->order);
	else
		printf("Autostart:   no\n");
}

static int run_info(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_guest guest;

	if (vm_find_guest(vm, args->operand[0], &guest, err))
		return -1;
	if (guest.problem.code)
		cli_warn(NULL, guest.problem.text);
	if (args->option[0])
		return cli_print_json(to_json(&guest.info, &guest), err);
	print_info(&guest);
	return 0;
}

const struct cli_verb cli_info = {
	.name = "info",
	.rights = CLI_GROUP,
	.aliases = "dominfo",
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Tell about one domain",
	.text = "GUEST is a name, a uuid or an id, here and in the other verbs.",
	.options = { { "json", 0, NULL, "as a JSON object" } },
	.run = run_info,
};
