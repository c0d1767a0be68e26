/* SPDX-License-Identifier: MIT */
/* Memory, vCPUs and scheduling in definitions: see vm/tune.h. */
#include "vm/tune.h"

#include "vm/defined.h"

static int tune_memory(struct vm_config *config, const struct vm_tuning *tuning,
		       struct error *err)
{
	if (tuning->max_memory_kib) {
		config->memory_kib = tuning->max_memory_kib;
		if (config->current_memory_kib > config->memory_kib)
			config->current_memory_kib = config->memory_kib;
	}
	if (tuning->memory_kib > config->memory_kib)
		return error_set(err, ERROR_STATE,
				 "%s: may have at most %llu MiB by its definition; \"enso "
				 "setmaxmem --config\" changes that",
				 config->name, (unsigned long long)config->memory_kib >> 10);
	if (tuning->memory_kib)
		config->current_memory_kib = tuning->memory_kib;
	return 0;
}

static int tune_vcpus(struct vm_config *config, const struct vm_tuning *tuning,
		      struct error *err)
{
	if (tuning->max_vcpus) {
		config->vcpus_max = tuning->max_vcpus;
		if (config->vcpus > config->vcpus_max)
			config->vcpus = config->vcpus_max;
		while (config->n_pins &&
		       config->pins[config->n_pins - 1].vcpu >= config->vcpus_max)
			config->n_pins--;
	}
	if (tuning->vcpus > config->vcpus_max)
		return error_set(err, ERROR_STATE,
				 "%s: may have at most %u vCPUs by its definition; \"enso setvcpus "
				 "--config --maximum\" changes that",
				 config->name, config->vcpus_max);
	if (tuning->vcpus)
		config->vcpus = tuning->vcpus;
	return 0;
}

static int tune_pins(struct vm *vm, struct vm_config *config, const struct vm_tuning *tuning,
		     struct error *err)
{
	unsigned first = tuning->vcpu < 0 ? 0 : (unsigned)tuning->vcpu;
	unsigned last = tuning->vcpu < 0 ? config->vcpus_max - 1 : (unsigned)tuning->vcpu;
	const struct cpu_set *cpus = tuning->cpus;
	struct cpu_set anywhere = { { 0 } };
	unsigned host;

	if (last >= config->vcpus_max)
		return error_set(err, ERROR_STATE, "%s: has vCPUs 0 to %u by its definition, none "
						   "with the number %u",
				 config->name, config->vcpus_max - 1, last);
	/* <vcpu cpuset> would hold for a vCPU that has no pin. */
	if (!cpus && config->cpus) {
		if (vm_host_cpus(vm, &host, err))
			return -1;
		for (unsigned cpu = 0; cpu < host; cpu++)
			anywhere.bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
		cpus = &anywhere;
	}
	for (unsigned vcpu = first; vcpu <= last; vcpu++) {
		if (config_set_pin(config, vcpu, cpus))
			return error_set(err, ERROR_NO_MEMORY, "out of memory");
	}
	return 0;
}

int vm_tune_defined(struct vm *vm, const char *who, const struct vm_tuning *tuning,
		    struct error *err)
{
	struct vm_defined one;
	struct vm_guest guest;
	int rc;

	if (vm_find_guest(vm, who, &guest, err))
		return -1;
	if (!guest.defined)
		return error_set(err, ERROR_STATE, "%s: is not defined; leave --config out",
				 guest.info.name);
	if (vm_defined_find(guest.info.name, &one, err))
		return -1;
	rc = tune_memory(&one.config, tuning, err) || tune_vcpus(&one.config, tuning, err) ? -1 : 0;
	if (!rc && tuning->pins)
		rc = tune_pins(vm, &one.config, tuning, err);
	if (tuning->weight)
		one.config.weight = tuning->weight;
	if (tuning->cap != VM_SCHED_KEEP)
		one.config.cap = tuning->cap;
	if (!rc)
		rc = vm_define(vm, &one.config, NULL, err);
	config_free(&one.config);
	return rc;
}
