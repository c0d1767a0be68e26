/* SPDX-License-Identifier: MIT */
/*
 * Grants: a domain lets another map or copy one of its frames. The table of entries lies in the
 * granting domain's address space; grant_table_op(cmd, array, count) works on it.
 */
#ifndef ABI_GRANT_TABLE_H
#define ABI_GRANT_TABLE_H

#include "abi/types.h"

struct grant_entry_v1 {
	uint16_t flags;			/* GTF_*; the guest writes it last, after a barrier */
	domid_t domid;
	uint32_t frame;
};

#define GNTTAB_NR_RESERVED_ENTRIES	8
#define GNTTAB_RESERVED_CONSOLE		0
#define GNTTAB_RESERVED_XENSTORE	1

#define GTF_invalid			(0U << 0)
#define GTF_permit_access		(1U << 0)
#define GTF_accept_transfer		(2U << 0)
#define GTF_transitive			(3U << 0)
#define GTF_type_mask			(3U << 0)
#define GTF_readonly			(1U << 2)
#define GTF_reading			(1U << 3)	/* set by the hypervisor while mapped */
#define GTF_writing			(1U << 4)
#define GTF_PWT				(1U << 5)
#define GTF_PCD				(1U << 6)
#define GTF_PAT				(1U << 7)
#define GTF_sub_page			(1U << 8)
#define GTF_transfer_committed		(1U << 2)
#define GTF_transfer_completed		(1U << 3)

struct grant_entry_header {
	uint16_t flags;
	domid_t domid;
};

union grant_entry_v2 {
	struct grant_entry_header hdr;
	struct {
		struct grant_entry_header hdr;
		uint32_t pad0;
		uint64_t frame;
	} full_page;
	struct {
		struct grant_entry_header hdr;
		uint16_t page_off;
		uint16_t length;
		uint64_t frame;
	} sub_page;
	struct {
		struct grant_entry_header hdr;
		domid_t trans_domid;
		uint16_t pad0;
		grant_ref_t gref;
	} transitive;
	uint32_t __spacer[4];
};

#define GNTTABOP_map_grant_ref		0
#define GNTTABOP_unmap_grant_ref	1
#define GNTTABOP_setup_table		2
#define GNTTABOP_dump_table		3
#define GNTTABOP_transfer		4
#define GNTTABOP_copy			5
#define GNTTABOP_query_size		6
#define GNTTABOP_unmap_and_replace	7
#define GNTTABOP_set_version		8
#define GNTTABOP_get_status_frames	9
#define GNTTABOP_get_version		10
#define GNTTABOP_swap_grant_ref		11
#define GNTTABOP_cache_flush		12

#define GNTMAP_device_map		(1 << 0)
#define GNTMAP_host_map			(1 << 1)
#define GNTMAP_readonly			(1 << 2)
#define GNTMAP_application_map		(1 << 3)	/* user mode may use the mapping */
#define GNTMAP_contains_pte		(1 << 4)	/* host_addr is a PTE's machine address */
#define GNTMAP_guest_avail_mask		((uint32_t)~0 << 16)

struct gnttab_map_grant_ref {
	uint64_t host_addr;
	uint32_t flags;
	grant_ref_t ref;
	domid_t dom;
	int16_t status;			/* out, from here on: GNTST_* */
	grant_handle_t handle;
	uint64_t dev_bus_addr;
};

struct gnttab_unmap_grant_ref {
	uint64_t host_addr;
	uint64_t dev_bus_addr;
	grant_handle_t handle;
	int16_t status;			/* out */
};

struct gnttab_setup_table {
	domid_t dom;
	uint32_t nr_frames;
	int16_t status;			/* out */
	guest_ptr_t frame_list;		/* xen_pfn_t[nr_frames] */
};

struct gnttab_dump_table {
	domid_t dom;
	int16_t status;			/* out */
};

struct gnttab_transfer {
	xen_pfn_t mfn;
	domid_t domid;
	grant_ref_t ref;
	int16_t status;			/* out */
};

#define GNTCOPY_source_gref		(1 << 0)
#define GNTCOPY_dest_gref		(1 << 1)

struct gnttab_copy {
	struct gnttab_copy_ptr {
		union {
			grant_ref_t ref;
			xen_pfn_t gmfn;
		} u;
		domid_t domid;
		uint16_t offset;
	} source, dest;
	uint16_t len;
	uint16_t flags;
	int16_t status;			/* out */
};

struct gnttab_query_size {
	domid_t dom;
	uint32_t nr_frames;		/* out, from here on */
	uint32_t max_nr_frames;
	int16_t status;
};

struct gnttab_unmap_and_replace {
	uint64_t host_addr;
	uint64_t new_addr;
	grant_handle_t handle;
	int16_t status;			/* out */
};

struct gnttab_set_version {
	uint32_t version;		/* in, out */
};

struct gnttab_get_status_frames {
	uint32_t nr_frames;
	domid_t dom;
	int16_t status;			/* out */
	guest_ptr_t frame_list;		/* uint64_t[nr_frames] */
};

struct gnttab_get_version {
	domid_t dom;
	uint16_t pad;
	uint32_t version;		/* out */
};

struct gnttab_swap_grant_ref {
	grant_ref_t ref_a;
	grant_ref_t ref_b;
	int16_t status;			/* out */
};

#define GNTTAB_CACHE_CLEAN		(1u << 0)
#define GNTTAB_CACHE_INVAL		(1u << 1)
#define GNTTAB_CACHE_SOURCE_GREF	(1u << 31)

struct gnttab_cache_flush {
	union {
		uint64_t dev_bus_addr;
		grant_ref_t ref;
	} a;
	uint16_t offset;
	uint16_t length;
	uint32_t op;
};

#define GNTST_okay			(0)
#define GNTST_general_error		(-1)
#define GNTST_bad_domain		(-2)
#define GNTST_bad_gntref		(-3)
#define GNTST_bad_handle		(-4)
#define GNTST_bad_virt_addr		(-5)
#define GNTST_bad_dev_addr		(-6)
#define GNTST_no_device_space		(-7)
#define GNTST_permission_denied		(-8)
#define GNTST_bad_page			(-9)
#define GNTST_bad_copy_arg		(-10)
#define GNTST_address_too_big		(-11)
#define GNTST_eagain			(-12)
#define GNTST_no_space			(-13)

#endif
