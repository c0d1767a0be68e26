/* SPDX-License-Identifier: MIT */
/* Configurations as files and as things to be freed: see config.h. */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/network.h"
#include "lib/error.h"

/* The text of a file, up to one byte more than is allowed: the parser sees that it is too long. */
static int read_text(const char *path, const char *name, char **text, size_t *len,
		     struct error *err)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	int rc = 0;

	if (!file)
		return error_set(err, ERROR_FILE, "%s: %s", name, strerror(errno));
	*text = malloc(CONFIG_TEXT_MAX + 1);
	*len = *text ? fread(*text, 1, CONFIG_TEXT_MAX + 1, file) : 0;
	if (!*text)
		rc = error_set(err, ERROR_NO_MEMORY, "no memory to read %s", name);
	else if (ferror(file))
		rc = error_set(err, ERROR_FILE, "%s: %s", name, strerror(errno));
	if (rc)
		free(*text);
	if (file != stdin)
		fclose(file);
	return rc;
}

static const char *name_of(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

static int load(typeof(config_parse) parse, struct vm_config *cfg, const char *path,
		const struct config_options *options, struct error *err)
{
	char *text;
	size_t len;

	*cfg = (struct vm_config){ 0 };
	if (read_text(path, name_of(path), &text, &len, err))
		return -1;
	int rc = parse(cfg, text, len, name_of(path), options, err);
	free(text);
	return rc;
}

int config_load(struct vm_config *cfg, const char *path, const struct config_options *options,
		struct error *err)
{
	return load(config_parse, cfg, path, options, err);
}

int config_import_file(struct vm_config *cfg, const char *path,
		       const struct config_options *options, struct error *err)
{
	return load(config_import, cfg, path, options, err);
}

int network_load(struct network_config *net, const char *path,
		 const struct config_options *options, struct error *err)
{
	char *text;
	size_t len;

	*net = (struct network_config){ .name = NULL };
	if (read_text(path, name_of(path), &text, &len, err))
		return -1;
	int rc = network_parse(net, text, len, name_of(path), options, err);
	free(text);
	return rc;
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
