/* SPDX-License-Identifier: MIT */
/* <disk> in the domain XML: its rows of the table in elements.c. See reader.h and enso-xml(5). */
#include <errno.h>
#include <string.h>

#include "config/reader.h"

/* The disk that is being read. */
static struct vm_disk *current(const struct reader *reader)
{
	return &reader->cfg->disks[reader->cfg->n_disks - 1];
}

/* A letter's value in a target's name, or -1. */
static int letter(char c)
{
	return c >= 'a' && c <= 'z' ? c - 'a' : -1;
}

int config_disk_number(const char *target, uint32_t *number)
{
	uint32_t disk = 0, part = 0;
	const char *at = target + 3;

	if (strncmp(target, "xvd", 3) || letter(*at) < 0)
		return -EINVAL;
	disk = (uint32_t)letter(*at++);
	if (letter(*at) >= 0)
		disk = (disk + 1) * 26 + (uint32_t)letter(*at++);
	if (*at == '0')
		return -EINVAL;
	for (; *at >= '0' && *at <= '9' && part < 256; at++)
		part = part * 10 + (uint32_t)(*at - '0');
	if (*at || part > 255)
		return -EINVAL;
	*number = disk < 16 && part < 16 ? 202u << 8 | disk << 4 | part
					 : 1u << 28 | disk << 8 | part;
	return 0;
}

/* An attribute of the element that is not there yet when attributes are handled. */
static int later_word(struct reader *reader, const xmlNode *node, const char *name,
		      const char *const *words, unsigned int *which)
{
	xmlChar *text = xmlGetNoNsProp(node, BAD_CAST name);
	int rc = 0;

	if (text)
		rc = reader_word(reader, node, name, (const char *)text, words, which);
	xmlFree(text);
	return rc;
}

int disk_start(struct reader *reader, xmlNode *node, const char *text)
{
	static const char *const types[] = { "file", "block", NULL };
	static const char *const devices[] = { "disk", "cdrom", NULL };
	unsigned int block = 0, cdrom = 0;

	(void)text;
	if (later_word(reader, node, "type", types, &block) ||
	    later_word(reader, node, "device", devices, &cdrom))
		return -1;
	const struct vm_disk disk = { .block = block, .cdrom = cdrom, .readonly = cdrom };
	int rc = config_add_disk(reader->cfg, &disk);
	if (rc == -ENOSPC)
		return reader_refuse(reader, node, "more than %d disks are not possible",
				     CONFIG_DISKS_MAX);
	return rc ? reader_no_memory(reader) : 0;
}

int disk_readonly(struct reader *reader, xmlNode *node, const char *text)
{
	(void)node;
	(void)text;
	current(reader)->readonly = true;
	return 0;
}

int disk_shareable(struct reader *reader, xmlNode *node, const char *text)
{
	(void)node;
	(void)text;
	current(reader)->shareable = true;
	return 0;
}

/* All of them mean Linux's own back end, over a loop device where it is a file. */
static int check_driver(struct reader *reader, const xmlNode *node, const char *value)
{
	static const char *const names[] = { "qemu", "phy", "file", NULL };
	unsigned int which;

	return reader_word(reader, node, "name", value, names, &which);
}

static int set_format(struct reader *reader, const xmlNode *node, const char *value)
{
	static const char *const names[] = { "raw", "qcow2", NULL };
	unsigned int which = 0;

	if (reader_word(reader, node, "type", value, names, &which))
		return -1;
	current(reader)->format = (enum vm_disk_format)which;
	return 0;
}

static int set_cache(struct reader *reader, const xmlNode *node, const char *value)
{
	static const char *const names[] = { "default", "none", "writeback", NULL };
	unsigned int which = 0;

	if (reader_word(reader, node, "cache", value, names, &which))
		return -1;
	current(reader)->buffered = which == 2;
	return 0;
}

static int set_discard(struct reader *reader, const xmlNode *node, const char *value)
{
	static const char *const names[] = { "unmap", "ignore", NULL };
	unsigned int which = 0;

	if (reader_word(reader, node, "discard", value, names, &which))
		return -1;
	current(reader)->keep_discarded = which == 1;
	return 0;
}

static int set_source(struct reader *reader, const xmlNode *node, const char *value, bool block)
{
	struct vm_disk *disk = current(reader);

	if (disk->block != block)
		return reader_refuse(reader, node, "a disk of type '%s' has a <source %s='...'>",
				     disk->block ? "block" : "file", disk->block ? "dev" : "file");
	if (!value_is_path(value))
		return reader_refuse(reader, node, "<source> '%s' is not an absolute path", value);
	return reader_keep(reader, &disk->source, value);
}

static int set_file(struct reader *reader, const xmlNode *node, const char *value)
{
	return set_source(reader, node, value, false);
}

static int set_device(struct reader *reader, const xmlNode *node, const char *value)
{
	return set_source(reader, node, value, true);
}

static int set_target(struct reader *reader, const xmlNode *node, const char *value)
{
	uint32_t number;

	if (strlen(value) > CONFIG_DISK_TARGET_MAX || config_disk_number(value, &number))
		return reader_refuse(reader, node,
				     "target '%s' is not possible; possible: xvda to xvdzz, with "
				     "a partition's number (1 to 255) behind it or not",
				     value);
	strcpy(current(reader)->target, value);
	return 0;
}

const struct attribute disk_attributes[] = {
	{ "type", .required = true, .handle = attribute_is_read_later },
	{ "device", .handle = attribute_is_read_later },
	{ 0 },
};

const struct attribute disk_driver_attributes[] = {
	{ "name", .handle = check_driver },
	{ "type", .handle = set_format },
	{ "cache", .handle = set_cache },
	{ "discard", .handle = set_discard },
	{ 0 },
};

const struct attribute disk_source_attributes[] = {
	{ "file", .handle = set_file },
	{ "dev", .handle = set_device },
	{ "index", .warn = true },
	{ 0 },
};

const struct attribute disk_target_attributes[] = {
	{ "dev", .required = true, .handle = set_target },
	{ "bus", .value = "xen" },
	{ 0 },
};

int disks_check(struct reader *reader, const xmlNode *root)
{
	const struct vm_config *cfg = reader->cfg;

	for (unsigned int i = 0; i < cfg->n_disks; i++) {
		const struct vm_disk *disk = &cfg->disks[i];
		const xmlNode *node = device_node(root, "disk", i);

		if (!disk->source)
			return reader_refuse(reader, node,
					     "disk %s has no <source>: a PV guest has no drives "
					     "without a medium",
					     disk->target);
		if (disk->block && disk->format != VM_DISK_RAW)
			return reader_refuse(reader, node,
					     "disk %s: a block device is type='raw'",
					     disk->target);
		for (unsigned int j = 0; j < i; j++) {
			if (!strcmp(cfg->disks[j].target, disk->target))
				return reader_refuse(reader, node,
						     "target %s is another disk's already",
						     disk->target);
		}
	}
	return 0;
}
