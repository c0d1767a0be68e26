/* SPDX-License-Identifier: MIT */
/* The end of guests: by command, by what their definition says, and of what others left behind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/sched.h"
#include "vm/defined.h"
#include "vm/internal.h"

int vm_remove_domain(struct vm *vm, uint32_t domid, struct error *err)
{
	int rc = hyp_domain_destroy(vm->hyp, domid);

	if (rc && rc != -ESRCH)
		return error_set(err,
				 rc == -EPERM || rc == -EACCES ? ERROR_PERMISSION : ERROR_HYPERCALL,
				 "the hypervisor refuses to destroy domain %u: %s", domid,
				 error_text(rc));
	/*
	 * The daemon lets go of the store's page by itself too, when it learns of the domain's end.
	 */
	store_release(vm->store, domid);
	vm_devices_remove(vm, domid);
	vm_nodes_remove(vm, domid);
	return 0;
}

/* Does the domain that info tells about still exist, under the lock? */
static bool is_same(struct vm *vm, const struct vm_info *info)
{
	struct xen_domctl_getdomaininfo domain;

	return !hyp_domain_info(vm->hyp, info->domid, &domain) &&
	       !memcmp(domain.handle, info->uuid, sizeof(info->uuid));
}

int vm_destroy(struct vm *vm, const struct vm_info *info, struct error *err)
{
	int lock, rc = 0;

	if (info->domid == 0)
		return error_set(err, ERROR_STATE,
				 "Domain-0: is this system itself; it cannot be destroyed");
	lock = vm_lock(err);
	if (lock < 0)
		return -1;
	/* Without its definition the supervisor takes no interest in its end. */
	vm_definition_remove(info->uuid);
	if (is_same(vm, info))
		rc = vm_remove_domain(vm, info->domid, err);
	if (!rc)
		vm_event("destroyed", info->name, info->uuid, info->domid, NULL);
	close(lock);
	return rc;
}

static enum vm_action action_for(const struct vm_config *config, unsigned reason)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		return config->on_poweroff;
	case SHUTDOWN_reboot:
		return config->on_reboot;
	case SHUTDOWN_suspend:
		return VM_ACTION_PRESERVE;
	default:
		return config->on_crash;
	}
}

/* A guest that was defined anew while it ran starts with that definition. */
static void take_definition(const struct vm_config *config)
{
	struct vm_defined one;

	if (!vm_definition_is_outdated(config->uuid) || vm_defined_find(config->name, &one, NULL))
		return;
	if (!memcmp(one.config.uuid, config->uuid, sizeof(config->uuid)))
		vm_definition_write(&one.config, NULL);
	config_free(&one.config);
}

/* Create the guest again whose <uuid>.rst says that it is to start anew. */
static int start_anew(struct vm *vm, const uint8_t uuid[16], uint32_t *domid, struct error *err)
{
	const struct vm_create_options options = { 0 };
	struct vm_config config;
	int rc;

	if (vm_definition_read(uuid, true, &config, err))
		return -1;
	rc = vm_create(vm, &config, &options, domid, err);
	vm_event(rc ? "failed" : "restarted", config.name, config.uuid, rc ? 0 : *domid,
		 rc && err ? err->text : NULL);
	config_free(&config);
	/* A guest that cannot be started now is told of, not tried again for ever. */
	vm_definition_restarted(uuid);
	return rc;
}

/* Once for each end: the store remembers it as long as the domain stays. */
static void note_end(struct vm *vm, const struct vm_info *info)
{
	const char *reason = vm_reason_name(info->shutdown_reason);

	if (vm_nodes_note_end(vm, info->domid, reason))
		vm_event(info->state == VM_CRASHED ? "crashed" : "shutdown", info->name, info->uuid,
			 info->domid, reason);
}

/* What is to be done when the dump that the action asks for was written, or failed. */
static enum vm_action dump_first(struct vm *vm, const struct vm_info *info, enum vm_action action)
{
	struct error why;	/* told as an event: the guest goes on as it should */

	if (action != VM_ACTION_COREDUMP_DESTROY && action != VM_ACTION_COREDUMP_RESTART)
		return action;
	vm_dump_crash(vm, info, &why);
	return action == VM_ACTION_COREDUMP_RESTART ? VM_ACTION_RESTART : VM_ACTION_DESTROY;
}

int vm_finish(struct vm *vm, const struct vm_info *info, bool may_restart, uint32_t *domid,
	      struct error *err)
{
	struct vm_config config;
	enum vm_action action;
	struct error why;

	if (vm_definition_read(info->uuid, false, &config, &why)) {
		if (why.code == ERROR_NO_DOMAIN)
			return VM_ACTION_PRESERVE;
		return error_set(err, why.code, "%s", why.text);
	}
	if (info->shutdown_reason == SHUTDOWN_suspend && vm_save_recover(vm, info, err)) {
		config_free(&config);
		return -1;
	}
	action = action_for(&config, info->shutdown_reason);
	if (info->shutdown_reason != SHUTDOWN_suspend)
		note_end(vm, info);
	action = dump_first(vm, info, action);
	if (action == VM_ACTION_RESTART && !may_restart)
		action = VM_ACTION_DESTROY;
	if (action == VM_ACTION_RESTART)
		take_definition(&config);
	config_free(&config);
	if (action == VM_ACTION_PRESERVE)
		return action;
	if (action == VM_ACTION_RESTART && vm_definition_to_restart(info->uuid, err))
		return -1;
	if (vm_destroy(vm, info, err))
		return -1;
	return action == VM_ACTION_RESTART && start_anew(vm, info->uuid, domid, err) ? -1
										     : (int)action;
}

/* --- What is left behind ------------------------------------------------------------------- */

struct sweep {
	struct vm *vm;
	const struct vm_info *infos;
	size_t count;
	struct error *err;
};

static const struct vm_info *by_uuid(const struct sweep *sweep, const uint8_t uuid[16])
{
	for (size_t i = 0; i < sweep->count; i++) {
		if (!memcmp(sweep->infos[i].uuid, uuid, 16))
			return &sweep->infos[i];
	}
	return NULL;
}

/* A definition or marker without a domain goes; a half-made guest goes with its domain. */
static int sweep_definition(void *context, const uint8_t uuid[16], enum definition_kind kind)
{
	const struct sweep *sweep = context;
	const struct vm_info *info = by_uuid(sweep, uuid);
	int marker;

	if (kind == DEFINITION && (!info || info->state == VM_DYING))
		vm_definition_remove(uuid);
	if (kind == SAVED && info)
		vm_save_recover(sweep->vm, info, NULL);
	else if ((kind == SAVED || kind == DUMPED) && !info)
		vm_mark_forget(uuid, kind);
	if (kind != HALF_MADE)
		return 0;
	marker = vm_marker_make(uuid, sweep->err);
	if (marker < 0)
		return 0;	/* someone creates it again just now */
	/*
	 * The definition is written last: with it the guest is whole, and only the marker is too
	 * much.
	 */
	if (info && info->domid && !vm_definition_exists(uuid))
		vm_remove_domain(sweep->vm, info->domid, NULL);
	vm_marker_remove(uuid, marker);
	return 0;
}

/*
 * Nodes of a domain that is gone: the ids were listed before the domains, so a domain made
 * meanwhile keeps its nodes.
 */
static bool is_listed(const void *context, uint32_t domid)
{
	const struct sweep *sweep = context;
	bool found = domid == 0;

	for (size_t i = 0; i < sweep->count && !found; i++)
		found = sweep->infos[i].domid == domid;
	return found;
}

static void sweep_nodes(const struct sweep *sweep, char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *end;
		unsigned long domid = strtoul(names[i], &end, 10);

		if (*end || is_listed(sweep, (uint32_t)domid))
			continue;
		vm_devices_remove(sweep->vm, (uint32_t)domid);
		vm_nodes_remove(sweep->vm, (uint32_t)domid);
	}
}

int vm_sweep(struct vm *vm, struct error *err)
{
	struct sweep sweep = { .vm = vm, .err = err };
	char **names = NULL;
	size_t nr_names = 0;
	int lock, rc;

	if (vm_need_hyp(vm, err) || vm_need_store(vm, err))
		return -1;
	lock = vm_lock(err);
	if (lock < 0)
		return -1;
	rc = store_ls(vm->store, STORE_NO_TX, "/local/domain", &names, &nr_names);
	if (rc && rc != -ENOENT) {
		rc = vm_store_failed(rc, "to list its domains", err);
	} else {
		struct vm_info *infos = NULL;

		rc = vm_list_names(vm, &infos, &sweep.count, err);
		sweep.infos = infos;
		if (!rc) {
			sweep_nodes(&sweep, names, nr_names);
			for (size_t i = 0; i < sweep.count; i++)
				vm_dump_recover(vm, &infos[i]);
			vm_devices_sweep(vm, is_listed, &sweep);
			rc = vm_definition_each(sweep_definition, &sweep, err);
			vm_defined_sweep();
		}
		free(infos);
	}
	free(names);
	close(lock);
	return rc;
}

struct pending {
	uint8_t uuid[16];
	bool found;
};

static int find_pending(void *context, const uint8_t uuid[16], enum definition_kind kind)
{
	struct pending *pending = context;

	if (kind != RESTART)
		return 0;
	memcpy(pending->uuid, uuid, sizeof(pending->uuid));
	pending->found = true;
	return 1;
}

int vm_resume_restart(struct vm *vm, uint32_t *domid, struct error *err)
{
	struct pending pending = { .found = false };
	char text[CONFIG_UUID_TEXT];
	struct vm_info info;

	if (vm_definition_each(find_pending, &pending, err) < 0)
		return -1;
	if (!pending.found)
		return 0;
	if (vm_definition_exists(pending.uuid)) {	/* it was about to be forgotten */
		vm_definition_restarted(pending.uuid);
		return 0;
	}
	config_format_uuid(pending.uuid, text);
	if (!vm_find(vm, text, &info, NULL) && vm_destroy(vm, &info, err))
		return -1;
	return start_anew(vm, pending.uuid, domid, err) ? -1 : 1;
}
