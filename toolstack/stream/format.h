/* SPDX-License-Identifier: MIT */
/*
 * The domain image format, version 2, as Xen's docs/specs/libxc-migration-stream describes it for
 * x86 PV guests. Numbers are little-endian but those of the image header. Records are padded to
 * 8 bytes; body_length is without the padding.
 */
#ifndef STREAM_FORMAT_H
#define STREAM_FORMAT_H

#include <stdint.h>

#define IMAGE_MARKER	0xffffffffffffffffULL
#define IMAGE_ID	0x58454e46U	/* "XENF" */
#define IMAGE_VERSION	2U

struct image_header {		/* big-endian */
	uint64_t marker;
	uint32_t id;
	uint32_t version;
	uint16_t options;	/* bit 0: the rest is big-endian */
	uint16_t reserved1;
	uint32_t reserved2;
};

#define DOMAIN_TYPE_PV	1U

struct domain_header {
	uint32_t type;
	uint16_t page_shift;
	uint16_t reserved;
	uint32_t xen_major;
	uint32_t xen_minor;
};

enum record_type {
	RECORD_END = 0,
	RECORD_PAGE_DATA = 1,
	RECORD_PV_INFO = 2,
	RECORD_P2M_FRAMES = 3,
	RECORD_VCPU_BASIC = 4,
	RECORD_VCPU_EXTENDED = 5,
	RECORD_VCPU_XSAVE = 6,
	RECORD_SHARED_INFO = 7,
	RECORD_TSC_INFO = 8,
	RECORD_VCPU_MSRS = 12,
	RECORD_VERIFY = 13,
	RECORD_CHECKPOINT = 14,
};
#define RECORD_OPTIONAL	0x80000000U	/* whoever does not know it may skip it */
#define RECORD_ALIGN	8U

struct record_header {
	uint32_t type;
	uint32_t length;
};

/* PAGE_DATA: then count words of type and PFN, then the contents of those that have any. */
struct page_data_header {
	uint32_t count;
	uint32_t reserved;
};
#define PAGE_TYPE_SHIFT	32	/* XEN_DOMCTL_PFINFO_* in the upper half */
#define PAGE_PFN_MASK	((1ULL << 52) - 1)
#define PAGE_RESERVED	(0xffULL << 52)
#define PAGE_DATA_MAX	1024U	/* pages of a record */

struct pv_info {
	uint8_t guest_width;
	uint8_t pt_levels;
	uint16_t reserved1;
	uint32_t reserved2;
};

/* P2M_FRAMES: then the PFN of each page of the P2M from that of start to that of end. */
struct p2m_frames_header {
	uint32_t start_pfn;
	uint32_t end_pfn;
};
#define P2M_PER_PAGE	512U

/* VCPU_*: then what the hypercalls give. */
struct vcpu_header {
	uint32_t id;
	uint32_t reserved;
};

struct tsc_info {
	uint32_t mode;
	uint32_t khz;
	uint64_t nsec;
	uint32_t incarnation;
	uint32_t reserved;
};

#endif
