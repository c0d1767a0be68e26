/* SPDX-License-Identifier: MIT */
/*
 * What comes as a device with its own descriptor: event channels, grants, the local store's page.
 */
#include "hyp/hyp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hyp/linux.h"

static int open_device(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags);

	return fd < 0 ? -errno : fd;
}

static int evtchn_ioctl(int fd, unsigned long request, void *arg)
{
	int rc = ioctl(fd, request, arg);

	return rc < 0 ? -errno : rc;
}

int hyp_evtchn_open(void)
{
	return open_device("/dev/xen/evtchn", O_NONBLOCK);
}

int hyp_evtchn_bind_interdomain(int fd, uint32_t domid, uint32_t port)
{
	struct evtchn_interdomain arg = { domid, port };

	return evtchn_ioctl(fd, IOCTL_EVTCHN_BIND_INTERDOMAIN, &arg);
}

int hyp_evtchn_bind_virq(int fd, uint32_t virq)
{
	return evtchn_ioctl(fd, IOCTL_EVTCHN_BIND_VIRQ, &virq);
}

int hyp_evtchn_bind_unbound(int fd, uint32_t domid)
{
	return evtchn_ioctl(fd, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &domid);
}

int hyp_evtchn_unbind(int fd, uint32_t port)
{
	return evtchn_ioctl(fd, IOCTL_EVTCHN_UNBIND, &port);
}

int hyp_evtchn_notify(int fd, uint32_t port)
{
	return evtchn_ioctl(fd, IOCTL_EVTCHN_NOTIFY, &port);
}

int hyp_evtchn_next(int fd)
{
	uint32_t port;
	ssize_t n = read(fd, &port, sizeof(port));

	if (n < 0)
		return -errno;
	return n == sizeof(port) ? (int)port : -EAGAIN;
}

int hyp_evtchn_unmask(int fd, uint32_t port)
{
	return write(fd, &port, sizeof(port)) == sizeof(port) ? 0 : -errno;
}

int hyp_grant_open(void)
{
	return open_device("/dev/xen/gntdev", 0);
}

static int unmap_index(int fd, uint64_t index, unsigned n)
{
	struct gntdev_unmap_grant_ref arg = { .index = index, .count = n };

	return ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, &arg) ? -errno : 0;
}

int hyp_grant_map(int fd, uint32_t domid, const uint32_t *refs, unsigned n, void **out)
{
	struct gntdev_map_grant_ref *arg = calloc(1, sizeof(*arg) + n * sizeof(arg->refs[0]));
	int rc = 0;
	void *va;

	if (!arg)
		return -ENOMEM;
	arg->count = n;
	for (unsigned i = 0; i < n; i++)
		arg->refs[i] = (struct gntdev_grant_ref){ domid, refs[i] };
	if (ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, arg)) {
		rc = -errno;
		goto out;
	}
	va = mmap(NULL, n * HYP_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  (off_t)arg->index);
	if (va == MAP_FAILED) {
		rc = -errno;
		unmap_index(fd, arg->index, n);
		goto out;
	}
	*out = va;
out:
	free(arg);
	return rc;
}

int hyp_grant_unmap(int fd, void *va, unsigned n)
{
	struct gntdev_offset_for_vaddr at = { .vaddr = (uintptr_t)va };

	if (ioctl(fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &at))
		return -errno;
	if (munmap(va, n * HYP_PAGE_SIZE))
		return -errno;
	return unmap_index(fd, at.offset, n);
}

int hyp_grant_prepare(void)
{
	int fd = hyp_grant_open(), rc = 0;
	union {
		char space[sizeof(struct gntdev_map_grant_ref) + sizeof(struct gntdev_grant_ref)];
		struct gntdev_map_grant_ref arg;
	} map = { .space = "" };

	if (fd < 0)
		return fd;
	map.arg.count = 1;
	/* Addresses are given here, but nothing is mapped before mmap(): there need be no grant. */
	if (ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &map))
		rc = -errno;
	else
		rc = unmap_index(fd, map.arg.index, 1);
	close(fd);
	return rc;
}

int hyp_store_page(void **out, uint32_t *port)
{
	int fd = open_device("/dev/xen/xenbus_backend", 0), rc;
	void *va;

	if (fd < 0)
		return fd;
	rc = evtchn_ioctl(fd, IOCTL_XENBUS_BACKEND_EVTCHN, NULL);
	if (rc > 0) {
		va = mmap(NULL, HYP_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (va == MAP_FAILED) {
			rc = -errno;
		} else {
			*out = va;
			*port = (uint32_t)rc;
			rc = 0;
		}
	}
	close(fd);
	return rc;
}
