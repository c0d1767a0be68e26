/* SPDX-License-Identifier: MIT */
/* The files of guests that are defined: see vm/defined.h. */
#include "vm/defined.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "vm/internal.h"

const char *vm_state_dir = "/var/lib/enso";

#define SUFFIX ".xml"

static void definition_path(const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/guests/%s" SUFFIX, vm_state_dir, name);
}

static void autostart_path(const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/autostart/%s", vm_state_dir, name);
}

/* ---- reading ------------------------------------------------------------------------------- */

bool vm_defined_exists(const char *name)
{
	char path[PATH_MAX];

	definition_path(name, path);
	return config_is_name(name) && access(path, F_OK) == 0;
}

static void read_autostart(struct vm_defined *one)
{
	char path[PATH_MAX];
	unsigned int order;

	autostart_path(one->name, path);
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	one->autostart = true;
	one->order = fscanf(file, "%3u", &order) == 1 ? order : VM_ORDER_DEFAULT;
	fclose(file);
}

/* Read the definition called name. What is wrong with it stands in one->problem. */
static void read_one(const char *name, struct vm_defined *one)
{
	char path[PATH_MAX];

	*one = (struct vm_defined){ 0 };
	snprintf(one->name, sizeof(one->name), "%s", name);
	read_autostart(one);
	definition_path(name, path);
	if (config_load(&one->config, path, NULL, &one->problem))
		return;
	if (!one->config.has_uuid) {
		error_set(&one->problem, ERROR_DEFINITION,
			  "%s:1: has no <uuid>; \"enso define\" a whole definition", path);
		config_free(&one->config);
		return;
	}
	if (strcmp(one->config.name, name)) {	/* a rename that was cut short */
		free(one->config.name);
		one->config.name = strdup(name);
		if (!one->config.name) {
			config_free(&one->config);
			error_set(&one->problem, ERROR_NO_MEMORY, "out of memory");
		}
	}
}

/* The guest's name, if the file is a definition. */
static bool name_of_file(const char *file, char name[CONFIG_NAME_MAX + 1])
{
	size_t len = strlen(file), end = strlen(SUFFIX);

	if (len <= end || len - end > CONFIG_NAME_MAX || strcmp(file + len - end, SUFFIX))
		return false;
	memcpy(name, file, len - end);
	name[len - end] = 0;
	return config_is_name(name);
}

static int by_name(const void *a, const void *b)
{
	const struct vm_defined *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static int by_order(const void *a, const void *b)
{
	const struct vm_defined *left = a, *right = b;

	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return by_name(a, b);
}

int vm_defined_list(struct vm_defined **out, size_t *count, struct error *err)
{
	struct vm_defined *list = NULL;
	char path[PATH_MAX], name[CONFIG_NAME_MAX + 1];
	struct dirent *entry;
	size_t have = 0;

	*out = NULL;
	*count = 0;
	snprintf(path, sizeof(path), "%s/guests", vm_state_dir);
	DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : error_file(path, -errno, err);
	while ((entry = readdir(dir))) {
		if (!name_of_file(entry->d_name, name))
			continue;
		struct vm_defined *more = realloc(list, (have + 1) * sizeof(*list));
		if (!more) {
			closedir(dir);
			vm_defined_free(list, have);
			return error_set(err, ERROR_NO_MEMORY, "out of memory");
		}
		list = more;
		read_one(name, &list[have++]);
	}
	closedir(dir);
	if (have)
		qsort(list, have, sizeof(*list), by_name);
	*out = list;
	*count = have;
	return 0;
}

int vm_defined_autostart(struct vm_defined **out, size_t *count, struct error *err)
{
	struct vm_defined *list;
	size_t all, kept = 0;

	if (vm_defined_list(&list, &all, err))
		return -1;
	for (size_t i = 0; i < all; i++) {
		if (list[i].autostart)
			list[kept++] = list[i];
		else
			config_free(&list[i].config);
	}
	if (kept)
		qsort(list, kept, sizeof(*list), by_order);
	*out = list;
	*count = kept;
	return 0;
}

void vm_defined_free(struct vm_defined *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		config_free(&list[i].config);
	free(list);
}

/* The name of the definition with this uuid, or false. */
static bool name_of_uuid(const uint8_t uuid[16], char name[CONFIG_NAME_MAX + 1])
{
	struct vm_defined *list;
	size_t count;
	bool found = false;

	if (vm_defined_list(&list, &count, NULL))
		return false;
	for (size_t i = 0; i < count && !found; i++) {
		found = list[i].config.has_uuid && !memcmp(list[i].config.uuid, uuid, 16);
		if (found)
			memcpy(name, list[i].name, sizeof(list[i].name));
	}
	vm_defined_free(list, count);
	return found;
}

int vm_defined_find(const char *who, struct vm_defined *found, struct error *err)
{
	char name[CONFIG_NAME_MAX + 1];
	uint8_t uuid[16];

	if (vm_defined_exists(who))
		snprintf(name, sizeof(name), "%s", who);
	else if (config_parse_uuid(who, uuid) || !name_of_uuid(uuid, name))
		return error_set(err, ERROR_NO_DOMAIN,
				 "%s: no such guest is defined; \"enso list --all\" shows them",
				 who);
	read_one(name, found);
	return found->problem.code
		       ? error_set(err, found->problem.code, "%s", found->problem.text)
		       : 0;
}

int vm_defined_conflict(const char *name, const uint8_t uuid[16], bool fresh, struct error *err)
{
	struct vm_defined one;
	char other[CONFIG_NAME_MAX + 1], text[CONFIG_UUID_TEXT];

	if (vm_defined_exists(name)) {
		if (vm_defined_find(name, &one, err))
			return -1;
		config_format_uuid(one.config.uuid, text);
		bool same = !memcmp(one.config.uuid, uuid, 16);
		config_free(&one.config);
		return same ? 0
			    : error_set(err, ERROR_EXISTS,
					"a guest of this name is defined with uuid %s; \"enso "
					"start\" or \"enso undefine\" it, or choose another name",
					text);
	}
	if (!fresh && name_of_uuid(uuid, other))
		return error_set(err, ERROR_EXISTS,
				 "guest %s is defined with this uuid; remove <uuid> to get a new "
				 "one, or \"enso rename\" the guest",
				 other);
	return 0;
}

/* ---- writing: under the lock ---------------------------------------------------------------- */

/* Is it what file_write() leaves when it is killed: a name, .xml, and what mkstemp() made of it? */
static bool is_leftover(const char *file)
{
	char name[PATH_MAX];
	size_t len = strlen(file);

	if (len <= 7 || len >= sizeof(name) || file[len - 7] != '.')
		return false;
	memcpy(name, file, len - 7);
	name[len - 7] = 0;
	char guest[CONFIG_NAME_MAX + 1];
	return name_of_file(name, guest) && !name_of_file(file, guest);
}

void vm_defined_sweep(void)
{
	char path[PATH_MAX];
	struct dirent *entry;

	snprintf(path, sizeof(path), "%s/guests", vm_state_dir);
	DIR *dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (is_leftover(entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
	snprintf(path, sizeof(path), "%s/autostart", vm_state_dir);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && !vm_defined_exists(entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

/* Write a file of a folder in vm_state_dir that may not be there yet. */
static int write_file(const char *path, const char *text, size_t len, struct error *err)
{
	char folder[PATH_MAX];
	int rc;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	rc = file_make_dirs(folder);
	if (!rc)
		rc = file_write(path, text, len, 0600);
	if (!rc)
		rc = file_sync_folder(folder);
	return rc ? error_file(path, rc, err) : 0;
}

int vm_defined_write(const struct vm_config *config, struct error *err)
{
	char path[PATH_MAX], *text;
	size_t len;

	if (config_dump(config, &text, &len))
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	vm_defined_sweep();	/* so that no autostart of a former guest of this name is there */
	definition_path(config->name, path);
	int rc = write_file(path, text, len, err);
	free(text);
	if (!rc)
		vm_definition_outdate(config->uuid);
	return rc;
}

int vm_defined_remove(const char *name, struct error *err)
{
	char path[PATH_MAX];

	definition_path(name, path);
	if (unlink(path))
		return error_file(path, -errno, err);
	vm_autostart_write(name, false, 0, NULL);
	return 0;
}

int vm_defined_move(const char *from, const char *to, struct error *err)
{
	char old[PATH_MAX], new[PATH_MAX];
	struct vm_defined one;

	if (vm_defined_find(from, &one, err))
		return -1;
	definition_path(from, old);
	definition_path(to, new);
	/* Autostart first: without a definition it means nothing. */
	int rc = vm_autostart_write(to, one.autostart, one.order, err);
	if (!rc && rename(old, new))
		rc = error_file(old, -errno, err);
	config_free(&one.config);
	if (rc)
		return rc;
	vm_autostart_write(from, false, 0, NULL);
	/* From here on it has its new name: what follows writes it into the file, too. */
	if (vm_defined_find(to, &one, err))
		return -1;
	rc = vm_defined_write(&one.config, err);
	config_free(&one.config);
	return rc;
}

int vm_autostart_write(const char *name, bool on, unsigned int order, struct error *err)
{
	char path[PATH_MAX], text[16];

	autostart_path(name, path);
	if (!on)
		return unlink(path) && errno != ENOENT ? error_file(path, -errno, err) : 0;
	snprintf(text, sizeof(text), "%u\n", order);
	return write_file(path, text, strlen(text), err);
}
