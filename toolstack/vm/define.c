/* SPDX-License-Identifier: MIT */
/* Guests are defined, started, renamed and forgotten: see vm/defined.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/defined.h"
#include "vm/internal.h"

/* The running guest of this name, and whether there is one; -1 with err set. */
static int find_running(struct vm *vm, const char *name, struct vm_info *info, struct error *err)
{
	struct error why = { 0 };
	struct vm_info *infos;
	size_t count;
	int found = 0;

	/* Definitions can be changed on a machine where no guest can run. */
	if (vm_list(vm, &infos, &count, &why))
		return why.code == ERROR_NO_HOST ? 0 : error_set(err, why.code, "%s", why.text);
	for (size_t i = 0; i < count && !found; i++) {
		found = infos[i].state != VM_DYING && !strcmp(infos[i].name, name);
		if (found)
			*info = infos[i];
	}
	free(infos);
	return found;
}

/* The uuid of a definition that has none: the one that its name has already, or a new one. */
static int choose_uuid(struct vm_config *config, const struct vm_info *running, struct error *err)
{
	struct vm_defined old;

	if (config->has_uuid)
		return 0;
	if (vm_defined_exists(config->name)) {
		if (vm_defined_find(config->name, &old, err))
			return -1;
		memcpy(config->uuid, old.config.uuid, 16);
		config_free(&old.config);
	} else if (running) {
		memcpy(config->uuid, running->uuid, 16);
	} else {
		int rc = config_make_uuid(config->uuid);

		if (rc)
			return error_set(err, ERROR_FAILED, "no random number for a uuid: %s",
					 error_text(rc));
	}
	config->has_uuid = true;
	return 0;
}

/* Nobody who runs has this name or this uuid, but not both. */
static int check_running(struct vm *vm, const struct vm_config *config, struct error *err)
{
	struct error why = { 0 };
	struct vm_info *infos;
	size_t count;
	int rc = 0;

	if (vm_list(vm, &infos, &count, &why))
		return why.code == ERROR_NO_HOST ? 0 : error_set(err, why.code, "%s", why.text);
	for (size_t i = 0; i < count && !rc; i++) {
		bool name = !strcmp(infos[i].name, config->name);
		bool uuid = !memcmp(infos[i].uuid, config->uuid, 16);

		if (infos[i].state == VM_DYING || name == uuid)
			continue;
		rc = name ? error_set(err, ERROR_EXISTS,
				      "a running guest (id %u) has this name and another uuid; "
				      "remove <uuid> to define that guest",
				      infos[i].domid)
			  : error_set(err, ERROR_EXISTS,
				      "the running guest %s (id %u) has this uuid; remove <uuid> "
				      "to get a new one",
				      infos[i].name, infos[i].domid);
	}
	free(infos);
	return rc;
}

static int define_locked(struct vm *vm, struct vm_config *config, bool *replaced,
			 struct error *err)
{
	bool there = vm_defined_exists(config->name), fresh = !config->has_uuid;
	struct vm_info running;
	int found;

	if (!strcmp(config->name, "Domain-0"))
		return error_set(err, ERROR_EXISTS, "this is the name of this system itself; "
						    "choose another name");
	found = find_running(vm, config->name, &running, err);
	if (found < 0 || choose_uuid(config, found ? &running : NULL, err))
		return -1;
	config_make_macs(config);
	if (check_running(vm, config, err) ||
	    vm_defined_conflict(config->name, config->uuid, fresh, err) ||
	    vm_defined_write(config, err))
		return -1;
	if (replaced)
		*replaced = there;
	return 0;
}

int vm_define(struct vm *vm, struct vm_config *config, bool *replaced, struct error *err)
{
	struct error why = { 0 };
	int lock = vm_lock(err), rc;

	if (lock < 0)
		return -1;
	rc = define_locked(vm, config, replaced, &why);
	if (!rc)
		vm_event("defined", config->name, config->uuid, 0, NULL);
	close(lock);
	return rc ? error_set(err, why.code, "%s: %s", config->name, why.text) : 0;
}

/* The name of the definition that who names, even if the definition is damaged. */
static int name_of(const char *who, char name[CONFIG_NAME_MAX + 1], struct error *err)
{
	struct vm_defined one;

	if (!vm_defined_exists(who)) {
		if (vm_defined_find(who, &one, err))
			return -1;
		config_free(&one.config);
		who = one.name;
	}
	memmove(name, who, strlen(who) + 1);
	return 0;
}

int vm_undefine(struct vm *vm, const char *who, struct error *err)
{
	char name[CONFIG_NAME_MAX + 1];
	struct vm_defined one;
	uint8_t uuid[16] = { 0 };	/* of a damaged file */
	int lock = vm_lock(err), rc;

	(void)vm;
	if (lock < 0)
		return -1;
	rc = name_of(who, name, err);
	if (!rc && !vm_defined_find(name, &one, NULL)) {
		memcpy(uuid, one.config.uuid, sizeof(uuid));
		config_free(&one.config);
	}
	if (!rc)
		rc = vm_managedsave_none(name, err);
	if (!rc)
		rc = vm_defined_remove(name, err);
	if (!rc)
		vm_event("undefined", name, uuid, 0, NULL);
	close(lock);
	return rc;
}

int vm_set_autostart(struct vm *vm, const char *who, bool on, unsigned int order,
		     struct error *err)
{
	char name[CONFIG_NAME_MAX + 1];
	int lock = vm_lock(err), rc;

	(void)vm;
	if (lock < 0)
		return -1;
	rc = name_of(who, name, err);
	if (!rc)
		rc = vm_autostart_write(name, on, order, err);
	close(lock);
	return rc;
}

int vm_start(struct vm *vm, const char *who, const struct vm_create_options *options,
	     uint32_t *domid, struct error *err)
{
	struct vm_defined one;
	struct vm_info info;
	int rc;

	if (vm_defined_find(who, &one, err)) {
		if (vm_managedsave_exists(who))
			return vm_managedsave_restore(vm, who, options, domid, err);
		/* It runs, though nobody defined it: that is what is wrong then. */
		if (vm_find(vm, who, &info, NULL))
			return -1;
		return error_set(err, ERROR_STATE, "%s: runs already, and is not defined",
				 info.name);
	}
	rc = find_running(vm, one.name, &info, err);
	if (rc > 0)
		rc = error_set(err, ERROR_STATE, "%s: is there already (%s, id %u)", one.name,
			       vm_state_name(info.state), info.domid);
	if (!rc)
		rc = vm_managedsave_exists(one.name)
			     ? vm_managedsave_restore(vm, one.name, options, domid, err)
			     : vm_create(vm, &one.config, options, domid, err);
	config_free(&one.config);
	return rc;
}

int vm_live_config(const struct vm_info *info, struct vm_config *config, struct error *err)
{
	struct error why;

	if (!vm_definition_read(info->uuid, false, config, &why))
		return 0;
	if (why.code == ERROR_NO_DOMAIN)
		return error_set(err, ERROR_NO_DOMAIN, "%s: was not made by enso: its definition "
						       "is not known here", info->name);
	return error_set(err, why.code, "%s", why.text);
}

/* ---- another name -------------------------------------------------------------------------- */

/* Domain, nodes and file of a running guest. */
static int rename_running(struct vm *vm, const struct vm_info *info, const char *name,
			  struct error *err)
{
	struct vm_config config;

	if (vm_live_config(info, &config, err))
		return -1;
	free(config.name);
	config.name = strdup(name);
	int rc = config.name ? vm_nodes_rename(vm, info->domid, name, err)
			     : error_set(err, ERROR_NO_MEMORY, "out of memory");
	if (!rc)
		rc = vm_definition_write(&config, err);
	config_free(&config);
	return rc;
}

/* uuid NULL: its definition has it. */
static void tell_rename(const uint8_t *uuid, const char *old, const char *name)
{
	struct vm_defined one = { .config = { 0 } };

	if (uuid || !vm_defined_find(name, &one, NULL))
		vm_event("renamed", name, uuid ? uuid : one.config.uuid, 0, old);
	config_free(&one.config);
}

static int rename_locked(struct vm *vm, const char *who, const char *name, struct error *err)
{
	char old[CONFIG_NAME_MAX + 1] = "";
	struct vm_info info, other;
	struct error why = { 0 };
	bool running = !vm_find(vm, who, &info, &why);

	if (!running && why.code != ERROR_NO_DOMAIN && why.code != ERROR_STATE &&
	    why.code != ERROR_NO_HOST)
		return error_set(err, why.code, "%s", why.text);
	if (running && !info.domid)
		return error_set(err, ERROR_STATE, "Domain-0: keeps its name");
	if (running)
		memcpy(old, info.name, sizeof(old));
	else if (name_of(who, old, err))
		return -1;
	if (!strcmp(old, name))
		return 0;
	int taken = find_running(vm, name, &other, err);
	if (taken < 0)
		return -1;
	if (taken || vm_defined_exists(name))
		return error_set(err, ERROR_EXISTS, "%s: another guest has this name", name);
	if (vm_managedsave_none(old, err) || vm_managedsave_none(name, err))
		return -1;
	if (running && rename_running(vm, &info, name, err))
		return -1;
	if (vm_defined_exists(old) && vm_defined_move(old, name, err))
		return -1;
	tell_rename(running ? info.uuid : NULL, old, name);
	return 0;
}

int vm_rename(struct vm *vm, const char *who, const char *name, struct error *err)
{
	int lock, rc;

	if (!config_is_name(name))
		return error_set(err, ERROR_USAGE,
				 "name '%s' is not possible; a name has 1 to %d letters, digits or "
				 "._+:@- and begins with a letter or digit",
				 name, CONFIG_NAME_MAX);
	lock = vm_lock(err);
	if (lock < 0)
		return -1;
	rc = rename_locked(vm, who, name, err);
	close(lock);
	return rc;
}
