/* SPDX-License-Identifier: MIT */
/*
 * Linux's interface to the devices below /dev/xen: requests and structures as in
 * include/uapi/xen/{privcmd,evtchn,gntdev}.h and include/xen/xenbus_dev.h of Linux, which its own
 * installed headers cannot be used for (they need the kernel's).
 */
#ifndef HYP_LINUX_H
#define HYP_LINUX_H

#include <stdint.h>
#include <sys/ioctl.h>

struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
};

struct privcmd_mmapbatch_v2 {
	unsigned int num;
	uint16_t dom;
	uint64_t addr;
	const unsigned long *arr;
	int *err;
};

struct privcmd_mmap_resource {
	uint16_t dom;
	uint32_t type;
	uint32_t id;
	uint32_t idx;
	uint64_t num;
	uint64_t addr;
};

#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))
#define IOCTL_PRIVCMD_MMAPBATCH_V2 _IOC(_IOC_NONE, 'P', 4, sizeof(struct privcmd_mmapbatch_v2))
#define IOCTL_PRIVCMD_MMAP_RESOURCE _IOC(_IOC_NONE, 'P', 7, sizeof(struct privcmd_mmap_resource))

struct evtchn_interdomain {
	unsigned int remote_domain, remote_port;
};

/* The requests of one number: a virq to bind, a domain for an unbound port, a port. */
#define IOCTL_EVTCHN_BIND_VIRQ _IOC(_IOC_NONE, 'E', 0, sizeof(unsigned int))
#define IOCTL_EVTCHN_BIND_INTERDOMAIN _IOC(_IOC_NONE, 'E', 1, sizeof(struct evtchn_interdomain))
#define IOCTL_EVTCHN_BIND_UNBOUND_PORT _IOC(_IOC_NONE, 'E', 2, sizeof(unsigned int))
#define IOCTL_EVTCHN_UNBIND _IOC(_IOC_NONE, 'E', 3, sizeof(unsigned int))
#define IOCTL_EVTCHN_NOTIFY _IOC(_IOC_NONE, 'E', 4, sizeof(unsigned int))

struct gntdev_grant_ref {
	uint32_t domid;
	uint32_t ref;
};

/* The size in the request's number is that with one element in refs. */
struct gntdev_map_grant_ref {
	uint32_t count;
	uint32_t pad;
	uint64_t index;
	struct gntdev_grant_ref refs[];
};

struct gntdev_unmap_grant_ref {
	uint64_t index;
	uint32_t count;
	uint32_t pad;
};

struct gntdev_offset_for_vaddr {
	uint64_t vaddr;
	uint64_t offset;
	uint32_t count;
	uint32_t pad;
};

#define IOCTL_GNTDEV_MAP_GRANT_REF                                                                 \
	_IOC(_IOC_NONE, 'G', 0,                                                                    \
	     sizeof(struct gntdev_map_grant_ref) + sizeof(struct gntdev_grant_ref))
#define IOCTL_GNTDEV_UNMAP_GRANT_REF _IOC(_IOC_NONE, 'G', 1, sizeof(struct gntdev_unmap_grant_ref))
#define IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR                                                          \
	_IOC(_IOC_NONE, 'G', 2, sizeof(struct gntdev_offset_for_vaddr))

#define IOCTL_XENBUS_BACKEND_EVTCHN _IOC(_IOC_NONE, 'B', 0, 0)

#endif
