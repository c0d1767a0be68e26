/* SPDX-License-Identifier: MIT */
/*
 * Making a guest, new or restored, and undoing all of it if a step fails: see vm_make() in
 * vm/internal.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/internal.h"

/* A guest that is being made: what is there has to be undone. */
struct creation {
	struct vm *vm;
	struct vm_config *config;
	const struct vm_filler *filler;
	bool paused;
	struct build_request ports;
	struct build_result pages;
	uint32_t domid;
	int marker;			/* -1 until names are checked */
	bool has_domain;
	bool fresh_uuid;		/* made here: no other guest can have it */
	struct error *err;
};

static int need_uuid(struct vm_config *config, struct error *err)
{
	int rc;

	if (config->has_uuid)
		return 0;
	rc = config_make_uuid(config->uuid);
	if (rc)
		return error_set(err, ERROR_FAILED, "no random number for a uuid: %s",
				 error_text(rc));
	config->has_uuid = true;
	return 0;
}

/* Under the lock. */
static int check_unique(struct creation *c)
{
	const struct vm_config *config = c->config;
	struct vm_info *infos;
	size_t count;
	int rc = 0;

	if (vm_list_names(c->vm, &infos, &count, c->err))
		return -1;
	for (size_t i = 0; i < count && !rc; i++) {
		if (infos[i].state == VM_DYING)
			continue;
		if (!strcmp(infos[i].name, config->name))
			rc = error_set(
				c->err, ERROR_EXISTS,
				"a domain with this name exists (id %u); destroy it first "
				"or choose another name",
				infos[i].domid);
		else if (!memcmp(infos[i].uuid, config->uuid, sizeof(config->uuid)))
			rc = error_set(
				c->err, ERROR_EXISTS,
				"domain %s (id %u) has this uuid; remove <uuid> to get a new one",
				infos[i].name, infos[i].domid);
	}
	free(infos);
	if (!rc)
		rc = vm_defined_conflict(config->name, config->uuid, c->fresh_uuid, c->err);
	return rc;
}

/* Memory that is not there need not be given out to find that. */
static int check_memory(struct creation *c)
{
	struct xen_sysctl_physinfo host;
	uint64_t want = c->config->current_memory_kib / 4;

	if (hyp_host_physinfo(c->vm->hyp, &host) || want <= host.free_pages)
		return 0;
	return error_set(
		c->err, ERROR_NO_MEMORY,
		"wants %llu MiB of memory, the host has %llu MiB free; stop another guest or give "
		"less",
		(unsigned long long)want >> 8, (unsigned long long)host.free_pages >> 8);
}

static int create_domain(struct creation *c)
{
	struct xen_domctl_createdomain config = {
		.max_vcpus = c->config->vcpus_max,
		.max_evtchn_port = 1023 + 16 * c->config->vcpus_max,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
		.grant_opts = 1, /* grant table version 1: Linux asks for no other below 16 TiB */
	};
	int rc;

	memcpy(config.handle, c->config->uuid, sizeof(config.handle));
	rc = hyp_domain_create(c->vm->hyp, &c->domid, &config);
	if (rc == -ENOMEM)
		return error_set(
			c->err, ERROR_NO_MEMORY,
			"the hypervisor has no memory left for another domain; stop another guest");
	if (rc)
		return error_set(c->err, ERROR_HYPERCALL,
				 "the hypervisor refuses to create a domain: %s", error_text(rc));
	c->has_domain = true;
	return 0;
}

/* From here on others see that name and uuid are taken. */
static int claim_once(struct creation *c)
{
	int lock = vm_lock(c->err), rc;

	if (lock < 0)
		return -1;
	rc = check_unique(c);
	if (!rc)
		rc = check_memory(c);
	if (!rc) {
		c->marker = vm_marker_make(c->config->uuid, c->err);
		rc = c->marker < 0 ? -1 : create_domain(c);
	}
	if (!rc)
		rc = vm_nodes_claim_name(c->vm, c->domid, c->config->name, c->err);
	close(lock);
	return rc;
}

/* What stands in the way may be half of a guest whose creator was killed. */
static int claim(struct creation *c)
{
	int rc = claim_once(c);

	if (rc && c->err->code == ERROR_EXISTS && c->marker < 0 && !vm_sweep(c->vm, NULL))
		rc = claim_once(c);
	return rc;
}

static int limit_domain(struct creation *c)
{
	int rc = hyp_domain_max_vcpus(c->vm->hyp, c->domid, c->config->vcpus_max);

	if (rc == -ENOMEM)
		return error_set(c->err, ERROR_NO_MEMORY,
				 "the hypervisor has no memory left for %u vCPUs",
				 c->config->vcpus_max);
	if (rc)
		return error_set(c->err, ERROR_HYPERCALL, "the hypervisor refuses %u vCPUs: %s",
				 c->config->vcpus_max, error_text(rc));
	rc = hyp_domain_max_mem(c->vm->hyp, c->domid, c->config->memory_kib);
	if (rc)
		return error_set(c->err, ERROR_HYPERCALL,
				 "the hypervisor refuses the memory limit: %s", error_text(rc));
	return 0;
}

static int tune(struct creation *c)
{
	return vm_tune_new(c->vm, c->domid, c->config, c->err);
}

static int make_ports(struct creation *c)
{
	int store = hyp_evtchn_alloc(c->vm->hyp, c->domid, 0);
	int console = store < 0 ? store : hyp_evtchn_alloc(c->vm->hyp, c->domid, 0);

	if (console < 0)
		return error_set(c->err, ERROR_HYPERCALL,
				 "the hypervisor refuses event channels: %s", error_text(console));
	c->ports.store_port = (uint32_t)store;
	c->ports.console_port = (uint32_t)console;
	return 0;
}

/* Memory, and the state of the vCPUs. */
static int fill(struct creation *c)
{
	c->ports.cmdline = c->config->cmdline;
	c->ports.memory_max_kib = c->config->memory_kib;
	return c->filler->fill(c->filler->context, c->vm, c->domid, &c->ports, &c->pages, c->err);
}

static int introduce(struct creation *c)
{
	int rc;

	if (vm_nodes_write(c->vm, c->domid, c->config, &c->ports, &c->pages, c->err))
		return -1;
	rc = store_introduce(c->vm->store, c->domid, c->pages.store_mfn, c->ports.store_port);
	return rc ? vm_store_failed(rc, "to know the guest", c->err) : 0;
}

static int attach_devices(struct creation *c)
{
	config_make_macs(c->config);
	return vm_devices_attach(c->vm, c->domid, c->config, c->err);
}

/* From here on the guest is whole, whatever becomes of this process. */
static int finish(struct creation *c)
{
	int rc;

	if (vm_definition_write(c->config, c->err))
		return -1;
	rc = c->paused ? 0 : hyp_domain_unpause(c->vm->hyp, c->domid);
	if (rc)
		vm_definition_remove(c->config->uuid);
	else
		vm_event("started", c->config->name, c->config->uuid, c->domid,
			 c->paused ? "paused" : NULL);
	return rc ? error_set(c->err, ERROR_HYPERCALL, "the guest cannot be started: %s",
			      error_text(rc))
		  : 0;
}

int vm_make(struct vm *vm, struct vm_config *config, const struct vm_filler *filler, bool paused,
	    uint32_t *domid, struct error *err)
{
	static int (*const steps[])(struct creation *c) = {
		claim, limit_domain, tune, make_ports, fill, introduce, attach_devices, finish,
	};
	struct creation c = { .vm = vm, .config = config, .filler = filler, .paused = paused,
			      .marker = -1, .fresh_uuid = !config->has_uuid, .err = err };
	int rc = need_uuid(config, err) || vm_need_hyp(vm, err) || vm_need_store(vm, err) ? -1 : 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !rc; i++)
		rc = steps[i](&c);
	if (rc)
		error_set(err, err->code, "%s: %s", config->name, err->text);
	if (rc && c.has_domain)
		vm_remove_domain(vm, c.domid, NULL);
	if (c.marker >= 0)
		vm_marker_remove(config->uuid, c.marker);
	if (!rc)
		*domid = c.domid;
	return rc;
}
