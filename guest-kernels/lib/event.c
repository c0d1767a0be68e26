/* SPDX-License-Identifier: MIT */
/*
 * Two-level event channels. Bits are set by the hypervisor at any time, hence atomic; handlers and
 * counts belong to the one vCPU that takes upcalls.
 */
#include "event.h"
#include "hypercall.h"
#include "kernel.h"

#define MAX_PORTS	4096

unsigned int event_upcalls;

static void (*handlers[MAX_PORTS])(evtchn_port_t port);
static unsigned int counts[MAX_PORTS];

static bool test_and_clear(volatile unsigned long *map, unsigned int bit)
{
	bool was;

	asm volatile("lock btrq %2, %0" : "+m"(map[bit / 64]), "=@ccc"(was) :
		     "r"((uint64_t)bit % 64) : "memory");
	return was;
}

static void set_bit(volatile unsigned long *map, unsigned int bit)
{
	asm volatile("lock btsq %1, %0" : "+m"(map[bit / 64]) : "r"((uint64_t)bit % 64) : "memory",
		     "cc");
}

static bool get_bit(const volatile unsigned long *map, unsigned int bit)
{
	return map[bit / 64] >> bit % 64 & 1;
}

void event_handle(evtchn_port_t port, void (*fn)(evtchn_port_t port))
{
	handlers[port] = fn;
}

unsigned int event_count(evtchn_port_t port)
{
	unsigned int n = counts[port];

	counts[port] = 0;
	return n;
}

static void take_word(unsigned int word)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		evtchn_port_t port = word * 64 + bit;

		if (get_bit(shared_info.evtchn_mask, port) ||
		    !test_and_clear(shared_info.evtchn_pending, port))
			continue;
		counts[port]++;
		if (handlers[port])
			handlers[port](port);
	}
}

void event_upcall(void)
{
	event_upcalls++;
	while (vcpu_info->evtchn_upcall_pending) {
		unsigned long words = 0;

		vcpu_info->evtchn_upcall_pending = 0;
		asm volatile("xchgq %0, %1" : "+r"(words), "+m"(vcpu_info->evtchn_pending_sel) : :
			     "memory");
		for (; words; words &= words - 1)
			take_word((unsigned int)__builtin_ctzl(words));
	}
}

void event_enable(void)
{
	vcpu_info->evtchn_upcall_mask = 0;
	asm volatile("mfence" : : : "memory");
	if (vcpu_info->evtchn_upcall_pending)
		hyp_xen_version(0, NULL);	/* events are delivered on the way back */
}

void event_disable(void)
{
	vcpu_info->evtchn_upcall_mask = 1;
}

bool event_enabled(void)
{
	return !vcpu_info->evtchn_upcall_mask;
}

void event_mask(evtchn_port_t port)
{
	set_bit(shared_info.evtchn_mask, port);
}

void event_unmask(evtchn_port_t port)
{
	struct evtchn_unmask op = { .port = port };

	hyp_event_channel_op(EVTCHNOP_unmask, &op);
}

bool event_pending(evtchn_port_t port)
{
	return get_bit(shared_info.evtchn_pending, port);
}

void event_clear(evtchn_port_t port)
{
	test_and_clear(shared_info.evtchn_pending, port);
}

void event_send(evtchn_port_t port)
{
	struct evtchn_send op = { .port = port };

	hyp_event_channel_op(EVTCHNOP_send, &op);
}

/* A number that was used before may have left its traces. */
static evtchn_port_t fresh(evtchn_port_t port)
{
	event_mask(port);
	event_clear(port);
	counts[port] = 0;
	return port;
}

evtchn_port_t event_bind_virq(unsigned int virq, unsigned int vcpu)
{
	struct evtchn_bind_virq op = { .virq = virq, .vcpu = vcpu };

	if (hyp_event_channel_op(EVTCHNOP_bind_virq, &op))
		return 0;
	return fresh(op.port);
}

evtchn_port_t event_bind_ipi(unsigned int vcpu)
{
	struct evtchn_bind_ipi op = { .vcpu = vcpu };

	if (hyp_event_channel_op(EVTCHNOP_bind_ipi, &op))
		return 0;
	return fresh(op.port);
}

long event_close(evtchn_port_t port)
{
	struct evtchn_close op = { .port = port };

	return hyp_event_channel_op(EVTCHNOP_close, &op);
}
