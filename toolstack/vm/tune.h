/* SPDX-License-Identifier: MIT */
/*
 * What a guest gets of the host, in its definition: it holds from its next start on. A guest that
 * runs is not changed; for that there are vm_set_memory() and its like in vm/vm.h.
 */
#ifndef VM_TUNE_H
#define VM_TUNE_H

#include "vm/vm.h"

/* Zero (cap: VM_SCHED_KEEP) leaves what is there. */
struct vm_tuning {
	uint64_t memory_kib, max_memory_kib;
	unsigned vcpus, max_vcpus;
	unsigned weight, cap;
	bool pins;			/* where vCPUs may run: */
	int vcpu;			/* which one; -1: all */
	const struct cpu_set *cpus;	/* NULL: anywhere */
};

/*
 * who is a name or a uuid, or the id of a domain. ERROR_STATE: it is not defined, or the parts do
 * not fit together.
 */
int vm_tune_defined(struct vm *vm, const char *who, const struct vm_tuning *tuning,
		    struct error *err);

#endif
