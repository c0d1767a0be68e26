/* SPDX-License-Identifier: MIT */
/* What saving and restoring asks beside the rest: a vCPU's other state, frames' types. */
#include "hyp/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PART_MAX (64UL << 10)	/* bytes of a part: an XSAVE area has under 12 KiB */
#define PIN_BATCH 512U

/* A domctl in the hypercall buffer, and room for size bytes behind it. */
static struct xen_domctl *take(struct hyp *hyp, uint32_t domid, uint32_t cmd, size_t size,
			       void **buffer)
{
	struct xen_domctl *op;

	if (hyp_reserve(hyp, sizeof(*op) + size))
		return NULL;
	op = hyp_take(hyp, sizeof(*op));
	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = (domid_t)domid;
	*buffer = hyp_take(hyp, size);
	return op;
}

static int call(struct hyp *hyp, struct xen_domctl *op)
{
	return (int)hyp_call(hyp, __HYPERVISOR_domctl, (uintptr_t)op, 0, 0, 0);
}

static int copy_out(const void *from, size_t n, void **buf, size_t *size)
{
	*buf = malloc(n + !n);
	if (!*buf)
		return -ENOMEM;
	memcpy(*buf, from, n);
	*size = n;
	return 0;
}

/* What it takes is told first; a guest that stands still does not come to need more. */
static int get_xsave(struct hyp *hyp, uint32_t domid, uint32_t vcpu, void **buf, size_t *size)
{
	struct xen_domctl *op;
	uint64_t want = 0, mask = 0;
	void *buffer;
	int rc;

	for (int i = 0; i < 2; i++) {
		op = take(hyp, domid, XEN_DOMCTL_getvcpuextstate, want, &buffer);
		if (!op)
			return -ENOMEM;
		op->u.vcpuextstate = (struct xen_domctl_vcpuextstate){
			.vcpu = vcpu, .xfeature_mask = mask, .size = want,
			.buffer = GUEST_PTR(buffer) };
		rc = call(hyp, op);
		if (rc)
			return rc;
		if (op->u.vcpuextstate.size > (i ? want : PART_MAX))
			return -EIO;
		want = op->u.vcpuextstate.size;
		mask = op->u.vcpuextstate.xfeature_mask;
		if (!want)
			break;
	}
	return copy_out(buffer, want, buf, size);
}

static int get_msrs(struct hyp *hyp, uint32_t domid, uint32_t vcpu, void **buf, size_t *size)
{
	const size_t each = sizeof(struct xen_domctl_vcpu_msr);
	struct xen_domctl *op;
	uint32_t count = 0;
	void *buffer;
	int rc;

	for (int i = 0; i < 2; i++) {
		op = take(hyp, domid, XEN_DOMCTL_get_vcpu_msrs, count * each, &buffer);
		if (!op)
			return -ENOMEM;
		op->u.vcpu_msrs = (struct xen_domctl_vcpu_msrs){ .vcpu = vcpu, .msr_count = count };
		if (i)
			op->u.vcpu_msrs.msrs = (guest_ptr_t)GUEST_PTR(buffer);
		rc = call(hyp, op);
		if (rc)
			return rc;
		if (op->u.vcpu_msrs.msr_count > (i ? count : PART_MAX / each))
			return -EIO;
		count = op->u.vcpu_msrs.msr_count;
		if (!count)
			break;
	}
	return copy_out(buffer, count * each, buf, size);
}

static int get_extended(struct hyp *hyp, uint32_t domid, uint32_t vcpu, void **buf, size_t *size)
{
	void *none;
	struct xen_domctl *op = take(hyp, domid, XEN_DOMCTL_get_ext_vcpucontext, 0, &none);
	int rc;

	if (!op)
		return -ENOMEM;
	op->u.ext_vcpucontext.vcpu = vcpu;
	rc = call(hyp, op);
	if (rc)
		return rc;
	return copy_out(&op->u.ext_vcpucontext, sizeof(op->u.ext_vcpucontext), buf, size);
}

int hyp_vcpu_get_part(struct hyp *hyp, uint32_t domid, uint32_t vcpu, enum hyp_vcpu_part part,
		      void **buf, size_t *size)
{
	switch (part) {
	case HYP_VCPU_EXTENDED:
		return get_extended(hyp, domid, vcpu, buf, size);
	case HYP_VCPU_XSAVE:
		return get_xsave(hyp, domid, vcpu, buf, size);
	case HYP_VCPU_MSRS:
		return get_msrs(hyp, domid, vcpu, buf, size);
	default:
		return -EINVAL;
	}
}

int hyp_vcpu_set_part(struct hyp *hyp, uint32_t domid, uint32_t vcpu, enum hyp_vcpu_part part,
		      const void *buf, size_t size)
{
	static const uint32_t cmds[] = {
		[HYP_VCPU_EXTENDED] = XEN_DOMCTL_set_ext_vcpucontext,
		[HYP_VCPU_XSAVE] = XEN_DOMCTL_setvcpuextstate,
		[HYP_VCPU_MSRS] = XEN_DOMCTL_set_vcpu_msrs,
	};
	struct xen_domctl *op;
	void *buffer;

	if (part >= HYP_VCPU_PARTS || size > PART_MAX)
		return -EINVAL;
	op = take(hyp, domid, cmds[part], size, &buffer);
	if (!op)
		return -ENOMEM;
	memcpy(buffer, buf, size);
	switch (part) {
	case HYP_VCPU_EXTENDED:
		if (size > sizeof(op->u.ext_vcpucontext))
			return -EINVAL;
		memcpy(&op->u.ext_vcpucontext, buf, size);
		op->u.ext_vcpucontext.vcpu = vcpu;
		op->u.ext_vcpucontext.size = (uint32_t)size;
		break;
	case HYP_VCPU_XSAVE:
		op->u.vcpuextstate = (struct xen_domctl_vcpuextstate){
			.vcpu = vcpu, .size = size, .buffer = GUEST_PTR(buffer) };
		break;
	default:
		op->u.vcpu_msrs = (struct xen_domctl_vcpu_msrs){
			.vcpu = vcpu, .msrs = GUEST_PTR(buffer),
			.msr_count = (uint32_t)(size / sizeof(struct xen_domctl_vcpu_msr)) };
		break;
	}
	return call(hyp, op);
}

int hyp_memory_types(struct hyp *hyp, uint32_t domid, uint64_t *frames, unsigned n)
{
	size_t size = n * sizeof(*frames);
	struct xen_domctl *op;
	void *list;
	int rc;

	op = take(hyp, domid, XEN_DOMCTL_getpageframeinfo3, size, &list);
	if (!op)
		return -ENOMEM;
	memcpy(list, frames, size);
	op->u.getpageframeinfo3 = (struct xen_domctl_getpageframeinfo3){
		.num = n, .array = GUEST_PTR(list) };
	rc = call(hyp, op);
	if (!rc)
		memcpy(frames, list, size);
	return rc;
}

int hyp_memory_pin_all(struct hyp *hyp, uint32_t domid, const struct hyp_table *tables, size_t n)
{
	while (n) {
		unsigned batch = n < PIN_BATCH ? (unsigned)n : PIN_BATCH;
		struct mmuext_op *ops;
		long rc;

		if (hyp_reserve(hyp, batch * sizeof(*ops)))
			return -ENOMEM;
		ops = hyp_take(hyp, batch * sizeof(*ops));
		for (unsigned i = 0; i < batch; i++) {
			ops[i].cmd = MMUEXT_PIN_L1_TABLE + tables[i].level - 1;
			ops[i].arg1.mfn = tables[i].mfn;
		}
		rc = hyp_call(hyp, __HYPERVISOR_mmuext_op, (uintptr_t)ops, batch, 0, domid);
		if (rc)
			return (int)rc;
		tables += batch;
		n -= batch;
	}
	return 0;
}
