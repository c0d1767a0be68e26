/* SPDX-License-Identifier: MIT */
/*
 * IO-APICs (82093AA datasheet, 3.2) and the form of messages (Intel SDM 3A 11.11). An IO-APIC is
 * reached through an index and a data register: each pair of accesses is under `lock`. An entry's
 * lower half, with the mask bit, is kept in a copy, so that masking is one write.
 */
#include "x86/machine_irq.h"

#include "abi/errno.h"
#include "console/log.h"
#include "dev/acpi.h"
#include "lib/lock.h"
#include "mm/mm.h"
#include "x86/apic.h"
#include "x86/cpu.h"
#include "x86/machine.h"

#define REG_SELECT	0x00
#define REG_DATA	0x10

#define IOAPIC_VERSION	1
#define IOAPIC_ENTRY(n)	(0x10 + 2 * (n))
#define IOAPIC_WINDOW	0x44
#define PINS_MAX	240

#define ENTRY_LOW	(1u << 13)	/* active low */
#define ENTRY_LEVEL	(1u << 15)
#define ENTRY_MASKED	(1u << 16)

#define MSI_ADDRESS	0xfee00000u

static struct lock lock = LOCK_INIT(RANK_DEVICE);
static struct ioapic {
	volatile uint8_t *va;
	uint64_t address;
	uint32_t gsi_base;
	unsigned pins;
	uint32_t low[PINS_MAX];		/* lower halves, as written last */
} ioapics[ACPI_MAX_IOAPICS];
static unsigned nr_ioapics, nr_gsis;

static uint32_t read_reg(const struct ioapic *io, unsigned reg)
{
	*(volatile uint32_t *)(io->va + REG_SELECT) = reg;
	return *(volatile uint32_t *)(io->va + REG_DATA);
}

static void write_reg(const struct ioapic *io, unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)(io->va + REG_SELECT) = reg;
	*(volatile uint32_t *)(io->va + REG_DATA) = value;
}

/* Both 8259s: all lines masked; they are never used (their spurious interrupts go to 0x20-0x2f). */
static void mask_8259(void)
{
	machine_port_out(0x20, 1, 0x11);	/* ICW1: edge, cascaded, ICW4 follows */
	machine_port_out(0xa0, 1, 0x11);
	machine_port_out(0x21, 1, 0x20);	/* ICW2: vectors */
	machine_port_out(0xa1, 1, 0x28);
	machine_port_out(0x21, 1, 0x04);	/* ICW3: the second is on line 2 */
	machine_port_out(0xa1, 1, 0x02);
	machine_port_out(0x21, 1, 0x01);	/* ICW4: 8086 mode */
	machine_port_out(0xa1, 1, 0x01);
	machine_port_out(0x21, 1, 0xff);
	machine_port_out(0xa1, 1, 0xff);
}

static void add_ioapic(const struct acpi_ioapic *a)
{
	struct ioapic *io = &ioapics[nr_ioapics];

	io->va = machine_map_device(a->address, IOAPIC_WINDOW, false);
	if (!io->va)
		return;
	mm_deny_io((struct mm_range){ a->address, a->address + IOAPIC_WINDOW });
	io->address = a->address;
	io->gsi_base = a->gsi_base;
	io->pins = (read_reg(io, IOAPIC_VERSION) >> 16 & 0xff) + 1;
	if (io->pins > PINS_MAX || io->gsi_base > 4096) {
		log_warning("ioapic at %#lx: %u lines from %u can't be, it is left out",
			    (unsigned long)a->address, io->pins, io->gsi_base);
		return;
	}
	for (unsigned i = 0; i < io->pins; i++) {
		io->low[i] = ENTRY_MASKED;
		write_reg(io, IOAPIC_ENTRY(i), ENTRY_MASKED);
	}
	nr_gsis = max(nr_gsis, io->gsi_base + io->pins);
	nr_ioapics++;
	log_info("ioapic at %#lx: lines %u-%u", (unsigned long)a->address, io->gsi_base,
		 io->gsi_base + io->pins - 1);
}

void machine_ioapic_init(void)
{
	if (acpi.has_8259)
		mask_8259();
	for (unsigned i = 0; i < acpi.nr_ioapics; i++)
		add_ioapic(&acpi.ioapic[i]);
}

unsigned machine_gsi_count(void)
{
	return nr_gsis;
}

static struct ioapic *ioapic_of(unsigned gsi, unsigned *pin)
{
	for (unsigned i = 0; i < nr_ioapics; i++) {
		*pin = gsi - ioapics[i].gsi_base;
		if (*pin < ioapics[i].pins)
			return &ioapics[i];
	}
	return NULL;
}

bool machine_gsi_exists(unsigned gsi)
{
	unsigned pin;

	return ioapic_of(gsi, &pin) != NULL;
}

void machine_gsi_route(unsigned gsi, unsigned cpu, uint8_t vector, bool level, bool active_low)
{
	unsigned pin;
	struct ioapic *io = ioapic_of(gsi, &pin);

	if (!io)
		return;
	lock_acquire(&lock);
	io->low[pin] = vector | ENTRY_MASKED | (level ? ENTRY_LEVEL : 0) |
		       (active_low ? ENTRY_LOW : 0);
	write_reg(io, IOAPIC_ENTRY(pin), io->low[pin]);
	write_reg(io, IOAPIC_ENTRY(pin) + 1, machine_apic_id(cpu) << 24);
	lock_release(&lock);
}

void machine_gsi_mask(unsigned gsi, bool masked)
{
	unsigned pin;
	struct ioapic *io = ioapic_of(gsi, &pin);

	if (!io)
		return;
	lock_acquire(&lock);
	io->low[pin] = (io->low[pin] & ~ENTRY_MASKED) | (masked ? ENTRY_MASKED : 0);
	write_reg(io, IOAPIC_ENTRY(pin), io->low[pin]);
	lock_release(&lock);
}

int machine_ioapic_read(uint64_t paddr, unsigned reg, uint32_t *value)
{
	for (unsigned i = 0; i < nr_ioapics; i++) {
		if (ioapics[i].address != paddr)
			continue;
		lock_acquire(&lock);
		*value = read_reg(&ioapics[i], reg & 0xff);
		lock_release(&lock);
		return 0;
	}
	return -ENODEV;
}

/* Fixed delivery to one CPU, edge, physical destination. */
struct msi_message machine_msi_message(unsigned cpu, uint8_t vector)
{
	return (struct msi_message){ MSI_ADDRESS | (machine_apic_id(cpu) & 0xff) << 12, vector };
}

uint32_t machine_apic_id(unsigned cpu)
{
	return cpu_info_of(cpu)->apic_id;
}

bool machine_irq_reaches(unsigned cpu)
{
	return machine_apic_id(cpu) < 255;
}

void machine_irq_ack(void)
{
	apic_eoi();
}
