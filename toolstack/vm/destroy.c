/* SPDX-License-Identifier: MIT */
/* The end of guests: by command, by what their definition says, and of what others left behind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/sched.h"
#include "vm/internal.h"

int vm_remove_domain(struct vm *vm, uint32_t domid, struct error *err)
{
	int rc = hyp_domain_destroy(vm->hyp, domid);

	if (rc && rc != -ESRCH)
		return error_set(err, rc == -EPERM || rc == -EACCES ? ERROR_PERMISSION : ERROR_HYPERCALL,
				 "the hypervisor refuses to destroy domain %u: %s", domid, error_text(rc));
	/* The daemon lets go of the store's page by itself too, when it learns of the domain's end. */
	store_release(vm->store, domid);
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
		return error_set(err, ERROR_STATE, "Domain-0 is this system itself; it cannot be destroyed");
	lock = vm_lock(err);
	if (lock < 0)
		return -1;
	/* Without its definition the supervisor takes no interest in its end. */
	vm_definition_remove(info->uuid);
	if (is_same(vm, info))
		rc = vm_remove_domain(vm, info->domid, err);
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
	case SHUTDOWN_suspend:	/* whoever asked for it saves the guest now */
		return VM_ACTION_PRESERVE;
	default:
		return config->on_crash;
	}
}

int vm_finish(struct vm *vm, const struct vm_info *info, uint32_t *domid, struct error *err)
{
	const struct vm_create_options options = { 0 };
	struct vm_config config;
	enum vm_action action;
	struct error why;
	int rc = 0;

	if (vm_definition_read(info->uuid, &config, &why)) {
		if (why.code == ERROR_NO_DOMAIN)
			return VM_ACTION_PRESERVE;
		return error_set(err, why.code, "%s", why.text);
	}
	action = action_for(&config, info->shutdown_reason);
	if (action != VM_ACTION_PRESERVE)
		rc = vm_destroy(vm, info, err);
	if (!rc && action == VM_ACTION_RESTART)
		rc = vm_create(vm, &config, &options, domid, err);
	config_free(&config);
	return rc ? -1 : (int)action;
}

/* --- What is left behind ------------------------------------------------------------------------------------ */

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

/* A definition without a domain goes; a half-made guest goes with its domain. */
static int sweep_definition(void *context, const uint8_t uuid[16], bool half_made)
{
	const struct sweep *sweep = context;
	const struct vm_info *info = by_uuid(sweep, uuid);
	int marker;

	if (!half_made) {
		if (!info || info->state == VM_DYING)
			vm_definition_remove(uuid);
		return 0;
	}
	marker = vm_marker_make(uuid, sweep->err);
	if (marker < 0)
		return 0;	/* someone creates it again just now */
	/* The definition is written last: with it the guest is whole, and only the marker is too much. */
	if (info && info->domid && !vm_definition_exists(uuid))
		vm_remove_domain(sweep->vm, info->domid, NULL);
	vm_marker_remove(uuid, marker);
	return 0;
}

/* Nodes of a domain that is gone: the ids were listed before the domains, so a domain made meanwhile keeps its nodes. */
static void sweep_nodes(const struct sweep *sweep, char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *end;
		unsigned long domid = strtoul(names[i], &end, 10);
		bool found = domid == 0 || *end;

		for (size_t j = 0; j < sweep->count && !found; j++)
			found = sweep->infos[j].domid == domid;
		if (!found)
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

		rc = vm_list(vm, &infos, &sweep.count, err);
		sweep.infos = infos;
		if (!rc) {
			sweep_nodes(&sweep, names, nr_names);
			rc = vm_definition_each(sweep_definition, &sweep, err);
		}
		free(infos);
	}
	free(names);
	close(lock);
	return rc;
}
