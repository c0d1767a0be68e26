/* SPDX-License-Identifier: MIT */
/*
 * The life of a mapped interrupt: bound to an event channel, fired, handled, unbound. Lines that
 * are level-triggered are masked when they fire and unmasked by the guest's end-of-interrupt;
 * edges and messages are acknowledged at once. Each entry of the table is under its own lock; the
 * event is raised after that is dropped, and irq_domain.in_flight says so to who destroys the
 * domain.
 */
#include "irq/table.h"

#include "abi/errno.h"
#include "abi/physdev.h"
#include "console/log.h"
#include "dev/acpi.h"
#include "domain/domain.h"
#include "x86/machine.h"

/* An interrupt stays this long (ns) where it is, so that its place before last is surely quiet. */
#define MOVE_INTERVAL	10000000

struct irq *irq_table;
unsigned irq_nr_lines, irq_nr_pirqs;

static unsigned pirq_of(const struct irq *irq)
{
	return (unsigned)(irq - irq_table);
}

struct irq *irq_get_locked(struct domain *d, unsigned pirq)
{
	struct irq *irq;

	if (pirq >= irq_nr_pirqs || !d->irq)
		return NULL;
	irq = &irq_table[pirq];
	lock_acquire(&irq->lock);
	if (irq->owner == d)
		return irq;
	lock_release(&irq->lock);
	return NULL;
}

/* -- the hardware's side -- */

int irq_assign_vector(struct irq *irq, unsigned nr)
{
	const struct cpumask *online = machine_cpus_online();
	unsigned cpu = machine_cpu();

	if (irq->vector)
		return 0;
	if (!machine_irq_reaches(cpu) || vector_alloc(cpu, pirq_of(irq), nr, &irq->vector)) {
		cpumask_for_each(other, online) {
			cpu = other;
			if (machine_irq_reaches(cpu) &&
			    !vector_alloc(cpu, pirq_of(irq), nr, &irq->vector))
				break;
		}
		if (!irq->vector)
			return -ENOSPC;
	}
	irq->cpu = irq->wanted_cpu = (uint16_t)cpu;
	irq_route(irq);
	return 0;
}

void irq_route(struct irq *irq)
{
	struct msi_message message;

	if (irq->kind == IRQ_LINE) {
		machine_gsi_route(pirq_of(irq), irq->cpu, irq->vector, irq->level,
				  irq->active_low);
	} else {
		message = machine_msi_message(irq->cpu, irq->vector);
		pci_msi_write(&irq->msi, &message, irq->group_size);
	}
}

void irq_mask(struct irq *irq, bool masked)
{
	if (irq->kind == IRQ_LINE)
		machine_gsi_mask(pirq_of(irq), masked);
	else
		pci_msi_mask(&irq->msi, pirq_of(irq) - irq->group, masked);
}

void irq_release_vectors(struct irq *irq)
{
	if (irq->old_vector)
		vector_free(irq->old_cpu, irq->old_vector, irq->group_size);
	vector_free(irq->cpu, irq->vector, irq->group_size);
	irq->vector = irq->old_vector = 0;
}

/*
 * Follow wanted_cpu. Edge lines stay where they are, as an edge is lost while the line is masked;
 * so do messages that can't be masked, whose two halves can't be written at once, and groups of
 * messages.
 */
static void move(struct irq *irq)
{
	uint64_t now = machine_now();
	uint8_t vector;

	if (irq->wanted_cpu == irq->cpu || now - irq->moved_at < MOVE_INTERVAL)
		return;
	if (vector_alloc(irq->wanted_cpu, pirq_of(irq), 1, &vector))
		return;
	if (irq->old_vector)
		vector_free(irq->old_cpu, irq->old_vector, 1);
	irq->old_cpu = irq->cpu;
	irq->old_vector = irq->vector;
	irq->cpu = irq->wanted_cpu;
	irq->vector = vector;
	irq->moved_at = now;
	irq_route(irq);
}

void irq_handle(unsigned vector)
{
	unsigned pirq = vector_pirq(machine_cpu(), vector);
	struct domain *d = NULL;
	struct irq *irq;
	evtchn_port_t port;
	void (*internal)(void);

	if (pirq == VECTOR_NOBODY) {
		machine_irq_ack();
		return;
	}
	irq = &irq_table[pirq];
	lock_acquire(&irq->lock);
	/* Masked before it is acknowledged: the line may still be asserted. */
	if (irq->level)
		irq_mask(irq, true);
	machine_irq_ack();
	internal = irq->internal;
	port = irq->port;
	if (port) {
		d = irq->owner;
		irq->owed = irq->level;
		__atomic_fetch_add(&d->irq->in_flight, 1, __ATOMIC_ACQUIRE);
	}
	lock_release(&irq->lock);

	if (d) {
		event_raise_pirq(&d->event, port);
		__atomic_fetch_sub(&d->irq->in_flight, 1, __ATOMIC_RELEASE);
	} else if (internal) {
		internal();
		if (irq->level)
			irq_mask(irq, false);
	}
}

int irq_register_internal(unsigned isa_irq, void (*fn)(void))
{
	unsigned gsi = acpi_isa_irq(isa_irq).gsi;
	struct irq *irq = &irq_table[gsi];
	int rc;

	if (gsi >= irq_nr_lines || irq->kind != IRQ_LINE)
		return -EINVAL;
	lock_acquire(&irq->lock);
	rc = irq->port || irq->internal ? -EBUSY : irq_assign_vector(irq, 1);
	if (!rc) {
		irq->internal = fn;
		irq_mask(irq, false);
	}
	lock_release(&irq->lock);
	return rc;
}

/* -- the guest's side -- */

int irq_pirq_bind(struct domain *d, unsigned pirq, evtchn_port_t port, bool shareable)
{
	struct irq *irq = irq_get_locked(d, pirq);
	int rc;

	/* Each pirq has one owner, so whether it would share makes no difference. */
	(void)shareable;
	if (!irq)
		return -EINVAL;
	if (irq->internal)
		rc = -EBUSY;
	else if (irq->port)
		rc = -EEXIST;
	else
		rc = irq_assign_vector(irq, 1);
	if (!rc) {
		irq->port = port;
		irq_mask(irq, false);
	}
	lock_release(&irq->lock);
	return rc;
}

void irq_unbind_locked(struct irq *irq)
{
	if (!irq->port)
		return;
	irq_mask(irq, true);
	irq->port = 0;
	irq->owed = false;
}

void irq_pirq_unbind(struct domain *d, unsigned pirq)
{
	struct irq *irq = irq_get_locked(d, pirq);

	if (!irq)
		return;
	irq_unbind_locked(irq);
	lock_release(&irq->lock);
}

void irq_pirq_set_cpu(struct domain *d, unsigned pirq, unsigned cpu)
{
	struct irq *irq = irq_get_locked(d, pirq);

	if (!irq)
		return;
	if (irq->port && machine_irq_reaches(cpu)) {
		irq->wanted_cpu = (uint16_t)cpu;
		/* A level line moves at its next end-of-interrupt: nothing is on its way then. */
		if (irq->kind == IRQ_MESSAGE && irq->msi.maskable && irq->group_size == 1) {
			move(irq);
			irq_mask(irq, false);
		}
	}
	lock_release(&irq->lock);
}

int irq_pirq_eoi(struct domain *d, unsigned pirq)
{
	struct irq *irq = irq_get_locked(d, pirq);

	if (!irq)
		return -EINVAL;
	if (irq->owed) {
		irq->owed = false;
		move(irq);
		irq_mask(irq, false);
	}
	lock_release(&irq->lock);
	return 0;
}

int irq_pirq_status(struct domain *d, unsigned pirq, uint32_t *flags)
{
	struct irq *irq = irq_get_locked(d, pirq);

	if (!irq)
		return -EINVAL;
	*flags = irq->level ? XENIRQSTAT_needs_eoi : 0;
	lock_release(&irq->lock);
	return 0;
}
