/* SPDX-License-Identifier: MIT */
/*
 * Definitions of running guests, as XML in VM_RUN_DIR: <uuid>.xml. <uuid>.new marks a guest that is being created and is
 * locked by the process that does it; one that can be locked was left by a process that died. <uuid>.rst is the
 * definition of a guest between its end and its new start.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "vm/internal.h"

static void path_of(const uint8_t uuid[16], const char *suffix, char path[DEFINITION_PATH])
{
	char text[CONFIG_UUID_TEXT];

	config_format_uuid(uuid, text);
	snprintf(path, DEFINITION_PATH, VM_RUN_DIR "/%s%s", text, suffix);
}

int vm_lock(struct error *err)
{
	int rc = file_make_dirs(VM_RUN_DIR);

	if (!rc)
		rc = file_lock(VM_RUN_DIR "/lock", true);
	if (rc >= 0)
		return rc;
	return error_set(err, rc == -EACCES || rc == -EPERM ? ERROR_PERMISSION : ERROR_FILE, VM_RUN_DIR "/lock: %s",
			 error_text(rc));
}

int vm_marker_make(const uint8_t uuid[16], struct error *err)
{
	char path[DEFINITION_PATH];
	int fd;

	path_of(uuid, ".new", path);
	fd = file_lock(path, false);
	if (fd == -EWOULDBLOCK)
		return error_set(err, ERROR_EXISTS, "a guest with this uuid is just being created");
	if (fd < 0)
		return error_set(err, ERROR_FILE, "%s: %s", path, error_text(fd));
	return fd;
}

void vm_marker_remove(const uint8_t uuid[16], int fd)
{
	char path[DEFINITION_PATH];

	path_of(uuid, ".new", path);
	unlink(path);
	close(fd);
}

int vm_definition_write(const struct vm_config *config, struct error *err)
{
	char path[DEFINITION_PATH], *text;
	size_t len;
	int rc;

	if (config_dump(config, &text, &len))
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	path_of(config->uuid, ".xml", path);
	rc = file_write(path, text, len, 0600);
	free(text);
	return rc ? error_set(err, ERROR_FILE, "%s: %s", path, error_text(rc)) : 0;
}

int vm_definition_read(const uint8_t uuid[16], bool restart, struct vm_config *config, struct error *err)
{
	char path[DEFINITION_PATH];

	path_of(uuid, restart ? ".rst" : ".xml", path);
	if (access(path, F_OK))
		return error_set(err, ERROR_NO_DOMAIN, "%s: %s", path, error_text(-errno));
	return config_load(config, path, NULL, err);
}

int vm_definition_to_restart(const uint8_t uuid[16], struct error *err)
{
	char from[DEFINITION_PATH], to[DEFINITION_PATH];

	path_of(uuid, ".xml", from);
	path_of(uuid, ".rst", to);
	return rename(from, to) ? error_set(err, ERROR_FILE, "%s: %s", from, error_text(-errno)) : 0;
}

void vm_definition_remove(const uint8_t uuid[16])
{
	char path[DEFINITION_PATH];

	path_of(uuid, ".xml", path);
	unlink(path);
}

void vm_definition_restarted(const uint8_t uuid[16])
{
	char path[DEFINITION_PATH];

	path_of(uuid, ".rst", path);
	unlink(path);
}

bool vm_definition_exists(const uint8_t uuid[16])
{
	char path[DEFINITION_PATH];

	path_of(uuid, ".xml", path);
	return access(path, F_OK) == 0;
}

/* Did the process that made this marker die? */
static bool abandoned(const char *name)
{
	char path[DEFINITION_PATH];
	int fd;

	snprintf(path, sizeof(path), VM_RUN_DIR "/%s", name);
	fd = file_lock(path, false);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int vm_definition_each(int (*visit)(void *context, const uint8_t uuid[16], enum definition_kind kind), void *context,
		       struct error *err)
{
	static const char *const suffixes[] = { [DEFINITION] = ".xml", [HALF_MADE] = ".new", [RESTART] = ".rst" };
	DIR *dir = opendir(VM_RUN_DIR);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : error_set(err, ERROR_FILE, VM_RUN_DIR ": %s", error_text(-errno));
	while (!rc && (entry = readdir(dir))) {
		char text[CONFIG_UUID_TEXT];
		uint8_t uuid[16];

		if (strlen(entry->d_name) != CONFIG_UUID_TEXT - 1 + 4)
			continue;
		memcpy(text, entry->d_name, CONFIG_UUID_TEXT - 1);
		text[CONFIG_UUID_TEXT - 1] = 0;
		if (config_parse_uuid(text, uuid))
			continue;
		for (unsigned kind = DEFINITION; kind <= RESTART && !rc; kind++) {
			if (!strcmp(entry->d_name + CONFIG_UUID_TEXT - 1, suffixes[kind]) &&
			    (kind != HALF_MADE || abandoned(entry->d_name)))
				rc = visit(context, uuid, kind);
		}
	}
	closedir(dir);
	return rc;
}
