/* SPDX-License-Identifier: MIT */
/* update_descriptor(machine address, descriptor): change one entry of a descriptor table. */
#include "hypercall/hypercall.h"

int64_t hypercall_update_descriptor(struct hypercall *c)
{
	return mm_update_descriptor(&c->vcpu->domain->mm, c->arg[0], c->arg[1]);
}
