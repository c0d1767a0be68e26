/* SPDX-License-Identifier: MIT */
/* Configurations of xl and xm as ours: the table of settings. See config/xl.h and config.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "config/xl.h"

/* A number from @min to @max, also in quotes, as xm wrote them: decimal, 0x or octal. */
static int get_number(struct importer *importer, const struct xl_setting *setting, uint64_t min,
		      uint64_t max, uint64_t *number)
{
	const char *text = setting->value.text;
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end || errno || *number < min || *number > max)
		return import_refuse(importer, setting->value.line,
				     "%s '%s' is not possible; possible: %llu to %llu",
				     setting->key, text, (unsigned long long)min,
				     (unsigned long long)max);
	return 0;
}

static int set_name(struct importer *importer, const struct xl_setting *setting)
{
	if (!value_is_name(setting->value.text))
		return import_refuse(importer, setting->value.line,
				     "name '%s' is not possible; a name has 1 to %d letters, "
				     "digits or ._+:@- and begins with a letter or digit",
				     setting->value.text, CONFIG_NAME_MAX);
	importer->cfg->name_line = setting->value.line;
	return import_keep(importer, &importer->cfg->name, setting->value.text);
}

static int set_uuid(struct importer *importer, const struct xl_setting *setting)
{
	if (config_parse_uuid(setting->value.text, importer->cfg->uuid))
		return import_refuse(importer, setting->value.line,
				     "uuid '%s' is not 32 hexadecimal digits",
				     setting->value.text);
	importer->cfg->has_uuid = true;
	importer->cfg->uuid_line = setting->value.line;
	return 0;
}

static int get_mib(struct importer *importer, const struct xl_setting *setting, uint64_t *kib)
{
	uint64_t mib;

	if (get_number(importer, setting, 1, CONFIG_MEMORY_MAX_KIB >> 10, &mib))
		return -1;
	*kib = mib << 10;
	return 0;
}

static int set_memory(struct importer *importer, const struct xl_setting *setting)
{
	return get_mib(importer, setting, &importer->cfg->current_memory_kib);
}

static int set_maxmem(struct importer *importer, const struct xl_setting *setting)
{
	return get_mib(importer, setting, &importer->cfg->memory_kib);
}

static int get_vcpus(struct importer *importer, const struct xl_setting *setting,
		     unsigned int *vcpus)
{
	uint64_t number;

	if (get_number(importer, setting, 1, CONFIG_VCPUS_MAX, &number))
		return -1;
	*vcpus = (unsigned int)number;
	return 0;
}

static int set_vcpus(struct importer *importer, const struct xl_setting *setting)
{
	return get_vcpus(importer, setting, &importer->cfg->vcpus);
}

static int set_maxvcpus(struct importer *importer, const struct xl_setting *setting)
{
	return get_vcpus(importer, setting, &importer->cfg->vcpus_max);
}

static int get_path(struct importer *importer, const struct xl_setting *setting, char **slot)
{
	if (!*setting->value.text)
		return 0;
	if (!value_is_path(setting->value.text))
		return import_refuse(importer, setting->value.line,
				     "%s '%s' is not an absolute path", setting->key,
				     setting->value.text);
	return import_keep(importer, slot, setting->value.text);
}

static int set_kernel(struct importer *importer, const struct xl_setting *setting)
{
	return get_path(importer, setting, &importer->cfg->kernel);
}

static int set_ramdisk(struct importer *importer, const struct xl_setting *setting)
{
	return get_path(importer, setting, &importer->cfg->initrd);
}

/* root, extra and cmdline together: done when all of them are known, see join_cmdline(). */
static int check_words(struct importer *importer, const struct xl_setting *setting)
{
	if (!value_is_line(setting->value.text) ||
	    strlen(setting->value.text) > CONFIG_CMDLINE_MAX)
		return import_refuse(importer, setting->value.line,
				     "%s is not possible; it is at most %d bytes in one line",
				     setting->key, CONFIG_CMDLINE_MAX);
	return 0;
}

static int set_bootloader(struct importer *importer, const struct xl_setting *setting)
{
	const char *program = strrchr(setting->value.text, '/');

	program = program ? program + 1 : setting->value.text;
	if (!*program)
		return 0;
	importer->cfg->bootloader = true;
	if (!strcmp(program, "pygrub"))
		return 0;
	return import_warn(importer, setting->value.line,
			   "bootloader '%s' is not run: PV GRUB starts the guest in its own domain",
			   setting->value.text);
}

static int get_action(struct importer *importer, const struct xl_setting *setting,
		      enum vm_action *action)
{
	if (value_action(setting->value.text, action))
		return import_refuse(importer, setting->value.line,
				     "%s '%s' is not supported; possible: destroy, restart, "
				     "preserve",
				     setting->key, setting->value.text);
	return 0;
}

static int set_on_poweroff(struct importer *importer, const struct xl_setting *setting)
{
	return get_action(importer, setting, &importer->cfg->on_poweroff);
}

static int set_on_reboot(struct importer *importer, const struct xl_setting *setting)
{
	return get_action(importer, setting, &importer->cfg->on_reboot);
}

static int set_on_crash(struct importer *importer, const struct xl_setting *setting)
{
	return get_action(importer, setting, &importer->cfg->on_crash);
}

static int set_weight(struct importer *importer, const struct xl_setting *setting)
{
	uint64_t weight;

	if (get_number(importer, setting, 1, CONFIG_WEIGHT_MAX, &weight))
		return -1;
	importer->cfg->weight = (unsigned int)weight;
	return 0;
}

static int set_cap(struct importer *importer, const struct xl_setting *setting)
{
	uint64_t cap;

	if (get_number(importer, setting, 0, CONFIG_CAP_MAX, &cap))
		return -1;
	importer->cfg->cap = (unsigned int)cap;
	return 0;
}

static int get_cpus(struct importer *importer, const struct xl_value *value, struct cpu_set *cpus)
{
	if (config_parse_cpus(value->text, cpus))
		return import_refuse(importer, value->line,
				     "cpus '%s' is not possible; possible: all, or CPUs as in "
				     "0-3,^2,7",
				     value->text);
	return 0;
}

/* One set for all vCPUs, or a list with one for each. */
static int set_cpus(struct importer *importer, const struct xl_setting *setting)
{
	const struct xl_value *value = &setting->value;
	struct cpu_set cpus;

	if (value->kind != XL_LIST) {
		if (!strcmp(value->text, "all") || !*value->text)
			return 0;
		if (get_cpus(importer, value, &cpus))
			return -1;
		importer->cfg->cpus = malloc(sizeof(cpus));
		if (!importer->cfg->cpus)
			return import_no_memory(importer);
		*importer->cfg->cpus = cpus;
		return 0;
	}
	for (size_t i = 0; i < value->count; i++) {
		if (get_cpus(importer, &value->items[i], &cpus))
			return -1;
		if (config_set_pin(importer->cfg, (unsigned int)i, &cpus))
			return import_no_memory(importer);
	}
	return 0;
}

static int each(struct importer *importer, const struct xl_setting *setting,
		int (*take)(struct importer *importer, const struct xl_value *value))
{
	for (size_t i = 0; i < setting->value.count; i++) {
		if (take(importer, &setting->value.items[i]))
			return -1;
	}
	return 0;
}

static int set_disks(struct importer *importer, const struct xl_setting *setting)
{
	return each(importer, setting, import_disk);
}

static int set_vifs(struct importer *importer, const struct xl_setting *setting)
{
	return each(importer, setting, import_vif);
}

static int check_type(struct importer *importer, const struct xl_setting *setting)
{
	static const char *const pv[] = { "pv", "generic", "linux" };

	for (size_t i = 0; i < sizeof(pv) / sizeof(pv[0]); i++) {
		if (!strcmp(setting->value.text, pv[i]))
			return 0;
	}
	return import_refuse(importer, setting->value.line,
			     "%s '%s' is not supported; guests are paravirtualized", setting->key,
			     setting->value.text);
}

static int no_frame_buffer(struct importer *importer, const struct xl_setting *setting)
{
	return import_warn(importer, setting->value.line,
			   "%s has no effect: a PV guest without a frame buffer has no such device",
			   setting->key);
}

/* ---- the table ------------------------------------------------------------------------------ */

enum { LIST = 1, LISTABLE = 2 };

static const struct row {
	const char *key;
	int (*take)(struct importer *importer, const struct xl_setting *setting);
	int flags;
} rows[] = {
	{ "name", set_name, 0 },
	{ "uuid", set_uuid, 0 },
	{ "type", check_type, 0 },
	{ "builder", check_type, 0 },
	{ "memory", set_memory, 0 },
	{ "maxmem", set_maxmem, 0 },
	{ "vcpus", set_vcpus, 0 },
	{ "maxvcpus", set_maxvcpus, 0 },
	{ "cpus", set_cpus, LISTABLE },
	{ "cpu_weight", set_weight, 0 },
	{ "cap", set_cap, 0 },
	{ "kernel", set_kernel, 0 },
	{ "ramdisk", set_ramdisk, 0 },
	{ "root", check_words, 0 },
	{ "extra", check_words, 0 },
	{ "cmdline", check_words, 0 },
	{ "bootloader", set_bootloader, 0 },
	{ "disk", set_disks, LIST },
	{ "vif", set_vifs, LIST },
	{ "on_poweroff", set_on_poweroff, 0 },
	{ "on_reboot", set_on_reboot, 0 },
	{ "on_crash", set_on_crash, 0 },
	{ "vfb", no_frame_buffer, LIST },
	{ "vnc", no_frame_buffer, 0 },
	{ "vnclisten", no_frame_buffer, 0 },
	{ "vncdisplay", no_frame_buffer, 0 },
	{ "vncunused", no_frame_buffer, 0 },
	{ "vncpasswd", no_frame_buffer, 0 },
	{ "sdl", no_frame_buffer, 0 },
	{ "keymap", no_frame_buffer, 0 },
};

static const struct row *find_row(const char *key)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strcmp(rows[i].key, key))
			return &rows[i];
	}
	return NULL;
}

static const struct xl_setting *find(const struct xl_settings *settings, const char *key)
{
	for (size_t i = 0; i < settings->count; i++) {
		if (!strcmp(settings->list[i].key, key))
			return &settings->list[i];
	}
	return NULL;
}

static int take(struct importer *importer, const struct xl_settings *settings, size_t at)
{
	const struct xl_setting *setting = &settings->list[at];
	const struct xl_setting *first = find(settings, setting->key);
	const struct row *row = find_row(setting->key);
	bool list = setting->value.kind == XL_LIST;

	if (!row)
		return import_refuse(importer, setting->value.line,
				     "setting %s is not supported; remove it if the guest can do "
				     "without",
				     setting->key);
	if (first != setting)
		return import_refuse(importer, setting->value.line,
				     "%s is given twice, the first time in line %u", setting->key,
				     first->value.line);
	if (list ? !row->flags : row->flags == LIST)
		return import_refuse(importer, setting->value.line, "%s is %s", setting->key,
				     list ? "no list" : "a list: [ ... ]");
	return row->take(importer, setting);
}

/* xl's rule: cmdline, or "root=ROOT EXTRA". */
static int join_cmdline(struct importer *importer, const struct xl_settings *settings)
{
	const struct xl_setting *cmdline = find(settings, "cmdline");
	const struct xl_setting *root = find(settings, "root"), *extra = find(settings, "extra");
	char text[2 * CONFIG_CMDLINE_MAX + 8] = "";

	if (cmdline && (root || extra))
		return import_refuse(importer, cmdline->value.line,
				     "cmdline goes without %s; xl ignores that then",
				     root ? "root" : "extra");
	if (cmdline)
		strcpy(text, cmdline->value.text);
	if (root && *root->value.text)
		sprintf(text, "root=%s", root->value.text);
	if (extra && *extra->value.text)
		sprintf(text + strlen(text), "%s%s", *text ? " " : "", extra->value.text);
	if (strlen(text) > CONFIG_CMDLINE_MAX)
		return import_refuse(importer, extra ? extra->value.line : 1,
				     "root and extra are more than %d bytes", CONFIG_CMDLINE_MAX);
	return *text ? import_keep(importer, &importer->cfg->cmdline, text) : 0;
}

/* What two settings say of one thing. The rest is found by check(). */
static int fits_together(struct importer *importer, const struct xl_settings *settings)
{
	const struct vm_config *cfg = importer->cfg;
	const struct xl_setting *cpus = find(settings, "cpus");

	if (cfg->current_memory_kib > cfg->memory_kib)
		return import_refuse(importer, find(settings, "maxmem")->value.line,
				     "maxmem %llu is less than memory %llu",
				     (unsigned long long)cfg->memory_kib >> 10,
				     (unsigned long long)cfg->current_memory_kib >> 10);
	if (cfg->vcpus > cfg->vcpus_max)
		return import_refuse(importer, find(settings, "maxvcpus")->value.line,
				     "maxvcpus %u is less than vcpus %u", cfg->vcpus_max,
				     cfg->vcpus);
	if (cfg->n_pins > cfg->vcpus_max)
		return import_refuse(importer, cpus->value.line,
				     "cpus names %u vCPUs, the guest has %u", cfg->n_pins,
				     cfg->vcpus_max);
	if (cfg->kernel && cfg->bootloader)
		return import_refuse(importer, find(settings, "bootloader")->value.line,
				     "kernel and bootloader are not possible together: remove one");
	return 0;
}

/* What xl takes when the configuration does not say it. */
static int complete(struct importer *importer, const struct xl_settings *settings)
{
	struct vm_config *cfg = importer->cfg;

	if (!cfg->name)
		return import_refuse(importer, 1, "the setting name is missing");
	if (join_cmdline(importer, settings))
		return -1;
	if (!cfg->current_memory_kib)
		cfg->current_memory_kib = cfg->memory_kib ? cfg->memory_kib : 32 << 10;
	if (!cfg->memory_kib)
		cfg->memory_kib = cfg->current_memory_kib;
	if (!cfg->vcpus)
		cfg->vcpus = 1;
	if (!cfg->vcpus_max)
		cfg->vcpus_max = cfg->vcpus;
	return fits_together(importer, settings);
}

/* The same checks as for XML, by way of XML: what does not fit together is refused there. */
static int check(struct importer *importer)
{
	struct vm_config checked;
	char *text, *behind;
	size_t len;

	if (config_dump(importer->cfg, &text, &len))
		return import_no_memory(importer);
	int rc = config_parse(&checked, text, len, "xml", NULL, importer->err);
	free(text);
	if (rc && importer->err->code != ERROR_DEFINITION)
		return -1;
	if (rc) {
		behind = strstr(importer->err->text, ": ");
		return import_refuse(importer, 1, "%s", behind ? behind + 2 : "");
	}
	checked.name_line = importer->cfg->name_line;
	checked.uuid_line = importer->cfg->uuid_line;
	config_free(importer->cfg);
	*importer->cfg = checked;
	return 0;
}

int config_import(struct vm_config *cfg, const char *text, size_t len, const char *file,
		  const struct config_options *options, struct error *err)
{
	struct importer importer = { .file = file, .options = options, .cfg = cfg, .err = err };
	struct xl_settings settings;
	int rc = 0;

	*cfg = (struct vm_config){ .on_reboot = VM_ACTION_RESTART };
	if (len > CONFIG_TEXT_MAX)
		return error_set(err, ERROR_DEFINITION, "%s: longer than %d bytes", file,
				 CONFIG_TEXT_MAX);
	if (xl_read(&importer, text, len, &settings))
		return -1;
	for (size_t i = 0; i < settings.count && !rc; i++)
		rc = take(&importer, &settings, i);
	if (!rc)
		rc = complete(&importer, &settings) || check(&importer) ? -1 : 0;
	xl_free(&settings);
	if (rc)
		config_free(cfg);
	return rc;
}
