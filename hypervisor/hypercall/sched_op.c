/* SPDX-License-Identifier: MIT */
/* sched_op(cmd, arg): giving up the CPU for a while, and the end of a domain. */
#include "abi/errno.h"
#include "abi/sched.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"
#include "x86/machine.h"

#define POLL_PORTS_MAX	128

/* What is left of a poll that something else ended. */
static void end_poll(struct vcpu *v)
{
	timer_stop(&v->poll_timer);
	if (unlikely(v->event.polling))
		event_poll_end(&v->event);
}

static bool must_run(const struct vcpu *v)
{
	return event_upcall_due(&v->event) || v->nmi_pending;
}

static int block(struct vcpu *v)
{
	end_poll(v);
	__atomic_store_n(&v->event.info->evtchn_upcall_mask, 0, __ATOMIC_RELAXED);
	sched_block(&v->sched);
	if (must_run(v))
		sched_wake(&v->sched);
	return 0;
}

static int poll(struct vcpu *v, guest_ptr_t arg)
{
	evtchn_port_t ports[POLL_PORTS_MAX];
	struct sched_poll op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.nr_ports > POLL_PORTS_MAX)
		return -EINVAL;
	if (copy_from_guest(ports, op.ports, op.nr_ports * sizeof(ports[0])))
		return -EFAULT;
	for (unsigned i = 0; i < op.nr_ports; i++)
		if (!event_port_valid(&v->domain->event, ports[i]))
			return -EINVAL;
	end_poll(v);
	sched_block(&v->sched);
	if (event_poll_begin(&v->event, ports, op.nr_ports) || must_run(v) ||
	    (op.timeout && op.timeout <= machine_now())) {
		event_poll_end(&v->event);
		sched_wake(&v->sched);
	} else if (op.timeout) {
		timer_set(&v->poll_timer, op.timeout);
	}
	return 0;
}

static int shutdown(struct vcpu *v, guest_ptr_t arg)
{
	struct sched_shutdown op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.reason > SHUTDOWN_MAX)
		return -EINVAL;
	/* Nobody is left to resume the control domain. */
	if (v->domain == domain_control &&
	    (op.reason == SHUTDOWN_suspend || op.reason == SHUTDOWN_soft_reset))
		return -EINVAL;
	domain_shutdown(v->domain, op.reason);
	return 0;
}

static int remote_shutdown(struct vcpu *v, guest_ptr_t arg)
{
	struct sched_remote_shutdown op;
	struct domain *d;

	if (!v->domain->privileged)
		return -EPERM;
	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.reason > SHUTDOWN_MAX)
		return -EINVAL;
	d = domain_get(op.domain_id);
	if (!d)
		return -ESRCH;
	if (d == v->domain) {
		domain_put(d);
		return -EINVAL;
	}
	domain_shutdown(d, op.reason);
	domain_put(d);
	return 0;
}

static int watchdog(struct vcpu *v, guest_ptr_t arg)
{
	struct sched_watchdog op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	return domain_set_watchdog(v->domain, op.id, op.timeout);
}

static int pin_override(struct vcpu *v, guest_ptr_t arg)
{
	struct sched_pin_override op;

	if (!v->domain->privileged)
		return -EPERM;
	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	return sched_pin_override(&v->sched, op.pcpu);
}

int64_t hypercall_sched_op(struct hypercall *c)
{
	struct vcpu *v = c->vcpu;
	guest_ptr_t arg = { c->arg[1] };

	switch ((uint32_t)c->arg[0]) {
	case SCHEDOP_block:
		return block(v);
	case SCHEDOP_yield:
		sched_vcpu_yield(&v->sched);
		return 0;
	case SCHEDOP_poll:
		return poll(v, arg);
	case SCHEDOP_shutdown:
		return shutdown(v, arg);
	case SCHEDOP_remote_shutdown:
		return remote_shutdown(v, arg);
	case SCHEDOP_watchdog:
		return watchdog(v, arg);
	case SCHEDOP_pin_override:
		return pin_override(v, arg);
	default:
		return -ENOSYS;
	}
}
