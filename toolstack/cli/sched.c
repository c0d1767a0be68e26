/* SPDX-License-Identifier: MIT */
/* enso schedinfo, vcpuinfo, vcpupin: how much a guest runs, and where. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "vm/tune.h"

static int read_sched(const struct cli_args *args, struct vm_tuning *tuning, struct error *err)
{
	long weight = 0, cap = VM_SCHED_KEEP;

	if (args->option[0] &&
	    cli_number("weight", args->option[0], CONFIG_WEIGHT_MAX, &weight, err))
		return -1;
	if (args->option[1] && !strcmp(args->option[1], "0"))
		cap = 0;
	else if (args->option[1] && cli_number("cap", args->option[1], CONFIG_CAP_MAX, &cap, err))
		return -1;
	tuning->weight = (unsigned)weight;
	tuning->cap = (unsigned)cap;
	return 0;
}

static int print_sched(struct vm *vm, const struct vm_info *info, bool json, struct error *err)
{
	unsigned weight, cap;

	if (vm_get_sched(vm, info, &weight, &cap, err))
		return -1;
	if (json)
		return cli_print_json(json_pack("{s:s s:i s:i}", "name", info->name, "weight",
						weight, "cap", cap),
				      err);
	printf("Name:        %s\nWeight:      %u\nCap:         ", info->name, weight);
	if (cap)
		printf("%u %% of one CPU\n", cap);
	else
		printf("none\n");
	return 0;
}

static int run_schedinfo(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_tuning tuning = { 0 };
	struct vm_info info;

	if (read_sched(args, &tuning, err))
		return -1;
	if (!args->option[0] && !args->option[1])
		return vm_find(vm, args->operand[0], &info, err) ||
				       print_sched(vm, &info, args->option[2], err) ? -1 : 0;
	if (cli_scope(args, 3) != VM_LIVE && vm_tune_defined(vm, args->operand[0], &tuning, err))
		return -1;
	if (cli_scope(args, 3) == VM_CONFIG)
		return 0;
	if (vm_find(vm, args->operand[0], &info, err) ||
	    vm_set_sched(vm, &info, tuning.weight, tuning.cap, err))
		return -1;
	return args->option[2] ? print_sched(vm, &info, true, err) : 0;
}

const struct cli_verb cli_schedinfo = {
	.name = "schedinfo",
	.rights = CLI_GROUP,
	.aliases = "sched-credit2 sched-credit",
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Tell or change a guest's share of the CPUs",
	.text = "When CPUs are wanted by more than there are, each guest gets its weight's part.",
	.options = {
		{ "weight", 'w', "N", "1 to 65535; 256 is what guests have otherwise" },
		{ "cap", 'c', "N", "at most N percent of one CPU; 0: no limit" },
		{ "json", 0, NULL, "tell it as a JSON object" },
		CLI_SCOPE_OPTIONS,
	},
	.run = run_schedinfo,
};

static const char *state_of(const struct vm_vcpu *vcpu)
{
	return !vcpu->online ? "offline" : vcpu->running ? "running" : vcpu->blocked ? "blocked" :
	       "runnable";
}

static int print_json(const struct vm_vcpu *vcpus, size_t count, struct error *err)
{
	json_t *array = json_array();
	char cpus[CONFIG_CPUSET_TEXT];

	for (size_t i = 0; i < count; i++) {
		config_format_cpus(&vcpus[i].cpus, cpus);
		json_array_append_new(
			array, json_pack("{s:i s:s s:i s:f s:s}", "vcpu", (int)i, "state",
					 state_of(&vcpus[i]), "cpu", (int)vcpus[i].cpu,
					 "cpu_seconds", (double)vcpus[i].cpu_ns / 1e9, "cpuset",
					 cpus));
	}
	return cli_print_json(array, err);
}

static void print_table(const struct vm_vcpu *vcpus, size_t count)
{
	char cpus[CONFIG_CPUSET_TEXT];

	printf("%5s  %-9s %4s %10s  %s\n", "vCPU", "State", "CPU", "CPU s", "May run on");
	for (size_t i = 0; i < count; i++) {
		config_format_cpus(&vcpus[i].cpus, cpus);
		printf("%5zu  %-9s ", i, state_of(&vcpus[i]));
		if (vcpus[i].online)
			printf("%4u", vcpus[i].cpu);
		else
			printf("%4s", "-");
		printf(" %10.1f  %s\n", (double)vcpus[i].cpu_ns / 1e9, cpus);
	}
}

static int show_vcpus(struct vm *vm, const struct vm_info *info, bool json, struct error *err)
{
	struct vm_vcpu *vcpus;
	size_t count;
	int rc = 0;

	if (vm_vcpus(vm, info, &vcpus, &count, err))
		return -1;
	if (json)
		rc = print_json(vcpus, count, err);
	else
		print_table(vcpus, count);
	free(vcpus);
	return rc;
}

static int run_vcpuinfo(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_info info;

	if (vm_find(vm, args->operand[0], &info, err))
		return -1;
	return show_vcpus(vm, &info, args->option[0], err);
}

const struct cli_verb cli_vcpuinfo = {
	.name = "vcpuinfo",
	.rights = CLI_GROUP,
	.aliases = "vcpu-list",
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Tell about a guest's vCPUs",
	.options = { { "json", 0, NULL, "as a JSON array" } },
	.run = run_vcpuinfo,
};

static int read_pin(const struct cli_args *args, int *vcpu, struct cpu_set *cpus, bool *anywhere,
		    struct error *err)
{
	const char *who = args->operand[1], *where = args->operand[2];
	char *end;

	*vcpu = strcmp(who, "all") ? (int)strtoul(who, &end, 10) : -1;
	if (*vcpu >= 0 && (*who < '0' || *who > '9' || *end || strlen(who) > 4))
		return error_set(err, ERROR_USAGE, "%s: is not the number of a vCPU, or \"all\"",
				 who);
	*anywhere = !strcmp(where, "all");
	if (!*anywhere && config_parse_cpus(where, cpus))
		return error_set(err, ERROR_USAGE,
				 "%s: is not a list of CPUs like 0-3,^2,7, or \"all\"", where);
	return 0;
}

static int run_vcpupin(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_info info;
	struct cpu_set cpus;
	bool anywhere = false;
	int vcpu = -1;

	if (args->nr_operands == 2)
		return error_set(err, ERROR_USAGE,
				 "vcpupin: missing CPUS; see \"enso help vcpupin\"");
	if (args->nr_operands > 1 && read_pin(args, &vcpu, &cpus, &anywhere, err))
		return -1;
	if (args->nr_operands > 1 && cli_scope(args, 0) != VM_LIVE) {
		const struct vm_tuning tuning = { .cap = VM_SCHED_KEEP, .pins = true,
						  .vcpu = vcpu, .cpus = anywhere ? NULL : &cpus };

		if (vm_tune_defined(vm, args->operand[0], &tuning, err))
			return -1;
		if (cli_scope(args, 0) == VM_CONFIG)
			return 0;
	}
	if (vm_find(vm, args->operand[0], &info, err))
		return -1;
	if (args->nr_operands == 1)
		return show_vcpus(vm, &info, false, err);
	return vm_pin(vm, &info, vcpu, anywhere ? NULL : &cpus, err);
}

const struct cli_verb cli_vcpupin = {
	.name = "vcpupin",
	.rights = CLI_GROUP,
	.aliases = "vcpu-pin",
	.operands = "GUEST [VCPU CPUS]",
	.min_operands = 1,
	.max_operands = 3,
	.summary = "Say on which CPUs a guest's vCPU may run",
	.text = "VCPU is its number or \"all\", CPUS a list as 0-3,^2,7 or \"all\". Without them "
		"it tells what holds.",
	.options = { CLI_SCOPE_OPTIONS },
	.run = run_vcpupin,
};
