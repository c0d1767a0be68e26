/* SPDX-License-Identifier: MIT */
/*
 * Event channels under fire: one CPU sends while another connects, disconnects and resets (advisory
 * class D: reset and close races).
 *
 * Links: hypervisor/event/channel.c hypervisor/event/deliver.c hypervisor/lib/lock.c
 * Links: tests/fake/clock.c tests/fake/log.c
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event/event.h"
#include "fake/clock.h"

#define VCPUS	2

static struct guest {
	struct shared_info shared;
	struct event_vcpu vcpu[VCPUS], *vcpus[VCPUS];
	struct event_domain event;
} a, b;

static void kicked(struct event_vcpu *ev)
{
	(void)ev;
}

static void make(struct guest *g, domid_t id)
{
	memset(g, 0, sizeof(*g));
	for (unsigned i = 0; i < VCPUS; i++) {
		g->vcpu[i] = (struct event_vcpu){ .domain = &g->event, .id = i, .kick = kicked };
		g->vcpu[i].info = &g->shared.vcpu_info[i];
		g->vcpus[i] = &g->vcpu[i];
	}
	event_domain_init(&g->event, id, &g->shared, g->vcpus, VCPUS);
}

static int start(void **state)
{
	(void)state;
	fake_clock_start(2, 0);
	fake_clock_threads(true);
	make(&a, 1);
	make(&b, 2);
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(event_domain_destroy(&a.event), 0);
	assert_int_equal(event_domain_destroy(&b.event), 0);
	event_domain_free(&a.event);
	event_domain_free(&b.event);
	assert_int_equal(fake_heap_blocks(), 0);
	return 0;
}

/*
 * One CPU sends without pause while the other disconnects and connects: the lock-free reader meets
 * every state.
 */
static bool over;

static void *sender(void *arg)
{
	(void)arg;
	fake_clock_cpu(1);
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		for (evtchn_port_t port = 0; port < 8; port++) {
			event_send(&a.event, port);
			event_send(&b.event, port);
			event_raise_virq(&b.vcpu[1], VIRQ_TIMER);
		}
		if (event_close(&b.event, 3))
			event_close(&b.event, 4);
	}
	return NULL;
}

static void test_send_against_close(void **state)
{
	evtchn_port_t pa, pb, port;
	pthread_t thread;

	(void)state;
	over = false;
	pthread_create(&thread, NULL, sender, NULL);
	for (unsigned i = 0; i < 20000; i++) {
		if (!event_alloc_unbound(&a.event, 2, &pa) &&
		    !event_bind_interdomain(&b.event, &a.event, pa, &pb) && i % 2)
			event_close(&b.event, pb);
		if (!event_bind_virq(&b.event, VIRQ_TIMER, 1, &port) && i % 3)
			event_close(&b.event, port);
		if (i % 16 == 0)
			assert_int_equal(event_reset(i % 32 ? &a.event : &b.event), 0);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

static void *send_first(void *arg)
{
	(void)arg;
	fake_clock_cpu(1);
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		event_send(&a.event, 1);
	return NULL;
}

/*
 * Once a port is closed its peer's sends are over: none of them raises whatever the port is used
 * for next.
 */
static void test_no_send_after_close(void **state)
{
	evtchn_port_t pa, pb;
	pthread_t thread;
	unsigned late = 0;

	(void)state;
	over = false;
	assert_int_equal(event_alloc_unbound(&a.event, 2, &pa), 0);
	assert_int_equal(pa, 1);
	pthread_create(&thread, NULL, send_first, NULL);
	for (unsigned i = 0; i < 30000; i++) {
		assert_int_equal(event_bind_interdomain(&b.event, &a.event, pa, &pb), 0);
		assert_int_equal(event_close(&b.event, pb), 0);
		for (unsigned j = 0; j < 50; j++)
			late += __atomic_load_n(&b.shared.evtchn_pending[0], __ATOMIC_RELAXED) >>
					pb &
				1;
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_int_equal(late, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_send_against_close, start, end),
		cmocka_unit_test_setup_teardown(test_no_send_after_close, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
