/* SPDX-License-Identifier: MIT */
/* A domain's vCPUs into its image: frame numbers of the machine become the guest's own. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "stream/format.h"
#include "stream/save.h"

#define DESCRIPTORS_PER_FRAME 512U

static int refused(struct saver *s, uint32_t vcpu, int rc)
{
	return error_set(s->err, ERROR_HYPERCALL,
			 "the hypervisor does not tell the state of vCPU %u: %s", vcpu,
			 error_text(rc));
}

/* *frame becomes a PFN. */
static int to_pfn(struct saver *s, unsigned long *frame, uint32_t vcpu, const char *what)
{
	uint64_t pfn = p2m_pfn(&s->p2m, *frame);

	if (pfn == NO_FRAME)
		return error_set(s->err, ERROR_STATE, "vCPU %u: %s is no memory of the guest's",
				 vcpu, what);
	*frame = pfn;
	return 0;
}

static int root_to_pfn(struct saver *s, unsigned long *cr3, uint32_t vcpu)
{
	unsigned long frame = xen_cr3_to_pfn(*cr3);

	if (to_pfn(s, &frame, vcpu, "a page table's root"))
		return -1;
	*cr3 = xen_pfn_to_cr3(frame);
	return 0;
}

/*
 * The suspend hypercall of Linux names its start_info page in rdx of vCPU 0 (sched_op's third
 * argument, abi/sched.h): whoever restores the guest has to find it.
 */
static int normalise(struct saver *s, struct vcpu_guest_context *context, uint32_t vcpu)
{
	unsigned frames = (unsigned)((context->gdt_ents + DESCRIPTORS_PER_FRAME - 1) /
				     DESCRIPTORS_PER_FRAME);

	if (vcpu == 0 && to_pfn(s, &context->user_regs.rdx, vcpu, "its start_info page"))
		return -1;
	for (unsigned i = 0; i < frames && i < 16; i++)
		if (to_pfn(s, &context->gdt_frames[i], vcpu, "its descriptor table"))
			return -1;
	if (root_to_pfn(s, &context->ctrlreg[3], vcpu))
		return -1;
	if (context->ctrlreg[1] && root_to_pfn(s, &context->ctrlreg[1], vcpu))
		return -1;
	return 0;
}

static int save_basic(struct saver *s, uint32_t vcpu)
{
	const struct vcpu_header header = { .id = htole32(vcpu) };
	struct vcpu_guest_context *context = malloc(sizeof(*context));
	int rc;

	if (!context)
		return error_set(s->err, ERROR_NO_MEMORY, "out of memory");
	rc = hyp_vcpu_get_context(s->hyp, s->domid, vcpu, context);
	if (rc)
		rc = refused(s, vcpu, rc);
	else
		rc = normalise(s, context, vcpu) ||
				     save_record(s, RECORD_VCPU_BASIC, &header, sizeof(header),
						 context, sizeof(*context))
			     ? -1
			     : 0;
	free(context);
	return rc;
}

static int save_part(struct saver *s, uint32_t vcpu, enum hyp_vcpu_part part)
{
	static const uint32_t types[HYP_VCPU_PARTS] = { [HYP_VCPU_EXTENDED] = RECORD_VCPU_EXTENDED,
							[HYP_VCPU_XSAVE] = RECORD_VCPU_XSAVE,
							[HYP_VCPU_MSRS] = RECORD_VCPU_MSRS };
	const struct vcpu_header header = { .id = htole32(vcpu) };
	size_t size;
	void *buf;
	int rc = hyp_vcpu_get_part(s->hyp, s->domid, vcpu, part, &buf, &size);

	if (rc)
		return refused(s, vcpu, rc);
	if (size)	/* an empty state is none */
		rc = save_record(s, types[part], &header, sizeof(header), buf, size);
	free(buf);
	return rc;
}

int save_vcpus(struct saver *s)
{
	for (uint32_t vcpu = 0; vcpu <= s->info.max_vcpu_id; vcpu++) {
		struct xen_domctl_getvcpuinfo info;
		int rc = hyp_vcpu_info(s->hyp, s->domid, vcpu, &info);

		if (rc == -ENOENT || rc == -ESRCH)
			continue;
		if (rc)
			return refused(s, vcpu, rc);
		if (!info.online)
			continue;
		if (save_basic(s, vcpu))
			return -1;
		for (unsigned part = 0; part < HYP_VCPU_PARTS; part++)
			if (save_part(s, vcpu, part))
				return -1;
	}
	return 0;
}
