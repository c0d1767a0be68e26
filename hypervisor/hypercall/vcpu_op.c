/* SPDX-License-Identifier: MIT */
/*
 * vcpu_op(cmd, vcpu, arg): life of the caller's domain's vCPUs, their timers, and the records they
 * share.
 */
#include "abi/errno.h"
#include "abi/sched.h"
#include "domain/copy.h"
#include "domain/runstate.h"
#include "hypercall/hypercall.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define PERIOD_MIN_NS	1000000ull	/* a shorter period would be an interrupt storm */

static int initialise(struct vcpu *v, guest_ptr_t arg)
{
	struct vcpu_guest_context *context;
	int rc = -EFAULT;

	context = heap_alloc(sizeof(*context));
	if (!context)
		return -ENOMEM;
	if (!copy_from_guest(context, arg, sizeof(*context))) {
		lock_acquire(&v->domain->lock);
		rc = v->initialised ? -EEXIST : vcpu_set_context(v, context);
		lock_release(&v->domain->lock);
	}
	heap_free(context);
	return rc;
}

/* The last vCPU that goes down takes its domain with it: nobody could bring one up again. */
static void take_down(struct vcpu *v)
{
	struct domain *d = v->domain;
	bool any_up = false;

	lock_acquire(&d->lock);
	sched_set_down(&v->sched, true);
	for (unsigned i = 0; i < d->max_vcpus; i++)
		any_up |= d->vcpu[i] && !d->vcpu[i]->sched.down;
	lock_release(&d->lock);
	if (!any_up)
		domain_shutdown(d, SHUTDOWN_poweroff);
}

static int set_periodic(struct vcpu *v, guest_ptr_t arg)
{
	struct vcpu_set_periodic_timer op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.period_ns < PERIOD_MIN_NS || op.period_ns > INT64_MAX)
		return -EINVAL;
	v->period = op.period_ns;
	timer_set(&v->periodic, machine_now() + op.period_ns);
	return 0;
}

static int set_singleshot(struct vcpu *v, guest_ptr_t arg)
{
	struct vcpu_set_singleshot_timer op;
	uint64_t now = machine_now();

	if (v != vcpu_current())
		return -EINVAL;
	if (unlikely(copy_from_guest(&op, arg, sizeof(op))))
		return -EFAULT;
	if (op.timeout_abs_ns > now) {
		timer_set(&v->singleshot, op.timeout_abs_ns);
		return 0;
	}
	if (op.flags & VCPU_SSHOTTMR_future)
		return -ETIME;
	timer_stop(&v->singleshot);
	event_raise_virq(&v->event, VIRQ_TIMER);
	return 0;
}

static int register_info(struct vcpu *v, guest_ptr_t arg)
{
	struct vcpu_register_vcpu_info op;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	lock_acquire(&v->domain->lock);
	rc = vcpu_register_info(v, MFN(op.mfn), op.offset);
	lock_release(&v->domain->lock);
	return rc;
}

/* Both kinds of area are one address. */
static int register_area(struct vcpu *v, guest_ptr_t arg, int (*fn)(struct vcpu *, guest_ptr_t))
{
	guest_ptr_t area;

	return copy_from_guest(&area, arg, sizeof(area)) ? -EFAULT : fn(v, area);
}

static int get_runstate(struct vcpu *v, guest_ptr_t arg)
{
	struct vcpu_runstate_info info;

	vcpu_runstate(v, &info);
	return copy_to_guest(arg, &info, sizeof(info));
}

int64_t hypercall_vcpu_op(struct hypercall *c)
{
	struct domain *d = c->vcpu->domain;
	guest_ptr_t arg = { c->arg[2] };
	struct vcpu *v;

	if ((uint32_t)c->arg[1] >= d->max_vcpus || !(v = d->vcpu[(uint32_t)c->arg[1]]))
		return -ENOENT;
	switch ((uint32_t)c->arg[0]) {
	case VCPUOP_set_singleshot_timer:
		return set_singleshot(v, arg);
	case VCPUOP_stop_singleshot_timer:
		if (v != c->vcpu)
			return -EINVAL;
		timer_stop(&v->singleshot);
		return 0;
	case VCPUOP_set_periodic_timer:
		return set_periodic(v, arg);
	case VCPUOP_stop_periodic_timer:
		v->period = 0;
		timer_stop(&v->periodic);
		return 0;
	case VCPUOP_initialise:
		return initialise(v, arg);
	case VCPUOP_up:
		if (!v->initialised)
			return -EINVAL;
		sched_set_down(&v->sched, false);
		return 0;
	case VCPUOP_down:
		take_down(v);
		return 0;
	case VCPUOP_is_up:
		return !v->sched.down;
	case VCPUOP_get_runstate_info:
		return get_runstate(v, arg);
	case VCPUOP_register_runstate_memory_area:
		return register_area(v, arg, vcpu_register_runstate);
	case VCPUOP_register_vcpu_time_memory_area:
		return register_area(v, arg, vcpu_register_time);
	case VCPUOP_register_vcpu_info:
		return register_info(v, arg);
	case VCPUOP_send_nmi:
		vcpu_send_nmi(v);
		return 0;
	default:
		return -ENOSYS;
	}
}
