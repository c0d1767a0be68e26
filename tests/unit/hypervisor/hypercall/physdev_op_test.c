/* SPDX-License-Identifier: MIT */
/*
 * physdev_op as Linux 6.1 calls it (arch/x86/pci/xen.c, drivers/xen/events), and as it must not.
 *
 * Links: hypervisor/hypercall/physdev_op.c hypervisor/irq/irq.c hypervisor/irq/map.c
 * Links: hypervisor/irq/vector.c hypervisor/lib/lock.c tests/fake/irq_hardware.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/physdev.h"
#include "domain/copy.h"
#include "fake/irq_hardware.h"
#include "hypercall/hypercall.h"
#include "irq/table.h"

#define RAM	0x10000000u
#define BAR	0xfeb00000u

static struct domain control, guest;
static struct vcpu control_vcpu, guest_vcpu;
static struct vcpu *current;
static unsigned references;

int copy_from_guest(void *to, guest_ptr_t from, size_t n)
{
	if (!from.va)
		return -EFAULT;
	memcpy(to, (void *)from.va, n);
	return 0;
}

int copy_to_guest(guest_ptr_t to, const void *from, size_t n)
{
	memcpy((void *)to.va, from, n);
	return 0;
}

struct domain *domain_get(domid_t id)
{
	references += id == DOMID_SELF || id <= 1;
	return id == DOMID_SELF ? current->domain : id == 0 ? &control : id == 1 ? &guest : NULL;
}

void domain_put(struct domain *d)
{
	assert_non_null(d);
	references--;
}

domid_t mm_owner(mfn_t mfn)
{
	return mfn.n == RAM >> PAGE_SHIFT ? 0 : DOMID_IO;
}

uint32_t pci_read(struct pci_address at, unsigned reg, unsigned bytes)
{
	(void)reg;
	(void)bytes;
	return at.bus == 0 && at.devfn < 0x20 ? 0x8086 : 0xffff;
}

unsigned pci_capability(struct pci_address at, uint8_t id)
{
	return at.devfn == 8 && id == PCI_CAP_MSIX ? 0x70 : 0;
}

int machine_ioapic_read(uint64_t paddr, unsigned reg, uint32_t *value)
{
	*value = 0x170020 + reg;
	return paddr == 0xfec00000 ? 0 : -ENODEV;
}

void event_raise_pirq(struct event_domain *ed, evtchn_port_t port)
{
	(void)ed;
	(void)port;
}

static int setup(void **state)
{
	(void)state;
	control = (struct domain){ .id = 0, .privileged = true };
	guest = (struct domain){ .id = 1 };
	control_vcpu = (struct vcpu){ .domain = &control };
	guest_vcpu = (struct vcpu){ .domain = &guest };
	current = &control_vcpu;
	references = 0;
	fake_irq_reset();
	irq_init();
	return irq_domain_create(&control);
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(references, 0);
	irq_domain_destroy(&control);
	free(irq_table);
	return 0;
}

static int call(unsigned cmd, void *arg)
{
	struct hypercall c = { current, { cmd, (uintptr_t)arg } };

	return (int)hypercall_physdev_op(&c);
}

static void linux_registers_a_line(void **state)
{
	struct physdev_map_pirq map = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 16, .pirq = 16,
	};
	struct physdev_irq vector = { .irq = 16 };
	struct physdev_irq_status_query query = { .irq = 16 };
	struct physdev_setup_gsi setup_gsi = { .gsi = 16, .triggering = 1, .polarity = 1 };
	struct physdev_eoi eoi = { .irq = 16 };

	(void)state;
	assert_int_equal(call(PHYSDEVOP_map_pirq, &map), 0);
	assert_int_equal(map.pirq, 16);
	assert_int_equal(call(PHYSDEVOP_alloc_irq_vector, &vector), 0);
	assert_int_equal(vector.vector, fake_line[16].vector);
	assert_int_equal(call(PHYSDEVOP_setup_gsi, &setup_gsi), 0);
	assert_int_equal(call(PHYSDEVOP_irq_status_query, &query), 0);
	assert_int_equal(query.flags, XENIRQSTAT_needs_eoi);
	assert_int_equal(call(PHYSDEVOP_eoi, &eoi), 0);
	map.pirq = 17;		/* lines are not renumbered */
	assert_int_equal(call(PHYSDEVOP_map_pirq, &map), -EINVAL);
	setup_gsi.gsi = -1;
	assert_int_equal(call(PHYSDEVOP_setup_gsi, &setup_gsi), -EINVAL);
}

static void linux_registers_messages(void **state)
{
	struct physdev_map_pirq msix = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_MSI_SEG, .index = -1, .pirq = -1,
		.devfn = 8, .entry_nr = 3, .table_base = BAR,
	};
	struct physdev_map_pirq multi = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_MULTI_MSI, .index = -1, .pirq = -1,
		.devfn = 9, .entry_nr = 4,
	};
	struct physdev_unmap_pirq unmap = { .domid = DOMID_SELF };

	(void)state;
	assert_int_equal(call(PHYSDEVOP_map_pirq, &msix), 0);
	assert_true(msix.pirq >= FAKE_LINES);
	assert_int_equal(irq_table[msix.pirq].msi.place.entry, 3);
	assert_int_equal(call(PHYSDEVOP_map_pirq, &multi), 0);
	assert_int_equal(fake_device[9].nr, 4);
	assert_false(irq_table[multi.pirq].msi.place.msix);
	unmap.pirq = msix.pirq;
	assert_int_equal(call(PHYSDEVOP_unmap_pirq, &unmap), 0);
	assert_int_equal(call(PHYSDEVOP_unmap_pirq, &unmap), -EINVAL);
	unmap.pirq = -1;
	assert_int_equal(call(PHYSDEVOP_unmap_pirq, &unmap), -EINVAL);
}

static void memory_is_no_msix_table(void **state)
{
	struct physdev_map_pirq msix = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_MSI, .devfn = 8, .table_base = RAM,
	};

	(void)state;
	assert_int_equal(call(PHYSDEVOP_map_pirq, &msix), -EINVAL);
	msix.table_base = BAR;
	msix.domid = 5;
	assert_int_equal(call(PHYSDEVOP_map_pirq, &msix), -ESRCH);
	msix.domid = 1;		/* it has no device interrupts */
	assert_int_equal(call(PHYSDEVOP_map_pirq, &msix), -ENODEV);
	msix.domid = 0;
	msix.type = MAP_PIRQ_TYPE_UNKNOWN;
	assert_int_equal(call(PHYSDEVOP_map_pirq, &msix), -EINVAL);
}

static void devices_are_looked_at(void **state)
{
	struct physdev_pci_device_add add = { .devfn = 8 };
	struct physdev_pci_device device = { .devfn = 8 };
	struct physdev_apic apic = { .apic_physbase = 0xfec00000, .reg = 1 };
	struct physdev_pci_mmcfg_reserved window = { .start_bus = 4, .end_bus = 3 };
	struct physdev_dbgp_op debug = { .op = PHYSDEVOP_DBGP_RESET_DONE };

	(void)state;
	assert_int_equal(call(PHYSDEVOP_pci_device_add, &add), 0);
	add.devfn = 0x20;
	assert_int_equal(call(PHYSDEVOP_pci_device_add, &add), -ENODEV);
	assert_int_equal(call(PHYSDEVOP_prepare_msix, &device), 0);
	assert_int_equal(call(PHYSDEVOP_restore_msi_ext, &device), -ENODEV);
	assert_int_equal(call(PHYSDEVOP_apic_read, &apic), 0);
	assert_int_equal(apic.value, 0x170021);
	assert_int_equal(call(PHYSDEVOP_apic_write, &apic), -EPERM);
	assert_int_equal(call(PHYSDEVOP_pci_mmcfg_reserved, &window), -EINVAL);
	window.end_bus = 255;
	assert_int_equal(call(PHYSDEVOP_pci_mmcfg_reserved, &window), 0);
	assert_int_equal(call(PHYSDEVOP_dbgp_op, &debug), 0);
	debug.op = 3;
	assert_int_equal(call(PHYSDEVOP_dbgp_op, &debug), -EINVAL);
}

static void what_is_not_there_says_so(void **state)
{
	uint64_t arg[8] = { 0 };

	(void)state;
	assert_int_equal(call(PHYSDEVOP_pirq_eoi_gmfn_v2, arg), -ENOSYS);
	assert_int_equal(call(PHYSDEVOP_set_iobitmap, arg), -ENOSYS);
	assert_int_equal(call(PHYSDEVOP_get_free_pirq, arg), -ENOSYS);
	assert_int_equal(call(0, arg), -ENOSYS);
	assert_int_equal(call(200, arg), -ENOSYS);
	assert_int_equal(call(~0u, arg), -ENOSYS);
	assert_int_equal(call(PHYSDEVOP_eoi, NULL), -EFAULT);
}

static void guests_may_set_their_iopl_and_no_more(void **state)
{
	uint64_t arg[8] = { 0 };
	struct physdev_set_iopl iopl = { 1 };

	(void)state;
	current = &guest_vcpu;
	for (unsigned cmd = 0; cmd < 64; cmd++) {
		int rc = call(cmd, arg);

		if (cmd != PHYSDEVOP_set_iopl)
			assert_true(rc == -EPERM || rc == -ENOSYS);
	}
	assert_int_equal(call(PHYSDEVOP_set_iopl, &iopl), 0);
	assert_int_equal(guest_vcpu.iopl, 1);
	iopl.iopl = 4;
	assert_int_equal(call(PHYSDEVOP_set_iopl, &iopl), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(linux_registers_a_line),
		TEST(linux_registers_messages),
		TEST(memory_is_no_msix_table),
		TEST(devices_are_looked_at),
		TEST(what_is_not_there_says_so),
		TEST(guests_may_set_their_iopl_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
