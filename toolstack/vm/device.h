/* SPDX-License-Identifier: MIT */
/*
 * Devices of guests: a front end in the guest and a back end in Domain-0's kernel (xen-blkback,
 * xen-netback), which meet through their nodes in the store (docs/misc/xenstore-paths, and
 * xenbus.c of both drivers in Linux).
 *
 * What a device has here is kept in its back end's nodes, which only Domain-0 may write: a guest's
 * own nodes are never believed. Disks and interfaces are in disk.c and net.c.
 */
#ifndef VM_DEVICE_H
#define VM_DEVICE_H

#include "vm/internal.h"
#include "vm/writer.h"

enum { DEVICE_PATH = 128, DEVICE_WAIT_MS = 10000 };

/* Which device: kind is the folder's name in the store, "vbd" or "vif". */
struct device {
	const char *kind;
	uint32_t domid, id;
	const char *name;	/* for messages: "disk xvda" */
};

/* What a device's nodes are written from: put_front and put_back add the kind's own. */
struct device_nodes {
	const struct device *device;
	void (*put_front)(struct writer *w, const void *context);
	void (*put_back)(struct writer *w, const void *context);
	const void *context;
};

/* Write both ends' nodes; the drivers see them at once. 0 or -errno. */
int device_write(struct vm *vm, const struct device_nodes *nodes);

/* Wait until the back end has the disk, or has made the interface. */
int device_wait_ready(struct vm *vm, const struct device *device, struct error *err);

/* The value of a node of the back end, malloc'd, or NULL. */
char *device_back_read(struct vm *vm, const struct device *device, const char *node);
int device_back_write(struct vm *vm, const struct device *device, const char *node,
		      const char *value);

/* The error that the driver of one end wrote, malloc'd, or NULL. */
char *device_failure(struct vm *vm, const struct device *device);

/*
 * Ask both ends to let go of a device of a running guest, wait, and remove its nodes. ERROR_TIMEOUT
 * if the guest holds on to it; the request stands then, and may be repeated.
 */
int device_unplug(struct vm *vm, const struct device *device, struct error *err);

/* End a device whatever the guest does: for a guest that is gone, or by force. */
void device_end(struct vm *vm, const struct device *device);

/* The numbers of a domain's devices of a kind: malloc'd; NULL and 0 if there are none. */
uint32_t *device_list(struct vm *vm, const char *kind, uint32_t domid, size_t *count);

/*
 * A guest's disk that stands behind device: opened, not in use by others, its nodes written, and
 * the back end has it. So for an interface, which is on its bridge then. Takes the lock, for the
 * moment in which a disk that two want becomes one of them's.
 */
int disk_attach(struct vm *vm, uint32_t domid, const struct vm_disk *disk, struct error *err);
int interface_attach(struct vm *vm, uint32_t domid, uint32_t id,
		     const struct vm_interface *interface, struct error *err);

struct host_file;
/*
 * Does a guest have the file as a disk? name (or NULL) gets the guest's name, path (or NULL) the
 * block device that stands behind the disk.
 */
bool disk_user(struct vm *vm, const struct host_file *file, char name[CONFIG_NAME_MAX + 1],
	       char path[64]);

#endif
