/* SPDX-License-Identifier: MIT */
/*
 * physdev_op(cmd, arg): the control domain sets up interrupts and tells of PCI devices; any domain
 * may set its I/O privilege level, which means something for the control domain only. All the work
 * is in irq/ and dev/; commands that are not in the table are -ENOSYS, which Linux takes as "use
 * the other way" (pirq_eoi_gmfn: query each pirq) or does not need (free_irq_vector).
 */
#include "abi/errno.h"
#include "abi/physdev.h"
#include "abi/xen.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"
#include "irq/irq.h"

typedef int physdev_fn(struct vcpu *v, void *arg);

static int set_iopl(struct vcpu *v, void *arg)
{
	const struct physdev_set_iopl *a = arg;

	if (a->iopl > 3)
		return -EINVAL;
	v->iopl = (uint8_t)a->iopl;
	return 0;
}

/* -- lines -- */

static int setup_gsi(struct vcpu *v, void *arg)
{
	const struct physdev_setup_gsi *a = arg;

	(void)v;
	if (a->gsi < 0 || a->triggering > 1 || a->polarity > 1)
		return -EINVAL;
	return irq_setup_gsi((unsigned)a->gsi, a->triggering, a->polarity);
}

static int alloc_irq_vector(struct vcpu *v, void *arg)
{
	struct physdev_irq *a = arg;
	uint8_t vector;
	int rc = irq_gsi_vector(v->domain, a->irq, &vector);

	if (!rc)
		a->vector = vector;
	return rc;
}

static int apic_read(struct vcpu *v, void *arg)
{
	struct physdev_apic *a = arg;

	(void)v;
	return machine_ioapic_read(a->apic_physbase, a->reg, &a->value);
}

/* IO-APICs are ours: setup_gsi says what the control domain has to say of them. */
static int apic_write(struct vcpu *v, void *arg)
{
	(void)v;
	(void)arg;
	return -EPERM;
}

static int eoi(struct vcpu *v, void *arg)
{
	const struct physdev_eoi *a = arg;

	return irq_pirq_eoi(v->domain, a->irq);
}

static int irq_status_query(struct vcpu *v, void *arg)
{
	struct physdev_irq_status_query *a = arg;

	return irq_pirq_status(v->domain, a->irq, &a->flags);
}

/* -- pirqs -- */

static int map_gsi(struct domain *d, struct physdev_map_pirq *a)
{
	int rc;

	if (a->index < 0 || (a->pirq >= 0 && a->pirq != a->index))
		return -EINVAL;
	rc = irq_map_gsi(d, (unsigned)a->index);
	if (!rc)
		a->pirq = a->index;
	return rc;
}

static int map_msi(struct domain *d, struct physdev_map_pirq *a)
{
	bool multi = a->type == MAP_PIRQ_TYPE_MULTI_MSI;
	struct pci_msi_place place = {
		.at = { .bus = (uint8_t)a->bus, .devfn = (uint8_t)a->devfn },
		.msix = a->table_base && !multi,
		.entry = a->table_base && !multi ? (unsigned)a->entry_nr : 0,
		.table_base = a->table_base,
	};

	if (a->type != MAP_PIRQ_TYPE_MSI)
		place.at.segment = (uint16_t)((uint32_t)a->bus >> 16);
	/* We are to write there: it must not be somebody's memory. */
	if (place.msix && mm_owner(MFN(a->table_base >> PAGE_SHIFT)) != DOMID_IO)
		return -EINVAL;
	return irq_map_msi(d, &place, multi ? (unsigned)a->entry_nr : 1, &a->pirq);
}

static int map_pirq(struct vcpu *v, void *arg)
{
	struct physdev_map_pirq *a = arg;
	struct domain *d = domain_get(a->domid);
	int rc = -EINVAL;

	(void)v;
	if (!d)
		return -ESRCH;
	if (!d->irq)
		rc = -ENODEV;
	else if (a->type == MAP_PIRQ_TYPE_GSI)
		rc = map_gsi(d, a);
	else if (a->type == MAP_PIRQ_TYPE_MSI || a->type == MAP_PIRQ_TYPE_MSI_SEG ||
		 a->type == MAP_PIRQ_TYPE_MULTI_MSI)
		rc = map_msi(d, a);
	domain_put(d);
	return rc;
}

static int unmap_pirq(struct vcpu *v, void *arg)
{
	const struct physdev_unmap_pirq *a = arg;
	struct domain *d = domain_get(a->domid);
	int rc;

	(void)v;
	if (!d)
		return -ESRCH;
	rc = a->pirq < 0 ? -EINVAL : irq_unmap(d, (unsigned)a->pirq);
	domain_put(d);
	return rc;
}

/* -- PCI -- */

/* We keep no list of devices: that it answers is all that is asked of one. */
static int check_device(struct pci_address at)
{
	return pci_read(at, 0, 2) == 0xffff ? -ENODEV : 0;
}

static int pci_device_add(struct vcpu *v, void *arg)
{
	const struct physdev_pci_device_add *a = arg;

	(void)v;
	return check_device((struct pci_address){ a->seg, a->bus, a->devfn });
}

static int pci_device_remove(struct vcpu *v, void *arg)
{
	(void)v;
	(void)arg;
	return 0;
}

static int manage_pci_add(struct vcpu *v, void *arg)
{
	const struct physdev_manage_pci *a = arg;

	(void)v;
	return check_device((struct pci_address){ 0, a->bus, a->devfn });
}

static int manage_pci_add_ext(struct vcpu *v, void *arg)
{
	const struct physdev_manage_pci_ext *a = arg;

	(void)v;
	return check_device((struct pci_address){ 0, a->bus, a->devfn });
}

/* The windows are those of ACPI's MCFG: that ACPI's name space reserves them changes nothing. */
static int pci_mmcfg_reserved(struct vcpu *v, void *arg)
{
	const struct physdev_pci_mmcfg_reserved *a = arg;

	(void)v;
	return a->end_bus < a->start_bus ? -EINVAL : 0;
}

static int restore_msi_ext(struct vcpu *v, void *arg)
{
	const struct physdev_pci_device *a = arg;

	(void)v;
	return irq_restore_msi((struct pci_address){ a->seg, a->bus, a->devfn });
}

static int restore_msi(struct vcpu *v, void *arg)
{
	const struct physdev_restore_msi *a = arg;

	(void)v;
	return irq_restore_msi((struct pci_address){ 0, a->bus, a->devfn });
}

/* A device changes hands: its table is ours at all times, so there is nothing to prepare. */
static int check_msix(struct vcpu *v, void *arg)
{
	const struct physdev_pci_device *a = arg;
	struct pci_address at = { a->seg, a->bus, a->devfn };

	(void)v;
	return pci_capability(at, PCI_CAP_MSIX) ? 0 : -ENODEV;
}

/* We drive no debug port: dom0 may reset its controller. */
static int dbgp_op(struct vcpu *v, void *arg)
{
	const struct physdev_dbgp_op *a = arg;

	(void)v;
	return a->op == PHYSDEVOP_DBGP_RESET_PREPARE || a->op == PHYSDEVOP_DBGP_RESET_DONE
	       ? 0 : -EINVAL;
}

#define IN(name, fn, type)	[PHYSDEVOP_##name] = { fn, sizeof(struct type), false }
#define IN_OUT(name, fn, type)	[PHYSDEVOP_##name] = { fn, sizeof(struct type), true }

static const struct {
	physdev_fn *fn;
	uint8_t size;			/* of the argument */
	bool out;			/* it is copied back */
} commands[] = {
	IN_OUT(irq_status_query, irq_status_query, physdev_irq_status_query),
	IN(set_iopl, set_iopl, physdev_set_iopl),
	IN_OUT(apic_read, apic_read, physdev_apic),
	IN(apic_write, apic_write, physdev_apic),
	IN_OUT(alloc_irq_vector, alloc_irq_vector, physdev_irq),
	IN(eoi, eoi, physdev_eoi),
	IN_OUT(map_pirq, map_pirq, physdev_map_pirq),
	IN(unmap_pirq, unmap_pirq, physdev_unmap_pirq),
	IN(manage_pci_add, manage_pci_add, physdev_manage_pci),
	IN(manage_pci_remove, pci_device_remove, physdev_manage_pci),
	IN(restore_msi, restore_msi, physdev_restore_msi),
	IN(manage_pci_add_ext, manage_pci_add_ext, physdev_manage_pci_ext),
	IN(setup_gsi, setup_gsi, physdev_setup_gsi),
	IN(pci_mmcfg_reserved, pci_mmcfg_reserved, physdev_pci_mmcfg_reserved),
	IN(pci_device_add, pci_device_add, physdev_pci_device_add),
	IN(pci_device_remove, pci_device_remove, physdev_pci_device),
	IN(restore_msi_ext, restore_msi_ext, physdev_pci_device),
	IN(dbgp_op, dbgp_op, physdev_dbgp_op),
	IN(prepare_msix, check_msix, physdev_pci_device),
	IN(release_msix, check_msix, physdev_pci_device),
};

int64_t hypercall_physdev_op(struct hypercall *c)
{
	uint64_t argument[8] = { 0 };
	guest_ptr_t p = { c->arg[1] };
	uint64_t cmd = c->arg[0];
	int rc;

	if (cmd >= ARRAY_SIZE(commands) || !commands[cmd].fn)
		return -ENOSYS;
	if (cmd != PHYSDEVOP_set_iopl && !c->vcpu->domain->privileged)
		return -EPERM;
	if (copy_from_guest(argument, p, commands[cmd].size))
		return -EFAULT;
	rc = commands[cmd].fn(c->vcpu, argument);
	if (!rc && commands[cmd].out && copy_to_guest(p, argument, commands[cmd].size))
		return -EFAULT;
	return rc;
}

_Static_assert(sizeof(struct physdev_map_pirq) <= 64, "the largest argument fits");
