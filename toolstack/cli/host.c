/* SPDX-License-Identifier: MIT */
/* enso host, dmesg, debug-keys: what the hypervisor has and says. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "abi/version.h"
#include "cli/cli.h"
#include "hyp/hyp.h"

struct host {
	struct xen_sysctl_physinfo physical;
	int version;
	xen_extraversion_t extra;
	xen_capabilities_info_t guests;
	xen_changeset_info_t changeset;
	xen_commandline_t options;
};

static enum error_code refusal(int rc)
{
	return rc == -EPERM || rc == -EACCES ? ERROR_PERMISSION : ERROR_HYPERCALL;
}

static int read_host(struct hyp *hyp, struct host *host, struct error *err)
{
	int rc = hyp_host_physinfo(hyp, &host->physical);

	if (!rc) {
		host->version = hyp_host_version(hyp, XENVER_version, NULL, 0);
		rc = host->version < 0 ? host->version : 0;
	}
	if (rc)
		return error_set(err, refusal(rc),
				 "the hypervisor does not tell about the host: %s", error_text(rc));
	/* Texts that it does not give stay empty. */
	hyp_host_version(hyp, XENVER_extraversion, host->extra, sizeof(host->extra) - 1);
	hyp_host_version(hyp, XENVER_capabilities, host->guests, sizeof(host->guests) - 1);
	hyp_host_version(hyp, XENVER_changeset, host->changeset, sizeof(host->changeset) - 1);
	hyp_host_version(hyp, XENVER_commandline, host->options, sizeof(host->options) - 1);
	return 0;
}

/* What it found of the machine, as words. */
static void detected(uint32_t bits, char *text, size_t size)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} words[] = {
		{ XEN_SYSCTL_PHYSCAP_pv, "pv" },
		{ XEN_SYSCTL_PHYSCAP_hvm, "hvm" },
		{ XEN_SYSCTL_PHYSCAP_hap, "hap" },
		{ XEN_SYSCTL_PHYSCAP_shadow, "shadow" },
		{ XEN_SYSCTL_PHYSCAP_directio, "iommu" },
		{ XEN_SYSCTL_PHYSCAP_gnttab_v1, "grant-v1" },
		{ XEN_SYSCTL_PHYSCAP_gnttab_v2, "grant-v2" },
	};

	text[0] = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(text);

		if (bits & words[i].bit)
			snprintf(text + len, size - len, "%s%s", len ? " " : "", words[i].word);
	}
}

static json_t *to_json(const struct host *host, const char *version, const char *found)
{
	const struct xen_sysctl_physinfo *p = &host->physical;
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "cpus", p->nr_cpus },
		{ "threads_per_core", p->threads_per_core },
		{ "cores_per_socket", p->cores_per_socket },
		{ "nodes", p->nr_nodes },
		{ "cpu_khz", p->cpu_khz },
		{ "memory_kib", p->total_pages * 4 },
		{ "free_kib", p->free_pages * 4 },
	};
	json_t *object = json_pack("{s:s s:s s:s s:s s:s}", "version", version, "changeset",
				   host->changeset, "guests", host->guests, "detected", found,
				   "options", host->options);

	for (size_t i = 0; object && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_set_new(object, numbers[i].name,
				    json_integer((json_int_t)numbers[i].value));
	return object;
}

static int run_host(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct host host = { 0 };
	const struct xen_sysctl_physinfo *p = &host.physical;
	char version[40], found[100];

	if (vm_need_hyp(vm, err) || read_host(vm->hyp, &host, err))
		return -1;
	snprintf(version, sizeof(version), "%d.%d%s", host.version >> 16, host.version & 0xffff,
		 host.extra);
	detected(p->capabilities, found, sizeof(found));
	if (args->option[0])
		return cli_print_json(to_json(&host, version, found), err);
	printf("Version:     %s (%s)\nOptions:     %s\nGuests:      %s\nDetected:    %s\n", version,
	       host.changeset, host.options, host.guests, found);
	printf("CPUs:        %u (%u threads in a core, %u cores in a socket, %u nodes), %u MHz\n",
	       p->nr_cpus, p->threads_per_core, p->cores_per_socket, p->nr_nodes,
	       p->cpu_khz / 1000);
	printf("Memory:      %llu MiB, %llu MiB free\n", (unsigned long long)p->total_pages >> 8,
	       (unsigned long long)p->free_pages >> 8);
	return 0;
}

const struct cli_verb cli_host = {
	.name = "host",
	.rights = CLI_GROUP,
	.aliases = "nodeinfo",
	.operands = "",
	.summary = "Tell about this machine and its hypervisor",
	.options = { { "json", 0, NULL, "as a JSON object" } },
	.run = run_host,
};

static int run_dmesg(struct vm *vm, const struct cli_args *args, struct error *err)
{
	static char chunk[16384];
	uint32_t index = 0;
	int n;

	if (vm_need_hyp(vm, err))
		return -1;
	do {
		n = hyp_host_log(vm->hyp, &index, chunk, sizeof(chunk));
		if (n > 0)
			fwrite(chunk, 1, (size_t)n, stdout);
	} while (n > 0);
	if (!n && args->option[0])
		n = hyp_host_log_clear(vm->hyp);
	return n ? error_set(err, refusal(n), "the hypervisor does not give its log: %s",
			     error_text(n)) : 0;
}

const struct cli_verb cli_dmesg = {
	.name = "dmesg",
	.rights = CLI_GROUP,
	.operands = "",
	.summary = "Print the hypervisor's log",
	.options = { { "clear", 'c', NULL, "and forget it" } },
	.run = run_dmesg,
};

static int run_debug_keys(struct vm *vm, const struct cli_args *args, struct error *err)
{
	int rc;

	if (vm_need_hyp(vm, err))
		return -1;
	rc = hyp_host_debug_keys(vm->hyp, args->operand[0]);
	return rc ? error_set(err, refusal(rc), "the hypervisor does not take debug keys: %s",
			      error_text(rc)) : 0;
}

const struct cli_verb cli_debug_keys = {
	.name = "debug-keys",
	.operands = "KEYS",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Have the hypervisor write about itself into its log",
	.text = "Each letter is one question; \"?\" lists them. Read the answers with\n"
		"\"enso dmesg\". Beware: some letters crash the machine on purpose.",
	.run = run_debug_keys,
};
