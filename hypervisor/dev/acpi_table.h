/* SPDX-License-Identifier: MIT */
/*
 * Readers of single ACPI tables: each gets a whole table (header included, length already cut to
 * what is mapped) and fills its part of struct acpi_info. No pointer into the table is kept.
 */
#ifndef DEV_ACPI_TABLE_H
#define DEV_ACPI_TABLE_H

#include "dev/acpi.h"

#define ACPI_HEADER_BYTES	36

/* A table in memory. */
struct acpi_table {
	const uint8_t *data;
	uint32_t length;
};

/* A little-endian field; 0 if it is beyond the table's end: shorter tables are older ones. */
uint64_t acpi_field(const struct acpi_table *t, uint32_t offset, unsigned bytes);
/* True if all bytes sum up to 0. */
bool acpi_checksum_ok(const uint8_t *data, uint32_t length);

void acpi_read_madt(struct acpi_info *info, const struct acpi_table *t);
void acpi_read_mcfg(struct acpi_info *info, const struct acpi_table *t);
void acpi_read_hpet(struct acpi_info *info, const struct acpi_table *t);
/* Fixed hardware; *dsdt is the DSDT's physical address, or 0. */
void acpi_read_fadt(struct acpi_info *info, const struct acpi_table *t, uint64_t *dsdt);
/* The package \_S5 in AML that names its elements as constants. */
void acpi_read_s5(struct acpi_info *info, const struct acpi_table *t);

#endif
