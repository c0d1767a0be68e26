/* SPDX-License-Identifier: MIT */
/*
 * Memory of a running guest: its balloon is told a target through the store, and gives pages back
 * or takes them in its own time. The hypervisor's limit follows: raised before the guest may grow,
 * lowered when it has given back, so that it cannot take again what was taken.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vm/internal.h"

#define LOOK_MS 100
/*
 * Pages that a guest has or lacks beside what its balloon counts; and what the limit allows more.
 */
#define SLACK_KIB 1024

/* Would the host have this much more? */
static int check_free(struct vm *vm, const struct vm_info *info, uint64_t more_kib,
		      struct error *err)
{
	struct xen_sysctl_physinfo host;

	if (hyp_host_physinfo(vm->hyp, &host) || more_kib <= host.free_pages * 4)
		return 0;
	return error_set(err, ERROR_NO_MEMORY,
			 "%s: would need %llu MiB more, the host has %llu MiB free; stop another "
			 "guest or take memory from one",
			 info->name, (unsigned long long)more_kib >> 10,
			 (unsigned long long)host.free_pages >> 8);
}

static int limit(struct vm *vm, const struct vm_info *info, uint64_t kib, struct error *err)
{
	int rc = hyp_domain_max_mem(vm->hyp, info->domid, kib);

	return rc ? vm_refused(info, "limit the memory of", rc, err) : 0;
}

static int write_kib(struct vm *vm, const struct vm_info *info, const char *node, uint64_t kib,
		     struct error *err)
{
	char path[64], value[24];
	int rc;

	snprintf(path, sizeof(path), "/local/domain/%u/memory/%s", info->domid, node);
	snprintf(value, sizeof(value), "%llu", (unsigned long long)kib);
	rc = store_write(vm->store, STORE_NO_TX, path, value, strlen(value));
	return rc ? vm_store_failed(rc, "a guest's memory", err) : 0;
}

static bool reached(uint64_t have, uint64_t want)
{
	return have <= want + SLACK_KIB && want <= have + SLACK_KIB;
}

/* What the guest has got to, in KiB. */
static int look(struct vm *vm, const struct vm_info *info, uint64_t *kib, struct error *err)
{
	struct xen_domctl_getdomaininfo domain;

	if (vm_same_domain(vm, info, &domain, err))
		return -1;
	*kib = domain.tot_pages * 4;
	return 0;
}

static int wait_for(struct vm *vm, const struct vm_info *info, uint64_t want,
		    const struct vm_wait *wait, struct error *err)
{
	uint64_t have, last = 0;
	int idle_ms = 0;

	for (;;) {
		if (look(vm, info, &have, err))
			return -1;
		if (wait->progress)
			wait->progress(wait->context, have, want);
		if (reached(have, want))
			return 0;
		idle_ms = have == last ? idle_ms + LOOK_MS : 0;
		last = have;
		if (idle_ms >= wait->patience_ms)
			return error_set(err, ERROR_TIMEOUT,
					 "%s: has come to %llu of %llu MiB, no further for %d s; "
					 "the guest %s, and goes on when it can",
					 info->name, (unsigned long long)have >> 10,
					 (unsigned long long)want >> 10, wait->patience_ms / 1000,
					 have > want ? "may need the rest, or not listen" :
						       "may not listen");
		usleep(LOOK_MS * 1000);
	}
}

static void keep_current(struct vm_config *config, const void *context)
{
	config->current_memory_kib = *(const uint64_t *)context;
	if (config->memory_kib < config->current_memory_kib)
		config->memory_kib = config->current_memory_kib;
}

int vm_set_memory(struct vm *vm, const struct vm_info *info, uint64_t kib,
		  const struct vm_wait *wait, struct error *err)
{
	char detail[40];
	uint64_t have;

	if (vm_not_domain0(info, "given another size from here; its size is dom0_mem= at the boot",
			   err) ||
	    vm_still_there(info, err))
		return -1;
	if (info->state == VM_PAUSED)
		return error_set(err, ERROR_STATE,
				 "%s: is paused and cannot answer; unpause it first", info->name);
	if (kib > info->max_memory_kib)
		return error_set(err, ERROR_STATE,
				 "%s: may have at most %llu MiB; \"enso setmaxmem\" says more for "
				 "its next start",
				 info->name, (unsigned long long)info->max_memory_kib >> 10);
	if (look(vm, info, &have, err))
		return -1;
	if (kib > have && (check_free(vm, info, kib - have, err) ||
			   limit(vm, info, kib + SLACK_KIB, err)))
		return -1;
	if (write_kib(vm, info, "target", kib, err))
		return -1;
	vm_definition_change(info, keep_current, &kib);
	snprintf(detail, sizeof(detail), "%llu KiB", (unsigned long long)kib);
	vm_event("memory", info->name, info->uuid, info->domid, detail);
	if (!wait->patience_ms)
		return 0;
	if (wait_for(vm, info, kib, wait, err))
		return -1;
	return kib < have ? limit(vm, info, kib + SLACK_KIB, err) : 0;
}

static void keep_max(struct vm_config *config, const void *context)
{
	config->memory_kib = *(const uint64_t *)context;
	if (config->current_memory_kib > config->memory_kib)
		config->current_memory_kib = config->memory_kib;
}

/* A kernel makes room for the memory that it may have when it starts: there is no more later. */
int vm_set_max_memory(struct vm *vm, const struct vm_info *info, uint64_t kib, bool *later,
		      struct error *err)
{
	uint64_t have;

	if (vm_not_domain0(info, "given another limit from here", err) ||
	    vm_still_there(info, err) || look(vm, info, &have, err))
		return -1;
	*later = kib > info->max_memory_kib;
	if (!*later && kib + SLACK_KIB < have)
		return error_set(err, ERROR_STATE,
				 "%s: has %llu MiB; take them with \"enso setmem\" first",
				 info->name, (unsigned long long)have >> 10);
	if (!*later && (limit(vm, info, kib + SLACK_KIB, err) ||
			write_kib(vm, info, "static-max", kib, err)))
		return -1;
	vm_definition_change(info, keep_max, &kib);
	return 0;
}
