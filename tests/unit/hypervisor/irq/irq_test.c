/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts on fake hardware: who gets which, and that nobody who does not answer, or who
 * is gone, can hold up the machine.
 *
 * Links: hypervisor/irq/irq.c hypervisor/irq/map.c hypervisor/irq/vector.c hypervisor/lib/lock.c
 * Links: tests/fake/irq_hardware.c tests/unit/support/failing_heap.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/physdev.h"
#include "domain/domain.h"
#include "fake/irq_hardware.h"
#include "irq/table.h"
#include "unit/support/failing_heap.h"

static struct domain control, other;
static unsigned raised[256];
static unsigned internal_calls;

void event_raise_pirq(struct event_domain *ed, evtchn_port_t port)
{
	struct domain *d = container_of(ed, struct domain, event);

	/* The contract: on the way, and no lock of ours held. */
	assert_int_equal(d->irq->in_flight, 1);
	raised[port]++;
}

static void internal(void)
{
	internal_calls++;
}

static int setup(void **state)
{
	(void)state;
	memset(raised, 0, sizeof(raised));
	internal_calls = 0;
	control = (struct domain){ .id = 0 };
	other = (struct domain){ .id = 1 };
	fake_irq_reset();
	irq_init();
	assert_int_equal(irq_domain_create(&control), 0);
	assert_int_equal(irq_domain_create(&other), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	irq_domain_destroy(&control);
	irq_domain_destroy(&other);
	free(irq_table);
	return 0;
}

/* Device `n`, MSI-X entry `entry`, or MSI (entry -1). */
static int map_message(struct domain *d, unsigned n, int entry, unsigned nr, int *pirq)
{
	struct pci_msi_place place = {
		.at = { 0, (uint8_t)(n >> 8), (uint8_t)n },
		.msix = entry >= 0, .entry = entry >= 0 ? (unsigned)entry : 0,
	};

	return irq_map_msi(d, &place, nr, pirq);
}

static void an_edge_is_an_event(void **state)
{
	uint32_t flags;

	(void)state;
	assert_int_equal(irq_map_gsi(&control, 4), 0);
	assert_int_equal(fake_line_assert(4), 0);
	assert_int_equal(irq_pirq_bind(&control, 4, 7, false), 0);
	assert_int_equal(irq_pirq_status(&control, 4, &flags), 0);
	assert_int_equal(flags, 0);
	assert_int_equal(fake_line_assert(4), 1);
	assert_int_equal(fake_line_assert(4), 1);
	assert_int_equal(raised[7], 2);
	assert_int_equal(irq_pirq_eoi(&control, 4), 0);
}

static void a_level_waits_for_the_guest(void **state)
{
	uint32_t flags;

	(void)state;
	assert_int_equal(irq_map_gsi(&control, 17), 0);
	assert_int_equal(irq_pirq_bind(&control, 17, 9, true), 0);
	assert_int_equal(irq_pirq_status(&control, 17, &flags), 0);
	assert_int_equal(flags, XENIRQSTAT_needs_eoi);
	/* It stays asserted, and the guest says nothing: one event, no storm. */
	assert_int_equal(fake_line_assert(17), 1);
	assert_int_equal(fake_deliver(), 0);
	assert_int_equal(raised[9], 1);
	/* Still asserted (another device on the line) after the guest is done: once more. */
	assert_int_equal(irq_pirq_eoi(&control, 17), 0);
	assert_int_equal(fake_deliver(), 1);
	fake_line_release(17);
	assert_int_equal(irq_pirq_eoi(&control, 17), 0);
	assert_int_equal(fake_deliver(), 0);
	assert_false(fake_line[17].masked);
	/* An end-of-interrupt too many changes nothing. */
	assert_int_equal(irq_pirq_eoi(&control, 17), 0);
	assert_int_equal(raised[9], 2);
}

static void an_unbound_level_is_masked_and_comes_back(void **state)
{
	(void)state;
	assert_int_equal(irq_map_gsi(&control, 17), 0);
	assert_int_equal(irq_pirq_bind(&control, 17, 9, true), 0);
	assert_int_equal(fake_line_assert(17), 1);
	irq_pirq_unbind(&control, 17);
	assert_int_equal(irq_pirq_eoi(&control, 17), 0);
	assert_int_equal(fake_deliver(), 0);
	assert_int_equal(irq_pirq_bind(&control, 17, 10, true), 0);
	assert_int_equal(fake_deliver(), 1);
	assert_int_equal(raised[10], 1);
}

static void closing_the_port_unbinds(void **state)
{
	(void)state;
	assert_int_equal(irq_map_gsi(&control, 4), 0);
	assert_int_equal(irq_pirq_bind(&control, 4, 7, false), 0);
	control.event.pirq_closed(&control.event, 4);
	assert_true(fake_line[4].masked);
	assert_int_equal(irq_pirq_bind(&control, 4, 8, false), 0);
}

static void setup_decides_how_a_line_signals(void **state)
{
	(void)state;
	assert_int_equal(irq_setup_gsi(9, true, true), 0);
	assert_int_equal(irq_map_gsi(&control, 9), 0);
	assert_int_equal(irq_pirq_bind(&control, 9, 3, true), 0);
	assert_true(fake_line[9].level && fake_line[9].active_low);
	assert_int_equal(irq_setup_gsi(9, true, true), 0);
	assert_int_equal(irq_setup_gsi(9, false, false), -EBUSY);
	irq_pirq_unbind(&control, 9);
	assert_int_equal(irq_setup_gsi(9, false, false), 0);
	assert_false(fake_line[9].level);
	assert_int_equal(irq_setup_gsi(23, false, false), -EINVAL);
	assert_int_equal(irq_setup_gsi(24, false, false), -EINVAL);
}

static void a_vector_can_be_asked_for(void **state)
{
	uint8_t vector = 0;

	(void)state;
	assert_int_equal(irq_gsi_vector(&control, 5, &vector), -EPERM);
	assert_int_equal(irq_map_gsi(&control, 5), 0);
	assert_int_equal(irq_gsi_vector(&control, 5, &vector), 0);
	assert_in_range(vector, IRQ_VECTOR_FIRST, IRQ_VECTOR_LAST);
	assert_true(fake_line[5].masked);
}

static void strangers_are_refused(void **state)
{
	uint32_t flags;
	int pirq;

	(void)state;
	assert_int_equal(irq_map_gsi(&control, 5), 0);
	assert_int_equal(irq_map_gsi(&control, 5), 0);
	assert_int_equal(map_message(&control, 1, 0, 1, &pirq), 0);
	for (unsigned p = 5; p <= (unsigned)pirq; p += (unsigned)pirq - 5) {
		assert_int_equal(irq_pirq_bind(&other, p, 3, false), -EINVAL);
		assert_int_equal(irq_pirq_eoi(&other, p), -EINVAL);
		assert_int_equal(irq_pirq_status(&other, p, &flags), -EINVAL);
		assert_int_equal(irq_unmap(&other, p), -EINVAL);
		irq_pirq_unbind(&other, p);
		irq_pirq_set_cpu(&other, p, 1);
	}
	assert_int_equal(irq_map_gsi(&other, 5), -EBUSY);
	assert_int_equal(irq_map_gsi(&other, 23), -EINVAL);
	assert_int_equal(irq_map_gsi(&other, ~0u), -EINVAL);
	assert_int_equal(irq_pirq_bind(&control, irq_pirq_count(), 3, false), -EINVAL);
	assert_int_equal(irq_pirq_bind(&control, 6, 3, false), -EINVAL);
	assert_int_equal(irq_pirq_bind(&control, 5, 3, false), 0);
	assert_int_equal(irq_pirq_bind(&control, 5, 4, false), -EEXIST);
}

static void a_message_is_masked_until_bound(void **state)
{
	int pirq, again;

	(void)state;
	assert_int_equal(map_message(&control, 3, 2, 1, &pirq), 0);
	assert_true(pirq >= FAKE_LINES);
	fake_send(3, 0);
	assert_int_equal(fake_acks, 0);
	assert_int_equal(irq_pirq_bind(&control, (unsigned)pirq, 5, false), 0);
	fake_send(3, 0);
	fake_send(3, 0);
	assert_int_equal(raised[5], 2);
	assert_int_equal(map_message(&control, 3, 2, 1, &again), -EEXIST);
	assert_int_equal(irq_unmap(&control, (unsigned)pirq), 0);
	assert_true(fake_device[3].disabled);
	assert_int_equal(irq_unmap(&control, (unsigned)pirq), -EINVAL);
	assert_int_equal(map_message(&control, 3, 2, 1, &again), 0);
}

static void an_unmaskable_message_before_bind_is_dropped(void **state)
{
	int pirq;

	(void)state;
	fake_device[3].unmaskable = true;
	assert_int_equal(map_message(&control, 3, -1, 1, &pirq), 0);
	fake_send(3, 0);
	assert_int_equal(fake_acks, 1);
	assert_int_equal(irq_pirq_bind(&control, (unsigned)pirq, 5, false), 0);
	fake_send(3, 0);
	assert_int_equal(raised[5], 1);
}

static void a_group_has_a_port_for_each(void **state)
{
	struct msi_message old;
	int pirq, again;

	(void)state;
	assert_int_equal(map_message(&control, 3, -1, 3, &pirq), -EINVAL);
	assert_int_equal(map_message(&control, 3, -1, 64, &pirq), -EINVAL);
	assert_int_equal(map_message(&control, 3, -1, 8, &pirq), 0);
	old = fake_device[3].message;
	assert_int_equal(old.data % 8, 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(irq_pirq_bind(&control, (unsigned)pirq + i, 20 + i, false), 0);
	for (unsigned i = 0; i < 8; i++) {
		fake_send(3, i);
		assert_int_equal(raised[20 + i], 1);
	}
	irq_pirq_set_cpu(&control, (unsigned)pirq, 1);
	assert_int_equal(fake_device[3].message.address, old.address);
	assert_int_equal(irq_unmap(&control, (unsigned)pirq + 1), -EINVAL);
	assert_int_equal(irq_unmap(&control, (unsigned)pirq), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(irq_pirq_eoi(&control, (unsigned)pirq + i), -EINVAL);
	fake_arrive(&old);		/* one that was on its way */
	assert_int_equal(raised[20], 1);
	assert_int_equal(map_message(&control, 3, -1, 8, &again), 0);
	assert_int_equal(again, pirq);
}

static void vectors_run_out_and_come_back(void **state)
{
	unsigned first_round = 0;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		bool seen[2][256] = { { false } };
		unsigned n;
		int pirq, rc;

		/* Two entries for each device: more than two CPUs have vectors. */
		for (n = 0; n < 2 * FAKE_DEVICES; n++) {
			struct msi_message *m = &fake_device[n / 2].message;

			rc = map_message(&control, n / 2, n % 2, 1, &pirq);
			if (rc)
				break;
			assert_in_range(m->data, IRQ_VECTOR_FIRST, IRQ_VECTOR_LAST);
			assert_true(m->data != 0x80 && m->data != 0x82);
			assert_false(seen[m->address][m->data]);
			seen[m->address][m->data] = true;
		}
		assert_int_equal(rc, -ENOSPC);
		assert_in_range(n, 2 * 160, 2 * 174);
		if (!round)
			first_round = n;
		assert_int_equal(n, first_round);
		irq_domain_destroy(&control);
		assert_int_equal(irq_domain_create(&control), 0);
	}
}

static void a_message_follows_its_vcpu(void **state)
{
	struct msi_message old;
	int pirq;

	(void)state;
	assert_int_equal(map_message(&control, 3, 2, 1, &pirq), 0);
	assert_int_equal(irq_pirq_bind(&control, (unsigned)pirq, 5, false), 0);
	old = fake_device[3].message;
	irq_pirq_set_cpu(&control, (unsigned)pirq, 1);
	assert_int_equal(fake_device[3].message.address, 1);
	fake_send(3, 0);
	fake_arrive(&old);		/* sent before, arriving late: not lost */
	assert_int_equal(raised[5], 2);
	/* Not again at once: the place before last might not be quiet yet. */
	irq_pirq_set_cpu(&control, (unsigned)pirq, 0);
	assert_int_equal(fake_device[3].message.address, 1);
	fake_now += 20000000;
	irq_pirq_set_cpu(&control, (unsigned)pirq, 0);
	assert_int_equal(fake_device[3].message.address, 0);
	/* A CPU that devices can't reach is no place. */
	fake_now += 20000000;
	irq_pirq_set_cpu(&control, (unsigned)pirq, 2);
	assert_int_equal(fake_device[3].message.address, 0);
	fake_send(3, 0);
	assert_int_equal(raised[5], 3);
}

static void a_level_line_moves_when_nothing_is_on_its_way(void **state)
{
	(void)state;
	assert_int_equal(irq_map_gsi(&control, 17), 0);
	assert_int_equal(irq_pirq_bind(&control, 17, 9, true), 0);
	irq_pirq_set_cpu(&control, 17, 1);
	assert_int_equal(fake_line[17].cpu, 0);
	assert_int_equal(fake_line_assert(17), 1);
	assert_int_equal(irq_pirq_eoi(&control, 17), 0);
	assert_int_equal(fake_line[17].cpu, 1);
	assert_int_equal(fake_deliver(), 1);
	assert_int_equal(raised[9], 2);
}

static void nothing_of_a_dead_domain_is_left(void **state)
{
	struct msi_message old;
	int pirq;

	(void)state;
	assert_int_equal(irq_map_gsi(&control, 17), 0);
	assert_int_equal(irq_pirq_bind(&control, 17, 9, true), 0);
	assert_int_equal(map_message(&control, 3, 2, 1, &pirq), 0);
	assert_int_equal(irq_pirq_bind(&control, (unsigned)pirq, 5, false), 0);
	old = fake_device[3].message;
	assert_int_equal(fake_line_assert(17), 1);
	irq_domain_destroy(&control);
	assert_null(control.irq);
	assert_int_equal(fake_deliver(), 0);
	fake_arrive(&old);
	assert_int_equal(raised[5], 0);
	assert_int_equal(irq_pirq_bind(&control, 17, 9, true), -EINVAL);
	/* Another domain may have them now. */
	assert_int_equal(irq_map_gsi(&other, 17), 0);
	assert_int_equal(irq_pirq_bind(&other, 17, 11, true), 0);
	assert_int_equal(fake_deliver(), 1);
	assert_int_equal(raised[11], 1);
}

static void our_own_lines_are_not_for_guests(void **state)
{
	(void)state;
	assert_int_equal(irq_register_internal(4, internal), 0);
	assert_int_equal(fake_line_assert(4), 1);
	assert_int_equal(internal_calls, 1);
	assert_int_equal(irq_map_gsi(&control, 4), 0);
	assert_int_equal(irq_pirq_bind(&control, 4, 7, false), -EBUSY);
	assert_int_equal(irq_setup_gsi(4, true, true), -EBUSY);
	assert_int_equal(irq_unmap(&control, 4), 0);
	assert_int_equal(fake_line_assert(4), 1);
	assert_int_equal(internal_calls, 2);
	assert_int_equal(irq_register_internal(4, internal), -EBUSY);
	assert_int_equal(irq_map_gsi(&control, 3), 0);
	assert_int_equal(irq_pirq_bind(&control, 3, 7, false), 0);
	assert_int_equal(irq_register_internal(3, internal), -EBUSY);
}

static void messages_survive_a_device_reset(void **state)
{
	struct pci_address at = { 0, 0, 3 };
	int bound, quiet;

	(void)state;
	assert_int_equal(irq_restore_msi(at), -ENODEV);
	assert_int_equal(map_message(&control, 3, -1, 2, &bound), 0);
	quiet = bound + 1;
	assert_int_equal(irq_pirq_bind(&control, (unsigned)bound, 5, false), 0);
	fake_device[3] = (struct fake_device){ 0 };
	assert_int_equal(irq_restore_msi(at), 0);
	fake_send(3, 0);
	fake_send(3, 1);
	assert_int_equal(raised[5], 1);
	assert_int_equal(fake_device[3].pending, 2);
	assert_int_equal(irq_pirq_bind(&control, (unsigned)quiet, 6, false), 0);
}

static void an_unknown_vector_is_acknowledged(void **state)
{
	(void)state;
	irq_handle(IRQ_VECTOR_FIRST);
	irq_handle(0x20);
	irq_handle(0xef);
	assert_int_equal(fake_acks, 3);
}

/* The first of all: what a CPU needs to know of its vectors is allocated once. */
static void any_allocation_may_fail(void **state)
{
	unsigned n, blocks;
	int rc = -ENOMEM;

	(void)state;
	irq_domain_destroy(&other);
	blocks = failing_heap_blocks();
	for (n = 1; rc; n++) {
		failing_heap_arm(n);
		rc = irq_domain_create(&other);
		if (!rc)
			rc = irq_map_gsi(&other, 4);
		if (!rc)
			rc = irq_pirq_bind(&other, 4, 7, false);
		if (!rc)
			break;
		assert_true(failing_heap_hit());
		irq_domain_destroy(&other);
		assert_int_equal(failing_heap_blocks(), blocks);
	}
	failing_heap_arm(0);
	assert_true(n > 1);
	assert_int_equal(fake_line_assert(4), 1);
	assert_int_equal(raised[7], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_allocation_may_fail),
		TEST(an_edge_is_an_event),
		TEST(a_level_waits_for_the_guest),
		TEST(an_unbound_level_is_masked_and_comes_back),
		TEST(closing_the_port_unbinds),
		TEST(setup_decides_how_a_line_signals),
		TEST(a_vector_can_be_asked_for),
		TEST(strangers_are_refused),
		TEST(a_message_is_masked_until_bound),
		TEST(an_unmaskable_message_before_bind_is_dropped),
		TEST(a_group_has_a_port_for_each),
		TEST(vectors_run_out_and_come_back),
		TEST(a_message_follows_its_vcpu),
		TEST(a_level_line_moves_when_nothing_is_on_its_way),
		TEST(nothing_of_a_dead_domain_is_left),
		TEST(our_own_lines_are_not_for_guests),
		TEST(messages_survive_a_device_reset),
		TEST(an_unknown_vector_is_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
