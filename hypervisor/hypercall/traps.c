/* SPDX-License-Identifier: MIT */
/* Where a guest's handlers are: set_trap_table, set_callbacks, callback_op. */
#include "abi/callback.h"
#include "abi/errno.h"
#include "abi/xen.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"

/* set_trap_table(table): entries up to one with address 0; a null pointer removes all gates. */
int64_t hypercall_set_trap_table(struct hypercall *c)
{
	guest_ptr_t table = { c->arg[0] };
	struct trap_info ti;

	if (guest_ptr_null(table)) {
		for (unsigned i = 0; i < TRAP_GATES; i++)
			c->vcpu->trap[i] = (struct trap_gate){ 0 };
		return 0;
	}
	/* At most every vector and the end: a longer table names some twice. */
	for (unsigned i = 0; i < 257; i++) {
		if (copy_from_guest(&ti, guest_ptr_at(table, i, sizeof(ti)), sizeof(ti)))
			return -EFAULT;
		if (!ti.address)
			return 0;
		if (vcpu_set_trap(c->vcpu, &ti))
			return -EINVAL;
	}
	return -EINVAL;
}

static int set_callback(struct vcpu *v, uint16_t type, uint64_t address, bool masks)
{
	if (!vcpu_code_address_ok(address))
		return -EINVAL;
	switch (type) {
	case CALLBACKTYPE_event:
		masks = true; /* always: the upcall would come again at once */
		break;
	case CALLBACKTYPE_failsafe:
	case CALLBACKTYPE_syscall:
	case CALLBACKTYPE_syscall32:
	case CALLBACKTYPE_sysenter:
		break;
	default:
		return -ENOSYS; /* NMIs go through the trap table */
	}
	v->callback[type] = (struct guest_callback){ address, masks };
	return 0;
}

/* set_callbacks(event, failsafe, syscall): the older form. */
int64_t hypercall_set_callbacks(struct hypercall *c)
{
	for (unsigned type = CALLBACKTYPE_event; type <= CALLBACKTYPE_syscall; type++)
		if (!vcpu_code_address_ok(c->arg[type]))
			return -EINVAL;
	for (unsigned type = CALLBACKTYPE_event; type <= CALLBACKTYPE_syscall; type++)
		if (set_callback(c->vcpu, (uint16_t)type, c->arg[type], false))
			return -EINVAL;
	return 0;
}

/* callback_op(cmd, arg) */
int64_t hypercall_callback_op(struct hypercall *c)
{
	guest_ptr_t arg = { c->arg[1] };
	struct callback_register reg;
	struct callback_unregister unreg;

	switch (c->arg[0]) {
	case CALLBACKOP_register:
		if (copy_from_guest(&reg, arg, sizeof(reg)))
			return -EFAULT;
		return set_callback(c->vcpu, reg.type, reg.address,
				    reg.flags & CALLBACKF_mask_events);
	case CALLBACKOP_unregister:
		if (copy_from_guest(&unreg, arg, sizeof(unreg)))
			return -EFAULT;
		/* A guest can't do without these: the ABI refuses. */
		if (unreg.type <= CALLBACKTYPE_syscall)
			return -EINVAL;
		return set_callback(c->vcpu, unreg.type, 0, false);
	default:
		return -ENOSYS;
	}
}
