/* SPDX-License-Identifier: MIT */
/* Configurations as files and as things to be freed: see config.h. */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"

int config_load(struct vm_config *cfg, const char *path, const struct config_options *options,
		struct error *err)
{
	bool standard = !strcmp(path, "-");
	const char *name = standard ? "standard input" : path;
	FILE *file = standard ? stdin : fopen(path, "re");
	/* One byte more than is allowed, so that config_parse() sees that it is too long. */
	char *text = file ? malloc(CONFIG_TEXT_MAX + 1) : NULL;
	int rc;

	*cfg = (struct vm_config){ 0 };
	if (!file)
		return error_set(err, ERROR_FILE, "%s: %s", name, strerror(errno));
	size_t len = text ? fread(text, 1, CONFIG_TEXT_MAX + 1, file) : 0;
	if (!text)
		rc = error_set(err, ERROR_NO_MEMORY, "no memory to read %s", name);
	else if (ferror(file))
		rc = error_set(err, ERROR_FILE, "%s: %s", name, strerror(errno));
	else
		rc = config_parse(cfg, text, len, name, options, err);
	free(text);
	if (!standard)
		fclose(file);
	return rc;
}

void config_free_disk(struct vm_disk *disk)
{
	free(disk->source);
	*disk = (struct vm_disk){ 0 };
}

void config_free_interface(struct vm_interface *interface)
{
	free(interface->source);
	free(interface->target);
	*interface = (struct vm_interface){ 0 };
}

void config_free(struct vm_config *cfg)
{
	for (unsigned int i = 0; i < cfg->n_disks; i++)
		config_free_disk(&cfg->disks[i]);
	for (unsigned int i = 0; i < cfg->n_interfaces; i++)
		config_free_interface(&cfg->interfaces[i]);
	free(cfg->disks);
	free(cfg->interfaces);
	free(cfg->name);
	free(cfg->title);
	free(cfg->description);
	free(cfg->metadata);
	free(cfg->kernel);
	free(cfg->initrd);
	free(cfg->cmdline);
	free(cfg->cpus);
	free(cfg->pins);
	*cfg = (struct vm_config){ 0 };
}
