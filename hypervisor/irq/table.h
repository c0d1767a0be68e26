/* SPDX-License-Identifier: MIT */
/*
 * Inside irq/: the table of all lines and messages of the machine, indexed by pirq, and who has
 * which vector. One lock per entry guards all of the entry; no two are ever held at once.
 */
#ifndef IRQ_TABLE_H
#define IRQ_TABLE_H

#include "irq/irq.h"
#include "lib/cpumask.h"
#include "lib/lock.h"

enum irq_kind { IRQ_FREE, IRQ_LINE, IRQ_MESSAGE };

struct irq {
	struct lock lock;		/* RANK_IRQ */
	enum irq_kind kind;
	bool level, active_low;		/* lines */
	bool owed;			/* a level line: masked until the guest is done */
	uint8_t vector;			/* 0: none yet */
	uint8_t old_vector;		/* where it was before it moved: late ones arrive there */
	uint16_t cpu, old_cpu, wanted_cpu;
	uint16_t group, group_size;	/* messages: pirq of the first, and how many */
	evtchn_port_t port;		/* 0: not bound */
	struct domain *owner;		/* NULL: not mapped */
	void (*internal)(void);		/* the hypervisor's own handler */
	uint64_t moved_at;		/* ns */
	struct pci_msi msi;		/* messages */
};

extern struct irq *irq_table;
extern unsigned irq_nr_lines, irq_nr_pirqs;

/* The entry of `pirq`, locked, if it is mapped to `d`; else NULL. */
struct irq *irq_get_locked(struct domain *d, unsigned pirq);
/* Give a line or the first of a message group its vectors. 0 or -ENOSPC. The lock is held. */
int irq_assign_vector(struct irq *irq, unsigned nr);
/* Tell the hardware where the interrupt goes; leaves it masked if it can be. The lock is held. */
void irq_route(struct irq *irq);
/* Mask or unmask at the source; does nothing for a message that can't. The lock is held. */
void irq_mask(struct irq *irq, bool masked);
/* Mask and forget the port. The lock is held. */
void irq_unbind_locked(struct irq *irq);
/* Give the vectors of a message (group) back. The lock of the first is held. */
void irq_release_vectors(struct irq *irq);

/* -- vector.c: lock-free, by compare-and-swap on a byte-sized place per CPU and vector -- */

#define VECTOR_NOBODY	0xffffu

/* `nr` (a power of two) aligned vectors in a row, for pirqs from `pirq` on. 0, -ENOSPC, -ENOMEM. */
int vector_alloc(unsigned cpu, unsigned pirq, unsigned nr, uint8_t *first);
void vector_free(unsigned cpu, uint8_t first, unsigned nr);
/* The pirq that a vector stands for, or VECTOR_NOBODY. */
unsigned vector_pirq(unsigned cpu, unsigned vector);

#endif
