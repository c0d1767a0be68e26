/* SPDX-License-Identifier: MIT */
/*
 * Devices that come and go while a guest runs, and in its definition. What is done to a running
 * guest stays with it when it reboots, unless its definition is changed as well, or alone.
 *
 * who names a guest as in vm_find_guest(). ERROR_STATE: it does not run and VM_LIVE was asked for,
 * or is not defined and more was; ERROR_EXISTS: the target, link or address is taken;
 * ERROR_DEVICE; ERROR_TIMEOUT: the guest holds on to the device.
 */
#ifndef VM_HOTPLUG_H
#define VM_HOTPLUG_H

#include "vm/vm.h"

int vm_attach_disk(struct vm *vm, const char *who, const struct vm_disk *disk,
		   enum vm_scope scope, struct error *err);
/* With force the guest is not asked: what it has not written yet is lost. */
int vm_detach_disk(struct vm *vm, const char *who, const char *target, enum vm_scope scope,
		   bool force, struct error *err);

/* Without a MAC address it gets one. */
int vm_attach_interface(struct vm *vm, const char *who, const struct vm_interface *interface,
			enum vm_scope scope, struct error *err);
/* mac NULL: the only one that there is. */
int vm_detach_interface(struct vm *vm, const char *who, const uint8_t *mac, enum vm_scope scope,
			bool force, struct error *err);

/* The devices that a guest has, running, or as defined. Free config. */
int vm_guest_config(struct vm *vm, const char *who, bool inactive, struct vm_config *config,
		    struct error *err);

#endif
