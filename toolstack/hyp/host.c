/* SPDX-License-Identifier: MIT */
/* The host: what there is, and the hypervisor's version and log. */
#include "hyp/internal.h"

#include <errno.h>
#include <string.h>

#include "abi/version.h"

static long sysctl_call(struct hyp *hyp, uint32_t cmd, struct xen_sysctl *op)
{
	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return hyp_call(hyp, __HYPERVISOR_sysctl, (uintptr_t)op, 0, 0, 0);
}

int hyp_host_physinfo(struct hyp *hyp, struct xen_sysctl_physinfo *info)
{
	struct xen_sysctl *op;
	long rc;

	hyp_reserve(hyp, 0);
	op = hyp_take(hyp, sizeof(*op));
	rc = sysctl_call(hyp, XEN_SYSCTL_physinfo, op);
	if (!rc)
		*info = op->u.physinfo;
	return (int)rc;
}

static int read_log(struct hyp *hyp, uint32_t *index, char *buf, size_t size, bool clear)
{
	struct xen_sysctl *op;
	char *text;
	long rc;

	rc = hyp_reserve(hyp, size + sizeof(*op));
	if (rc)
		return (int)rc;
	op = hyp_take(hyp, sizeof(*op));
	text = hyp_take(hyp, size);
	op->u.readconsole.clear = clear;
	op->u.readconsole.incremental = 1;
	op->u.readconsole.index = *index;
	op->u.readconsole.buffer = GUEST_PTR(text);
	op->u.readconsole.count = (uint32_t)size;
	rc = sysctl_call(hyp, XEN_SYSCTL_readconsole, op);
	if (rc)
		return (int)rc;
	if (op->u.readconsole.count > size)
		return -EIO;
	*index = op->u.readconsole.index;
	memcpy(buf, text, op->u.readconsole.count);
	return (int)op->u.readconsole.count;
}

int hyp_host_log(struct hyp *hyp, uint32_t *index, char *buf, size_t size)
{
	return read_log(hyp, index, buf, size, false);
}

int hyp_host_log_clear(struct hyp *hyp)
{
	uint32_t index = 0;
	char byte;
	int rc = read_log(hyp, &index, &byte, 1, true);

	return rc < 0 ? rc : 0;
}

int hyp_host_debug_keys(struct hyp *hyp, const char *keys)
{
	size_t n = strlen(keys);
	struct xen_sysctl *op;
	char *copy;
	long rc = hyp_reserve(hyp, n + sizeof(*op));

	if (rc)
		return (int)rc;
	op = hyp_take(hyp, sizeof(*op));
	copy = hyp_take(hyp, n);
	memcpy(copy, keys, n);
	op->u.debug_keys.keys = GUEST_PTR(copy);
	op->u.debug_keys.nr_keys = (uint32_t)n;
	return (int)sysctl_call(hyp, XEN_SYSCTL_debug_keys, op);
}

int hyp_host_version(struct hyp *hyp, unsigned cmd, void *arg, size_t size)
{
	void *copy = NULL;
	long rc = hyp_reserve(hyp, size);

	if (rc)
		return (int)rc;
	if (size) {
		copy = hyp_take(hyp, size);
		memcpy(copy, arg, size);
	}
	rc = hyp_call(hyp, __HYPERVISOR_xen_version, cmd, (uintptr_t)copy, 0, 0);
	if (rc >= 0 && size)
		memcpy(arg, copy, size);
	return (int)rc;
}
