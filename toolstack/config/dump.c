/* SPDX-License-Identifier: MIT */
/* A guest's configuration as XML, see config.h: what config_parse() reads to an equal one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"

/* Text as it may stand in an element or an attribute. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '\'': fputs("&apos;", out); break;
		case '"': fputs("&quot;", out); break;
		case '\r': fputs("&#13;", out); break;
		default: fputc(*text, out);
		}
	}
}

static void put_element(FILE *out, unsigned int depth, const char *name, const char *text)
{
	if (!text)
		return;
	fprintf(out, "%*s<%s>", (int)depth * 2, "", name);
	put_text(out, text);
	fprintf(out, "</%s>\n", name);
}

/* " name='value'" */
static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s='", name);
	put_text(out, value);
	fputc('\'', out);
}

static void put_disk(FILE *out, const struct vm_disk *disk)
{
	fprintf(out, "    <disk type='%s' device='%s'>\n", disk->block ? "block" : "file",
		disk->cdrom ? "cdrom" : "disk");
	fprintf(out, "      <driver name='qemu' type='%s'%s%s/>\n      <source",
		disk->format == VM_DISK_QCOW2 ? "qcow2" : "raw",
		disk->buffered ? " cache='writeback'" : "",
		disk->keep_discarded ? " discard='ignore'" : "");
	put_attribute(out, disk->block ? "dev" : "file", disk->source);
	fprintf(out, "/>\n      <target dev='%s' bus='xen'/>\n", disk->target);
	if (disk->readonly)
		fprintf(out, "      <readonly/>\n");
	if (disk->shareable)
		fprintf(out, "      <shareable/>\n");
	fprintf(out, "    </disk>\n");
}

static void put_interface(FILE *out, const struct vm_interface *interface)
{
	const char *type = interface->type == VM_INTERFACE_BRIDGE ? "bridge" : "network";
	char mac[CONFIG_MAC_TEXT];

	fprintf(out, "    <interface type='%s'>\n", type);
	if (interface->has_mac) {
		config_format_mac(interface->mac, mac);
		fprintf(out, "      <mac address='%s'/>\n", mac);
	}
	fprintf(out, "      <source");
	put_attribute(out, type, interface->source);
	fprintf(out, "/>\n");
	if (interface->target)
		fprintf(out, "      <target dev='%s'/>\n", interface->target);
	if (interface->out_average) {
		fprintf(out, "      <bandwidth>\n        <outbound average='%" PRIu64 "'",
			interface->out_average);
		if (interface->out_burst)
			fprintf(out, " burst='%" PRIu64 "'", interface->out_burst);
		fprintf(out, "/>\n      </bandwidth>\n");
	}
	fprintf(out, "    </interface>\n");
}

static void put_vcpus(FILE *out, const struct vm_config *cfg)
{
	char cpus[CONFIG_CPUSET_TEXT];

	fprintf(out, "  <vcpu placement='static'");
	if (cfg->cpus) {
		config_format_cpus(cfg->cpus, cpus);
		fprintf(out, " cpuset='%s'", cpus);
	}
	if (cfg->vcpus != cfg->vcpus_max)
		fprintf(out, " current='%u'", cfg->vcpus);
	fprintf(out, ">%u</vcpu>\n", cfg->vcpus_max);
}

/* A cap is so much of each tenth of a second. */
static void put_cputune(FILE *out, const struct vm_config *cfg)
{
	char cpus[CONFIG_CPUSET_TEXT];

	if (!cfg->weight && !cfg->cap && !cfg->n_pins)
		return;
	fprintf(out, "  <cputune>\n");
	if (cfg->weight)
		fprintf(out, "    <shares>%u</shares>\n", cfg->weight);
	if (cfg->cap)
		fprintf(out, "    <global_period>100000</global_period>\n"
			     "    <global_quota>%u</global_quota>\n", cfg->cap * 1000);
	for (unsigned int i = 0; i < cfg->n_pins; i++) {
		config_format_cpus(&cfg->pins[i].cpus, cpus);
		fprintf(out, "    <vcpupin vcpu='%u' cpuset='%s'/>\n", cfg->pins[i].vcpu, cpus);
	}
	fprintf(out, "  </cputune>\n");
}

static void put_config(FILE *out, const void *config)
{
	const struct vm_config *cfg = config;
	char uuid[CONFIG_UUID_TEXT];

	config_format_uuid(cfg->uuid, uuid);
	fprintf(out, "<domain type='xen'>\n");
	put_element(out, 1, "name", cfg->name);
	put_element(out, 1, "uuid", cfg->has_uuid ? uuid : NULL);
	put_element(out, 1, "title", cfg->title);
	put_element(out, 1, "description", cfg->description);
	if (cfg->metadata)
		fprintf(out, "  %s\n", cfg->metadata);
	fprintf(out, "  <memory unit='KiB'>%" PRIu64 "</memory>\n", cfg->memory_kib);
	fprintf(out, "  <currentMemory unit='KiB'>%" PRIu64 "</currentMemory>\n",
		cfg->current_memory_kib);
	put_vcpus(out, cfg);
	put_cputune(out, cfg);
	put_element(out, 1, "bootloader", cfg->bootloader ? CONFIG_PVGRUB : NULL);
	fprintf(out, "  <os>\n    <type arch='x86_64' machine='xenpv'>linux</type>\n");
	put_element(out, 2, "kernel", cfg->kernel);
	put_element(out, 2, "initrd", cfg->initrd);
	put_element(out, 2, "cmdline", cfg->cmdline);
	fprintf(out, "  </os>\n  <clock offset='utc'/>\n");
	put_element(out, 1, "on_poweroff", config_action_name(cfg->on_poweroff));
	put_element(out, 1, "on_reboot", config_action_name(cfg->on_reboot));
	put_element(out, 1, "on_crash", config_action_name(cfg->on_crash));
	fprintf(out, "  <devices>\n");
	for (unsigned int i = 0; i < cfg->n_disks; i++)
		put_disk(out, &cfg->disks[i]);
	for (unsigned int i = 0; i < cfg->n_interfaces; i++)
		put_interface(out, &cfg->interfaces[i]);
	fprintf(out, "    <console type='pty'>\n      <target type='xen' port='0'/>\n"
		     "    </console>\n  </devices>\n</domain>\n");
}

int dump_text(void (*put)(FILE *out, const void *config), const void *config, char **text,
	      size_t *len)
{
	*text = NULL;
	FILE *out = open_memstream(text, len);

	if (!out)
		return -ENOMEM;
	put(out, config);
	bool failed = ferror(out);
	if (fclose(out) || failed) {
		free(*text);
		return -ENOMEM;
	}
	return 0;
}

int config_dump(const struct vm_config *cfg, char **text, size_t *len)
{
	return dump_text(put_config, cfg, text, len);
}
