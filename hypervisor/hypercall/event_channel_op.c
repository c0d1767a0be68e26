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
#include "lib/assert.h"

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

static int alloc_unbound(struct domain *caller, void *arg)
{
	struct evtchn_alloc_unbound *op = arg;
	struct domain *d;
	int rc;

	if (op->dom != DOMID_SELF && op->dom != caller->id && !caller->privileged)
		return -EPERM;
	rc = get_target(caller, op->dom, &d);
	if (rc)
		return rc;
	if (op->remote_dom == DOMID_SELF)
		op->remote_dom = caller->id;
	rc = event_alloc_unbound(&d->event, op->remote_dom, &op->port);
	domain_put(d);
	return rc;
}

static int bind_interdomain(struct domain *caller, void *arg)
{
	struct evtchn_bind_interdomain *op = arg;
	struct domain *remote = domain_get(op->remote_dom);
	int rc;

	if (!remote)
		return -ESRCH;
	rc = event_bind_interdomain(&caller->event, &remote->event, op->remote_port,
				    &op->local_port);
	domain_put(remote);
	return rc;
}

static int bind_virq(struct domain *caller, void *arg)
{
	struct evtchn_bind_virq *op = arg;

	if (op->virq >= NR_VIRQS)
		return -EINVAL;
	if (event_virq_is_control(op->virq) && !caller->privileged)
		return -EPERM;
	return event_bind_virq(&caller->event, op->virq, op->vcpu, &op->port);
}

static int connect_pirq(struct event_domain *ed, unsigned pirq, evtchn_port_t port, bool shareable)
{
	return irq_pirq_bind(container_of(ed, struct domain, event), pirq, port, shareable);
}

static int bind_pirq(struct domain *caller, void *arg)
{
	struct evtchn_bind_pirq *op = arg;

	if (!caller->irq)
		return -EPERM;
	return event_bind_pirq(&caller->event, op->pirq, op->flags & BIND_PIRQ__WILL_SHARE,
			       connect_pirq, &op->port);
}

static int bind_ipi(struct domain *caller, void *arg)
{
	struct evtchn_bind_ipi *op = arg;

	return event_bind_ipi(&caller->event, op->vcpu, &op->port);
}

/* A device's interrupt follows the vCPU that is told of it. */
static void move_interrupt(struct domain *d, const struct evtchn_bind_vcpu *op)
{
	struct evtchn_status status = { .port = op->port };

	if (!event_status(&d->event, &status) && status.status == EVTCHNSTAT_pirq)
		irq_pirq_set_cpu(d, status.u.pirq, d->vcpu[op->vcpu]->sched.cpu);
}

static int bind_vcpu(struct domain *caller, void *arg)
{
	const struct evtchn_bind_vcpu *op = arg;
	int rc = event_bind_vcpu(&caller->event, op->port, op->vcpu);

	if (!rc && caller->irq)
		move_interrupt(caller, op);
	return rc;
}

static int unmask(struct domain *caller, void *arg)
{
	return event_unmask(&caller->event, ((struct evtchn_unmask *)arg)->port);
}

static int close(struct domain *caller, void *arg)
{
	return event_close(&caller->event, ((struct evtchn_close *)arg)->port);
}

static int status(struct domain *caller, void *arg)
{
	struct evtchn_status *op = arg;
	struct domain *d;
	int rc = get_target(caller, op->dom, &d);

	if (rc)
		return rc;
	rc = event_status(&d->event, op);
	domain_put(d);
	return rc;
}

static int reset(struct domain *caller, void *arg)
{
	struct domain *d;
	int rc = get_target(caller, ((struct evtchn_reset *)arg)->dom, &d);

	if (rc)
		return rc;
	rc = event_reset(&d->event);
	domain_put(d);
	return rc;
}

/* sub-op -> what does it, the size of its argument, and whether the caller gets that back. */
static const struct {
	int (*fn)(struct domain *caller, void *arg);
	uint8_t size;
	bool told;
} ops[] = {
#define OP(name, told) [EVTCHNOP_##name] = { name, sizeof(struct evtchn_##name), told }
	OP(bind_interdomain, true),
	OP(bind_virq, true),
	OP(bind_pirq, true),
	OP(close, false),
	OP(status, true),
	OP(alloc_unbound, true),
	OP(bind_ipi, true),
	OP(bind_vcpu, false),
	OP(unmask, false),
	OP(reset, false),
#undef OP
};

int64_t hypercall_event_channel_op(struct hypercall *c)
{
	struct domain *caller = c->vcpu->domain;
	guest_ptr_t ptr = { c->arg[1] };
	uint32_t cmd = (uint32_t)c->arg[0];
	uint64_t arg[4];
	evtchn_port_t port;
	int rc;

	if (likely(cmd == EVTCHNOP_send)) {
		if (unlikely(copy_from_guest(&port, ptr, sizeof(port))))
			return -EFAULT;
		return event_send(&caller->event, port);
	}
	if (cmd >= ARRAY_SIZE(ops) || !ops[cmd].fn)
		return -ENOSYS;
	ASSERT(ops[cmd].size <= sizeof(arg));
	/* What cannot be told is not done: a port that nobody knows would stay open. */
	if (copy_from_guest(arg, ptr, ops[cmd].size) ||
	    (ops[cmd].told && copy_to_guest(ptr, arg, ops[cmd].size)))
		return -EFAULT;
	rc = ops[cmd].fn(caller, arg);
	if (!rc && ops[cmd].told && copy_to_guest(ptr, arg, ops[cmd].size))
		rc = -EFAULT;
	return rc;
}
