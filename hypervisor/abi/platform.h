/* SPDX-License-Identifier: MIT */
/*
 * platform_op(arg): what the control domain does to the machine. Left out are the layouts of
 * requests that Enso refuses (memory types, microcode, C- and P-states, hot-added memory).
 */
#ifndef ABI_PLATFORM_H
#define ABI_PLATFORM_H

#include "abi/types.h"

#define XENPF_INTERFACE_VERSION		0x03000001

#define XENPF_settime32			17
#define XENPF_add_memtype		31
#define XENPF_del_memtype		32
#define XENPF_read_memtype		33
#define XENPF_microcode_update		35
#define XENPF_platform_quirk		39
#define XENPF_get_cpu_version		48
#define XENPF_efi_runtime_call		49
#define XENPF_firmware_info		50
#define XENPF_enter_acpi_sleep		51
#define XENPF_change_freq		52
#define XENPF_getidletime		53
#define XENPF_set_processor_pminfo	54
#define XENPF_get_cpuinfo		55
#define XENPF_cpu_online		56
#define XENPF_cpu_offline		57
#define XENPF_cpu_hotadd		58
#define XENPF_mem_hotadd		59
#define XENPF_core_parking		60
#define XENPF_resource_op		61
#define XENPF_settime64			62
#define XENPF_get_symbol		63

/* The wall clock at system_time. */
struct xenpf_settime32 {
	uint32_t secs;
	uint32_t nsecs;
	uint64_t system_time;
};

struct xenpf_settime64 {
	uint64_t secs;
	uint32_t nsecs;
	uint32_t mbz;
	uint64_t system_time;
};

#define XEN_EFI_get_time			1
#define XEN_EFI_set_time			2
#define XEN_EFI_get_wakeup_time			3
#define XEN_EFI_set_wakeup_time			4
#define XEN_EFI_get_next_high_monotonic_count	5
#define XEN_EFI_get_variable			6
#define XEN_EFI_set_variable			7
#define XEN_EFI_get_next_variable_name		8
#define XEN_EFI_query_variable_info		9
#define XEN_EFI_query_capsule_capabilities	10
#define XEN_EFI_update_capsule			11

/* In and out bits of xenpf_efi_runtime_call.misc, by function. */
#define XEN_EFI_GET_TIME_SET_CLEARS_NS		0x00000001
#define XEN_EFI_GET_WAKEUP_TIME_ENABLED		0x00000001
#define XEN_EFI_GET_WAKEUP_TIME_PENDING		0x00000002
#define XEN_EFI_SET_WAKEUP_TIME_ENABLE		0x00000001
#define XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY	0x00000002
#define XEN_EFI_VARIABLE_NON_VOLATILE		0x00000001
#define XEN_EFI_VARIABLE_BOOTSERVICE_ACCESS	0x00000002
#define XEN_EFI_VARIABLE_RUNTIME_ACCESS		0x00000004
#define XEN_EFI_VARINFO_BOOT_SNAPSHOT		0x00000001

struct xenpf_efi_time {
	uint16_t year;
	uint8_t month;
	uint8_t day;
	uint8_t hour;
	uint8_t min;
	uint8_t sec;
	uint32_t ns;
	int16_t tz;
	uint8_t daylight;
};

struct xenpf_efi_guid {
	uint32_t data1;
	uint16_t data2;
	uint16_t data3;
	uint8_t data4[8];
};

struct xenpf_efi_runtime_call {
	uint32_t function;
	uint32_t misc;
	xen_ulong_t status;		/* out: EFI_STATUS */
	union {
		struct {
			struct xenpf_efi_time time;
			uint32_t resolution;
			uint32_t accuracy;
		} get_time;
		struct xenpf_efi_time set_time;
		struct xenpf_efi_time get_wakeup_time;
		struct xenpf_efi_time set_wakeup_time;
		struct {
			guest_ptr_t name;
			xen_ulong_t size;
			guest_ptr_t data;
			struct xenpf_efi_guid vendor_guid;
		} get_variable, set_variable;
		struct {
			xen_ulong_t size;
			guest_ptr_t name;
			struct xenpf_efi_guid vendor_guid;
		} get_next_variable_name;
		struct {
			uint32_t attr;
			uint64_t max_store_size;
			uint64_t remain_store_size;
			uint64_t max_size;
		} query_variable_info;
		struct {
			guest_ptr_t capsule_header_array;
			xen_ulong_t capsule_count;
			uint64_t max_capsule_size;
			uint32_t reset_type;
		} query_capsule_capabilities;
		struct {
			guest_ptr_t capsule_header_array;
			xen_ulong_t capsule_count;
			uint64_t sg_list;
		} update_capsule;
	} u;
};

#define XEN_FW_DISK_INFO		1
#define XEN_FW_DISK_MBR_SIGNATURE	2
#define XEN_FW_VBEDDC_INFO		3
#define XEN_FW_EFI_INFO			4
#define XEN_FW_KBD_SHIFT_FLAGS		5

/* index, with XEN_FW_EFI_INFO */
#define XEN_FW_EFI_VERSION		0
#define XEN_FW_EFI_CONFIG_TABLE		1
#define XEN_FW_EFI_VENDOR		2
#define XEN_FW_EFI_MEM_INFO		3
#define XEN_FW_EFI_RT_VERSION		4
#define XEN_FW_EFI_PCI_ROM		5
#define XEN_FW_EFI_APPLE_PROPERTIES	6

struct xenpf_firmware_info {
	uint32_t type;			/* XEN_FW_* */
	uint32_t index;
	union {
		struct {
			uint8_t device;
			uint8_t version;
			uint16_t interface_support;
			uint16_t legacy_max_cylinder;
			uint8_t legacy_max_head;
			uint8_t legacy_sectors_per_track;
			guest_ptr_t edd_params;
		} disk_info;
		struct {
			uint8_t device;
			uint32_t mbr_signature;
		} disk_mbr_signature;
		struct {
			uint8_t capabilities;
			uint8_t edid_transfer_time;
			guest_ptr_t edid;
		} vbeddc_info;
		union xenpf_efi_info {
			uint32_t version;
			struct {
				uint64_t addr;
				uint32_t nent;
			} cfg;
			struct {
				uint32_t revision;
				uint32_t bufsz;		/* in, in bytes */
				guest_ptr_t name;	/* UTF-16 */
			} vendor;
			struct {
				uint64_t addr;
				uint64_t size;
				uint64_t attr;
				uint32_t type;
			} mem;
			struct {
				uint16_t segment;
				uint8_t bus;
				uint8_t devfn;
				uint16_t vendor;
				uint16_t devid;
				uint64_t address;
				xen_ulong_t size;
			} pci_rom;
			struct {
				uint64_t address;
				xen_ulong_t size;
			} apple_properties;
		} efi_info;
		uint8_t kbd_shift_flags;
	} u;
};

#define XENPF_ACPI_SLEEP_EXTENDED	0x00000001
struct xenpf_enter_acpi_sleep {
	uint16_t val_a;			/* PM1a control, or the sleep type when extended */
	uint16_t val_b;
	uint32_t sleep_state;		/* n of Sn */
	uint32_t flags;
};

struct xenpf_getidletime {
	guest_ptr_t cpumap_bitmap;
	uint32_t cpumap_nr_cpus;
	guest_ptr_t idletime;		/* uint64_t[] */
	uint64_t now;
};

/* set_processor_pminfo: the payload types that Linux sends; their layouts are not ours to read. */
#define XEN_PM_CX			0
#define XEN_PM_PX			1
#define XEN_PM_TX			2
#define XEN_PM_PDC			3

#define XEN_PCPU_FLAGS_ONLINE		1
#define XEN_PCPU_FLAGS_INVALID		2
struct xenpf_pcpuinfo {
	uint32_t xen_cpuid;		/* in */
	uint32_t max_present;		/* out, from here on */
	uint32_t flags;
	uint32_t apic_id;
	uint32_t acpi_id;
};

struct xenpf_pcpu_version {
	uint32_t xen_cpuid;		/* in */
	uint32_t max_present;		/* out, from here on */
	char vendor_id[12];
	uint32_t family;
	uint32_t model;
	uint32_t stepping;
};

struct xenpf_cpu_ol {
	uint32_t cpuid;
};

#define XEN_CORE_PARKING_SET		1
#define XEN_CORE_PARKING_GET		2
struct xenpf_core_parking {
	uint32_t type;
	uint32_t idle_nums;
};

struct xenpf_symdata {
	uint32_t namelen;
	uint32_t symnum;
	guest_ptr_t name;
	uint64_t address;
	char type;
};

struct xen_platform_op {
	uint32_t cmd;
	uint32_t interface_version;
	union {
		struct xenpf_settime32 settime32;
		struct xenpf_settime64 settime64;
		struct xenpf_efi_runtime_call efi_runtime_call;
		struct xenpf_firmware_info firmware_info;
		struct xenpf_enter_acpi_sleep enter_acpi_sleep;
		struct xenpf_getidletime getidletime;
		struct xenpf_pcpuinfo pcpu_info;
		struct xenpf_pcpu_version pcpu_version;
		struct xenpf_cpu_ol cpu_ol;
		struct xenpf_core_parking core_parking;
		struct xenpf_symdata symdata;
		uint8_t pad[128];
	} u;
};

#endif
