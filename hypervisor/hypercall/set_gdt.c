/* SPDX-License-Identifier: MIT */
/* set_gdt(frames, entries): the frames of the vCPU's descriptor table, 512 descriptors in each. */
#include "domain/copy.h"
#include "hypercall/hypercall.h"

int64_t hypercall_set_gdt(struct hypercall *c)
{
	unsigned long frames[GDT_GUEST_FRAMES];
	uint64_t entries = c->arg[1];

	if (entries > FIRST_RESERVED_GDT_ENTRY)
		return -EINVAL;
	if (copy_from_guest(frames, (guest_ptr_t){ c->arg[0] },
			    DIV_ROUND_UP(entries, 512) * sizeof(frames[0])))
		return -EFAULT;
	return vcpu_set_gdt(c->vcpu, frames, (unsigned)entries);
}
