/* SPDX-License-Identifier: MIT */
/* The vCPUs of a guest: how many are on, how much they may run, and where. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/internal.h"

#define LOOK_MS 100

/* --- how many ------------------------------------------------------------------------------ */

/* The guest's kernel watches these nodes. */
static int write_availability(struct vm *vm, const struct vm_info *info, unsigned all,
			      unsigned online, struct error *err)
{
	for (unsigned i = 0; i < all; i++) {
		const char *word = i < online ? "online" : "offline";
		char path[80];
		int rc;

		snprintf(path, sizeof(path), "/local/domain/%u/cpu/%u/availability", info->domid,
			 i);
		rc = store_write(vm->store, STORE_NO_TX, path, word, strlen(word));
		if (rc)
			return vm_store_failed(rc, "a guest's vCPUs", err);
	}
	return 0;
}

static int wait_for(struct vm *vm, const struct vm_info *info, unsigned want,
		    const struct vm_wait *wait, struct error *err)
{
	for (int waited = 0;; waited += LOOK_MS) {
		struct xen_domctl_getdomaininfo domain;

		if (vm_same_domain(vm, info, &domain, err))
			return -1;
		if (wait->progress)
			wait->progress(wait->context, domain.nr_online_vcpus, want);
		if (domain.nr_online_vcpus == want)
			return 0;
		if (waited >= wait->patience_ms)
			return error_set(err, ERROR_TIMEOUT,
					 "%s: has come to %u of %u vCPUs in %d s; its kernel was "
					 "told%s",
					 info->name, domain.nr_online_vcpus, want, waited / 1000,
					 domain.nr_online_vcpus < want ?
						 "; without udev, write 1 to /sys/devices/system/"
						 "cpu/cpuN/online in the guest" : "");
		usleep(LOOK_MS * 1000);
	}
}

static void keep_vcpus(struct vm_config *config, const void *context)
{
	unsigned vcpus = *(const unsigned *)context;

	if (vcpus <= config->vcpus_max)
		config->vcpus = vcpus;
}

int vm_set_vcpus(struct vm *vm, const struct vm_info *info, unsigned vcpus,
		 const struct vm_wait *wait, struct error *err)
{
	struct xen_domctl_getdomaininfo domain;
	char detail[16];
	unsigned all;

	if (vm_not_domain0(info, "given another number of vCPUs from here", err) ||
	    vm_still_there(info, err) || vm_same_domain(vm, info, &domain, err))
		return -1;
	all = domain.max_vcpu_id + 1;
	if (vcpus < 1 || vcpus > all)
		return error_set(err, ERROR_STATE,
				 "%s: was made for at most %u vCPUs; <vcpu> of its definition says "
				 "so",
				 info->name, all);
	if (write_availability(vm, info, all, vcpus, err))
		return -1;
	vm_definition_change(info, keep_vcpus, &vcpus);
	snprintf(detail, sizeof(detail), "%u", vcpus);
	vm_event("vcpus", info->name, info->uuid, info->domid, detail);
	return wait->patience_ms ? wait_for(vm, info, vcpus, wait, err) : 0;
}

/* --- how much ------------------------------------------------------------------------------ */

int vm_get_sched(struct vm *vm, const struct vm_info *info, unsigned *weight, unsigned *cap,
		 struct error *err)
{
	struct hyp_sched sched;
	int rc = vm_need_hyp(vm, err) ? -1 : hyp_domain_get_sched(vm->hyp, info->domid, &sched);

	if (rc)
		return vm_refused(info, "tell the scheduling of", rc, err);
	*weight = sched.weight;
	*cap = sched.cap;
	return 0;
}

static void keep_sched(struct vm_config *config, const void *context)
{
	const struct hyp_sched *sched = context;

	config->weight = sched->weight;
	config->cap = sched->cap;
}

int vm_set_sched(struct vm *vm, const struct vm_info *info, unsigned weight, unsigned cap,
		 struct error *err)
{
	struct hyp_sched sched = { weight, cap };
	unsigned old_weight, old_cap;
	int rc;

	if (!weight || cap == VM_SCHED_KEEP) {
		if (vm_get_sched(vm, info, &old_weight, &old_cap, err))
			return -1;
		sched.weight = weight = weight ? weight : old_weight;
		sched.cap = cap = cap == VM_SCHED_KEEP ? old_cap : cap;
	}
	if (weight > CONFIG_WEIGHT_MAX || cap > CONFIG_CAP_MAX)
		return error_set(err, ERROR_USAGE, "weight %u, cap %u: possible: 1 to %d, 0 to %d",
				 weight, cap, CONFIG_WEIGHT_MAX, CONFIG_CAP_MAX);
	rc = hyp_domain_set_sched(vm->hyp, info->domid, &sched);
	if (rc)
		return vm_refused(info, "change the scheduling of", rc, err);
	vm_definition_change(info, keep_sched, &sched);
	vm_event("scheduling", info->name, info->uuid, info->domid, NULL);
	return 0;
}

/* --- where --------------------------------------------------------------------------------- */

int vm_host_cpus(struct vm *vm, unsigned *cpus, struct error *err)
{
	struct xen_sysctl_physinfo host;
	int rc = vm_need_hyp(vm, err) ? -1 : hyp_host_physinfo(vm->hyp, &host);

	if (rc)
		return error_set(err, ERROR_HYPERCALL,
				 "the hypervisor does not tell about the host: %s", error_text(rc));
	*cpus = host.nr_cpus < CONFIG_CPUS_MAX ? host.nr_cpus : CONFIG_CPUS_MAX;
	return 0;
}

/* A set that names what is not there is not honoured in part. */
static int check_cpus(const struct cpu_set *cpus, unsigned host, struct error *err)
{
	for (unsigned cpu = host; cpu < CONFIG_CPUS_MAX; cpu++) {
		if (config_cpu_in(cpus, cpu))
			return error_set(err, ERROR_STATE,
					 "CPU %u is not there to run on: this host has 0 to %u",
					 cpu, host - 1);
	}
	return 0;
}

static struct cpu_set all_cpus(unsigned host)
{
	struct cpu_set cpus = { { 0 } };

	for (unsigned cpu = 0; cpu < host; cpu++)
		cpus.bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
	return cpus;
}

struct pinning {
	unsigned first, last;
	const struct cpu_set *cpus;
};

static void keep_pins(struct vm_config *config, const void *context)
{
	const struct pinning *pinning = context;

	for (unsigned vcpu = pinning->first; vcpu <= pinning->last; vcpu++) {
		if (vcpu < config->vcpus_max)
			config_set_pin(config, vcpu, pinning->cpus);
	}
}

int vm_pin(struct vm *vm, const struct vm_info *info, int vcpu, const struct cpu_set *cpus,
	   struct error *err)
{
	struct xen_domctl_getdomaininfo domain;
	struct pinning pinning = { .cpus = cpus };
	struct cpu_set anywhere;
	unsigned host;
	int rc;

	if (vm_host_cpus(vm, &host, err) || vm_same_domain(vm, info, &domain, err) ||
	    (cpus && check_cpus(cpus, host, err)))
		return -1;
	if (vcpu > (int)domain.max_vcpu_id)
		return error_set(err, ERROR_STATE, "%s: has vCPUs 0 to %u, none with the number %d",
				 info->name, domain.max_vcpu_id, vcpu);
	pinning.first = vcpu < 0 ? 0 : (unsigned)vcpu;
	pinning.last = vcpu < 0 ? domain.max_vcpu_id : (unsigned)vcpu;
	anywhere = all_cpus(host);
	for (unsigned i = pinning.first; i <= pinning.last; i++) {
		rc = hyp_vcpu_set_affinity(vm->hyp, info->domid, i,
					   cpus ? cpus->bits : anywhere.bits, host);
		if (rc)
			return vm_refused(info, "pin a vCPU of", rc, err);
	}
	/* <vcpu cpuset> would hold for a vCPU that has no pin. */
	if (!cpus)
		pinning.cpus = vm_definition_has_cpus(info) ? &anywhere : NULL;
	vm_definition_change(info, keep_pins, &pinning);
	vm_event("scheduling", info->name, info->uuid, info->domid, NULL);
	return 0;
}

int vm_vcpus(struct vm *vm, const struct vm_info *info, struct vm_vcpu **out, size_t *count,
	     struct error *err)
{
	struct xen_domctl_getdomaininfo domain;
	struct vm_vcpu *vcpus;
	unsigned host;
	int rc = 0;

	if (vm_host_cpus(vm, &host, err) || vm_same_domain(vm, info, &domain, err))
		return -1;
	*count = domain.max_vcpu_id + 1;
	vcpus = calloc(*count, sizeof(*vcpus));
	if (!vcpus)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	for (unsigned i = 0; i < *count && !rc; i++) {
		struct xen_domctl_getvcpuinfo state;

		rc = hyp_vcpu_info(vm->hyp, info->domid, i, &state);
		if (!rc)
			rc = hyp_vcpu_get_affinity(vm->hyp, info->domid, i, vcpus[i].cpus.bits,
						   host);
		if (rc)
			break;
		vcpus[i].online = state.online;
		vcpus[i].running = state.running;
		vcpus[i].blocked = state.blocked;
		vcpus[i].cpu = state.cpu;
		vcpus[i].cpu_ns = state.cpu_time;
	}
	if (rc) {
		free(vcpus);
		return vm_refused(info, "tell the vCPUs of", rc, err);
	}
	*out = vcpus;
	return 0;
}

/* --- at the start -------------------------------------------------------------------------- */

int vm_tune_new(struct vm *vm, uint32_t domid, const struct vm_config *config, struct error *err)
{
	const struct hyp_sched sched = { config->weight, config->cap };
	unsigned host;
	int rc;

	rc = sched.weight || sched.cap ? hyp_domain_set_sched(vm->hyp, domid, &sched) : 0;
	if (!rc && !config->cpus && !config->n_pins)
		return 0;
	if (!rc && vm_host_cpus(vm, &host, err))
		return -1;
	for (unsigned i = 0; i < config->vcpus_max && !rc; i++) {
		const struct cpu_set *cpus = config_pin_of(config, i);

		if (cpus && check_cpus(cpus, host, err))
			return -1;
		if (cpus)
			rc = hyp_vcpu_set_affinity(vm->hyp, domid, i, cpus->bits, host);
	}
	return rc ? error_set(err, ERROR_HYPERCALL,
			      "the hypervisor refuses what <cputune> or <vcpu> say: %s",
			      error_text(rc))
		  : 0;
}
