/* SPDX-License-Identifier: MIT */
/*
 * Event channels: binding, sending, masking, upcalls, blocking and polling, limits, and what must
 * be refused.
 */
#include "abi/sched.h"
#include "clock.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "page.h"
#include "print.h"
#include "test.h"

#define MS	1000000UL

static long op_port(unsigned int cmd, evtchn_port_t port)
{
	struct evtchn_close op = { .port = port };

	return hyp_event_channel_op(cmd, &op);
}

static struct evtchn_status status(evtchn_port_t port)
{
	struct evtchn_status op = { .dom = DOMID_SELF, .port = port };

	check_eq(hyp_event_channel_op(EVTCHNOP_status, &op), 0, "status of port %u", port);
	return op;
}

static void masking(void)
{
	evtchn_port_t port = event_bind_ipi(0);

	check(port != 0, "bind an IPI");
	check_eq(status(port).status, EVTCHNSTAT_ipi, "it is one");
	event_enable();
	event_send(port);
	check(event_pending(port), "sent while the port is masked: pending");
	check_eq(event_count(port), 0, "no upcall");
	event_unmask(port);
	check_eq(event_count(port), 1, "unmask delivers it");
	check(!event_pending(port), "it was taken");
	event_send(port);
	check_eq(event_count(port), 1, "a send to oneself arrives before the call returns");
	event_disable();
	event_send(port);
	event_send(port);
	check(event_pending(port) && vcpu_info->evtchn_upcall_pending,
	      "with the vCPU masked: pending");
	check(vcpu_info->evtchn_pending_sel >> port / 64 & 1, "and selected");
	check_eq(event_count(port), 0, "no upcall");
	vcpu_info->evtchn_upcall_mask = 0;
	check(hyp_xen_version(0, NULL) > 0, "xen_version(0)");
	check_eq(event_count(port), 1, "delivers what is pending, once for two sends");
	check(event_enabled(), "and leaves events enabled");
	event_mask(port);
	event_send(port);
	hyp_xen_version(0, NULL);
	check_eq(event_count(port), 0, "a masked port stays quiet");
	event_clear(port);
	event_unmask(port);
	check_eq(event_count(port), 0, "what was cleared is not delivered");
	event_disable();
	check_eq(event_close(port), 0, "close");
	check_eq(event_close(port), -EINVAL, "close it twice");
}

static void interdomain(void)
{
	struct evtchn_alloc_unbound open = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF };
	evtchn_port_t a, b;

	check_eq(hyp_event_channel_op(EVTCHNOP_alloc_unbound, &open), 0,
		 "an unbound port for ourselves");
	a = open.port;
	check_eq(status(a).status, EVTCHNSTAT_unbound, "it is one");
	check_eq(op_port(EVTCHNOP_send, a), 0, "sending on it is lost");
	bind.remote_port = a;
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_interdomain, &bind), 0, "bind to it");
	b = bind.local_port;
	check_eq(status(a).u.interdomain.port, b, "each knows the other");
	check_eq(status(b).u.interdomain.port, a, "each knows the other");
	check(event_pending(b), "binding makes the new end pending");
	event_clear(b);
	event_send(a);
	check(event_pending(b) && !event_pending(a), "a sends to b");
	event_send(b);
	check(event_pending(a), "b sends to a");
	check_refused(hyp_event_channel_op(EVTCHNOP_bind_interdomain, &bind),
		      "binding to a bound port");
	check_eq(event_close(b), 0, "close b");
	check_eq(status(a).status, EVTCHNSTAT_unbound, "a is unbound again");
	bind.remote_port = a;
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_interdomain, &bind), 0, "bind once more");
	check_eq(event_close(a), 0, "close a");
	check_eq(status(bind.local_port).status, EVTCHNSTAT_unbound, "the other is unbound");
	check_eq(event_close(bind.local_port), 0, "close it");
	event_clear(a);
	event_clear(b);
	bind.remote_dom = 4711;
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_interdomain, &bind), -ESRCH,
		 "a domain that isn't there");
	open.dom = 4711;
	check_eq(hyp_event_channel_op(EVTCHNOP_alloc_unbound, &open), kernel_is_dom0() ? -ESRCH :
		 -EPERM,
		 "a port of a domain that isn't there");
	bind.remote_dom = DOMID_SELF;
	bind.remote_port = ~0u;
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_interdomain, &bind), -EINVAL, "port -1");
	open.dom = DOMID_SELF;
	open.remote_dom = DOMID_INVALID;
	if (hyp_event_channel_op(EVTCHNOP_alloc_unbound, &open) == 0)
		event_close(open.port);
}

static void virtual_interrupts(void)
{
	struct evtchn_bind_virq op = { .virq = VIRQ_DEBUG };
	struct evtchn_bind_vcpu move = { .vcpu = 0 };

	check_eq(hyp_event_channel_op(EVTCHNOP_bind_virq, &op), 0, "bind VIRQ_DEBUG");
	check_eq(status(op.port).u.virq, VIRQ_DEBUG, "it is that");
	check_eq(op_port(EVTCHNOP_send, op.port), -EINVAL, "nobody sends on it");
	move.port = op.port;
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_vcpu, &move), -EINVAL, "nor moves it");
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_virq, &op), -EEXIST, "bind it twice");
	check_eq(event_close(move.port), 0, "close it");
	op.virq = NR_VIRQS;
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_virq, &op), -EINVAL, "VIRQ 24");
	op.virq = ~0u;
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_virq, &op), -EINVAL, "VIRQ -1");
	op.virq = VIRQ_TIMER;
	op.vcpu = 4000;
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_virq, &op), -ENOENT, "a vCPU that isn't there");
	op.virq = VIRQ_DOM_EXC;
	op.vcpu = 1;
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_virq, &op),
		 kernel_is_dom0() ? -EINVAL : -EPERM, "a global VIRQ on vCPU 1");
	struct evtchn_bind_ipi ipi = { .vcpu = 4000 };
	check_eq(hyp_event_channel_op(EVTCHNOP_bind_ipi, &ipi), -ENOENT,
		 "an IPI to a vCPU that isn't there");
	struct evtchn_bind_pirq pirq = { .pirq = ~0u };
	check_refused(hyp_event_channel_op(EVTCHNOP_bind_pirq, &pirq), "pirq -1");
}

static void bad_ports(void)
{
	static const evtchn_port_t ports[] = { 0, 4095, 4096, 131071, 131072, 1 << 30, ~0u };
	struct evtchn_bind_vcpu move = { .vcpu = 0 };
	struct evtchn_status op = { .dom = DOMID_SELF };

	for (unsigned int i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		evtchn_port_t p = ports[i];

		move.port = p;
		op.port = p;
		check_eq(op_port(EVTCHNOP_send, p), -EINVAL, "send on port %x", p);
		check_eq(op_port(EVTCHNOP_close, p), -EINVAL, "close port %x", p);
		check_refused(hyp_event_channel_op(EVTCHNOP_bind_vcpu, &move), "move it");
		if (p > 4096)
			check_refused(op_port(EVTCHNOP_unmask, p), "unmask it");
		hyp_event_channel_op(EVTCHNOP_status, &op);
	}
	op.dom = 4711;
	check_eq(hyp_event_channel_op(EVTCHNOP_status, &op), -ESRCH,
		 "status in a domain that isn't there");
	check_eq(hyp_event_channel_op(15, &op), -ENOSYS, "command 15");
	check_eq(hyp_event_channel_op(~0u, &op), -ENOSYS, "command -1");
	struct evtchn_reset reset = { .dom = 4711 };
	check_refused(hyp_event_channel_op(EVTCHNOP_reset, &reset),
		      "reset of a domain that isn't there");
}

/* The FIFO ABI is optional. What is refused must leave the two-level one as it was. */
static void fifo_refusals(void)
{
	struct evtchn_init_control init = { .control_gfn = page_mfn(page_alloc()), .offset = 4 };
	struct evtchn_expand_array grow = { .array_gfn = init.control_gfn };
	struct evtchn_set_priority prio = { .port = 1, .priority = 3 };

	check_refused(hyp_event_channel_op(EVTCHNOP_expand_array, &grow),
		      "growing an array before there is one");
	check_refused(hyp_event_channel_op(EVTCHNOP_set_priority, &prio),
		      "priorities before there is one");
	check_refused(hyp_event_channel_op(EVTCHNOP_init_control, &init),
		      "an unaligned control block");
	init.offset = 4096 - 8;
	check_refused(hyp_event_channel_op(EVTCHNOP_init_control, &init), "one across two pages");
	init.offset = ~7u;
	check_refused(hyp_event_channel_op(EVTCHNOP_init_control, &init), "one far away");
	init.offset = 0;
	init.vcpu = 4000;
	check_refused(hyp_event_channel_op(EVTCHNOP_init_control, &init),
		      "one of a vCPU that isn't there");
	init.vcpu = 0;
	init.control_gfn = 1UL << 40;
	check_refused(hyp_event_channel_op(EVTCHNOP_init_control, &init), "one beyond memory");
	init.control_gfn = page_mfn(page_root());
	check_refused(hyp_event_channel_op(EVTCHNOP_init_control, &init), "one in a page table");
	masking();
}

static void blocking(void)
{
	evtchn_port_t port = event_bind_ipi(0);
	struct sched_poll poll = { .ports = GUEST_PTR(&port), .nr_ports = 1 };
	uint64_t start;

	event_unmask(port);
	event_disable();
	event_send(port);
	check_eq(hyp_sched_op(SCHEDOP_block, NULL), 0, "block with an event pending");
	check(event_enabled(), "unmasks events");
	check_eq(event_count(port), 1, "and delivers it");
	event_disable();
	event_mask(port);
	check_eq(hyp_sched_op(SCHEDOP_yield, NULL), 0, "yield");
	event_send(port);
	check_eq(hyp_sched_op(SCHEDOP_poll, &poll), 0, "poll a pending port");
	check(!event_enabled() && event_pending(port), "takes nothing");
	event_clear(port);
	start = clock_now();
	poll.timeout = start + 20 * MS;
	check_eq(hyp_sched_op(SCHEDOP_poll, &poll), 0, "poll until a time");
	check(clock_now() - start >= 20 * MS && clock_now() - start < 500 * MS, "took %lu us",
	      (clock_now() - start) / 1000);
	poll.nr_ports = 0;
	poll.timeout = clock_now() + 5 * MS;
	check_eq(hyp_sched_op(SCHEDOP_poll, &poll), 0, "poll no port until a time");
	poll.timeout = 1;
	poll.nr_ports = 1;
	check_eq(hyp_sched_op(SCHEDOP_poll, &poll), 0, "poll until a time that is past");
	poll.nr_ports = 129;
	check_eq(hyp_sched_op(SCHEDOP_poll, &poll), -EINVAL, "poll 129 ports");
	poll.nr_ports = ~0u;
	check_eq(hyp_sched_op(SCHEDOP_poll, &poll), -EINVAL, "poll 2^32 - 1 ports");
	poll.nr_ports = 1;
	evtchn_port_t bad = 1 << 20;
	poll.ports = GUEST_PTR(&bad);
	check_eq(hyp_sched_op(SCHEDOP_poll, &poll), -EINVAL, "poll a port that can't be");
	check_eq(hyp_sched_op(100, NULL), -ENOSYS, "sched_op 100");
	event_close(port);
}

static void limits(void)
{
	unsigned int n = 0;
	evtchn_port_t port, last = 0;

	while ((port = event_bind_ipi(0)) && n < 200000) {
		n++;
		last = port;
	}
	check(n >= 1000 && n < 131072, "%u ports, then no more", n);
	for (port = 1; port <= last; port++)
		if (n && event_close(port) == 0)
			n--;
	check_eq(n, 0, "all closed");
	check((port = event_bind_ipi(0)) != 0, "a port can be had again");
	if (kernel_is_dom0()) {
		struct evtchn_reset reset = { .dom = DOMID_SELF };

		check_eq(hyp_event_channel_op(EVTCHNOP_reset, &reset), 0, "reset");
		check_eq(op_port(EVTCHNOP_send, port), -EINVAL, "closes all");
	}
}

void test_main(void)
{
	masking();
	interdomain();
	virtual_interrupts();
	bad_ports();
	fifo_refusals();
	blocking();
	if (kernel_is_dom0())
		limits();	/* closing every port would take the console's */
}
