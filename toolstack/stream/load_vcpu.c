/* SPDX-License-Identifier: MIT */
/* A guest's vCPUs out of its image: PFNs become frames of the machine again. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "stream/load.h"

#define CONTEXT_MAX	      (64UL << 10)	/* bytes of one record */
#define DESCRIPTORS_PER_FRAME 512U
#define GDT_FRAMES	      16U

/* Where in struct vcpu_record a record goes. */
static unsigned slot_of(uint32_t type)
{
	switch (type) {
	case RECORD_VCPU_EXTENDED:
		return 1 + HYP_VCPU_EXTENDED;
	case RECORD_VCPU_XSAVE:
		return 1 + HYP_VCPU_XSAVE;
	case RECORD_VCPU_MSRS:
		return 1 + HYP_VCPU_MSRS;
	default:
		return 0;
	}
}

static bool size_ok(uint32_t type, uint32_t size)
{
	switch (type) {
	case RECORD_VCPU_BASIC:
		return size == sizeof(struct vcpu_guest_context);
	case RECORD_VCPU_EXTENDED:
		return size <= sizeof(struct xen_domctl_ext_vcpucontext);
	case RECORD_VCPU_MSRS:
		return size % sizeof(struct xen_domctl_vcpu_msr) == 0;
	default:
		return true;
	}
}

int load_vcpu_record(struct loader *l, uint32_t type, uint32_t length)
{
	struct vcpu_header header;
	unsigned slot = slot_of(type);
	struct vcpu_record *record;
	uint32_t id;

	if (length < sizeof(header) || load_read(l, &header, sizeof(header)))
		return length < sizeof(header) ? load_damaged(l, "a vCPU's record is too short")
					       : -1;
	id = le32toh(header.id);
	length -= sizeof(header);
	if (id >= l->request->vcpus_max)
		return load_damaged(l, "it has more vCPUs than its definition");
	if (length > CONTEXT_MAX || !size_ok(type, length))
		return load_damaged(l, "a vCPU's record has a wrong length");
	record = &l->vcpu[id];
	free(record->context[slot]);
	record->context[slot] = malloc(length + !length);
	record->size[slot] = length;
	if (!record->context[slot])
		return error_set(l->err, ERROR_NO_MEMORY, "out of memory");
	return load_read(l, record->context[slot], length);
}

int load_start_info_pfn(struct loader *l, uint64_t *pfn)
{
	const struct vcpu_guest_context *context = l->vcpu[0].context[0];

	if (!context)
		return load_damaged(l, "it lacks vCPU 0");
	*pfn = context->user_regs.rdx;
	return 0;
}

/* *frame, a PFN, becomes a machine frame. */
static int to_mfn(struct loader *l, unsigned long *frame)
{
	if (*frame >= l->nr || l->mfn[*frame] == NO_FRAME)
		return load_damaged(l, "a vCPU uses a page that is not there");
	*frame = l->mfn[*frame];
	return 0;
}

static int root_to_mfn(struct loader *l, unsigned long *cr3)
{
	unsigned long frame = xen_cr3_to_pfn(*cr3);

	if (to_mfn(l, &frame))
		return -1;
	*cr3 = xen_pfn_to_cr3(frame);
	return 0;
}

/* The reverse of normalise() in save_vcpu.c. */
static int localise(struct loader *l, struct vcpu_guest_context *context, unsigned vcpu)
{
	uint64_t frames = context->gdt_ents / DESCRIPTORS_PER_FRAME +
			  !!(context->gdt_ents % DESCRIPTORS_PER_FRAME);

	if (frames > GDT_FRAMES)
		return load_damaged(l, "a vCPU's descriptor table is too long");
	for (unsigned i = 0; i < frames; i++)
		if (to_mfn(l, &context->gdt_frames[i]))
			return -1;
	if (vcpu == 0 && to_mfn(l, &context->user_regs.rdx))
		return -1;
	if (root_to_mfn(l, &context->ctrlreg[3]))
		return -1;
	return context->ctrlreg[1] ? root_to_mfn(l, &context->ctrlreg[1]) : 0;
}

static int load_vcpu(struct loader *l, unsigned vcpu)
{
	struct vcpu_record *record = &l->vcpu[vcpu];
	int rc;

	if (localise(l, record->context[0], vcpu))
		return -1;
	rc = hyp_vcpu_set_context(l->hyp, l->domid, vcpu, record->context[0]);
	for (unsigned part = 0; part < HYP_VCPU_PARTS && !rc; part++) {
		if (record->context[1 + part])
			rc = hyp_vcpu_set_part(l->hyp, l->domid, vcpu, part,
					       record->context[1 + part], record->size[1 + part]);
	}
	return rc ? load_refused(l, "the state of a vCPU", rc) : 0;
}

int load_vcpus(struct loader *l)
{
	for (unsigned vcpu = 0; vcpu < l->request->vcpus_max; vcpu++) {
		if (l->vcpu[vcpu].context[0] && load_vcpu(l, vcpu))
			return -1;
	}
	return 0;
}
