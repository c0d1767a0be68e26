/* SPDX-License-Identifier: MIT */
/*
 * Giving lines and messages to domains and taking them back. A message's entry is claimed (kind
 * set, no owner) before its vectors and the device are set up: nobody can name it until it has an
 * owner.
 */
#include "abi/errno.h"
#include "console/log.h"
#include "dev/acpi.h"
#include "domain/domain.h"
#include "irq/table.h"
#include "lib/assert.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define MESSAGES_PER_CPU	128
#define MESSAGES_MIN		512
#define MESSAGES_MAX		4096
#define GROUP_MAX		32

void irq_init(void)
{
	unsigned messages = min(max(acpi.nr_cpus * MESSAGES_PER_CPU, MESSAGES_MIN + 0u),
				MESSAGES_MAX + 0u);

	machine_ioapic_init();
	irq_nr_lines = machine_gsi_count();
	irq_nr_pirqs = irq_nr_lines + messages;
	irq_table = heap_alloc(irq_nr_pirqs * sizeof(*irq_table));
	if (!irq_table)
		panic("irq: no memory for %u interrupts", irq_nr_pirqs);
	for (unsigned i = 0; i < irq_nr_pirqs; i++) {
		struct irq *irq = &irq_table[i];
		struct acpi_override how = acpi_gsi_default(i);

		lock_init(&irq->lock, RANK_IRQ);
		if (i < irq_nr_lines && machine_gsi_exists(i)) {
			irq->kind = IRQ_LINE;
			irq->level = how.level;
			irq->active_low = how.active_low;
			irq->group_size = 1;
		}
	}
}

unsigned irq_pirq_count(void)
{
	return irq_nr_pirqs;
}

/* Called under the event lock. */
static void port_closed(struct event_domain *ed, unsigned pirq)
{
	irq_pirq_unbind(container_of(ed, struct domain, event), pirq);
}

int irq_domain_create(struct domain *d)
{
	d->irq = heap_alloc(sizeof(*d->irq));
	if (!d->irq)
		return -ENOMEM;
	d->event.pirq_closed = port_closed;
	return 0;
}

void irq_domain_destroy(struct domain *d)
{
	if (!d->irq)
		return;
	for (unsigned i = 0; i < irq_nr_pirqs; i++)
		(void)irq_unmap(d, i);	/* -EINVAL: it is not this domain's */
	ASSERT(!d->irq->mapped);
	while (__atomic_load_n(&d->irq->in_flight, __ATOMIC_ACQUIRE))
		machine_relax();
	d->event.pirq_closed = NULL;
	heap_free(d->irq);
	d->irq = NULL;
}

static void set_owner(struct irq *irq, struct domain *d)
{
	irq->owner = d;
	__atomic_fetch_add(&d->irq->mapped, 1, __ATOMIC_RELAXED);
}

static void drop_owner(struct irq *irq)
{
	__atomic_fetch_sub(&irq->owner->irq->mapped, 1, __ATOMIC_RELAXED);
	irq->owner = NULL;
}

/* -- lines -- */

static struct irq *line_locked(unsigned gsi)
{
	if (gsi >= irq_nr_lines || irq_table[gsi].kind != IRQ_LINE)
		return NULL;
	lock_acquire(&irq_table[gsi].lock);
	return &irq_table[gsi];
}

int irq_map_gsi(struct domain *d, unsigned gsi)
{
	struct irq *irq = line_locked(gsi);
	int rc = 0;

	if (!irq)
		return -EINVAL;
	if (!irq->owner)
		set_owner(irq, d);
	else if (irq->owner != d)
		rc = -EBUSY;
	lock_release(&irq->lock);
	return rc;
}

int irq_setup_gsi(unsigned gsi, bool level, bool active_low)
{
	struct irq *irq = line_locked(gsi);
	int rc = 0;

	if (!irq)
		return -EINVAL;
	if (irq->level == level && irq->active_low == active_low)
		goto out;
	rc = irq->port || irq->internal ? -EBUSY : 0;
	if (!rc) {
		irq->level = level;
		irq->active_low = active_low;
		if (irq->vector)
			irq_route(irq);
	}
out:
	lock_release(&irq->lock);
	return rc;
}

int irq_gsi_vector(struct domain *d, unsigned gsi, uint8_t *vector)
{
	struct irq *irq = line_locked(gsi);
	int rc;

	if (!irq)
		return -EINVAL;
	rc = irq->owner == d ? irq_assign_vector(irq, 1) : -EPERM;
	if (!rc)
		*vector = irq->vector;
	lock_release(&irq->lock);
	return rc;
}

/* -- messages -- */

static bool same_place(const struct pci_msi_place *a, const struct pci_msi_place *b)
{
	return pci_address_eq(a->at, b->at) && a->msix == b->msix && a->entry == b->entry;
}

static bool place_taken(const struct pci_msi_place *place)
{
	bool taken = false;

	for (unsigned i = irq_nr_lines; i < irq_nr_pirqs && !taken; i++) {
		struct irq *irq = &irq_table[i];

		lock_acquire(&irq->lock);
		taken = irq->kind == IRQ_MESSAGE && same_place(&irq->msi.place, place);
		lock_release(&irq->lock);
	}
	return taken;
}

static void set_kind(unsigned first, unsigned nr, enum irq_kind kind)
{
	for (unsigned i = first; i < first + nr; i++) {
		lock_acquire(&irq_table[i].lock);
		irq_table[i].kind = kind;
		lock_release(&irq_table[i].lock);
	}
}

/* Claim `nr` consecutive free entries: the first of them, or irq_nr_pirqs. */
static unsigned claim(unsigned nr)
{
	unsigned run = 0;

	for (unsigned i = irq_nr_lines; i < irq_nr_pirqs; i++) {
		struct irq *irq = &irq_table[i];

		lock_acquire(&irq->lock);
		if (irq->kind != IRQ_FREE) {
			lock_release(&irq->lock);
			set_kind(i - run, run, IRQ_FREE);
			run = 0;
			continue;
		}
		irq->kind = IRQ_MESSAGE;
		lock_release(&irq->lock);
		if (++run == nr)
			return i - nr + 1;
	}
	set_kind(irq_nr_pirqs - run, run, IRQ_FREE);
	return irq_nr_pirqs;
}

/* Give message `i` of the group of `first` to its owner. */
static void join_group(struct domain *d, const struct irq *first, unsigned i)
{
	struct irq *irq = &irq_table[first->group + i];

	lock_acquire(&irq->lock);
	irq->msi = first->msi;
	irq->group = first->group;
	irq->group_size = first->group_size;
	irq->cpu = irq->wanted_cpu = first->cpu;
	irq->vector = (uint8_t)(first->vector + i);
	set_owner(irq, d);
	lock_release(&irq->lock);
}

int irq_map_msi(struct domain *d, const struct pci_msi_place *place, unsigned nr, int *pirq)
{
	struct pci_msi msi;
	unsigned first;
	int rc;

	if (!nr || nr > GROUP_MAX || nr & (nr - 1))
		return -EINVAL;
	rc = pci_msi_find(&msi, place, nr);
	if (rc)
		return rc;
	if (place_taken(place))
		return -EEXIST;
	first = claim(nr);
	if (first == irq_nr_pirqs)
		return -ENOSPC;
	lock_acquire(&irq_table[first].lock);
	irq_table[first].msi = msi;
	irq_table[first].group = (uint16_t)first;
	irq_table[first].group_size = (uint16_t)nr;
	rc = irq_assign_vector(&irq_table[first], nr);
	lock_release(&irq_table[first].lock);
	if (rc) {
		set_kind(first, nr, IRQ_FREE);
		return rc;
	}
	/* The first comes last: with its owner the group can be unmapped. */
	for (unsigned i = nr; i--;)
		join_group(d, &irq_table[first], i);
	*pirq = (int)first;
	return 0;
}

static void unmap_message(struct irq *irq)
{
	irq_unbind_locked(irq);
	drop_owner(irq);
	if (irq == &irq_table[irq->group]) {
		pci_msi_disable(&irq->msi);
		irq_release_vectors(irq);
	}
	irq->vector = 0;
	irq->kind = IRQ_FREE;
	irq->msi = (struct pci_msi){ 0 };
}

int irq_unmap(struct domain *d, unsigned pirq)
{
	struct irq *irq = irq_get_locked(d, pirq);
	unsigned nr = 0;
	int rc = 0;

	if (!irq)
		return -EINVAL;
	if (irq->kind == IRQ_LINE) {
		irq_unbind_locked(irq);
		drop_owner(irq);
	} else if (irq->group != pirq) {
		rc = -EINVAL;
	} else {
		nr = irq->group_size;
		unmap_message(irq);
	}
	lock_release(&irq->lock);
	for (unsigned i = 1; i < nr; i++) {
		irq = irq_get_locked(d, pirq + i);
		if (!irq)
			continue;
		unmap_message(irq);
		lock_release(&irq->lock);
	}
	return rc;
}

int irq_restore_msi(struct pci_address at)
{
	int rc = -ENODEV;

	for (unsigned i = irq_nr_lines; i < irq_nr_pirqs; i++) {
		struct irq *irq = &irq_table[i];

		lock_acquire(&irq->lock);
		if (irq->kind == IRQ_MESSAGE && irq->owner &&
		    pci_address_eq(irq->msi.place.at, at)) {
			if (irq->group == i)
				irq_route(irq);
			if (irq->port)
				irq_mask(irq, false);
			rc = 0;
		}
		lock_release(&irq->lock);
	}
	return rc;
}
