/* SPDX-License-Identifier: MIT */
/* Reading the EFI system table (UEFI 2.9, 4.3; the 64-bit form). Boot CPU only, no lock. */
#include "dev/efi.h"

#include "console/log.h"
#include "lib/string.h"
#include "x86/machine.h"

#define SYSTEM_TABLE_SIGNATURE	0x5453595320494249ull	/* "IBI SYST" */
#define CONFIG_ENTRIES_MAX	1024

struct table_header {
	uint64_t signature;
	uint32_t revision, size, crc32, reserved;
};

struct system_table {
	struct table_header header;
	uint64_t vendor;
	uint32_t vendor_revision, pad;
	uint64_t console[6];
	uint64_t runtime_services, boot_services;
	uint64_t config_entries;
	uint64_t config_table;
};

struct efi_info efi;

/* Copy from physical memory; false if it can't be mapped. */
static bool fetch(void *to, uint64_t paddr, size_t n)
{
	const void *from = paddr ? machine_map_device(paddr, n, false) : NULL;

	if (!from)
		return false;
	memcpy(to, from, n);
	return true;
}

void efi_init(uint64_t system_table)
{
	struct system_table t;
	struct table_header runtime;

	if (!fetch(&t, system_table, sizeof(t)))
		return;
	if (t.header.signature != SYSTEM_TABLE_SIGNATURE || !t.config_table ||
	    t.config_entries > CONFIG_ENTRIES_MAX) {
		log_warning("efi: no system table at %#lx", (unsigned long)system_table);
		return;
	}
	efi.present = true;
	efi.version = t.header.revision;
	efi.vendor_revision = t.vendor_revision;
	efi.config_table = t.config_table;
	efi.config_entries = (uint32_t)t.config_entries;
	if (fetch(&runtime, t.runtime_services, sizeof(runtime)))
		efi.runtime_version = runtime.revision;
	if (fetch(efi.vendor, t.vendor, sizeof(efi.vendor)))
		efi.vendor[EFI_VENDOR_MAX - 1] = 0;
	log_info("efi: version %u.%u, %u tables", efi.version >> 16, (efi.version & 0xffff) / 10,
		 efi.config_entries);
}
