/* SPDX-License-Identifier: MIT */
/*
 * platform_op(arg): what the control domain does to the machine as such: sets its clock, asks for
 * what the firmware left, switches it off. Commands that are not here are -ENOSYS; Linux does
 * without (no C- and P-states by us, no CPU hot-plug, no EFI run-time services).
 */
#include "abi/errno.h"
#include "abi/platform.h"
#include "console/log.h"
#include "dev/acpi.h"
#include "dev/efi.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"
#include "x86/machine.h"
#include "x86/machine_irq.h"

#define NS_PER_SECOND	1000000000u

/* Every domain sees the new time at once. */
static int set_time(uint64_t sec, uint32_t nsec, uint64_t system_time)
{
	struct domain *d;

	if (nsec >= NS_PER_SECOND)
		return -EINVAL;
	time_set_wallclock(sec, nsec, system_time);
	for (domid_t id = 0; (d = domain_get_from(id)); domain_put(d)) {
		time_write_wallclock(d->shared, d->wallclock_offset);
		id = d->id + 1;
	}
	return 0;
}

/* At most as many bytes as the caller has room for, and ending in 0. */
static int copy_vendor(union xenpf_efi_info *info)
{
	uint32_t units = min(info->vendor.bufsz / 2, (uint32_t)EFI_VENDOR_MAX);
	static const uint16_t end;

	info->vendor.revision = efi.vendor_revision;
	if (!units)
		return 0;
	if (copy_to_guest(info->vendor.name, efi.vendor, units * 2) ||
	    copy_to_guest(guest_ptr_at(info->vendor.name, units - 1, 2), &end, 2))
		return -EFAULT;
	return 0;
}

static int efi_info(uint32_t index, union xenpf_efi_info *info)
{
	if (!efi.present)
		return -ENOSYS;
	switch (index) {
	case XEN_FW_EFI_VERSION:
		info->version = efi.version;
		return 0;
	case XEN_FW_EFI_RT_VERSION:
		info->version = efi.runtime_version;
		return 0;
	case XEN_FW_EFI_CONFIG_TABLE:
		info->cfg.addr = efi.config_table;
		info->cfg.nent = efi.config_entries;
		return 0;
	case XEN_FW_EFI_VENDOR:
		return copy_vendor(info);
	default:
		return -EINVAL;
	}
}

/* The BIOS was not asked about disks and displays before real mode was left: there are none. */
static int firmware_info(struct xenpf_firmware_info *info)
{
	switch (info->type) {
	case XEN_FW_EFI_INFO:
		return efi_info(info->index, &info->u.efi_info);
	case XEN_FW_DISK_INFO:
	case XEN_FW_DISK_MBR_SIGNATURE:
	case XEN_FW_VBEDDC_INFO:
		return -ESRCH;
	default:
		return -ENOSYS;
	}
}

static int enter_acpi_sleep(const struct xenpf_enter_acpi_sleep *sleep)
{
	if (sleep->sleep_state != 5)
		return -EOPNOTSUPP;
	log_info("the control domain switches the machine off");
	if (sleep->flags & XENPF_ACPI_SLEEP_EXTENDED)
		acpi_power_off_extended((uint8_t)sleep->val_a);
	else
		acpi_power_off(sleep->val_a, sleep->val_b);
	return -EIO;
}

static int get_cpuinfo(struct xenpf_pcpuinfo *info)
{
	const struct cpumask *online = machine_cpus_online();
	unsigned cpu = info->xen_cpuid;

	cpumask_for_each(i, online)
		info->max_present = i;
	info->flags = 0;
	if (cpu >= CPU_MAX || !cpumask_test(online, cpu)) {
		info->flags = XEN_PCPU_FLAGS_INVALID;
		return 0;
	}
	info->flags = XEN_PCPU_FLAGS_ONLINE;
	info->apic_id = machine_apic_id(cpu);
	info->acpi_id = ~0u;
	for (unsigned i = 0; i < acpi.nr_cpus; i++)
		if (acpi.cpu[i].apic_id == info->apic_id)
			info->acpi_id = acpi.cpu[i].acpi_id;
	return 0;
}

static int perform(struct xen_platform_op *op)
{
	switch (op->cmd) {
	case XENPF_settime32:
		return set_time(op->u.settime32.secs, op->u.settime32.nsecs,
				op->u.settime32.system_time);
	case XENPF_settime64:
		return op->u.settime64.mbz ? -EINVAL
		       : set_time(op->u.settime64.secs, op->u.settime64.nsecs,
				  op->u.settime64.system_time);
	case XENPF_firmware_info:
		return firmware_info(&op->u.firmware_info);
	case XENPF_enter_acpi_sleep:
		return enter_acpi_sleep(&op->u.enter_acpi_sleep);
	case XENPF_get_cpuinfo:
		return get_cpuinfo(&op->u.pcpu_info);
	default:
		return -ENOSYS;
	}
}

int64_t hypercall_platform_op(struct hypercall *c)
{
	guest_ptr_t p = { c->arg[0] };
	struct xen_platform_op op;
	int rc;

	if (!c->vcpu->domain->privileged)
		return -EPERM;
	if (copy_from_guest(&op, p, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XENPF_INTERFACE_VERSION)
		return -EACCES;
	rc = perform(&op);
	if (!rc && copy_to_guest(p, &op, sizeof(op)))
		return -EFAULT;
	return rc;
}
