/* SPDX-License-Identifier: MIT */
/*
 * Hostile firmware: the root pointer, root tables and every table that is read, with lengths,
 * counts and addresses of the fuzzer's choice. Checksums are made right, as else nothing would get
 * past them.
 *
 * Links: hypervisor/dev/acpi.c hypervisor/dev/acpi_table.c tests/fake/acpi_memory.c
 */
#include <stdlib.h>
#include <string.h>

#include "dev/acpi_table.h"
#include "fake/acpi_memory.h"

typedef void read_fn(struct acpi_info *info, const struct acpi_table *t);

static void read_fadt(struct acpi_info *info, const struct acpi_table *t)
{
	uint64_t dsdt;

	acpi_read_fadt(info, t, &dsdt);
}

static read_fn *const readers[] = {
	acpi_read_madt, acpi_read_mcfg, acpi_read_hpet, acpi_read_s5, read_fadt,
};

/* Everything that later code relies on. */
static void check(void)
{
	if (acpi.nr_cpus > CPU_MAX || acpi.nr_ioapics > ACPI_MAX_IOAPICS ||
	    acpi.nr_overrides > ACPI_MAX_OVERRIDES || acpi.nr_mcfg > ACPI_MAX_MCFG ||
	    acpi.s5_type_a > 7 || acpi.s5_type_b > 7)
		abort();
	for (unsigned i = 0; i < acpi.nr_mcfg; i++)
		if (acpi.mcfg[i].first_bus > acpi.mcfg[i].last_bus)
			abort();
	for (unsigned i = 0; i < acpi.nr_overrides; i++)
		if (acpi.override[i].irq > 15)
			abort();
}

static void one_table(read_fn *reader, const uint8_t *data, size_t size)
{
	struct acpi_table t = { NULL, (uint32_t)size };
	uint8_t *copy = malloc(size + !size);

	memcpy(copy, data, size);
	t.data = copy;
	reader(&acpi, &t);
	free(copy);
}

/* The input is memory from 0xe0000 on; its start is also the loader's copy of the root pointer. */
static void whole(const uint8_t *data, size_t size)
{
	uint8_t rsdp[36] = { 0 };

	fake_memory.base = 0xe0000;
	fake_memory.data = data;
	fake_memory.size = size;
	fake_memory.fix_checksums = true;
	memcpy(rsdp, data, size < sizeof(rsdp) ? size : sizeof(rsdp));
	memcpy(rsdp, "RSD PTR ", 8);
	for (unsigned n = 20, place = 8; n <= 36; n += 16, place = 32) {
		uint8_t sum = 0;

		for (unsigned i = 0; i < n; i++)
			sum = (uint8_t)(sum + rsdp[i]);
		rsdp[place] = (uint8_t)(rsdp[place] - sum);
	}
	acpi_init(rsdp, sizeof(rsdp));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	fake_memory_reset();
	if (data[0] < ARRAY_SIZE(readers))
		one_table(readers[data[0]], data + 1, size - 1);
	else
		whole(data + 1, size - 1);
	check();
	return 0;
}
