/* SPDX-License-Identifier: MIT */
/* physdev_op(cmd, arg): interrupts, I/O ports and PCI devices, for the domain that drives them. */
#ifndef ABI_PHYSDEV_H
#define ABI_PHYSDEV_H

#include "abi/types.h"

#define PHYSDEVOP_IRQ_UNMASK_NOTIFY	4
#define PHYSDEVOP_irq_status_query	5
#define PHYSDEVOP_set_iopl		6
#define PHYSDEVOP_set_iobitmap		7
#define PHYSDEVOP_apic_read		8
#define PHYSDEVOP_apic_write		9
#define PHYSDEVOP_alloc_irq_vector	10
#define PHYSDEVOP_free_irq_vector	11
#define PHYSDEVOP_eoi			12
#define PHYSDEVOP_map_pirq		13
#define PHYSDEVOP_unmap_pirq		14
#define PHYSDEVOP_manage_pci_add	15
#define PHYSDEVOP_manage_pci_remove	16
#define PHYSDEVOP_pirq_eoi_gmfn_v1	17
#define PHYSDEVOP_restore_msi		19
#define PHYSDEVOP_manage_pci_add_ext	20
#define PHYSDEVOP_setup_gsi		21
#define PHYSDEVOP_get_free_pirq		23
#define PHYSDEVOP_pci_mmcfg_reserved	24
#define PHYSDEVOP_pci_device_add	25
#define PHYSDEVOP_pci_device_remove	26
#define PHYSDEVOP_restore_msi_ext	27
#define PHYSDEVOP_pirq_eoi_gmfn_v2	28
#define PHYSDEVOP_dbgp_op		29
#define PHYSDEVOP_prepare_msix		30
#define PHYSDEVOP_release_msix		31

struct physdev_eoi {
	uint32_t irq;
};

/* A page of bits, one per pirq: those set need PHYSDEVOP_eoi. v2: unmasking is then the eoi. */
struct physdev_pirq_eoi_gmfn {
	xen_pfn_t gmfn;
};

#define XENIRQSTAT_needs_eoi		(1U << 0)
#define XENIRQSTAT_shared		(1U << 1)
struct physdev_irq_status_query {
	uint32_t irq;
	uint32_t flags;			/* out: XENIRQSTAT_* */
};

struct physdev_set_iopl {
	uint32_t iopl;
};

struct physdev_set_iobitmap {
	guest_ptr_t bitmap;		/* a bit set forbids the port */
	uint32_t nr_ports;
};

struct physdev_apic {
	unsigned long apic_physbase;
	uint32_t reg;
	uint32_t value;
};

struct physdev_irq {
	uint32_t irq;
	uint32_t vector;		/* out */
};

#define MAP_PIRQ_TYPE_MSI		0x0
#define MAP_PIRQ_TYPE_GSI		0x1
#define MAP_PIRQ_TYPE_UNKNOWN		0x2
#define MAP_PIRQ_TYPE_MSI_SEG		0x3	/* bus holds segment << 16 | bus */
#define MAP_PIRQ_TYPE_MULTI_MSI		0x4	/* entry_nr vectors */

struct physdev_map_pirq {
	domid_t domid;
	int type;
	int index;			/* the GSI, or -1 */
	int pirq;			/* in: wanted or -1; out: given */
	int bus;
	int devfn;
	int entry_nr;			/* MSI-X entry, or how many MSI */
	uint64_t table_base;		/* of the MSI-X table's BAR, or 0 for MSI */
};

struct physdev_unmap_pirq {
	domid_t domid;
	int pirq;
};

struct physdev_manage_pci {
	uint8_t bus;
	uint8_t devfn;
};

struct physdev_restore_msi {
	uint8_t bus;
	uint8_t devfn;
};

struct physdev_manage_pci_ext {
	uint8_t bus;
	uint8_t devfn;
	uint32_t is_extfn;
	uint32_t is_virtfn;
	struct {
		uint8_t bus;
		uint8_t devfn;
	} physfn;
};

struct physdev_setup_gsi {
	int gsi;
	uint8_t triggering;		/* 0 edge, 1 level */
	uint8_t polarity;		/* 0 active high, 1 low */
};

struct physdev_get_free_pirq {
	int type;
	uint32_t pirq;			/* out */
};

#define XEN_PCI_MMCFG_RESERVED		0x1
struct physdev_pci_mmcfg_reserved {
	uint64_t address;
	uint16_t segment;
	uint8_t start_bus;
	uint8_t end_bus;
	uint32_t flags;
};

#define XEN_PCI_DEV_EXTFN		0x1
#define XEN_PCI_DEV_VIRTFN		0x2
#define XEN_PCI_DEV_PXM			0x4
struct physdev_pci_device_add {
	uint16_t seg;
	uint8_t bus;
	uint8_t devfn;
	uint32_t flags;			/* XEN_PCI_DEV_* */
	struct {
		uint8_t bus;
		uint8_t devfn;
	} physfn;
	uint32_t optarr[];		/* the proximity domain, with XEN_PCI_DEV_PXM */
};

struct physdev_pci_device {
	uint16_t seg;
	uint8_t bus;
	uint8_t devfn;
};

#define PHYSDEVOP_DBGP_RESET_PREPARE	1
#define PHYSDEVOP_DBGP_RESET_DONE	2
#define PHYSDEVOP_DBGP_BUS_UNKNOWN	0
#define PHYSDEVOP_DBGP_BUS_PCI		1
struct physdev_dbgp_op {
	uint8_t op;
	uint8_t bus;
	union {
		struct physdev_pci_device pci;
	} u;
};

#endif
