/* SPDX-License-Identifier: MIT */
/* enso list, enso info: what domains there are. */
#include <jansson.h>
#include <stdlib.h>

#include "cli/cli.h"

static bool ended(const struct vm_info *info)
{
	return info->state == VM_SHUTDOWN || info->state == VM_CRASHED;
}

static json_t *to_json(const struct vm_info *info)
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
	return object;
}

static int print_list_json(const struct vm_info *infos, size_t count, struct error *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, to_json(&infos[i]));
	return cli_print_json(array, err);
}

static int run_list(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_info *infos;
	size_t count;
	int rc = 0;

	if (vm_list(vm, &infos, &count, err))
		return -1;
	if (args->option[0]) {
		rc = print_list_json(infos, count, err);
	} else {
		printf("%5s  %-24s %-9s %5s %11s %10s\n", "Id", "Name", "State", "vCPUs",
		       "Memory MiB", "CPU s");
		for (size_t i = 0; i < count; i++) {
			const struct vm_info *info = &infos[i];

			printf("%5u  %-24s %-9s %5u %11llu %10.1f\n", info->domid, info->name,
			       vm_state_name(info->state), info->vcpus,
			       (unsigned long long)info->memory_kib >> 10,
			       (double)info->cpu_ns / 1e9);
		}
	}
	free(infos);
	return rc;
}

const struct cli_verb cli_list = {
	.name = "list",
	.aliases = "ls",
	.operands = "",
	.summary = "List the domains that there are",
	.options = { { "json", 0, NULL, "as a JSON array" } },
	.run = run_list,
};

static int run_info(struct vm *vm, const struct cli_args *args, struct error *err)
{
	char uuid[CONFIG_UUID_TEXT];
	struct vm_info info;

	if (vm_find(vm, args->operand[0], &info, err))
		return -1;
	if (args->option[0])
		return cli_print_json(to_json(&info), err);
	config_format_uuid(info.uuid, uuid);
	printf("Id:          %u\nName:        %s\nUUID:        %s\nState:       %s", info.domid,
	       info.name, uuid, vm_state_name(info.state));
	if (ended(&info))
		printf(" (%s)", vm_reason_name(info.shutdown_reason));
	printf("\nvCPUs:       %u\nMemory:      %llu KiB\n", info.vcpus,
	       (unsigned long long)info.memory_kib);
	if (info.max_memory_kib >> 40)
		printf("Max memory:  no limit\n");
	else
		printf("Max memory:  %llu KiB\n", (unsigned long long)info.max_memory_kib);
	printf("CPU time:    %.1f s\n", (double)info.cpu_ns / 1e9);
	return 0;
}

const struct cli_verb cli_info = {
	.name = "info",
	.aliases = "dominfo",
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Tell about one domain",
	.text = "GUEST is a name, a uuid or an id, here and in the other verbs.",
	.options = { { "json", 0, NULL, "as a JSON object" } },
	.run = run_info,
};
