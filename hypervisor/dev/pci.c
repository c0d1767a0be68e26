/* SPDX-License-Identifier: MIT */
/*
 * Access to PCI configuration space. The address register at port 0xcf8 is one for the machine:
 * every use of it is a pair of accesses under `lock`, and the control domain's own uses come
 * through pci_port_in() and _out(), which keep what it wrote in a copy.
 */
#include "dev/pci.h"

#include "dev/acpi.h"
#include "lib/lock.h"
#include "x86/machine.h"

#define CONFIG_ADDRESS	0xcf8
#define CONFIG_DATA	0xcfc
#define CONFIG_ENABLE	(1u << 31)
#define BUS_WINDOW	(1ul << 20)

static struct lock lock = LOCK_INIT(RANK_DEVICE);
/* What the control domain wrote to CONFIG_ADDRESS last; under `lock`. */
static uint32_t guest_address;
/* Windows of single buses, mapped when first used; under `lock`. */
static volatile uint8_t *bus_window[ACPI_MAX_MCFG][256];

/* The device's 4 KiB of memory-mapped configuration space, or NULL. */
static volatile uint8_t *memory_window(struct pci_address at)
{
	for (unsigned i = 0; i < acpi.nr_mcfg; i++) {
		const struct acpi_mcfg *m = &acpi.mcfg[i];
		volatile uint8_t **window = &bus_window[i][at.bus];

		if (m->segment != at.segment || at.bus < m->first_bus || at.bus > m->last_bus)
			continue;
		if (!*window)
			*window = machine_map_device(m->address + at.bus * BUS_WINDOW, BUS_WINDOW,
						     false);
		return *window ? *window + at.devfn * PAGE_SIZE : NULL;
	}
	return NULL;
}

static bool port_address(struct pci_address at, unsigned reg)
{
	if (at.segment || reg > 0xff)
		return false;
	machine_port_out(CONFIG_ADDRESS, 4, CONFIG_ENABLE | (uint32_t)at.bus << 16 |
			 (uint32_t)at.devfn << 8 | (reg & 0xfc));
	return true;
}

static uint32_t read_locked(struct pci_address at, unsigned reg, unsigned bytes)
{
	volatile uint8_t *window = memory_window(at);

	if (window && bytes == 4)
		return *(volatile uint32_t *)(window + reg);
	if (window && bytes == 2)
		return *(volatile uint16_t *)(window + reg);
	if (window)
		return window[reg];
	if (!port_address(at, reg))
		return ~0u;
	return machine_port_in((uint16_t)(CONFIG_DATA + (reg & 3)), bytes);
}

static void write_locked(struct pci_address at, unsigned reg, unsigned bytes, uint32_t value)
{
	volatile uint8_t *window = memory_window(at);

	if (window && bytes == 4)
		*(volatile uint32_t *)(window + reg) = value;
	else if (window && bytes == 2)
		*(volatile uint16_t *)(window + reg) = (uint16_t)value;
	else if (window)
		window[reg] = (uint8_t)value;
	else if (port_address(at, reg))
		machine_port_out((uint16_t)(CONFIG_DATA + (reg & 3)), bytes, value);
}

uint32_t pci_read(struct pci_address at, unsigned reg, unsigned bytes)
{
	uint32_t value;

	lock_acquire(&lock);
	value = read_locked(at, reg & 0xfff, bytes);
	lock_release(&lock);
	return value;
}

void pci_write(struct pci_address at, unsigned reg, unsigned bytes, uint32_t value)
{
	lock_acquire(&lock);
	write_locked(at, reg & 0xfff, bytes, value);
	lock_release(&lock);
}

void pci_update(struct pci_address at, unsigned reg, unsigned bytes, uint32_t clear, uint32_t set)
{
	lock_acquire(&lock);
	write_locked(at, reg, bytes, (read_locked(at, reg, bytes) & ~clear) | set);
	lock_release(&lock);
}

/* Smaller accesses to the first four ports are other registers (0xcf9 resets the machine). */
static bool is_address(uint16_t port, unsigned bytes)
{
	return port == CONFIG_ADDRESS && bytes == 4;
}

static bool is_data(uint16_t port)
{
	return port >= CONFIG_DATA && port < CONFIG_DATA + 4;
}

bool pci_port_in(uint16_t port, unsigned bytes, uint32_t *value)
{
	if (!is_address(port, bytes) && !is_data(port))
		return false;
	lock_acquire(&lock);
	if (is_data(port)) {
		machine_port_out(CONFIG_ADDRESS, 4, guest_address);
		*value = machine_port_in(port, bytes);
	} else {
		*value = guest_address;
	}
	lock_release(&lock);
	return true;
}

bool pci_port_out(uint16_t port, unsigned bytes, uint32_t value)
{
	if (!is_address(port, bytes) && !is_data(port))
		return false;
	lock_acquire(&lock);
	if (is_data(port)) {
		machine_port_out(CONFIG_ADDRESS, 4, guest_address);
		machine_port_out(port, bytes, value);
	} else {
		machine_port_out(CONFIG_ADDRESS, 4, value);
		/* As the hardware keeps it: some bits can't be set. */
		guest_address = machine_port_in(CONFIG_ADDRESS, 4);
	}
	lock_release(&lock);
	return true;
}

#define REG_STATUS		0x06
#define STATUS_CAPABILITIES	(1u << 4)
#define REG_CAPABILITIES	0x34
#define CAPABILITIES_MAX	48	/* that many fit: a longer list is a loop */

unsigned pci_capability(struct pci_address at, uint8_t id)
{
	unsigned reg;

	if (pci_read(at, 0, 2) == 0xffff || !(pci_read(at, REG_STATUS, 2) & STATUS_CAPABILITIES))
		return 0;
	reg = pci_read(at, REG_CAPABILITIES, 1) & 0xfc;
	for (unsigned i = 0; i < CAPABILITIES_MAX && reg >= 0x40; i++) {
		if (pci_read(at, reg, 1) == id)
			return reg;
		reg = pci_read(at, reg + 1, 1) & 0xfc;
	}
	return 0;
}
