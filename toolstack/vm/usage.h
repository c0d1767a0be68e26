/* SPDX-License-Identifier: MIT */
/*
 * What guests have used up to now: processor time from the hypervisor, bytes over disks and
 * networks from the back ends that Linux has in Domain-0 (/sys/devices/xen-backend). Counters begin
 * anew when a device is attached anew.
 */
#ifndef VM_USAGE_H
#define VM_USAGE_H

#include "vm/vm.h"

/* "/sys/devices/xen-backend"; tests have their own. */
extern const char *vm_backend_dir;

struct vm_usage {
	struct vm_info info;
	/* Bytes, as the guest sees them. */
	uint64_t disk_read, disk_written, net_received, net_sent;
};

/* All domains by their ids: *usages is malloc'd; *at_ns is when (CLOCK_MONOTONIC). */
int vm_usage_read(struct vm *vm, struct vm_usage **usages, size_t *count, uint64_t *at_ns,
		  struct error *err);

#endif
