/* SPDX-License-Identifier: MIT */
/* Sets of definitions: see config/set.h. */
#include "config/set.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What is being read: errors are passed on one later, so that the last one is known as such. */
struct loader {
	struct config_set *set;
	const struct config_options *options;
	void (*complain)(void *context, const struct error *err);
	void *context;
	struct error last;
	bool failed;
};

static void fail(struct loader *loader, const struct error *err)
{
	if (loader->failed)
		loader->complain(loader->context, &loader->last);
	loader->last = *err;
	loader->failed = true;
}

static void fail_file(struct loader *loader, const char *path, int rc)
{
	struct error err;

	error_set(&err, rc == -ENOMEM ? ERROR_NO_MEMORY : ERROR_FILE, "%s: %s", path,
		  error_text(rc));
	fail(loader, &err);
}

/* No other file has the guest's name or uuid. */
static bool is_unique(struct loader *loader, const struct config_file *file)
{
	const struct vm_config *new = &file->config;
	struct error err;

	for (size_t i = 0; i < loader->set->count; i++) {
		const struct config_file *other = &loader->set->files[i];
		const struct vm_config *old = &other->config;

		if (!strcmp(new->name, old->name))
			error_set(&err, ERROR_DEFINITION,
				  "%s:%u: guest %s is in %s:%u, too; a set has each name once",
				  file->path, new->name_line, new->name, other->path,
				  old->name_line);
		else if (new->has_uuid && old->has_uuid && !memcmp(new->uuid, old->uuid, 16))
			error_set(&err, ERROR_DEFINITION,
				  "%s:%u: guest %s has the uuid of guest %s in %s:%u; remove one "
				  "<uuid>",
				  file->path, new->uuid_line, new->name, old->name, other->path,
				  old->uuid_line);
		else
			continue;
		fail(loader, &err);
		return false;
	}
	return true;
}

static void load_file(struct loader *loader, const char *path)
{
	struct config_set *set = loader->set;
	struct config_file file = { .path = strdup(path) };
	struct config_file *more =
		reallocarray(set->files, set->count + 1, sizeof(set->files[0]));
	struct error err;

	if (more)
		set->files = more;
	if (!more || !file.path) {
		fail_file(loader, path, -ENOMEM);
	} else if (config_load(&file.config, path, loader->options, &err)) {
		fail(loader, &err);
	} else if (is_unique(loader, &file)) {
		set->files[set->count++] = file;
		return;
	}
	config_free(&file.config);
	free(file.path);
}

static int is_definition(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 && !strcmp(entry->d_name + len - 4, ".xml");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_folder(struct loader *loader, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_definition, by_name);
	char path[PATH_MAX];

	if (count < 0) {
		fail_file(loader, folder, -errno);
		return;
	}
	for (int i = 0; i < count; i++) {
		size_t len = strlen(folder);
		const char *slash = len && folder[len - 1] == '/' ? "" : "/";

		snprintf(path, sizeof(path), "%s%s%s", folder, slash, entries[i]->d_name);
		load_file(loader, path);
		free(entries[i]);
	}
	free(entries);
}

int config_set_load(struct config_set *set, char *const *paths, size_t nr_paths,
		    const struct config_options *options,
		    void (*complain)(void *context, const struct error *err), void *context,
		    struct error *err)
{
	struct loader loader = { .set = set, .options = options, .complain = complain,
				 .context = context };

	*set = (struct config_set){ 0 };
	for (size_t i = 0; i < nr_paths; i++) {
		struct stat status;

		if (!stat(paths[i], &status) && S_ISDIR(status.st_mode))
			load_folder(&loader, paths[i]);
		else
			load_file(&loader, paths[i]);
	}
	if (!loader.failed && !set->count) {
		error_set(&loader.last, ERROR_FILE, "%s: no file NAME.xml is there",
			  nr_paths ? paths[0] : "");
		loader.failed = true;
	}
	if (!loader.failed)
		return 0;
	config_set_free(set);
	return error_set(err, loader.last.code, "%s", loader.last.text);
}

void config_set_free(struct config_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->files[i].path);
		config_free(&set->files[i].config);
	}
	free(set->files);
	*set = (struct config_set){ 0 };
}
