/* SPDX-License-Identifier: MIT */
/*
 * event_channel_op(cmd, arg): whose ports, and who may. A domain works on its own; the control
 * domain may also open, look at and reset those of others. The FIFO ABI is refused by -ENOSYS, so
 * guests use the two-level one.
 */
#include "abi/errno.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"
#include "irq/irq.h"

/*
 * The domain that `id` names to the caller, referenced: its own, or any for the control domain. 0,
 * -ESRCH, -EPERM.
 */
static int get_target(struct domain *caller, domid_t id, struct domain **d)
{
	*d = domain_get(id);
	if (!*d)
		return -ESRCH;
	if (*d == caller || caller->privileged)
		return 0;
	domain_put(*d);
	return -EPERM;
}

static int alloc_unbound(struct domain *caller, guest_ptr_t arg)
{
	struct evtchn_alloc_unbound op;
	struct domain *d;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.dom != DOMID_SELF && op.dom != caller->id && !caller->privileged)
		return -EPERM;
	rc = get_target(caller, op.dom, &d);
	if (rc)
		return rc;
	if (op.remote_dom == DOMID_SELF)
		op.remote_dom = caller->id;
	rc = event_alloc_unbound(&d->event, op.remote_dom, &op.port);
	if (!rc && copy_to_guest(arg, &op, sizeof(op))) {
		event_close(&d->event, op.port);
		rc = -EFAULT;
	}
	domain_put(d);
	return rc;
}

static int bind_interdomain(struct domain *caller, guest_ptr_t arg)
{
	struct evtchn_bind_interdomain op;
	struct domain *remote;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	remote = domain_get(op.remote_dom);
	if (!remote)
		return -ESRCH;
	rc = event_bind_interdomain(&caller->event, &remote->event, op.remote_port, &op.local_port);
	domain_put(remote);
	if (!rc && copy_to_guest(arg, &op, sizeof(op))) {
		event_close(&caller->event, op.local_port);
		rc = -EFAULT;
	}
	return rc;
}

static int bind_virq(struct domain *caller, guest_ptr_t arg)
{
	struct evtchn_bind_virq op;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.virq >= NR_VIRQS)
		return -EINVAL;
	if (event_virq_is_control(op.virq) && !caller->privileged)
		return -EPERM;
	rc = event_bind_virq(&caller->event, op.virq, op.vcpu, &op.port);
	if (!rc && copy_to_guest(arg, &op, sizeof(op))) {
		event_close(&caller->event, op.port);
		rc = -EFAULT;
	}
	return rc;
}

static int connect_pirq(struct event_domain *ed, unsigned pirq, evtchn_port_t port, bool shareable)
{
	return irq_pirq_bind(container_of(ed, struct domain, event), pirq, port, shareable);
}

static int bind_pirq(struct domain *caller, guest_ptr_t arg)
{
	struct evtchn_bind_pirq op;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (!caller->irq)
		return -EPERM;
	rc = event_bind_pirq(&caller->event, op.pirq, op.flags & BIND_PIRQ__WILL_SHARE,
			     connect_pirq, &op.port);
	if (!rc && copy_to_guest(arg, &op, sizeof(op))) {
		event_close(&caller->event, op.port);
		rc = -EFAULT;
	}
	return rc;
}

static int bind_ipi(struct domain *caller, guest_ptr_t arg)
{
	struct evtchn_bind_ipi op;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = event_bind_ipi(&caller->event, op.vcpu, &op.port);
	if (!rc && copy_to_guest(arg, &op, sizeof(op))) {
		event_close(&caller->event, op.port);
		rc = -EFAULT;
	}
	return rc;
}

/* A device's interrupt follows the vCPU that is told of it. */
static void move_interrupt(struct domain *d, const struct evtchn_bind_vcpu *op)
{
	struct evtchn_status status = { .port = op->port };

	if (!event_status(&d->event, &status) && status.status == EVTCHNSTAT_pirq)
		irq_pirq_set_cpu(d, status.u.pirq, d->vcpu[op->vcpu]->sched.cpu);
}

static int bind_vcpu(struct domain *caller, guest_ptr_t arg)
{
	struct evtchn_bind_vcpu op;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = event_bind_vcpu(&caller->event, op.port, op.vcpu);
	if (!rc && caller->irq)
		move_interrupt(caller, &op);
	return rc;
}

static int status(struct domain *caller, guest_ptr_t arg)
{
	struct evtchn_status op;
	struct domain *d;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = get_target(caller, op.dom, &d);
	if (rc)
		return rc;
	rc = event_status(&d->event, &op);
	domain_put(d);
	if (!rc && copy_to_guest(arg, &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}

static int reset(struct domain *caller, guest_ptr_t arg)
{
	struct evtchn_reset op;
	struct domain *d;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = get_target(caller, op.dom, &d);
	if (rc)
		return rc;
	rc = event_reset(&d->event);
	domain_put(d);
	return rc;
}

int64_t hypercall_event_channel_op(struct hypercall *c)
{
	struct domain *caller = c->vcpu->domain;
	guest_ptr_t arg = { c->arg[1] };
	evtchn_port_t port;

	switch ((uint32_t)c->arg[0]) {
	case EVTCHNOP_send:
		if (unlikely(copy_from_guest(&port, arg, sizeof(port))))
			return -EFAULT;
		return event_send(&caller->event, port);
	case EVTCHNOP_unmask:
		if (copy_from_guest(&port, arg, sizeof(port)))
			return -EFAULT;
		return event_unmask(&caller->event, port);
	case EVTCHNOP_close:
		if (copy_from_guest(&port, arg, sizeof(port)))
			return -EFAULT;
		return event_close(&caller->event, port);
	case EVTCHNOP_alloc_unbound:
		return alloc_unbound(caller, arg);
	case EVTCHNOP_bind_interdomain:
		return bind_interdomain(caller, arg);
	case EVTCHNOP_bind_virq:
		return bind_virq(caller, arg);
	case EVTCHNOP_bind_pirq:
		return bind_pirq(caller, arg);
	case EVTCHNOP_bind_ipi:
		return bind_ipi(caller, arg);
	case EVTCHNOP_bind_vcpu:
		return bind_vcpu(caller, arg);
	case EVTCHNOP_status:
		return status(caller, arg);
	case EVTCHNOP_reset:
		return reset(caller, arg);
	default:
		return -ENOSYS;
	}
}
