/* SPDX-License-Identifier: MIT */
/*
 * Messages in devices: the MSI capability and the MSI-X table (PCI 3.0, 6.8.1 and 6.8.2). The
 * caller serialises the calls for one place; whether MSI is enabled at all is dom0's to set, in
 * the capability's control word.
 */
#include "abi/errno.h"
#include "dev/pci.h"
#include "lib/lock.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define REG_COMMAND		0x04
#define COMMAND_MEMORY		(1u << 1)

#define MSI_CONTROL		2
#define MSI_ENABLE		(1u << 0)
#define MSI_CAPABLE(c)		(1u << ((c) >> 1 & 7))
#define MSI_GRANTED_SHIFT	4
#define MSI_GRANTED		(7u << MSI_GRANTED_SHIFT)
#define MSI_WIDE		(1u << 7)
#define MSI_MASKABLE		(1u << 8)
#define MSI_ADDRESS		4
#define MSI_ADDRESS_HIGH	8
#define MSI_DATA(wide)		((wide) ? 12u : 8u)
#define MSI_MASK(wide)		((wide) ? 16u : 12u)

#define MSIX_ENTRIES(c)		(((c) & 0x7ff) + 1)
#define MSIX_TABLE		4
#define MSIX_ENTRY_BYTES	16
#define MSIX_ENTRY_MASKED	(1u << 0)

/* A table that was mapped once; mappings live for ever, so they are remembered. */
struct msix_table {
	struct msix_table *next;
	uint64_t address;
	unsigned entries;
	volatile uint32_t *va;
};

static struct lock lock = LOCK_INIT(RANK_DEVICE);
static struct msix_table *tables;	/* under `lock` */

static volatile uint32_t *map_table(uint64_t address, unsigned entries)
{
	struct msix_table *t;
	volatile uint32_t *va = NULL;

	lock_acquire(&lock);
	for (t = tables; t; t = t->next)
		if (t->address == address && t->entries >= entries)
			break;
	if (!t) {
		t = heap_alloc(sizeof(*t));
		if (!t)
			goto out;
		t->va = machine_map_device(address, entries * MSIX_ENTRY_BYTES, false);
		if (!t->va) {
			heap_free(t);
			goto out;
		}
		t->address = address;
		t->entries = entries;
		t->next = tables;
		tables = t;
	}
	va = t->va;
out:
	lock_release(&lock);
	return va;
}

static int find_msix(struct pci_msi *m)
{
	struct pci_address at = m->place.at;
	unsigned entries = MSIX_ENTRIES(pci_read(at, m->capability + MSI_CONTROL, 2));
	uint32_t offset = pci_read(at, m->capability + MSIX_TABLE, 4) & ~7u;

	if (m->place.entry >= entries || !m->place.table_base ||
	    m->place.table_base >> machine_paddr_bits())
		return -EINVAL;
	if (!(pci_read(at, REG_COMMAND, 2) & COMMAND_MEMORY))
		return -ENXIO;
	m->slot = map_table(m->place.table_base + offset, entries);
	if (!m->slot)
		return -ENOMEM;
	m->slot += m->place.entry * MSIX_ENTRY_BYTES / sizeof(*m->slot);
	m->maskable = true;
	return 0;
}

int pci_msi_find(struct pci_msi *m, const struct pci_msi_place *place, unsigned nr)
{
	uint32_t control;

	*m = (struct pci_msi){ .place = *place };
	m->capability = (uint8_t)pci_capability(place->at,
						place->msix ? PCI_CAP_MSIX : PCI_CAP_MSI);
	if (!m->capability)
		return -ENODEV;
	if (place->msix)
		return nr == 1 ? find_msix(m) : -EINVAL;
	control = pci_read(place->at, m->capability + MSI_CONTROL, 2);
	if (nr > MSI_CAPABLE(control))
		return -EINVAL;
	m->wide = control & MSI_WIDE;
	m->maskable = control & MSI_MASKABLE;
	return 0;
}

static void write_msix(const struct pci_msi *m, const struct msi_message *message)
{
	m->slot[3] |= MSIX_ENTRY_MASKED;
	m->slot[0] = (uint32_t)message->address;
	m->slot[1] = (uint32_t)(message->address >> 32);
	m->slot[2] = message->data;
	(void)m->slot[3];	/* a read pushes the writes out */
}

void pci_msi_write(const struct pci_msi *m, const struct msi_message *message, unsigned nr)
{
	struct pci_address at = m->place.at;
	unsigned granted = (unsigned)__builtin_ctz(nr) << MSI_GRANTED_SHIFT;

	if (m->place.msix) {
		write_msix(m, message);
		return;
	}
	for (unsigned i = 0; i < nr; i++)
		pci_msi_mask(m, i, true);
	pci_write(at, m->capability + MSI_ADDRESS, 4, (uint32_t)message->address);
	if (m->wide)
		pci_write(at, m->capability + MSI_ADDRESS_HIGH, 4,
			  (uint32_t)(message->address >> 32));
	pci_write(at, m->capability + MSI_DATA(m->wide), 2, message->data);
	pci_update(at, m->capability + MSI_CONTROL, 2, MSI_GRANTED, granted);
}

bool pci_msi_mask(const struct pci_msi *m, unsigned i, bool masked)
{
	if (!m->maskable)
		return false;
	if (!m->place.msix) {
		pci_update(m->place.at, m->capability + MSI_MASK(m->wide), 4, 1u << i,
			   (uint32_t)masked << i);
		return true;
	}
	if (masked)
		m->slot[3] |= MSIX_ENTRY_MASKED;
	else
		m->slot[3] &= ~MSIX_ENTRY_MASKED;
	(void)m->slot[3];
	return true;
}

void pci_msi_disable(const struct pci_msi *m)
{
	if (m->place.msix)
		pci_msi_mask(m, 0, true);
	else
		pci_update(m->place.at, m->capability + MSI_CONTROL, 2, MSI_ENABLE, 0);
}
