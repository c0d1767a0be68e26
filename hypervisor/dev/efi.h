/* SPDX-License-Identifier: MIT */
/*
 * What UEFI left in memory for an operating system (UEFI 2.9, 4.3): read once at boot, handed on to
 * dom0, which finds ACPI and SMBIOS through it. The firmware's run-time services are not called.
 */
#ifndef DEV_EFI_H
#define DEV_EFI_H

#include "lib/types.h"

#define EFI_VENDOR_MAX	100		/* UTF-16 units, the final 0 among them */

struct efi_info {
	bool present;
	uint32_t version;		/* of the specification: major << 16 | minor * 10 */
	uint32_t runtime_version;
	uint32_t vendor_revision;
	uint16_t vendor[EFI_VENDOR_MAX];
	uint64_t config_table;		/* physical address of 24-byte entries */
	uint32_t config_entries;
};

/* Constant after efi_init(). */
extern struct efi_info efi;

/* Read the system table at this physical address; 0: not booted by UEFI. */
void efi_init(uint64_t system_table);

#endif
