/* SPDX-License-Identifier: MIT */
/*
 * Disks and interfaces of xl configurations: the texts of xl-disk-configuration(5), with its
 * older syntax, and of xl-network-configuration(5). See config/xl.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "config/xl.h"

/* ---- disks ---------------------------------------------------------------------------------- */

/* What is known of a disk while its text is read. */
struct disk_text {
	struct importer *importer;
	unsigned int line;
	struct vm_disk disk;
	char *source;
	bool has_format, has_access, prefixed;
	unsigned int position;
};

static int set_target(struct disk_text *d, char *text)
{
	char *colon = strchr(text, ':');
	uint32_t number;

	if (colon && !strcmp(colon, ":cdrom"))
		d->disk.cdrom = true;
	if (colon && (d->disk.cdrom || !strcmp(colon, ":disk")))
		*colon = 0;
	if (strlen(text) >= 3 && (!strncmp(text, "hd", 2) || !strncmp(text, "sd", 2)) &&
	    strlen(text) < CONFIG_DISK_TARGET_MAX) {
		char name[CONFIG_DISK_TARGET_MAX + 1] = "xvd";

		strcat(name, text + 2);
		strcpy(d->disk.target, name);
		if (!config_disk_number(name, &number) &&
		    import_warn(d->importer, d->line, "disk %s becomes %s: a PV guest has no other",
				text, name))
			return -1;
	} else if (strlen(text) <= CONFIG_DISK_TARGET_MAX) {
		strcpy(d->disk.target, text);
	}
	if (config_disk_number(d->disk.target, &number))
		return import_refuse(d->importer, d->line,
				     "disk '%s' is not possible; possible: xvda to xvdzz, also "
				     "with a partition's number",
				     text);
	return 0;
}

static int set_format(struct disk_text *d, const char *text)
{
	if (!strcmp(text, "qcow2"))
		d->disk.format = VM_DISK_QCOW2;
	else if (strcmp(text, "raw") && strcmp(text, "aio") && *text)
		return import_refuse(d->importer, d->line,
				     "disk format '%s' is not supported; possible: raw, qcow2",
				     text);
	d->has_format = true;
	return 0;
}

static int set_access(struct disk_text *d, const char *text)
{
	if (!strcmp(text, "r") || !strcmp(text, "ro"))
		d->disk.readonly = true;
	else if (!strcmp(text, "w!"))
		d->disk.shareable = true;
	else if (strcmp(text, "w") && strcmp(text, "rw") && *text)
		return import_refuse(d->importer, d->line,
				     "disk access '%s' is not supported; possible: r, ro, w, "
				     "rw, w!",
				     text);
	d->has_access = true;
	return 0;
}

/* phy:, file:, tap:qcow2: and so on, each in front of the next. */
static int set_source(struct disk_text *d, char *text)
{
	static const char *const plain[] = { "phy:", "file:", "raw:", "aio:", "tap:", "tap2:" };

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		size_t len = strlen(plain[i]);

		if (strncmp(text, plain[i], len))
			continue;
		d->prefixed = true;
		d->disk.block |= i == 0;
		text += len;
		i = (size_t)-1;
	}
	if (!strncmp(text, "qcow2:", 6)) {
		d->prefixed = true;
		d->disk.format = VM_DISK_QCOW2;
		text += 6;
	}
	if (d->source)
		return import_refuse(d->importer, d->line,
				     "a disk with two images, %s and %s, is not supported",
				     d->source, text);
	/* xm's own: phy:vg/disk is in /dev. */
	if (d->disk.block && *text && *text != '/') {
		d->source = malloc(strlen(text) + 6);
		if (d->source)
			strcat(strcpy(d->source, "/dev/"), text);
	} else {
		d->source = strdup(text);
	}
	return d->source ? 0 : import_no_memory(d->importer);
}

static int set_named(struct disk_text *d, const char *key, char *value)
{
	if (!strcmp(key, "format"))
		return set_format(d, value);
	if (!strcmp(key, "vdev"))
		return set_target(d, value);
	if (!strcmp(key, "access"))
		return set_access(d, value);
	if (!strcmp(key, "devtype") && !strcmp(value, "cdrom")) {
		d->disk.cdrom = true;
		return 0;
	}
	if (!strcmp(key, "devtype") && !strcmp(value, "disk"))
		return 0;
	if (!strcmp(key, "backendtype") &&
	    (!strcmp(value, "phy") || !strcmp(value, "qdisk") || !strcmp(value, "tap")))
		return 0;	/* whatever fits: that is what we do */
	return import_refuse(d->importer, d->line, "%s=%s of a disk is not supported", key, value);
}

static bool is_flag(struct disk_text *d, const char *text)
{
	if (!strcmp(text, "cdrom"))
		d->disk.cdrom = true;
	else if (!strcmp(text, "no-discard"))
		d->disk.keep_discarded = true;
	else if (strcmp(text, "discard") && strcmp(text, "direct-io-safe"))
		return false;
	return true;
}

/* Without a name: target, format, vdev, access; behind a prefix there is no format. */
static int set_positional(struct disk_text *d, char *text)
{
	if (is_flag(d, text))
		return 0;
	switch (d->position++) {
	case 0:
		return set_source(d, text);
	case 1:
		if (!d->prefixed)
			return set_format(d, text);
		d->position++;
		__attribute__((fallthrough));
	case 2:
		return set_target(d, text);
	case 3:
		return set_access(d, text);
	default:
		return import_refuse(d->importer, d->line, "'%s' of a disk is not supported", text);
	}
}

static int read_disk(struct disk_text *d, char *text)
{
	while (text) {
		char *rest = text + strspn(text, " \t");
		bool last = !strncmp(rest, "target=", 7);	/* it may have commas in it */
		char *piece = last ? rest + 7 : import_piece(&text, ',');
		size_t name = strspn(piece, "abcdefghijklmnopqrstuvwxyz-");

		if (last)
			return set_source(d, piece);
		if (name && piece[name] == '=') {
			piece[name] = 0;
			if (set_named(d, piece, piece + name + 1))
				return -1;
		} else if (set_positional(d, piece)) {
			return -1;
		}
	}
	return 0;
}

static int add_disk(struct disk_text *d)
{
	struct vm_config *cfg = d->importer->cfg;

	if (!d->source || !*d->source)
		return import_refuse(d->importer, d->line,
				     "a disk without a file is not supported; name its image");
	if (!value_is_path(d->source))
		return import_refuse(d->importer, d->line, "disk '%s' is not an absolute path",
				     d->source);
	if (!*d->disk.target)
		return import_refuse(d->importer, d->line, "the disk's vdev (xvda ...) is missing");
	d->disk.block |= !strncmp(d->source, "/dev/", 5);
	d->disk.readonly |= d->disk.cdrom;
	for (unsigned int i = 0; i < cfg->n_disks; i++) {
		if (!strcmp(cfg->disks[i].target, d->disk.target))
			return import_refuse(d->importer, d->line,
					     "%s is another disk's already", d->disk.target);
	}
	struct vm_disk *more = reallocarray(cfg->disks, cfg->n_disks + 1, sizeof(*more));
	if (!more)
		return import_no_memory(d->importer);
	cfg->disks = more;
	d->disk.source = d->source;
	d->source = NULL;
	more[cfg->n_disks++] = d->disk;
	return 0;
}

int import_disk(struct importer *importer, const struct xl_value *value)
{
	struct disk_text d = { .importer = importer, .line = value->line };
	char *text = strdup(value->text);

	int rc = text ? read_disk(&d, text) || add_disk(&d) : import_no_memory(importer);
	free(text);
	free(d.source);
	return rc ? -1 : 0;
}

/* ---- interfaces ----------------------------------------------------------------------------- */

/* "10Mb/s", "1MB/s", "512KB/s@20ms": as KiB a second. The interval is netback's own. */
static int get_rate(struct importer *importer, unsigned int line, const char *text, uint64_t *kib)
{
	static const struct {
		const char *unit;
		uint64_t bytes, bits;
	} units[] = {
		{ "Gb/s", 1000000000, 8 }, { "Mb/s", 1000000, 8 }, { "Kb/s", 1000, 8 },
		{ "b/s", 1, 8 },	   { "GB/s", 1000000000, 1 }, { "MB/s", 1000000, 1 },
		{ "KB/s", 1000, 1 },	   { "B/s", 1, 1 },
	};
	char *end;
	unsigned long long number = strtoull(text, &end, 10);
	size_t unit = strcspn(end, "@");

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t bytes;

		if (end == text || *text == '-' || strlen(units[i].unit) != unit ||
		    strncmp(end, units[i].unit, unit) ||
		    __builtin_mul_overflow(number, units[i].bytes, &bytes))
			continue;
		*kib = bytes / units[i].bits / 1024;
		if (*kib)
			return 0;
	}
	return import_refuse(importer, line,
			     "rate '%s' is not possible; possible: as 10Mb/s, 2MB/s", text);
}

static int set_vif(struct importer *importer, unsigned int line, struct vm_interface *vif,
		   const char *key, const char *value)
{
	if (!strcmp(key, "mac")) {
		if (config_parse_mac(value, vif->mac))
			return import_refuse(importer, line, "mac '%s' is not possible", value);
		vif->has_mac = true;
		return 0;
	}
	if (!strcmp(key, "bridge") || !strcmp(key, "vifname")) {
		if (!value_is_link(value))
			return import_refuse(importer, line, "%s '%s' is not possible", key, value);
		return import_keep(importer, *key == 'b' ? &vif->source : &vif->target, value);
	}
	if (!strcmp(key, "rate"))
		return get_rate(importer, line, value, &vif->out_average);
	if (!strcmp(key, "model") || !strcmp(key, "type"))
		return !strcmp(value, "vif") || !strcmp(value, "netfront")
			       ? 0
			       : import_warn(importer, line,
					     "%s=%s has no effect: a PV guest has no emulated card",
					     key, value);
	if (!strcmp(key, "script") && !strcmp(value, "vif-bridge"))
		return 0;
	return import_refuse(importer, line, "%s=%s of an interface is not supported", key, value);
}

static int read_vif(struct importer *importer, unsigned int line, struct vm_interface *vif,
		    char *text)
{
	while (text) {
		char *piece = import_piece(&text, ',');

		if (!*piece)
			continue;
		if (!strchr(piece, '='))
			return import_refuse(importer, line,
					     "'%s' of an interface is not supported", piece);
		const char *key = import_piece(&piece, '=');
		if (set_vif(importer, line, vif, key, import_piece(&piece, ',')))
			return -1;
	}
	return vif->source ? 0 : import_keep(importer, &vif->source, "xenbr0");	/* xl's own */
}

int import_vif(struct importer *importer, const struct xl_value *value)
{
	struct vm_config *cfg = importer->cfg;
	struct vm_interface vif = { .type = VM_INTERFACE_BRIDGE };
	char *text = strdup(value->text);

	int rc = text ? read_vif(importer, value->line, &vif, text) : import_no_memory(importer);
	free(text);
	struct vm_interface *more =
		rc ? NULL : reallocarray(cfg->interfaces, cfg->n_interfaces + 1, sizeof(*more));
	if (!rc && !more)
		rc = import_no_memory(importer);
	if (rc) {
		config_free_interface(&vif);
		return -1;
	}
	cfg->interfaces = more;
	more[cfg->n_interfaces++] = vif;
	return 0;
}
