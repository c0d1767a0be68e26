/* SPDX-License-Identifier: MIT */
/*
 * What we support of libvirt's domain XML: the table of elements and their handlers. See
 * reader.h and enso-xml(5).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"

int reader_keep(struct reader *reader, char **slot, const char *text)
{
	*slot = strdup(text);
	return *slot ? 0 : reader_no_memory(reader);
}

int reader_word(struct reader *reader, const xmlNode *node, const char *attribute, const char *text,
		const char *const *words, unsigned int *which)
{
	char possible[200] = "";

	for (unsigned int i = 0; words[i]; i++) {
		size_t len = strlen(possible);

		if (!strcmp(words[i], text)) {
			*which = i;
			return 0;
		}
		snprintf(possible + len, sizeof(possible) - len, "%s%s", i ? ", " : "", words[i]);
	}
	return reader_refuse(reader, node, "%s='%s' of <%s> is not supported; possible: %s",
			     attribute, text, node->name, possible);
}

int attribute_is_read_later(struct reader *reader, const xmlNode *node, const char *value)
{
	(void)reader;
	(void)node;
	(void)value;
	return 0;
}

int reader_name(struct reader *reader, const xmlNode *node, const char *text, char **slot)
{
	if (!value_is_name(text))
		return reader_refuse(reader, node,
				     "name '%s' is not possible; a name has 1 to %d letters, "
				     "digits or ._+:@- and begins with a letter or digit",
				     text, CONFIG_NAME_MAX);
	return reader_keep(reader, slot, text);
}

int reader_uuid(struct reader *reader, const xmlNode *node, const char *text, uint8_t uuid[16],
		bool *has)
{
	if (config_parse_uuid(text, uuid))
		return reader_refuse(reader, node, "uuid '%s' is not 32 hexadecimal digits", text);
	*has = true;
	return 0;
}

static int set_name(struct reader *reader, xmlNode *node, const char *text)
{
	reader->cfg->name_line = (unsigned int)xmlGetLineNo(node);
	return reader_name(reader, node, text, &reader->cfg->name);
}

static int set_uuid(struct reader *reader, xmlNode *node, const char *text)
{
	reader->cfg->uuid_line = (unsigned int)xmlGetLineNo(node);
	return reader_uuid(reader, node, text, reader->cfg->uuid, &reader->cfg->has_uuid);
}

static int set_title(struct reader *reader, xmlNode *node, const char *text)
{
	if (!value_is_line(text) || !*text)
		return reader_refuse(reader, node, "title must be one line, and not empty");
	return reader_keep(reader, &reader->cfg->title, text);
}

static int set_description(struct reader *reader, xmlNode *node, const char *text)
{
	(void)node;
	return reader_keep(reader, &reader->cfg->description, text);
}

/* Programs' own elements, and nothing else: what libvirt's schema says, too. */
static int check_metadata(struct reader *reader, const xmlNode *node)
{
	if (node->properties)
		return reader_refuse(reader, node, "attribute %s of <metadata> is not supported; "
						   "possible: none", node->properties->name);
	for (const xmlNode *child = node->children; child; child = child->next) {
		if (child->type != XML_ELEMENT_NODE && child->type != XML_COMMENT_NODE &&
		    !(child->type == XML_TEXT_NODE && xmlIsBlankNode(child)))
			return reader_refuse(reader, child,
					     "<metadata> has something in it that is no element");
	}
	return 0;
}

/* Kept as it is, but with the namespaces declared in it that it uses. */
static int keep_metadata(struct reader *reader, xmlNode *node)
{
	xmlDoc *doc = xmlNewDoc(BAD_CAST "1.0");
	xmlNode *copy = doc ? xmlDocCopyNode(node, doc, 1) : NULL;
	xmlBuffer *buffer = xmlBufferCreate();
	int rc = -1;

	if (copy)
		xmlDocSetRootElement(doc, copy);
	if (copy && buffer && xmlNodeDump(buffer, doc, copy, 0, 0) >= 0)
		rc = reader_keep(reader, &reader->cfg->metadata,
				 (const char *)xmlBufferContent(buffer));
	else
		reader_no_memory(reader);
	xmlBufferFree(buffer);
	xmlFreeDoc(doc);
	return rc;
}

static int set_metadata(struct reader *reader, xmlNode *node, const char *text)
{
	(void)text;
	return check_metadata(reader, node) || keep_metadata(reader, node) ? -1 : 0;
}

static int get_memory(struct reader *reader, xmlNode *node, const char *text, uint64_t *kib)
{
	xmlChar *unit = xmlGetNoNsProp(node, BAD_CAST "unit");
	int rc = value_memory(text, (const char *)unit, kib);

	if (rc || *kib < CONFIG_MEMORY_MIN_KIB || *kib > CONFIG_MEMORY_MAX_KIB)
		rc = reader_refuse(reader, node,
				   "<%s> '%s' %s is not possible; possible: 1 MiB to 16 TiB, in "
				   "b, KB, KiB, MB, MiB, GB, GiB, TB, TiB",
				   node->name, text, unit ? (const char *)unit : "KiB");
	else
		*kib = (*kib + 3) & ~UINT64_C(3);
	xmlFree(unit);
	return rc;
}

static int set_memory(struct reader *reader, xmlNode *node, const char *text)
{
	return get_memory(reader, node, text, &reader->cfg->memory_kib);
}

static int set_current_memory(struct reader *reader, xmlNode *node, const char *text)
{
	return get_memory(reader, node, text, &reader->cfg->current_memory_kib);
}

static int get_vcpus(struct reader *reader, const xmlNode *node, const char *text,
		     unsigned int *vcpus)
{
	uint64_t number;

	if (value_number(text, 1, CONFIG_VCPUS_MAX, &number))
		return reader_refuse(reader, node, "'%s' vCPUs are not possible; possible: 1 to %d",
				     text, CONFIG_VCPUS_MAX);
	*vcpus = (unsigned int)number;
	return 0;
}

static int set_vcpus(struct reader *reader, xmlNode *node, const char *text)
{
	return get_vcpus(reader, node, text, &reader->cfg->vcpus_max);
}

static int set_current_vcpus(struct reader *reader, const xmlNode *node, const char *text)
{
	return get_vcpus(reader, node, text, &reader->cfg->vcpus);
}

static int check_os_type(struct reader *reader, xmlNode *node, const char *text)
{
	if (strcmp(text, "linux") && strcmp(text, "xen"))
		return reader_refuse(reader, node,
				     "os type '%s' is not supported; possible: linux, xen (both "
				     "mean paravirtualized)",
				     text);
	return 0;
}

static int get_file(struct reader *reader, xmlNode *node, const char *text, char **slot)
{
	if (!value_is_path(text))
		return reader_refuse(reader, node, "<%s> '%s' is not an absolute path", node->name,
				     text);
	return reader_keep(reader, slot, text);
}

static int set_kernel(struct reader *reader, xmlNode *node, const char *text)
{
	return get_file(reader, node, text, &reader->cfg->kernel);
}

static int set_initrd(struct reader *reader, xmlNode *node, const char *text)
{
	return get_file(reader, node, text, &reader->cfg->initrd);
}

static int set_cmdline(struct reader *reader, xmlNode *node, const char *text)
{
	if (strlen(text) > CONFIG_CMDLINE_MAX || !value_is_line(text))
		return reader_refuse(reader, node,
				     "<cmdline> is not possible; it is one line of at most %d "
				     "bytes",
				     CONFIG_CMDLINE_MAX);
	return reader_keep(reader, &reader->cfg->cmdline, text);
}

static int get_action(struct reader *reader, xmlNode *node, const char *text, bool crash,
		      enum vm_action *action)
{
	if (value_action(text, action) || (!crash && *action > VM_ACTION_PRESERVE))
		return reader_refuse(reader, node,
				     "<%s> '%s' is not supported; possible: destroy, restart, "
				     "preserve%s",
				     node->name, text,
				     crash ? ", coredump-destroy, coredump-restart" : "");
	return 0;
}

static int set_on_poweroff(struct reader *reader, xmlNode *node, const char *text)
{
	return get_action(reader, node, text, false, &reader->cfg->on_poweroff);
}

static int set_on_reboot(struct reader *reader, xmlNode *node, const char *text)
{
	return get_action(reader, node, text, false, &reader->cfg->on_reboot);
}

static int set_on_crash(struct reader *reader, xmlNode *node, const char *text)
{
	return get_action(reader, node, text, true, &reader->cfg->on_crash);
}

static const struct attribute domain_attributes[] = {
	{ "type", .required = true, .value = "xen" },
	{ "id", .warn = true }, /* of a running domain, as dumpxml writes it */
	{ 0 },
};

static const struct attribute memory_attributes[] = {
	{ "unit", .handle = attribute_is_read_later },
	{ 0 },
};

static const struct attribute vcpu_attributes[] = {
	{ "placement", .value = "static" },
	{ "current", .handle = set_current_vcpus },
	{ "cpuset", .handle = tune_cpuset },
	{ 0 },
};

static const struct attribute os_type_attributes[] = {
	{ "arch", .value = "x86_64" },
	{ "machine", .value = "xenpv" },
	{ 0 },
};

static const struct attribute clock_attributes[] = {
	{ "offset", .required = true, .value = "utc" },
	{ "adjustment", .value = "reset" }, /* as libvirt writes it: UTC anew at each start */
	{ 0 },
};

static const struct attribute console_attributes[] = {
	{ "type", .required = true, .value = "pty" },
	{ "tty", .warn = true },
	{ 0 },
};

static const struct attribute target_attributes[] = {
	{ "type", .value = "xen" },
	{ "port", .value = "0" },
	{ 0 },
};

#define ONE_TEXT (ELEMENT_ONCE | ELEMENT_TEXT)
#define ONE_WORD (ELEMENT_ONCE | ELEMENT_TEXT | ELEMENT_STRIP)

static const char running_libvirt[] = "it is only written by a running libvirt";
static const char no_bus[] = "a PV device has no place on a bus";
static const char no_device[] = "a PV guest without a frame buffer has no such device";

const struct element elements[] = {
	{ "domain", ELEMENT_ONCE | ELEMENT_REQUIRED, domain_attributes, NULL, NULL },
	{ "domain/name", ONE_TEXT | ELEMENT_REQUIRED, NULL, set_name, NULL },
	{ "domain/uuid", ONE_WORD, NULL, set_uuid, NULL },
	{ "domain/title", ONE_TEXT, NULL, set_title, NULL },
	{ "domain/description", ONE_TEXT, NULL, set_description, NULL },
	{ "domain/metadata", ELEMENT_ONCE | ELEMENT_OPAQUE, NULL, set_metadata, NULL },
	{ "domain/memory", ONE_WORD | ELEMENT_REQUIRED, memory_attributes, set_memory, NULL },
	{ "domain/currentMemory", ONE_WORD, memory_attributes, set_current_memory, NULL },
	{ "domain/vcpu", ONE_WORD, vcpu_attributes, set_vcpus, NULL },
	{ "domain/cputune", ELEMENT_ONCE, NULL, NULL, NULL },
	{ "domain/cputune/shares", ONE_WORD, NULL, tune_shares, NULL },
	{ "domain/cputune/global_period", ONE_WORD, NULL, tune_period, NULL },
	{ "domain/cputune/global_quota", ONE_WORD, NULL, tune_quota, NULL },
	{ "domain/cputune/vcpupin", 0, vcpupin_attributes, tune_vcpupin, NULL },
	{ "domain/bootloader", ONE_WORD, NULL, boot_bootloader, NULL },
	{ "domain/bootloader_args", ONE_WORD, NULL, boot_bootloader_args, NULL },
	{ "domain/os", ELEMENT_ONCE, NULL, NULL, NULL },
	{ "domain/os/type", ONE_WORD | ELEMENT_REQUIRED, os_type_attributes, check_os_type, NULL },
	{ "domain/os/kernel", ONE_TEXT, NULL, set_kernel, NULL },
	{ "domain/os/initrd", ONE_TEXT, NULL, set_initrd, NULL },
	{ "domain/os/cmdline", ONE_TEXT, NULL, set_cmdline, NULL },
	{ "domain/clock", ELEMENT_ONCE, clock_attributes, NULL, NULL },
	{ "domain/on_poweroff", ONE_WORD, NULL, set_on_poweroff, NULL },
	{ "domain/on_reboot", ONE_WORD, NULL, set_on_reboot, NULL },
	{ "domain/on_crash", ONE_WORD, NULL, set_on_crash, NULL },
	{ "domain/devices", ELEMENT_ONCE, NULL, NULL, NULL },
	{ "domain/devices/console", ELEMENT_ONCE, console_attributes, NULL, NULL },
	{ "domain/devices/console/target", ELEMENT_ONCE, target_attributes, NULL, NULL },
	{ "domain/devices/console/source", ELEMENT_WARN, NULL, NULL,
	  "the console has no device file of its own" },
	{ "domain/devices/console/alias", ELEMENT_WARN, NULL, NULL, running_libvirt },
	{ "domain/devices/disk", 0, disk_attributes, disk_start, NULL },
	{ "domain/devices/disk/driver", ELEMENT_ONCE, disk_driver_attributes, NULL, NULL },
	{ "domain/devices/disk/source", ELEMENT_ONCE | ELEMENT_REQUIRED, disk_source_attributes,
	  NULL, NULL },
	{ "domain/devices/disk/target", ELEMENT_ONCE | ELEMENT_REQUIRED, disk_target_attributes,
	  NULL, NULL },
	{ "domain/devices/disk/readonly", ELEMENT_ONCE, NULL, disk_readonly, NULL },
	{ "domain/devices/disk/shareable", ELEMENT_ONCE, NULL, disk_shareable, NULL },
	{ "domain/devices/disk/backingStore", ELEMENT_WARN, NULL, NULL,
	  "the image itself names what it stands on" },
	{ "domain/devices/disk/alias", ELEMENT_WARN, NULL, NULL, running_libvirt },
	{ "domain/devices/disk/address", ELEMENT_WARN, NULL, NULL, no_bus },
	{ "domain/devices/interface", 0, interface_attributes, interface_start, NULL },
	{ "domain/devices/interface/source", ELEMENT_ONCE | ELEMENT_REQUIRED,
	  interface_source_attributes, NULL, NULL },
	{ "domain/devices/interface/mac", ELEMENT_ONCE, interface_mac_attributes, NULL, NULL },
	{ "domain/devices/interface/target", ELEMENT_ONCE, interface_target_attributes, NULL,
	  NULL },
	{ "domain/devices/interface/model", ELEMENT_ONCE, interface_model_attributes, NULL, NULL },
	{ "domain/devices/interface/bandwidth", ELEMENT_ONCE, NULL, NULL, NULL },
	{ "domain/devices/interface/bandwidth/outbound", ELEMENT_ONCE,
	  interface_outbound_attributes, NULL, NULL },
	{ "domain/devices/interface/script", ELEMENT_WARN, NULL, NULL,
	  "Enso puts interfaces on their bridges without scripts" },
	{ "domain/devices/interface/alias", ELEMENT_WARN, NULL, NULL, running_libvirt },
	{ "domain/devices/interface/address", ELEMENT_WARN, NULL, NULL, no_bus },
	{ "domain/devices/emulator", ELEMENT_WARN, NULL, NULL, "a PV guest is not emulated" },
	{ "domain/devices/controller", ELEMENT_WARN, NULL, NULL, no_device },
	{ "domain/devices/input", ELEMENT_WARN, NULL, NULL, no_device },
	{ "domain/devices/graphics", ELEMENT_WARN, NULL, NULL, no_device },
	{ "domain/devices/video", ELEMENT_WARN, NULL, NULL, no_device },
	{ "domain/devices/memballoon", ELEMENT_WARN, NULL, NULL, "every guest has a balloon" },
};

const unsigned int n_elements = sizeof(elements) / sizeof(elements[0]);

const xmlNode *child_named(const xmlNode *root, const char *name)
{
	const xmlNode *child = root->children;

	while (child && strcmp((const char *)child->name, name))
		child = child->next;
	return child;
}

const xmlNode *device_node(const xmlNode *root, const char *name, unsigned int index)
{
	for (const xmlNode *list = root->children; list; list = list->next) {
		if (list->type != XML_ELEMENT_NODE || strcmp((const char *)list->name, "devices"))
			continue;
		for (const xmlNode *node = list->children; node; node = node->next) {
			if (node->type == XML_ELEMENT_NODE &&
			    !strcmp((const char *)node->name, name) && !index--)
				return node;
		}
	}
	return root;
}

int elements_check(struct reader *reader, const xmlNode *root)
{
	struct vm_config *cfg = reader->cfg;

	if (!cfg->current_memory_kib)
		cfg->current_memory_kib = cfg->memory_kib;
	if (cfg->current_memory_kib > cfg->memory_kib)
		return reader_refuse(reader, child_named(root, "currentMemory"),
				     "<currentMemory> %" PRIu64 " KiB is more than <memory> "
								"%" PRIu64 " KiB",
				     cfg->current_memory_kib, cfg->memory_kib);
	if (!cfg->vcpus_max)
		cfg->vcpus_max = 1;
	if (!cfg->vcpus)
		cfg->vcpus = cfg->vcpus_max;
	if (cfg->vcpus > cfg->vcpus_max)
		return reader_refuse(reader, child_named(root, "vcpu"),
				     "<vcpu> current='%u' is more than its %u vCPUs", cfg->vcpus,
				     cfg->vcpus_max);
	if (tune_check(reader, root) || disks_check(reader, root) || interfaces_check(reader, root))
		return -1;
	return boot_check(reader, root);
}
