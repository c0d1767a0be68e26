/* SPDX-License-Identifier: MIT */
/*
 * platform_op as Linux's control domain calls it: clock, firmware, power, CPUs.
 *
 * Links: hypervisor/hypercall/platform_op.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "abi/platform.h"
#include "console/log.h"
#include "dev/acpi.h"
#include "dev/efi.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"
#include "x86/machine.h"
#include "x86/machine_irq.h"

struct acpi_info acpi;
struct efi_info efi;

static struct domain domain;
static struct vcpu vcpu = { .domain = &domain };
static struct cpumask online;
static uint64_t clock_sec, clock_at;
static unsigned clocks_written;
static struct shared_info shared;
static unsigned off_a, off_b, off_extended;

int copy_from_guest(void *to, guest_ptr_t from, size_t n)
{
	if (!from.va)
		return -EFAULT;
	memcpy(to, (void *)from.va, n);
	return 0;
}

int copy_to_guest(guest_ptr_t to, const void *from, size_t n)
{
	if (!to.va)
		return -EFAULT;
	memcpy((void *)to.va, from, n);
	return 0;
}

void time_set_wallclock(uint64_t sec, uint32_t nsec, uint64_t system_time)
{
	(void)nsec;
	clock_sec = sec;
	clock_at = system_time;
}

void time_write_wallclock(struct shared_info *to, int64_t offset_seconds)
{
	assert_ptr_equal(to, &shared);
	assert_int_equal(offset_seconds, 60);
	clocks_written++;
}

struct domain *domain_get_from(domid_t id)
{
	return id == 0 ? &domain : NULL;
}

void domain_put(struct domain *d)
{
	assert_ptr_equal(d, &domain);
}

void acpi_power_off(uint16_t val_a, uint16_t val_b)
{
	off_a = val_a;
	off_b = val_b;
}

void acpi_power_off_extended(uint8_t type)
{
	off_extended = type;
}

const struct cpumask *machine_cpus_online(void)
{
	return &online;
}

uint32_t machine_apic_id(unsigned cpu)
{
	return cpu * 2;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

static int setup(void **state)
{
	(void)state;
	domain = (struct domain){ .privileged = true };
	memset(&efi, 0, sizeof(efi));
	memset(&acpi, 0, sizeof(acpi));
	online = (struct cpumask){ .bits = { 0xb } };
	off_a = off_b = off_extended = 0;
	return 0;
}

static int call(struct xen_platform_op *op)
{
	struct hypercall c = { &vcpu, { (uintptr_t)op } };

	return (int)hypercall_platform_op(&c);
}

#define OP(name) { .cmd = XENPF_##name, .interface_version = XENPF_INTERFACE_VERSION }

static void the_clock_is_set(void **state)
{
	struct xen_platform_op op = OP(settime64);

	(void)state;
	op.u.settime64.secs = 1234567890123;
	op.u.settime64.system_time = 77;
	domain.shared = &shared;
	domain.wallclock_offset = 60;
	clocks_written = 0;
	assert_int_equal(call(&op), 0);
	assert_int_equal(clock_sec, 1234567890123);
	assert_int_equal(clock_at, 77);
	assert_int_equal(clocks_written, 1);
	op.u.settime64.mbz = 1;
	assert_int_equal(call(&op), -EINVAL);
	op.u.settime64.mbz = 0;
	op.u.settime64.nsecs = 1000000000;
	assert_int_equal(call(&op), -EINVAL);
}

static void only_state_5_is_entered(void **state)
{
	struct xen_platform_op op = OP(enter_acpi_sleep);

	(void)state;
	op.u.enter_acpi_sleep.sleep_state = 3;
	op.u.enter_acpi_sleep.val_a = 0x2001;
	assert_int_equal(call(&op), -EOPNOTSUPP);
	assert_int_equal(off_a, 0);
	op.u.enter_acpi_sleep.sleep_state = 5;
	op.u.enter_acpi_sleep.val_b = 0x2c01;
	assert_int_equal(call(&op), -EIO);	/* it came back: the hardware did not obey */
	assert_int_equal(off_a, 0x2001);
	assert_int_equal(off_b, 0x2c01);
	op.u.enter_acpi_sleep.flags = XENPF_ACPI_SLEEP_EXTENDED;
	op.u.enter_acpi_sleep.val_a = 5;
	assert_int_equal(call(&op), -EIO);
	assert_int_equal(off_extended, 5);
}

static void without_uefi_there_is_no_uefi(void **state)
{
	struct xen_platform_op op = OP(firmware_info);

	(void)state;
	op.u.firmware_info.type = XEN_FW_EFI_INFO;
	op.u.firmware_info.index = XEN_FW_EFI_CONFIG_TABLE;
	assert_int_equal(call(&op), -ENOSYS);
	op.u.firmware_info.type = XEN_FW_DISK_INFO;	/* Linux counts up until an error */
	assert_int_equal(call(&op), -ESRCH);
}

static void uefi_tables_are_handed_on(void **state)
{
	struct xen_platform_op op = OP(firmware_info);
	union xenpf_efi_info *info = &op.u.firmware_info.u.efi_info;
	uint16_t name[4] = { 9, 9, 9, 9 };

	(void)state;
	efi = (struct efi_info){
		.present = true, .version = 2 << 16 | 70, .vendor_revision = 3,
		.vendor = { 'E', 'D', 'K', ' ', 'I', 'I' },
		.config_table = 0x7f000000, .config_entries = 11,
	};
	op.u.firmware_info.type = XEN_FW_EFI_INFO;
	op.u.firmware_info.index = XEN_FW_EFI_CONFIG_TABLE;
	assert_int_equal(call(&op), 0);
	assert_int_equal(info->cfg.addr, 0x7f000000);
	assert_int_equal(info->cfg.nent, 11);

	op.u.firmware_info.index = XEN_FW_EFI_VENDOR;
	info->vendor.bufsz = 3 * sizeof(uint16_t) + 1;	/* room for two letters and the end */
	info->vendor.name.va = (uintptr_t)name;
	assert_int_equal(call(&op), 0);
	assert_int_equal(info->vendor.revision, 3);
	assert_int_equal(name[0], 'E');
	assert_int_equal(name[1], 'D');
	assert_int_equal(name[2], 0);
	assert_int_equal(name[3], 9);
	info->vendor.name.va = 0;
	assert_int_equal(call(&op), -EFAULT);

	op.u.firmware_info.index = XEN_FW_EFI_VERSION;
	assert_int_equal(call(&op), 0);
	assert_int_equal(info->version, 2 << 16 | 70);
	op.u.firmware_info.index = XEN_FW_EFI_APPLE_PROPERTIES;
	assert_int_equal(call(&op), -EINVAL);
}

static void cpus_are_named(void **state)
{
	struct xen_platform_op op = OP(get_cpuinfo);

	(void)state;
	acpi.nr_cpus = 1;
	acpi.cpu[0] = (struct acpi_cpu){ .apic_id = 6, .acpi_id = 40 };
	op.u.pcpu_info.xen_cpuid = 3;
	assert_int_equal(call(&op), 0);
	assert_int_equal(op.u.pcpu_info.max_present, 3);
	assert_int_equal(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_ONLINE);
	assert_int_equal(op.u.pcpu_info.apic_id, 6);
	assert_int_equal(op.u.pcpu_info.acpi_id, 40);
	op.u.pcpu_info.xen_cpuid = 2;
	assert_int_equal(call(&op), 0);
	assert_int_equal(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_INVALID);
	op.u.pcpu_info.xen_cpuid = ~0u;
	assert_int_equal(call(&op), 0);
	assert_int_equal(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_INVALID);
}

static void others_are_refused(void **state)
{
	struct xen_platform_op op = OP(get_cpuinfo);

	(void)state;
	op.interface_version++;
	assert_int_equal(call(&op), -EACCES);
	assert_int_equal(call(NULL), -EFAULT);
	op = (struct xen_platform_op)OP(cpu_offline);
	assert_int_equal(call(&op), -ENOSYS);
	domain.privileged = false;
	assert_int_equal(call(&op), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_clock_is_set, setup),
		cmocka_unit_test_setup(only_state_5_is_entered, setup),
		cmocka_unit_test_setup(without_uefi_there_is_no_uefi, setup),
		cmocka_unit_test_setup(uefi_tables_are_handed_on, setup),
		cmocka_unit_test_setup(cpus_are_named, setup),
		cmocka_unit_test_setup(others_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
