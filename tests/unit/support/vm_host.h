/* SPDX-License-Identifier: MIT */
/* A host for tests of toolstack/vm: the fakes, folders of its own, and a kernel file. */
#ifndef UNIT_SUPPORT_VM_HOST_H
#define UNIT_SUPPORT_VM_HOST_H

/* For the group: make the folders and the kernel; remove them. */
int vm_host_setup(void **state);
int vm_host_teardown(void **state);

/* For each test: no guest runs and none is defined. 256 MiB of memory are free. */
int vm_host_fresh(void **state);

/* The path of a small kernel; of the events' file. */
extern char vm_host_kernel[64], vm_host_events[64];

#endif
