/* SPDX-License-Identifier: MIT */
/*
 * A machine for dev/acpi.c: a piece of physical memory, of which each mapping is an own copy of
 * exactly the length asked for (so that the sanitizer sees every byte read beyond it), and ports
 * that remember.
 */
#ifndef FAKE_ACPI_MEMORY_H
#define FAKE_ACPI_MEMORY_H

#include "lib/types.h"

struct fake_memory {
	uint64_t base;
	const uint8_t *data;
	size_t size;
	bool fix_checksums;		/* of what looks like a whole table, for fuzzing */
	unsigned nr_writes;		/* port writes seen */
	struct { uint16_t port; unsigned bytes; uint32_t value; } write[16];
};

extern struct fake_memory fake_memory;

/* Free all mappings, forget the writes, start from nothing in struct acpi_info. */
void fake_memory_reset(void);

#endif
