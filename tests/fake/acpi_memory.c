/* SPDX-License-Identifier: MIT */
/* See acpi_memory.h. */
#include "fake/acpi_memory.h"

#include <stdlib.h>
#include <string.h>

#include "console/log.h"
#include "dev/acpi.h"
#include "dev/pci.h"
#include "x86/machine.h"

#define MAPPINGS_MAX	2048

struct fake_memory fake_memory;
static void *mappings[MAPPINGS_MAX];
static unsigned nr_mappings;
static uint64_t now;

void fake_memory_reset(void)
{
	while (nr_mappings)
		free(mappings[--nr_mappings]);
	fake_memory = (struct fake_memory){ 0 };
	memset(&acpi, 0, sizeof(acpi));
}

void *machine_map_device(uint64_t paddr, uint64_t size, bool write_combining)
{
	uint64_t at = paddr - fake_memory.base;
	uint8_t *copy;

	(void)write_combining;
	if (paddr < fake_memory.base || at > fake_memory.size || nr_mappings == MAPPINGS_MAX)
		return NULL;
	copy = calloc(1, size);
	mappings[nr_mappings++] = copy;
	memcpy(copy, fake_memory.data + at, min(size, fake_memory.size - at));
	if (fake_memory.fix_checksums && size > 36) {
		uint8_t sum = 0;

		for (uint64_t i = 0; i < size; i++)
			sum = (uint8_t)(sum + copy[i]);
		copy[9] = (uint8_t)(copy[9] - sum);
	}
	return copy;
}

uint32_t machine_port_in(uint16_t port, unsigned bytes)
{
	(void)port;
	(void)bytes;
	return 0x1c01;		/* SLP_TYP 7, SCI_EN */
}

void machine_port_out(uint16_t port, unsigned bytes, uint32_t value)
{
	if (fake_memory.nr_writes == ARRAY_SIZE(fake_memory.write))
		return;
	fake_memory.write[fake_memory.nr_writes].port = port;
	fake_memory.write[fake_memory.nr_writes].bytes = bytes;
	fake_memory.write[fake_memory.nr_writes++].value = value;
}

uint64_t machine_now(void)
{
	return now;
}

void machine_relax(void)
{
	now += 1000000;
}

void pci_write(struct pci_address at, unsigned reg, unsigned bytes, uint32_t value)
{
	machine_port_out((uint16_t)(at.devfn << 8 | reg), bytes, value);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}
