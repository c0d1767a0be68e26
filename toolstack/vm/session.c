/* SPDX-License-Identifier: MIT */
/* Connections of a session, and the domains seen through them: see vm/vm.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/sched.h"
#include "vm/defined.h"
#include "vm/internal.h"

#define LIST_CHUNK 128U
#define STORE_WAIT_MS 2000	/* a daemon that is being restarted is back by then */

void vm_close(struct vm *vm)
{
	hyp_close(vm->hyp);
	store_disconnect(vm->store);
	*vm = (struct vm){ 0 };
}

int vm_need_hyp(struct vm *vm, struct error *err)
{
	if (vm->hyp)
		return 0;
	if (hyp_open(&vm->hyp, err))
		return -1;
	if (vm->short_lived)
		hyp_set_short_lived(vm->hyp);
	return 0;
}

int vm_need_store(struct vm *vm, struct error *err)
{
	int rc;

	if (vm->store)
		return 0;
	rc = store_connect(&vm->store, STORE_WAIT_MS);
	if (rc == -EACCES || rc == -EPERM)
		return error_set(err, ERROR_PERMISSION, "xenstore: %s; run as root",
				 error_text(rc));
	if (rc)
		return error_set(
			err, ERROR_STORE,
			"the xenstore daemon cannot be reached: %s; is enso-stored running?",
			error_text(rc));
	return 0;
}

const char *vm_state_name(enum vm_state state)
{
	static const char *const names[] = {
		[VM_RUNNING] = "running", [VM_BLOCKED] = "blocked", [VM_PAUSED] = "paused",
		[VM_SHUTDOWN] = "shutdown", [VM_CRASHED] = "crashed", [VM_DYING] = "dying",
		[VM_SHUT_OFF] = "shut off",
	};

	return names[state];
}

const char *vm_reason_name(unsigned reason)
{
	static const char *const names[] = {
		[SHUTDOWN_poweroff] = "poweroff", [SHUTDOWN_reboot] = "reboot",
		[SHUTDOWN_suspend] = "suspend",	  [SHUTDOWN_crash] = "crash",
		[SHUTDOWN_watchdog] = "watchdog", [SHUTDOWN_soft_reset] = "soft-reset",
	};

	return reason <= SHUTDOWN_MAX ? names[reason] : "unknown";
}

static enum vm_state state_of(uint32_t flags, unsigned reason)
{
	if (flags & XEN_DOMINF_dying)
		return VM_DYING;
	if (flags & XEN_DOMINF_shutdown)
		return reason == SHUTDOWN_crash || reason == SHUTDOWN_watchdog ? VM_CRASHED
									       : VM_SHUTDOWN;
	if (flags & XEN_DOMINF_paused)
		return VM_PAUSED;
	return flags & XEN_DOMINF_blocked ? VM_BLOCKED : VM_RUNNING;
}

/* As soon as the hypervisor has told what it tells. */
static void fill_info(struct vm_info *info, const struct xen_domctl_getdomaininfo *domain)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*info = (struct vm_info){
		.domid = domain->domain,
		.shutdown_reason =
			domain->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask,
		.memory_kib = domain->tot_pages * 4,
		.max_memory_kib = domain->max_pages * 4,
		.vcpus = domain->nr_online_vcpus,
		.cpu_ns = domain->cpu_time,
		.cpu_at_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
	};
	info->state = state_of(domain->flags, info->shutdown_reason);
	memcpy(info->uuid, domain->handle, sizeof(info->uuid));
}

/* Append the domains with id >= first. Returns how many there were at most LIST_CHUNK, or -1. */
static int list_chunk(struct vm *vm, uint32_t first, struct vm_info **infos, size_t *count,
		      struct error *err)
{
	struct xen_domctl_getdomaininfo domains[LIST_CHUNK];
	int n = hyp_domain_list(vm->hyp, first, domains, LIST_CHUNK);
	struct vm_info *more;

	if (n < 0)
		return error_set(err,
				 n == -EPERM || n == -EACCES ? ERROR_PERMISSION : ERROR_HYPERCALL,
				 "the hypervisor does not list its domains: %s%s", error_text(n),
				 n == -EACCES
					 ? "; its version is not the one this program is for (4.17)"
					 : "");
	more = realloc(*infos, (*count + (size_t)n + 1) * sizeof(*more));
	if (!more)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	*infos = more;
	for (int i = 0; i < n; i++)
		fill_info(&more[(*count)++], &domains[i]);
	return n;
}

/*
 * What the store knows of them: names, and with max also the most memory that each may have: the
 * hypervisor's limit may be lower for now, see memory.c.
 */
static int fill_from_store(struct vm *vm, struct vm_info *infos, size_t count, bool max,
			   struct error *err)
{
	enum { PATH = 56 };
	const size_t each = max ? 2 : 1, n = count * each;
	char (*text)[PATH] = malloc(n * sizeof(*text) + 1), **values;
	const char **paths = calloc(2 * n + 1, sizeof(*paths));
	int rc = -ENOMEM;

	values = (char **)(paths + n);
	for (size_t i = 0; text && paths && i < n; i++) {
		snprintf(text[i], PATH, "/local/domain/%u/%s", infos[i / each].domid,
			 i % each ? "memory/static-max" : "name");
		paths[i] = text[i];
	}
	if (text && paths)
		rc = store_read_many(vm->store, paths, n, values);
	for (size_t i = 0; !rc && i < n; i++) {
		struct vm_info *info = &infos[i / each];

		uint64_t kib = i % each && values[i] ? strtoull(values[i], NULL, 10) : 0;

		if (kib)
			info->max_memory_kib = kib;
		if (!(i % each))
			snprintf(info->name, sizeof(info->name), "%s",
				 values[i] ? values[i] : info->domid ? "" : "Domain-0");
		free(values[i]);
	}
	free(text);
	free(paths);
	return rc ? vm_store_failed(rc, "to tell of the domains", err) : 0;
}

/* Of few domains all that the store knows is read in one turn. */
static bool are_few(size_t count)
{
	return 2 * count <= STORE_BATCH;
}

/* As vm_list(); the store is asked for names alone unless max, or if they are few. */
static int list(struct vm *vm, bool max, struct vm_info **out, size_t *count, struct error *err)
{
	struct vm_info *infos = NULL;
	uint32_t first = 0;
	size_t have = 0;
	int n;

	if (vm_need_hyp(vm, err) || vm_need_store(vm, err))
		return -1;
	do {
		n = list_chunk(vm, first, &infos, &have, err);
		if (n > 0)
			first = infos[have - 1].domid + 1;
	} while (n == (int)LIST_CHUNK);
	if (n < 0 || fill_from_store(vm, infos, have, max || are_few(have), err)) {
		free(infos);
		return -1;
	}
	*out = infos;
	*count = have;
	return 0;
}

int vm_list(struct vm *vm, struct vm_info **infos, size_t *count, struct error *err)
{
	return list(vm, true, infos, count, err);
}

int vm_list_names(struct vm *vm, struct vm_info **infos, size_t *count, struct error *err)
{
	return list(vm, false, infos, count, err);
}

/* Is who a decimal domain id? */
static bool parse_domid(const char *who, uint32_t *domid)
{
	char *end;
	unsigned long value = strtoul(who, &end, 10);

	if (*who < '0' || *who > '9' || *end || value >= DOMID_FIRST_RESERVED)
		return false;
	*domid = (uint32_t)value;
	return true;
}

/* An id names its domain without a look at the others. */
static int find_by_id(struct vm *vm, uint32_t domid, struct vm_info *info, struct error *err)
{
	struct xen_domctl_getdomaininfo domain;
	int rc;

	if (vm_need_hyp(vm, err))
		return -1;
	rc = hyp_domain_info(vm->hyp, domid, &domain);
	if (rc)
		return error_set(err, rc == -ESRCH ? ERROR_NO_DOMAIN : ERROR_HYPERCALL,
				 "%u: no domain has this id: %s", domid, error_text(rc));
	fill_info(info, &domain);
	return vm_need_store(vm, err) || fill_from_store(vm, info, 1, true, err) ? -1 : 0;
}

/* A guest that is defined is known, but it is no domain. */
static int not_running(const char *who, struct error *err)
{
	struct vm_defined one;

	if (vm_defined_find(who, &one, NULL))
		return error_set(err, ERROR_NO_DOMAIN,
				 "%s: no such domain; \"enso list --all\" shows those there are",
				 who);
	config_free(&one.config);
	return error_set(err, ERROR_STATE, "%s: is shut off; \"enso start %s\" starts it", one.name,
			 one.name);
}

int vm_find(struct vm *vm, const char *who, struct vm_info *info, struct error *err)
{
	struct vm_info *infos;
	uint8_t uuid[16];
	uint32_t domid;
	bool by_uuid;
	size_t count;
	int rc = -1;

	if (parse_domid(who, &domid))
		return find_by_id(vm, domid, info, err);
	if (vm_list_names(vm, &infos, &count, err))
		return -1;
	by_uuid = config_parse_uuid(who, uuid) == 0;
	for (size_t i = 0; i < count && rc; i++) {
		if (infos[i].state == VM_DYING)
			continue;
		if (!strcmp(infos[i].name, who) ||
		    (by_uuid && !memcmp(infos[i].uuid, uuid, sizeof(uuid)))) {
			*info = infos[i];
			rc = 0;
		}
	}
	free(infos);
	if (rc)
		return not_running(who, err);
	return are_few(count) ? 0 : fill_from_store(vm, info, 1, true, err);
}
