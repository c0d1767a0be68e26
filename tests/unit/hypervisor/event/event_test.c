/* SPDX-License-Identifier: MIT */
/*
 * Event channels as two guests use them: who may connect to whom, that no signal is lost and none
 * comes twice, VIRQs, polls, and what a guest may not do (advisory class D): ports out of range,
 * scribbled pages.
 *
 * Links: hypervisor/event/channel.c hypervisor/event/deliver.c hypervisor/lib/lock.c
 * Links: tests/fake/clock.c tests/fake/log.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event/event.h"
#include "fake/clock.h"
#include "x86/machine.h"

#define VCPUS	4

struct guest {
	struct shared_info shared;
	struct event_vcpu vcpu[VCPUS], *vcpus[VCPUS];
	struct event_domain event;
	unsigned kicks[VCPUS];
};

static struct guest a, b;

static void kicked(struct event_vcpu *ev)
{
	struct guest *g = container_of(ev->domain, struct guest, event);

	__atomic_fetch_add(&g->kicks[ev->id], 1, __ATOMIC_RELAXED);
}

static void make(struct guest *g, domid_t id)
{
	memset(g, 0, sizeof(*g));
	for (unsigned i = 0; i < VCPUS - 1; i++) {	/* the last one does not exist */
		g->vcpu[i] = (struct event_vcpu){ .domain = &g->event,
						  .id = i,
						  .info = &g->shared.vcpu_info[i],
						  .kick = kicked };
		g->vcpus[i] = &g->vcpu[i];
	}
	event_domain_init(&g->event, id, &g->shared, g->vcpus, VCPUS);
}

static int start(void **state)
{
	(void)state;
	fake_clock_start(2, 0);
	make(&a, 1);
	make(&b, 2);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fake_clock_budget(~0u);
	assert_int_equal(event_domain_destroy(&a.event), 0);
	assert_int_equal(event_domain_destroy(&b.event), 0);
	event_domain_free(&a.event);
	event_domain_free(&b.event);
	assert_int_equal(fake_heap_blocks(), 0);
	return 0;
}

static bool pending(const struct guest *g, evtchn_port_t port)
{
	const xen_ulong_t *word = &g->shared.evtchn_pending[port / 64];

	return __atomic_load_n(word, __ATOMIC_RELAXED) >> port % 64 & 1;
}

static void mask(struct guest *g, evtchn_port_t port)
{
	g->shared.evtchn_mask[port / 64] |= 1ul << port % 64;
}

/*
 * What the guest's upcall does on a vCPU: take all that is pending and not masked. Returns how
 * many, *last the last.
 */
static unsigned take(struct guest *g, unsigned vcpu, evtchn_port_t *last)
{
	struct vcpu_info *info = g->vcpu[vcpu].info;
	unsigned n = 0;

	info->evtchn_upcall_pending = 0;
	for (xen_ulong_t words =
		     __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	     words; words &= words - 1) {
		unsigned w = (unsigned)__builtin_ctzl(words);
		xen_ulong_t bits = g->shared.evtchn_pending[w] & ~g->shared.evtchn_mask[w];

		for (; bits; bits &= bits - 1, n++) {
			*last = w * 64 + (unsigned)__builtin_ctzl(bits);
			__atomic_fetch_and(&g->shared.evtchn_pending[w], ~(1ul << *last % 64),
					   __ATOMIC_SEQ_CST);
		}
	}
	return n;
}

static int status(struct guest *g, evtchn_port_t port)
{
	struct evtchn_status s = { .port = port };

	return event_status(&g->event, &s) ? -1 : (int)s.status;
}

/* a waits for b, b connects; each has one port. */
static void connect(evtchn_port_t *pa, evtchn_port_t *pb)
{
	evtchn_port_t got;

	assert_int_equal(event_alloc_unbound(&a.event, 2, pa), 0);
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, *pa, pb), 0);
	/* sends may have been lost before: the new end is raised once */
	assert_int_equal(take(&b, 0, &got), 1);
	assert_int_equal(got, *pb);
	memset(b.kicks, 0, sizeof(b.kicks));
}

static void test_interdomain(void **state)
{
	evtchn_port_t pa, pb, got;

	(void)state;
	connect(&pa, &pb);
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_true(pending(&b, pb));
	assert_int_equal(b.kicks[0], 1);
	assert_true(event_upcall_due(&b.vcpu[0]));
	/* again before it is taken: one event, one kick */
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_int_equal(b.kicks[0], 1);
	assert_int_equal(take(&b, 0, &got), 1);
	assert_int_equal(got, pb);
	assert_false(event_upcall_due(&b.vcpu[0]));
	assert_int_equal(event_send(&b.event, pb), 0);
	assert_int_equal(take(&a, 0, &got), 1);
	assert_int_equal(got, pa);
}

/*
 * Ports of two words of the bitmap while the upcall is pending already: one kick, both are found.
 */
static void test_two_words(void **state)
{
	evtchn_port_t low, high, got;

	(void)state;
	assert_int_equal(event_bind_ipi(&a.event, 0, &low), 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(event_bind_ipi(&a.event, 0, &high), 0);
	assert_int_equal(event_send(&a.event, low), 0);
	assert_int_equal(event_send(&a.event, high), 0);
	assert_int_equal(a.kicks[0], 1);
	assert_int_equal(take(&a, 0, &got), 2);
	assert_int_equal(got, high);
}

static void test_loopback(void **state)
{
	evtchn_port_t one, two, got;

	(void)state;
	assert_int_equal(event_alloc_unbound(&a.event, 1, &one), 0);
	assert_int_equal(event_bind_interdomain(&a.event, &a.event, one, &two), 0);
	assert_int_equal(take(&a, 0, &got), 1);
	assert_int_equal(event_send(&a.event, one), 0);
	assert_int_equal(take(&a, 0, &got), 1);
	assert_int_equal(got, two);
	assert_int_equal(event_close(&a.event, two), 0);
	assert_int_equal(status(&a, one), EVTCHNSTAT_unbound);
}

static void test_connect_only_if_invited(void **state)
{
	evtchn_port_t pa, pb, pc;

	(void)state;
	assert_int_equal(event_alloc_unbound(&a.event, 3, &pa), 0);
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, pa, &pb), -EINVAL);
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, 0, &pb), -EINVAL);
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, 1000, &pb), -EINVAL);
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, 4096, &pb), -EINVAL);
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, ~0u, &pb), -EINVAL);
	connect(&pc, &pb);
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, pc, &pb), -EINVAL);
	assert_int_equal(event_bind_ipi(&a.event, 0, &pc), 0);
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, pc, &pb), -EINVAL);
}

static void test_masked_waits_for_unmask(void **state)
{
	evtchn_port_t pa, pb, got;

	(void)state;
	connect(&pa, &pb);
	mask(&b, pb);
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_true(pending(&b, pb));
	assert_false(event_upcall_due(&b.vcpu[0]));
	assert_int_equal(b.kicks[0], 0);
	assert_int_equal(event_unmask(&b.event, pb), 0);
	assert_true(event_upcall_due(&b.vcpu[0]));
	assert_int_equal(b.kicks[0], 1);
	assert_int_equal(take(&b, 0, &got), 1);
	assert_int_equal(event_unmask(&b.event, pb), 0);
	assert_false(event_upcall_due(&b.vcpu[0]));
}

static void test_bind_vcpu(void **state)
{
	evtchn_port_t pa, pb, ipi, timer, global, got;

	(void)state;
	connect(&pa, &pb);
	assert_int_equal(event_bind_vcpu(&b.event, pb, 2), 0);
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_int_equal(take(&b, 0, &got), 0);
	assert_int_equal(take(&b, 2, &got), 1);
	assert_int_equal(event_bind_vcpu(&b.event, pb, VCPUS - 1), -ENOENT);
	assert_int_equal(event_bind_vcpu(&b.event, pb, ~0u), -ENOENT);
	assert_int_equal(event_bind_vcpu(&b.event, 77, 1), -EINVAL);
	assert_int_equal(event_bind_ipi(&b.event, 1, &ipi), 0);
	assert_int_equal(event_bind_vcpu(&b.event, ipi, 0), -EINVAL);
	assert_int_equal(event_bind_virq(&b.event, VIRQ_TIMER, 1, &timer), 0);
	assert_int_equal(event_bind_vcpu(&b.event, timer, 0), -EINVAL);
	assert_int_equal(event_bind_virq(&b.event, VIRQ_DOM_EXC, 0, &global), 0);
	assert_int_equal(event_bind_vcpu(&b.event, global, 1), 0);
	event_raise_global_virq(&b.event, VIRQ_DOM_EXC);
	assert_int_equal(take(&b, 1, &got), 1);
	assert_int_equal(got, global);
	/* a port that is used again tells vCPU 0 */
	assert_int_equal(event_close(&b.event, pb), 0);
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, pa, &pb), 0);
	assert_int_equal(take(&b, 0, &got), 1);
}

static void test_ipi_and_virq(void **state)
{
	evtchn_port_t ipi, virq, other, got;

	(void)state;
	assert_int_equal(event_bind_ipi(&a.event, 1, &ipi), 0);
	assert_int_equal(event_send(&a.event, ipi), 0);
	assert_int_equal(take(&a, 1, &got), 1);
	assert_int_equal(got, ipi);
	event_raise_virq(&a.vcpu[1], VIRQ_TIMER);	/* not bound: nothing */
	assert_int_equal(take(&a, 1, &got), 0);
	assert_int_equal(event_bind_virq(&a.event, VIRQ_TIMER, 1, &virq), 0);
	assert_int_equal(event_bind_virq(&a.event, VIRQ_TIMER, 1, &other), -EEXIST);
	assert_int_equal(event_bind_virq(&a.event, VIRQ_TIMER, 0, &other), 0);
	event_raise_virq(&a.vcpu[1], VIRQ_TIMER);
	assert_int_equal(take(&a, 1, &got), 1);
	assert_int_equal(got, virq);
	assert_int_equal(event_send(&a.event, virq), -EINVAL);
	assert_int_equal(event_close(&a.event, virq), 0);
	event_raise_virq(&a.vcpu[1], VIRQ_TIMER);
	assert_int_equal(take(&a, 1, &got), 0);
	assert_int_equal(event_bind_virq(&a.event, VIRQ_TIMER, 1, &virq), 0);
	assert_int_equal(event_bind_virq(&a.event, VIRQ_CONSOLE, 1, &virq), -EINVAL);
	assert_int_equal(event_bind_virq(&a.event, NR_VIRQS, 0, &virq), -EINVAL);
	assert_int_equal(event_bind_virq(&a.event, ~0u, 0, &virq), -EINVAL);
	assert_int_equal(event_bind_virq(&a.event, VIRQ_DEBUG, VCPUS - 1, &virq), -ENOENT);
	assert_int_equal(event_bind_ipi(&a.event, VCPUS, &virq), -ENOENT);
	assert_true(event_virq_is_control(VIRQ_CONSOLE));
	assert_false(event_virq_is_control(VIRQ_TIMER));
}

static unsigned closed_pirqs;

static void pirq_closed(struct event_domain *ed, unsigned pirq)
{
	assert_ptr_equal(ed, &a.event);
	assert_int_equal(pirq, 17);
	closed_pirqs++;
}

static int pirq_connect(struct event_domain *ed, unsigned pirq, evtchn_port_t port, bool shareable)
{
	(void)ed;
	assert_true(port);
	return shareable ? pirq == 17 ? 0 : -EINVAL : -EBUSY;
}

static void test_pirq(void **state)
{
	evtchn_port_t port, got;

	(void)state;
	a.event.pirq_closed = pirq_closed;
	closed_pirqs = 0;
	assert_int_equal(event_bind_pirq(&a.event, 17, false, pirq_connect, &port), -EBUSY);
	assert_int_equal(event_bind_pirq(&a.event, 17, true, pirq_connect, &port), 0);
	event_raise_pirq(&a.event, port);
	assert_int_equal(take(&a, 0, &got), 1);
	assert_int_equal(status(&a, port), EVTCHNSTAT_pirq);
	assert_int_equal(event_send(&a.event, port), -EINVAL);
	assert_int_equal(event_close(&a.event, port), 0);
	assert_int_equal(closed_pirqs, 1);
}

static void test_close(void **state)
{
	evtchn_port_t pa, pb, again, got;

	(void)state;
	connect(&pa, &pb);
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_int_equal(event_close(&b.event, pb), 0);
	/* nothing is left for whoever gets the port next */
	assert_false(pending(&b, pb));
	assert_int_equal(status(&a, pa), EVTCHNSTAT_unbound);
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_false(pending(&b, pb));
	assert_int_equal(event_close(&b.event, pb), -EINVAL);
	assert_int_equal(event_send(&b.event, pb), -EINVAL);
	assert_int_equal(event_unmask(&b.event, pb), -EINVAL);
	/* the peer waits for the same domain again */
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, pa, &again), 0);
	assert_int_equal(again, pb);
	take(&b, 0, &got);
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_int_equal(take(&b, 0, &got), 1);
}

static void test_ports_out_of_range(void **state)
{
	static const evtchn_port_t bad[] = {
		0, 1, 127, 128, 4095, 4096, 4097, 131071, 0x80000000, ~0u
	};
	struct evtchn_status s;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(event_send(&a.event, bad[i]), -EINVAL);
		assert_int_equal(event_close(&a.event, bad[i]), -EINVAL);
		assert_int_equal(event_unmask(&a.event, bad[i]), -EINVAL);
		assert_int_equal(event_bind_vcpu(&a.event, bad[i], 0), -EINVAL);
		assert_false(event_port_valid(&a.event, bad[i]));
		s = (struct evtchn_status){ .port = bad[i] };
		assert_int_equal(event_status(&a.event, &s), bad[i] < 4096 ? 0 : -EINVAL);
		event_raise_pirq(&a.event, bad[i]);
	}
	assert_int_equal(a.kicks[0], 0);
}

static void test_all_ports(void **state)
{
	evtchn_port_t port;

	(void)state;
	for (unsigned i = 1; i < EVTCHN_2L_NR_CHANNELS; i++) {
		assert_int_equal(event_alloc_unbound(&a.event, 2, &port), 0);
		assert_int_equal(port, i);
	}
	assert_int_equal(event_alloc_unbound(&a.event, 2, &port), -ENOSPC);
	assert_int_equal(event_close(&a.event, 1234), 0);
	assert_int_equal(event_alloc_unbound(&a.event, 2, &port), 0);
	assert_int_equal(port, 1234);
	/* the toolstack's limit */
	b.event.max_port = 3;
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(event_bind_ipi(&b.event, 0, &port), 0);
	assert_int_equal(event_bind_ipi(&b.event, 0, &port), -ENOSPC);
}

static void test_no_memory(void **state)
{
	evtchn_port_t port;

	fake_heap_fails_after(0);
	assert_int_equal(event_alloc_unbound(&a.event, 2, &port), -ENOMEM);
	assert_int_equal(event_bind_virq(&a.event, VIRQ_TIMER, 0, &port), -ENOMEM);
	fake_heap_fails_after(~0u);
	assert_int_equal(event_bind_virq(&a.event, VIRQ_TIMER, 0, &port), 0);
	assert_int_equal(port, 1);
	(void)state;
}

static void test_reset_is_restartable(void **state)
{
	evtchn_port_t pa, pb, port;
	unsigned calls = 0;
	int rc;

	(void)state;
	connect(&pa, &pb);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(event_alloc_unbound(&a.event, 2, &port), 0);
	do {
		fake_clock_budget(40);
		rc = event_reset(&a.event);
		calls++;
	} while (rc == -ERESTART);
	assert_int_equal(rc, 0);
	assert_true(calls > 10);
	assert_int_equal(status(&b, pb), EVTCHNSTAT_unbound);
	for (port = 1; port < 600; port++)
		assert_int_equal(status(&a, port), EVTCHNSTAT_closed);
	assert_int_equal(event_alloc_unbound(&a.event, 2, &port), 0);
	assert_int_equal(port, 1);
}

static void test_destroy(void **state)
{
	evtchn_port_t pa, pb, port;

	(void)state;
	connect(&pa, &pb);
	assert_int_equal(event_bind_ipi(&b.event, 0, &port), 0);
	assert_int_equal(event_bind_ipi(&b.event, 0, &port), 0);
	/* a spent budget is no excuse for not doing a step */
	fake_clock_budget(0);
	assert_int_equal(event_domain_destroy(&b.event), -ERESTART);
	assert_int_equal(event_domain_destroy(&b.event), -ERESTART);
	/* half dead: nobody can open a port any more */
	assert_int_equal(event_alloc_unbound(&b.event, 1, &port), -EINVAL);
	assert_int_equal(event_alloc_unbound(&a.event, 1, &port), 0);
	assert_int_equal(event_bind_interdomain(&b.event, &a.event, pa, &port), -EINVAL);
	fake_clock_budget(~0u);
	assert_int_equal(event_domain_destroy(&b.event), 0);
	assert_int_equal(status(&a, pa), EVTCHNSTAT_unbound);
	assert_int_equal(event_send(&a.event, pa), 0);
}

/* The guest owns shared_info: whatever it holds, we neither crash nor follow it. */
static void test_scribbled_pages(void **state)
{
	evtchn_port_t pa, pb, got;

	(void)state;
	connect(&pa, &pb);
	memset(&b.shared, 0xff, sizeof(b.shared));
	assert_int_equal(event_send(&a.event, pa), 0);
	event_raise_virq(&b.vcpu[0], VIRQ_TIMER);
	assert_int_equal(event_unmask(&b.event, pb), 0);
	assert_int_equal(b.kicks[0], 0);	/* all was "pending" already: its own loss */
	memset(&b.shared, 0, sizeof(b.shared));
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_int_equal(take(&b, 0, &got), 1);
	assert_int_equal(got, pb);
}

static void test_move_vcpu_info(void **state)
{
	struct vcpu_info elsewhere;
	evtchn_port_t pa, pb, got;

	(void)state;
	connect(&pa, &pb);
	b.shared.vcpu_info[0].arch.cr2 = 42;
	memset(&elsewhere, 0xee, sizeof(elsewhere));
	/* raised in the old place just after it was copied */
	b.shared.evtchn_pending[0] |= 1ul << pb;
	event_move_vcpu_info(&b.vcpu[0], &elsewhere);
	assert_int_equal(elsewhere.arch.cr2, 42);
	assert_true(event_upcall_due(&b.vcpu[0]));
	assert_int_equal(take(&b, 0, &got), 1);
	assert_int_equal(got, pb);
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_true(elsewhere.evtchn_upcall_pending);
}

static void test_poll(void **state)
{
	evtchn_port_t pa, pb, other, ports[2];

	(void)state;
	connect(&pa, &pb);
	assert_int_equal(event_alloc_unbound(&b.event, 1, &other), 0);
	ports[0] = pb;
	ports[1] = other;
	mask(&b, pb);
	/* one port: only that one ends the poll, masked as it is */
	assert_false(event_poll_begin(&b.vcpu[1], ports, 1));
	event_raise_pirq(&b.event, other);
	assert_int_equal(b.kicks[1], 0);
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_int_equal(b.kicks[1], 1);
	assert_false(b.vcpu[1].polling);
	/* pending already: no poll */
	assert_true(event_poll_begin(&b.vcpu[1], ports, 1));
	assert_false(b.vcpu[1].polling);
	memset(b.shared.evtchn_pending, 0, sizeof(b.shared.evtchn_pending));
	/* several ports */
	assert_false(event_poll_begin(&b.vcpu[1], ports, 2));
	assert_false(event_poll_begin(&b.vcpu[2], ports, 2));
	assert_int_equal(event_send(&a.event, pa), 0);
	assert_int_equal(b.kicks[1], 2);
	assert_int_equal(b.kicks[2], 1);
	/* no ports: the time-out ends it */
	assert_false(event_poll_begin(&b.vcpu[1], ports, 0));
	event_poll_end(&b.vcpu[1]);
	event_poll_end(&b.vcpu[1]);
	assert_int_equal(b.event.nr_polling, 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start, end)
	const struct CMUnitTest tests[] = {
		TEST(test_interdomain), TEST(test_two_words), TEST(test_loopback),
		TEST(test_connect_only_if_invited), TEST(test_masked_waits_for_unmask),
		TEST(test_bind_vcpu), TEST(test_ipi_and_virq), TEST(test_pirq), TEST(test_close),
		TEST(test_ports_out_of_range), TEST(test_all_ports), TEST(test_no_memory),
		TEST(test_reset_is_restartable), TEST(test_destroy), TEST(test_scribbled_pages),
		TEST(test_move_vcpu_info), TEST(test_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
