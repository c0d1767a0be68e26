/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts: which CPU vector serves which line (GSI) or message (MSI, MSI-X), and which
 * domain's event channel it raises. A pirq is an index into one table of the whole machine: lines
 * first (pirq == GSI, as Linux expects), messages above; a domain can name only those that are
 * mapped to it.
 *
 * Invariant: a level-triggered line that was handed to a guest stays masked until that guest's
 * end-of-interrupt, so that a guest that never answers costs one interrupt, not a storm.
 */
#ifndef IRQ_IRQ_H
#define IRQ_IRQ_H

#include "abi/xen.h"
#include "dev/pci.h"
#include "lib/types.h"

struct domain;

/* The vectors that are given to devices, on each CPU; 0x80 and 0x82 are left to guests' int n. */
#define IRQ_VECTOR_FIRST	0x30
#define IRQ_VECTOR_LAST		0xdf

/* Of a domain that may have device interrupts; domain/ sees only the pointer. */
struct irq_domain {
	unsigned in_flight;		/* interrupts between irq_handle()'s lock and the event */
	unsigned mapped;		/* pirqs that it has */
};

/* Mask everything, take the table of lines and messages. After acpi_init(), heap and local APIC. */
void irq_init(void);
/* A device vector fired on this CPU: acknowledge it, raise the event of whoever has it bound. */
void irq_handle(unsigned vector);
/*
 * Give ISA interrupt `isa_irq` to the hypervisor's own `fn` (edge, unmasked at once). No guest can
 * bind it then. 0, -EINVAL (no such line), -EBUSY (bound already), -ENOSPC (no vector).
 */
int irq_register_internal(unsigned isa_irq, void (*fn)(void));

/* Let `d` have device interrupts. 0 or -ENOMEM. */
int irq_domain_create(struct domain *d);
/*
 * Take all its pirqs away and wait until no interrupt is on its way to it. After this nothing in
 * irq/ refers to the domain. The caller holds no lock; the event channels still exist.
 */
void irq_domain_destroy(struct domain *d);

/* How many pirqs there are: valid numbers are 0 .. n - 1. */
unsigned irq_pirq_count(void);
/* Map line `gsi` as pirq `gsi`. 0 (also if `d` has it), -EINVAL, -EBUSY (another domain's). */
int irq_map_gsi(struct domain *d, unsigned gsi);
/* How a line signals. 0, -EINVAL (no such line), -EBUSY (bound, and set up otherwise). */
int irq_setup_gsi(unsigned gsi, bool level, bool active_low);
/* Give the line a vector now and tell it. 0, -EINVAL, -EPERM (not its own), -ENOSPC. */
int irq_gsi_vector(struct domain *d, unsigned gsi, uint8_t *vector);
/*
 * Map `nr` messages (a power of two, up to 32; 1 for MSI-X) as consecutive pirqs and write them
 * into the device, masked where it can mask. 0 and the first pirq; -EINVAL, -ENODEV, -ENOSPC,
 * -EEXIST (that MSI-X entry or MSI is mapped).
 */
int irq_map_msi(struct domain *d, const struct pci_msi_place *place, unsigned nr, int *pirq);
/* Unmap a pirq (a message group by its first). Bound ones are unbound. 0, -EINVAL. */
int irq_unmap(struct domain *d, unsigned pirq);
/* Write the device's messages again (it lost them in a reset). 0 or -ENODEV (it has none). */
int irq_restore_msi(struct pci_address at);

/*
 * Raise `port` of `d` when `pirq` fires, and unmask it. 0, -EINVAL (not mapped to `d`), -EBUSY (the
 * hypervisor's own), -EEXIST (bound), -ENOSPC (no vector). May be called under the event lock.
 */
int irq_pirq_bind(struct domain *d, unsigned pirq, evtchn_port_t port, bool shareable);
/* Mask and forget the port; nothing if it is not bound. May be called under the event lock. */
void irq_pirq_unbind(struct domain *d, unsigned pirq);
/* Deliver it on the CPU where the vCPU that is told runs (a hint). */
void irq_pirq_set_cpu(struct domain *d, unsigned pirq, unsigned cpu);
/* The guest has handled it: unmask a level-triggered line. 0 or -EINVAL (not mapped to `d`). */
int irq_pirq_eoi(struct domain *d, unsigned pirq);
/* XENIRQSTAT_* of abi/physdev.h into *flags. 0 or -EINVAL (not mapped to `d`). */
int irq_pirq_status(struct domain *d, unsigned pirq, uint32_t *flags);

#endif
