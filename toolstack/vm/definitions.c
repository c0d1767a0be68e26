/* SPDX-License-Identifier: MIT */
/*
 * Definitions of running guests, as XML in vm_run_dir: <uuid>.xml. <uuid>.new marks a guest that is
 * being created and is locked by the process that does it; one that can be locked was left by a
 * process that died. <uuid>.rst is the definition of a guest between its end and its new start;
 * <uuid>.old marks one that was defined anew since it was started. <uuid>.sav and <uuid>.dmp are
 * locked by who saves or dumps it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "vm/internal.h"

const char *vm_run_dir = "/run/enso/guests";

static void path_of(const uint8_t uuid[16], const char *suffix, char path[PATH_MAX])
{
	char text[CONFIG_UUID_TEXT];

	config_format_uuid(uuid, text);
	snprintf(path, PATH_MAX, "%s/%s%s", vm_run_dir, text, suffix);
}

int vm_lock(struct error *err)
{
	int rc = file_make_dirs(vm_run_dir);
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", vm_run_dir);
	if (!rc)
		rc = file_lock(path, true);
	if (rc >= 0)
		return rc;
	return error_file(path, rc, err);
}

/* Lock <uuid>SUFFIX: a descriptor, -EWOULDBLOCK and nothing said if another has it, or -1. */
static int take(const uint8_t uuid[16], const char *suffix, struct error *err)
{
	char path[PATH_MAX];
	int fd;

	path_of(uuid, suffix, path);
	fd = file_lock(path, false);
	if (fd >= 0 || fd == -EWOULDBLOCK)
		return fd;
	return error_set(err, ERROR_FILE, "%s: %s", path, error_text(fd));
}

static void drop(const uint8_t uuid[16], const char *suffix, int fd)
{
	char path[PATH_MAX];

	path_of(uuid, suffix, path);
	unlink(path);
	close(fd);
}

int vm_marker_make(const uint8_t uuid[16], struct error *err)
{
	int fd = take(uuid, ".new", err);

	if (fd == -EWOULDBLOCK)
		return error_set(err, ERROR_EXISTS, "a guest with this uuid is just being created");
	return fd;
}

void vm_marker_remove(const uint8_t uuid[16], int fd)
{
	drop(uuid, ".new", fd);
}

int vm_mark(const struct vm_info *info, const char *suffix, const char *what, struct error *err)
{
	int fd = take(info->uuid, suffix, err);

	if (fd == -EWOULDBLOCK)
		return error_set(err, ERROR_STATE, "%s: is just being %s", info->name, what);
	return fd;
}

bool vm_is_marked(const struct vm_info *info, const char *suffix)
{
	char path[PATH_MAX];

	path_of(info->uuid, suffix, path);
	return access(path, F_OK) == 0;
}

bool vm_mark_is_held(const struct vm_info *info, const char *suffix)
{
	char path[PATH_MAX];

	path_of(info->uuid, suffix, path);
	return file_is_locked(path);
}

void vm_unmark(const struct vm_info *info, const char *suffix, int fd)
{
	drop(info->uuid, suffix, fd);
}

int vm_definition_write(const struct vm_config *config, struct error *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	int rc;

	if (config_dump(config, &text, &len))
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	path_of(config->uuid, ".xml", path);
	rc = file_write(path, text, len, 0600);
	free(text);
	return rc ? error_set(err, ERROR_FILE, "%s: %s", path, error_text(rc)) : 0;
}

int vm_definition_read(const uint8_t uuid[16], bool restart, struct vm_config *config,
		       struct error *err)
{
	char path[PATH_MAX];

	path_of(uuid, restart ? ".rst" : ".xml", path);
	if (access(path, F_OK))
		return error_set(err, ERROR_NO_DOMAIN, "%s: %s", path, error_text(-errno));
	return config_load(config, path, NULL, err);
}

void vm_definition_change(const struct vm_info *info,
			  void (*change)(struct vm_config *config, const void *context),
			  const void *context)
{
	struct vm_config config;
	int lock = vm_lock(NULL);

	if (lock < 0)
		return;
	if (!vm_definition_read(info->uuid, false, &config, NULL)) {
		change(&config, context);
		vm_definition_write(&config, NULL);
		config_free(&config);
	}
	close(lock);
}

bool vm_definition_has_cpus(const struct vm_info *info)
{
	struct vm_config config;
	bool has;

	if (vm_definition_read(info->uuid, false, &config, NULL))
		return false;
	has = config.cpus;
	config_free(&config);
	return has;
}

int vm_definition_to_restart(const uint8_t uuid[16], struct error *err)
{
	char from[PATH_MAX], to[PATH_MAX];

	path_of(uuid, ".xml", from);
	path_of(uuid, ".rst", to);
	return rename(from, to) ? error_set(err, ERROR_FILE, "%s: %s", from, error_text(-errno))
				: 0;
}

void vm_definition_remove(const uint8_t uuid[16])
{
	char path[PATH_MAX];

	path_of(uuid, ".old", path);
	unlink(path);
	path_of(uuid, ".xml", path);
	unlink(path);
}

void vm_definition_restarted(const uint8_t uuid[16])
{
	char path[PATH_MAX];

	path_of(uuid, ".rst", path);
	unlink(path);
}

void vm_definition_outdate(const uint8_t uuid[16])
{
	char path[PATH_MAX];

	path_of(uuid, ".old", path);
	int fd = vm_definition_exists(uuid) ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd >= 0)
		close(fd);
}

bool vm_definition_is_outdated(const uint8_t uuid[16])
{
	char path[PATH_MAX];

	path_of(uuid, ".old", path);
	return access(path, F_OK) == 0;
}

bool vm_definition_exists(const uint8_t uuid[16])
{
	char path[PATH_MAX];

	path_of(uuid, ".xml", path);
	return access(path, F_OK) == 0;
}

/* Does the process live that made this marker? */
static bool is_held(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", vm_run_dir, name);
	return file_is_locked(path);
}

void vm_mark_forget(const uint8_t uuid[16], enum definition_kind kind)
{
	const char *suffix = kind == SAVED ? SAVE_MARKER : DUMP_MARKER;
	int fd = take(uuid, suffix, NULL);

	if (fd >= 0)
		drop(uuid, suffix, fd);
}

int vm_definition_each(int (*visit)(void *context, const uint8_t uuid[16],
				    enum definition_kind kind),
		       void *context, struct error *err)
{
	static const char *const suffixes[] = {
		[DEFINITION] = ".xml", [RESTART] = ".rst", [HALF_MADE] = ".new",
		[SAVED] = SAVE_MARKER, [DUMPED] = DUMP_MARKER,
	};
	DIR *dir = opendir(vm_run_dir);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0
				       : error_set(err, ERROR_FILE, "%s: %s", vm_run_dir,
						   error_text(-errno));
	while (!rc && (entry = readdir(dir))) {
		char text[CONFIG_UUID_TEXT];
		uint8_t uuid[16];

		if (strlen(entry->d_name) != CONFIG_UUID_TEXT - 1 + 4)
			continue;
		memcpy(text, entry->d_name, CONFIG_UUID_TEXT - 1);
		text[CONFIG_UUID_TEXT - 1] = 0;
		if (config_parse_uuid(text, uuid))
			continue;
		for (unsigned kind = DEFINITION; kind <= DUMPED && !rc; kind++) {
			if (!strcmp(entry->d_name + CONFIG_UUID_TEXT - 1, suffixes[kind]) &&
			    (kind < HALF_MADE || !is_held(entry->d_name)))
				rc = visit(context, uuid, kind);
		}
	}
	closedir(dir);
	return rc;
}
