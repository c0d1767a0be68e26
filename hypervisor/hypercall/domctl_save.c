/* SPDX-License-Identifier: MIT */
/*
 * The domctls that save, restore and core dumps need beside those of domctl_vcpu.c: what frames are
 * used for, and the parts of a vCPU that struct vcpu_guest_context has no room for. Vcpus are
 * paused while they are read. A domain that is saved stands still, so there is no log of what
 * it writes.
 */
#include "abi/errno.h"
#include "domain/copy.h"
#include "hypercall/domctl.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define FRAMES_MAX	1024	/* of one call: 4.17's limit, which its tools keep to */
#define FRAMES_CHUNK	64
#define XCR0_WORDS	2	/* before the XSAVE image: XCR0, and all that it ever was */

static xen_pfn_t frame_info(const struct domain *d, mfn_t mfn)
{
	unsigned level;
	bool pinned;

	if (mm_owner(mfn) != d->id)
		return XEN_DOMCTL_PFINFO_XTAB;
	level = mm_table_level(mfn, &pinned);
	return (xen_pfn_t)level << XEN_DOMCTL_PFINFO_LTAB_SHIFT |
	       (level && pinned ? XEN_DOMCTL_PFINFO_LPINTAB : 0);
}

int domctl_getpageframeinfo3(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_getpageframeinfo3 *info = &op->u.getpageframeinfo3;
	xen_pfn_t list[FRAMES_CHUNK];

	if (info->num > FRAMES_MAX)
		return -E2BIG;
	for (uint64_t at = 0, n; at < info->num; at += n) {
		guest_ptr_t p = guest_ptr_at(info->array, at, sizeof(list[0]));

		n = min(info->num - at, (uint64_t)FRAMES_CHUNK);
		if (copy_from_guest(list, p, n * sizeof(list[0])))
			return -EFAULT;
		for (uint64_t i = 0; i < n; i++)
			list[i] = frame_info(d, MFN(list[i]));
		if (copy_to_guest(p, list, n * sizeof(list[0])))
			return -EFAULT;
	}
	return 0;
}

/* Machine checks are not virtualised: the answer has no banks, those given are not looked at. */
int domctl_get_ext_vcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_ext_vcpucontext *ext = &op->u.ext_vcpucontext;
	const struct vcpu *v = domctl_vcpu(d, ext->vcpu);
	const struct guest_callback *syscall32, *sysenter;

	if (!v)
		return -ESRCH;
	syscall32 = &v->callback[CALLBACKTYPE_syscall32];
	sysenter = &v->callback[CALLBACKTYPE_sysenter];
	*ext = (struct xen_domctl_ext_vcpucontext){
		.vcpu = ext->vcpu,
		.size = sizeof(*ext),
		.syscall32_callback_eip = syscall32->address,
		.syscall32_disables_events = syscall32->masks,
		.sysenter_callback_eip = sysenter->address,
		.sysenter_disables_events = sysenter->masks,
	};
	return 0;
}

int domctl_set_ext_vcpucontext(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_ext_vcpucontext *ext = &op->u.ext_vcpucontext;
	struct vcpu *v = domctl_vcpu(d, ext->vcpu);

	if (!v)
		return -ESRCH;
	if (ext->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap) ||
	    !vcpu_code_address_ok(ext->syscall32_callback_eip) ||
	    !vcpu_code_address_ok(ext->sysenter_callback_eip))
		return -EINVAL;
	domain_pause(d);
	v->callback[CALLBACKTYPE_syscall32] = (struct guest_callback){
		ext->syscall32_callback_eip, ext->syscall32_disables_events };
	v->callback[CALLBACKTYPE_sysenter] = (struct guest_callback){
		ext->sysenter_callback_eip, ext->sysenter_disables_events };
	domain_unpause(d);
	return 0;
}

/* A buffer of XCR0_WORDS and the XSAVE image; size 0 asks how long it is: 0 without XSAVE. */
int domctl_getvcpuextstate(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuextstate *state = &op->u.vcpuextstate;
	struct vcpu *v = domctl_vcpu(d, state->vcpu);
	size_t size = machine_xsave_size();
	uint64_t *buffer;
	int rc;

	size += size ? XCR0_WORDS * sizeof(*buffer) : 0;
	if (!v)
		return -ESRCH;
	if (!state->size || !size) {
		state->size = size;
		state->xfeature_mask = machine_xsave_features();
		return 0;
	}
	if (state->size != size || state->xfeature_mask != machine_xsave_features())
		return -EINVAL;
	buffer = heap_alloc(size);
	if (!buffer)
		return -ENOMEM;
	domain_pause(d);
	machine_vcpu_get_xsave(&v->machine, buffer + XCR0_WORDS, &buffer[0]);
	domain_unpause(d);
	buffer[1] = buffer[0];
	rc = copy_to_guest(state->buffer, buffer, size);
	heap_free(buffer);
	return rc;
}

int domctl_setvcpuextstate(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_vcpuextstate *state = &op->u.vcpuextstate;
	const size_t head = XCR0_WORDS * sizeof(uint64_t);
	struct vcpu *v = domctl_vcpu(d, state->vcpu);
	uint64_t *buffer;
	int rc;

	if (!v)
		return -ESRCH;
	if (state->size < head || state->size > head + machine_xsave_size())
		return -EINVAL;
	if (state->size == head)	/* Xen says so of a vCPU that never used it */
		return 0;
	buffer = heap_alloc(state->size);
	if (!buffer)
		return -ENOMEM;
	rc = copy_from_guest(buffer, state->buffer, state->size);
	domain_pause(d);
	if (!rc)
		rc = machine_vcpu_set_xsave(&v->machine, buffer[0], buffer + XCR0_WORDS,
					    state->size - head);
	domain_unpause(d);
	heap_free(buffer);
	return rc;
}

/* No MSR of a guest's has a value of its own: what there is lies in the context already. */
int domctl_vcpu_msrs(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpu_msrs *msrs = &op->u.vcpu_msrs;

	if (!domctl_vcpu(d, msrs->vcpu))
		return -ESRCH;
	if (op->cmd == XEN_DOMCTL_set_vcpu_msrs)
		return msrs->msr_count ? -EINVAL : 0;
	msrs->msr_count = 0;
	return 0;
}

/* The tables are the guest's own, so there is nothing to turn off and no memory to give to it. */
int domctl_shadow_op(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_shadow_op *shadow = &op->u.shadow_op;

	(void)d;
	switch (shadow->op) {
	case XEN_DOMCTL_SHADOW_OP_OFF:
		return 0;
	case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
		shadow->mb = 0;
		return 0;
	case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION:
		return shadow->mb ? -EOPNOTSUPP : 0;
	default:
		return -EOPNOTSUPP;
	}
}
