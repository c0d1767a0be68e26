/* SPDX-License-Identifier: MIT */
/*
 * Any sequence of event-channel operations of three domains, any arguments, any failing allocation,
 * any budget, with guests that scribble on what they share. After each the ports are looked over:
 * both ends of a connection know each other, VIRQs and ports agree, nobody is left polling. The
 * input is a program: an opcode, then its operands, a byte each.
 *
 * Links: hypervisor/event/channel.c hypervisor/event/deliver.c hypervisor/lib/lock.c
 * Links: tests/fake/clock.c tests/fake/log.c
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "event/channel.h"
#include "fake/clock.h"
#include "lib/assert.h"
#include "x86/machine.h"

#define DOMAINS	3
#define VCPUS	3	/* the last does not exist */

static const uint8_t *input;
static size_t left;

static struct guest {
	struct shared_info shared;
	struct vcpu_info elsewhere[VCPUS];
	struct event_vcpu vcpu[VCPUS], *vcpus[VCPUS];
	struct event_domain event;
	bool dead;
} guest[DOMAINS];

static unsigned byte(void)
{
	if (!left)
		return 0;
	left--;
	return *input++;
}

/* Mostly one of the first ports; at times far out. */
static evtchn_port_t port(void)
{
	static const evtchn_port_t far[] = { 127, 128, 4095, 4096, 131072, 0x80000000, ~0u };
	unsigned b = byte();

	return b < 240 ? b % 24 : far[b % ARRAY_SIZE(far)];
}

static void kicked(struct event_vcpu *ev)
{
	ASSERT(ev->domain);
}

static int connect(struct event_domain *ed, unsigned pirq, evtchn_port_t p, bool shareable)
{
	ASSERT(lock_held(&ed->lock) && p && p <= ed->max_port);
	return shareable ? 0 : -(int)(pirq % 2 ? EBUSY : EEXIST);
}

static void start(struct guest *g, domid_t id)
{
	memset(g, 0, sizeof(*g));
	for (unsigned i = 0; i < VCPUS - 1; i++) {
		g->vcpu[i] = (struct event_vcpu){ .domain = &g->event, .id = i, .kick = kicked };
		g->vcpu[i].info = &g->shared.vcpu_info[i];
		g->vcpus[i] = &g->vcpu[i];
	}
	event_domain_init(&g->event, id, &g->shared, g->vcpus, VCPUS);
	g->event.max_port = 300;
}

static void check_port(const struct guest *g, evtchn_port_t p, const struct event_channel *ch)
{
	const struct event_channel *peer;

	ASSERT(ch->to.vcpu < VCPUS - 1);
	switch (ch->to.state) {
	case EVTCHNSTAT_closed:
		ASSERT(p == 0 || p >= g->event.lowest_free);
		break;
	case EVTCHNSTAT_interdomain:
		peer = event_channel(ch->to.remote, ch->to.remote_port);
		ASSERT(peer && peer->to.state == EVTCHNSTAT_interdomain);
		ASSERT(peer->to.remote == &g->event && peer->to.remote_port == p);
		ASSERT(peer->to.remote_id == g->event.id && ch->to.remote_id == ch->to.remote->id);
		break;
	case EVTCHNSTAT_virq: {
		unsigned vcpu = event_virq_is_global((unsigned)ch->to.number) ? 0 : ch->to.vcpu;

		ASSERT(g->vcpu[vcpu].virq_port[ch->to.number] == p);
		break;
	}
	}
}

static void check(const struct guest *g)
{
	unsigned polling = 0;

	for (evtchn_port_t p = 0; p < EVTCHN_2L_NR_CHANNELS; p++) {
		const struct event_channel *ch = event_channel(&g->event, p);

		if (!ch)
			continue;
		ASSERT(!ch->to.state || (p && p <= g->event.max_port && !g->dead));
		check_port(g, p, ch);
	}
	for (unsigned i = 0; i < VCPUS - 1; i++) {
		polling += g->vcpu[i].polling;
		for (unsigned virq = 0; virq < NR_VIRQS; virq++) {
			evtchn_port_t p = g->vcpu[i].virq_port[virq];

			ASSERT(!p || event_channel(&g->event, p)->to.state == EVTCHNSTAT_virq);
		}
	}
	ASSERT(polling == g->event.nr_polling);
}

/* Ports are opened and closed. */
static int change(struct guest *g, unsigned op)
{
	struct guest *other = &guest[byte() % DOMAINS];
	evtchn_port_t p = ~0u;

	switch (op) {
	case 0:
		return event_alloc_unbound(&g->event, other->event.id, &p);
	case 1:
		return event_bind_interdomain(&g->event, &other->event, port(), &p);
	case 2:
		return event_bind_virq(&g->event, byte() % (NR_VIRQS + 2), byte() % (VCPUS + 1),
				       &p);
	case 3:
		return event_bind_ipi(&g->event, byte() % (VCPUS + 1), &p);
	case 4:
		return event_bind_pirq(&g->event, byte(), byte() % 2, connect, &p);
	case 5:
	case 6:
		return event_close(&g->event, port());
	case 7:
		fake_clock_budget(byte() % 8);
		return event_reset(&g->event);
	default:
		return event_bind_vcpu(&g->event, port(), byte() % (VCPUS + 1));
	}
}

static int poll(struct guest *g)
{
	struct event_vcpu *ev = &g->vcpu[byte() % (VCPUS - 1)];
	evtchn_port_t ports[4];
	unsigned n = byte() % 5;

	for (unsigned i = 0; i < n; i++) {
		ports[i] = port();
		if (!event_port_valid(&g->event, ports[i]))
			return -EINVAL;
	}
	return event_poll_begin(ev, ports, n) ? 0 : 1;
}

/* Ports are used, and what the guest shares is abused. */
static int use(struct guest *g, unsigned op)
{
	struct evtchn_status status = { 0 };
	unsigned i = byte() % (VCPUS - 1);

	switch (op) {
	case 0:
		return event_send(&g->event, port());
	case 1:
		return event_unmask(&g->event, port());
	case 2:
		event_raise_virq(&g->vcpu[i], byte() % NR_VIRQS);
		return 0;
	case 3:
		event_raise_pirq(&g->event, port());
		return 0;
	case 4:
		return poll(g);
	case 5:
		event_poll_end(&g->vcpu[i]);
		return 0;
	case 6:
		memset((char *)&g->shared + byte() * 8, (int)byte(), 64);
		return 0;
	case 7:
		event_move_vcpu_info(&g->vcpu[i], &g->elsewhere[i]);
		return 0;
	default:
		status.port = port();
		return event_status(&g->event, &status);
	}
}

static void kill(struct guest *g)
{
	int rc;

	g->dead = true;
	do {
		fake_clock_budget(1 + byte() % 16);
		rc = event_domain_destroy(&g->event);
	} while (rc == -ERESTART);
	ASSERT(!rc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	left = size;
	fake_clock_start(1, 0);
	for (unsigned i = 0; i < DOMAINS; i++)
		start(&guest[i], (domid_t)(i + 1));
	while (left) {
		unsigned op = byte();
		struct guest *g = &guest[op % DOMAINS];
		int rc;

		fake_clock_budget(~0u);
		fake_heap_fails_after(op / DOMAINS % 16 == 15 ? 0 : ~0u);
		op = byte();
		if (op == 255)
			kill(g);
		rc = op % 2 ? use(g, op / 2 % 9) : change(g, op / 2 % 9);
		ASSERT(rc <= 1 && rc >= -ERESTART);
		for (unsigned i = 0; i < DOMAINS; i++)
			check(&guest[i]);
	}
	for (unsigned i = 0; i < DOMAINS; i++)
		kill(&guest[i]);
	for (unsigned i = 0; i < DOMAINS; i++)
		event_domain_free(&guest[i].event);
	ASSERT(!fake_heap_blocks());
	return 0;
}
