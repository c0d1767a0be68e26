/* SPDX-License-Identifier: MIT */
/* set_timer_op(timeout): the older way to set a vCPU's single-shot timer; 0 stops it. */
#include "hypercall/hypercall.h"

int64_t hypercall_set_timer_op(struct hypercall *c)
{
	if (c->arg[0])
		timer_set(&c->vcpu->singleshot, c->arg[0]);
	else
		timer_stop(&c->vcpu->singleshot);
	return 0;
}
