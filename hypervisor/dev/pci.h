/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space (memory-mapped where ACPI's MCFG covers it, else by ports 0xcf8, 0xcfc)
 * and the message capabilities in it. Devices are enumerated and driven by dom0; the hypervisor
 * only programs MSI and MSI-X. Numbers are those of the PCI Local Bus Specification 3.0, 6.8.
 */
#ifndef DEV_PCI_H
#define DEV_PCI_H

#include "lib/types.h"
#include "x86/machine_irq.h"

struct pci_address {
	uint16_t segment;
	uint8_t bus;
	uint8_t devfn;
};

static inline bool pci_address_eq(struct pci_address a, struct pci_address b)
{
	return a.segment == b.segment && a.bus == b.bus && a.devfn == b.devfn;
}

/* `bytes` 1, 2 or 4, `reg` aligned to it. All ones if there is no such device or register. */
uint32_t pci_read(struct pci_address at, unsigned reg, unsigned bytes);
void pci_write(struct pci_address at, unsigned reg, unsigned bytes, uint32_t value);
/* Clear and set bits of a register in one go. */
void pci_update(struct pci_address at, unsigned reg, unsigned bytes, uint32_t clear, uint32_t set);

/*
 * The control domain's own access to ports 0xcf8-0xcff, so that its address register and ours don't
 * disturb each other. False: it is another port.
 */
bool pci_port_in(uint16_t port, unsigned bytes, uint32_t *value);
bool pci_port_out(uint16_t port, unsigned bytes, uint32_t value);

/* Offset of capability `id` (PCI_CAP_*) in the device's configuration space, or 0. */
unsigned pci_capability(struct pci_address at, uint8_t id);
#define PCI_CAP_MSI	0x05
#define PCI_CAP_MSIX	0x11

/* Where a message is kept: the MSI capability, or entry `entry` of an MSI-X table. */
struct pci_msi_place {
	struct pci_address at;
	bool msix;
	unsigned entry;
	uint64_t table_base;		/* physical address of the BAR that holds the table */
};

/* A place that was found and checked. */
struct pci_msi {
	struct pci_msi_place place;
	uint8_t capability;
	bool maskable, wide;		/* MSI: has mask bits, has a 64-bit address */
	volatile uint32_t *slot;	/* MSI-X: the entry: address low, high, data, control */
};

/*
 * Find the place of `nr` messages. 0, -ENODEV (no such device or capability), -EINVAL (entry beyond
 * the table, more messages than the device has, no table_base), -ENXIO (it does not decode memory),
 * -ENOMEM. The caller has made sure that table_base is no RAM.
 */
int pci_msi_find(struct pci_msi *m, const struct pci_msi_place *place, unsigned nr);
/* Write the message for `nr` consecutive vectors, masked where it can be. */
void pci_msi_write(const struct pci_msi *m, const struct msi_message *message, unsigned nr);
/* Mask or unmask message `i` of the group. False: the device can't. */
bool pci_msi_mask(const struct pci_msi *m, unsigned i, bool masked);
/* The device must not send it any more: mask an MSI-X entry, disable MSI. */
void pci_msi_disable(const struct pci_msi *m);

#endif
