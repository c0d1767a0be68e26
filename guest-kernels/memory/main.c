/* SPDX-License-Identifier: MIT */
/*
 * memory_op: giving frames back and getting others, exchanges, the memory map, and what others got
 * wrong there (extent orders, lists in the hypervisor, counts that overflow).
 */
#include "abi/memory.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"
#include "test.h"
#include "trap.h"

#define TEST_VA		0x10000000000UL
#define HYPERVISOR	0xffff830000000000UL
#define MFN_NOWHERE	(1UL << 39)

static xen_pfn_t list[1024];

static struct xen_memory_reservation extents(unsigned long nr, unsigned int order)
{
	return (struct xen_memory_reservation){
		.extent_start = GUEST_PTR(list), .nr_extents = nr, .extent_order = order,
		.domid = DOMID_SELF,
	};
}

static long op(unsigned int cmd, struct xen_memory_reservation r)
{
	return hyp_memory_op(cmd, &r);
}

static void set_p2m(uint64_t pfn, uint64_t mfn)
{
	((unsigned long *)start_info->mfn_list)[pfn] = mfn;
}

static long current(void)
{
	struct xen_memory_domain d = { .domid = DOMID_SELF };

	return hyp_memory_op(XENMEM_current_reservation, &d);
}

static void numbers(void)
{
	struct xen_memory_domain d = { .domid = DOMID_SELF };
	struct xen_machphys_mapping m2p;
	long max;

	check(current() >= (long)start_info->nr_pages - 16,
	      "current reservation: %ld, nr_pages %lu", current(),
	      start_info->nr_pages);
	max = hyp_memory_op(XENMEM_maximum_reservation, &d);
	check(max >= current(), "maximum reservation: %ld", max);
	check(hyp_memory_op(XENMEM_maximum_ram_page, NULL) > 0x1000, "maximum RAM page: %lx",
	      hyp_memory_op(XENMEM_maximum_ram_page, NULL));
	d.domid = 4711;
	check_refused(hyp_memory_op(XENMEM_current_reservation, &d),
		      "the reservation of a domain that isn't there");
	check_eq(hyp_memory_op(XENMEM_machphys_mapping, &m2p), 0, "machphys_mapping");
	check_eq((int64_t)m2p.v_start, (int64_t)MACH2PHYS_VIRT_START, "begins where M2P is");
	check(m2p.v_end > m2p.v_start && m2p.max_mfn >= page_mfn(page_root()),
	      "up to frame %lx", m2p.max_mfn);
	check_eq(hyp_memory_op(63, &m2p), -ENOSYS, "command 63");
	check_eq(hyp_memory_op(63 | 1 << 6, &m2p), -ENOSYS, "command 63 with a start");
}

static void machine_map(void)
{
	static char buffer[20 * 128];
	struct xen_memory_map map = { .nr_entries = 128, .buffer = GUEST_PTR(buffer) };
	long result = hyp_memory_op(XENMEM_machine_memory_map, &map);
	uint64_t ram = 0;

	if (!kernel_is_dom0()) {
		check_refused(result, "the machine's memory map, unprivileged");
		return;
	}
	check_eq(result, 0, "the machine's memory map");
	for (unsigned int i = 0; i < map.nr_entries; i++) {
		uint64_t length;
		uint32_t type;

		memcpy(&length, buffer + 20 * i + 8, 8);
		memcpy(&type, buffer + 20 * i + 16, 4);
		ram += type == 1 ? length : 0;
	}
	check(map.nr_entries >= 2 && ram >= start_info->nr_pages * PAGE_SIZE,
	      "%u ranges, %lu MiB of RAM",
	      map.nr_entries, ram >> 20);
	map.nr_entries = 1;
	hyp_memory_op(XENMEM_machine_memory_map, &map);
	check_eq(map.nr_entries, 1, "one entry, if there is room for one");
	map.nr_entries = 128;
	map.buffer.va = HYPERVISOR;
	check_refused(hyp_memory_op(XENMEM_machine_memory_map, &map), "into the hypervisor");
}

static void give_and_take(void)
{
	char *page = page_alloc();
	uint64_t pfn = page_pfn(page), mfn = page_mfn(page), old;
	long before = current();

	*(uint64_t *)page = 0x5ec2e7;
	page_set((uint64_t)page, 0);
	list[0] = mfn;
	check_eq(op(XENMEM_decrease_reservation, extents(1, 0)), 1, "give a frame back");
	check_eq(current(), before - 1, "we have one less");
	check_refused(page_set((uint64_t)page, mfn << PAGE_SHIFT | PTE_RW),
		      "mapping it after that");
	check_refused(page_set((uint64_t)page, mfn << PAGE_SHIFT | PTE_RO), "even read-only");
	check_eq(op(XENMEM_decrease_reservation, extents(1, 0)), 0, "give it back twice");
	list[0] = pfn;
	check_eq(op(XENMEM_populate_physmap, extents(1, 0)), 1, "get one for its place");
	set_p2m(pfn, list[0]);
	check_eq(current(), before, "we have as many as before");
	check_eq((int64_t)((volatile uint64_t *)MACH2PHYS_VIRT_START)[list[0]], (int64_t)pfn,
		 "M2P knows it");
	check_eq(page_set((uint64_t)page, list[0] << PAGE_SHIFT | PTE_RW), 0, "map it");
	old = *(volatile uint64_t *)page;
	check(old != 0x5ec2e7 || list[0] == mfn, "it is not another's: %lx", old);
	*(volatile uint64_t *)page = 1;
	page_free(page);
	list[0] = page_mfn(page_root());
	before = current();
	op(XENMEM_decrease_reservation, extents(1, 0));
	check(page_protect(page_root(), true) < 0,
	      "giving back the running L4 does not make it writable");
	hyp_xen_version(0, NULL);
	check(true, "and we still run on it");
}

static void odd_extents(void)
{
	static const unsigned int cmds[] = {
		XENMEM_increase_reservation, XENMEM_decrease_reservation, XENMEM_populate_physmap,
	};
	struct xen_memory_reservation r;

	for (unsigned int i = 0; i < 3; i++) {
		unsigned int cmd = cmds[i];

		list[0] = MFN_NOWHERE;
		check(op(cmd, extents(1, 40)) <= 0, "cmd %u: order 40", cmd);
		check(op(cmd, extents(1, ~0u)) <= 0, "cmd %u: order -1", cmd);
		check(op(cmd, extents(1, 64)) <= 0, "cmd %u: order 64", cmd);
		check(op(cmd, extents(~0UL, 0)) <= 0, "cmd %u: -1 extents", cmd);
		check(op(cmd, extents(1UL << 61, 0)) <= 0, "cmd %u: a list of 2^64 bytes", cmd);
		check_eq(op(cmd, extents(0, 0)), 0, "cmd %u: no extents", cmd);
		r = extents(1, 0);
		r.domid = 4711;
		check(hyp_memory_op(cmd, &r) <= 0, "cmd %u: a domain that isn't there", cmd);
		r = extents(1, 0);
		r.extent_start.va = HYPERVISOR;
		check(hyp_memory_op(cmd, &r) <= 0, "cmd %u: a list in the hypervisor", cmd);
		r.extent_start.va = 0x7000000000;
		check(hyp_memory_op(cmd, &r) <= 0, "cmd %u: a list nowhere", cmd);
		r = extents(1, 0);
		r.mem_flags = ~0u;
		list[0] = MFN_NOWHERE;
		hyp_memory_op(cmd, &r);
	}
	list[0] = ~0UL;
	check_eq(op(XENMEM_decrease_reservation, extents(1, 0)), 0, "give back frame -1");
	list[0] = ((volatile uint64_t *)page_root())[256] >> PAGE_SHIFT & 0xffffffffffUL;
	check_eq(op(XENMEM_decrease_reservation, extents(1, 0)), 0,
		 "give back a frame of the hypervisor");
}

/* Frames are unmapped and in `list` from `at` on; their pages in pages. */
static void unmap(char *pages[], unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		pages[i] = page_alloc();
		list[i] = page_mfn(pages[i]);
		page_set((uint64_t)pages[i], 0);
	}
}

static void exchange(void)
{
	char *pages[8];
	struct xen_memory_exchange x;
	xen_pfn_t old[8];
	long result;

	unmap(pages, 8);
	memcpy(old, list, sizeof(old));
	list[100] = page_pfn(pages[0]);
	x = (struct xen_memory_exchange){ .in = extents(8, 0), .out = extents(1, 3) };
	x.out.extent_start = GUEST_PTR(&list[100]);
	result = hyp_memory_op(XENMEM_exchange, &x);
	check(result == 0 && x.nr_exchanged == 8, "exchange 8 frames for 8 in a row: %ld", result);
	if (result == 0) {
		check_eq((int64_t)(list[100] & 7), 0, "aligned");
		for (unsigned int i = 0; i < 8; i++)
			set_p2m(page_pfn(pages[0]) + i, list[100] + i);
		check_eq(page_set((uint64_t)pages[0], list[107] << PAGE_SHIFT), 0,
			 "(nothing mapped)");
		check_eq(page_set((uint64_t)pages[0], (list[100] + 7) << PAGE_SHIFT | PTE_RW), 0,
			 "the last can be mapped");
		memset(pages[0], 0x77, PAGE_SIZE);
		check_refused(page_set((uint64_t)pages[1], old[1] << PAGE_SHIFT | PTE_RW),
			      "an old one can't");
		page_set((uint64_t)pages[0], 0);
		for (unsigned int i = 0; i < 8; i++)
			list[i] = list[100] + i;
		for (unsigned int i = 0; i < 8; i++)
			list[200 + i] = page_pfn(pages[0]) + i;
		x = (struct xen_memory_exchange){ .in = extents(1, 3), .out = extents(8, 0) };
		x.out.extent_start = GUEST_PTR(&list[200]);
		check_eq(hyp_memory_op(XENMEM_exchange, &x), 0, "and one of 8 for 8 single ones");
		for (unsigned int i = 0; i < 8; i++)
			check_eq(page_set((uint64_t)pages[0] + i * PAGE_SIZE,
					  list[200 + i] << PAGE_SHIFT | PTE_RW), 0,
				 "map one");
	}
}

static void bad_exchanges(void)
{
	struct xen_memory_exchange x, good = { .in = extents(1, 0), .out = extents(1, 0) };
	char *pages[1];

	unmap(pages, 1);
	list[100] = page_pfn(pages[0]);
	good.out.extent_start = GUEST_PTR(&list[100]);
	x = good;
	x.out.nr_extents = 2;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "more for less");
	x = good;
	x.nr_exchanged = 2;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "more done than asked");
	x = good;
	x.in.domid = 4711;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "another domain's");
	x = good;
	x.in.extent_order = x.out.extent_order = 40;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "order 40");
	x = good;
	x.in.nr_extents = x.out.nr_extents = 1UL << 61;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "2^61 extents");
	x = good;
	x.in.extent_start.va = HYPERVISOR;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "a list in the hypervisor");
	x = good;
	x.out.extent_start.va = HYPERVISOR;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "results into the hypervisor");
	/* XSA-212: a start that has already walked past the checked part of the list. */
	x = good;
	x.nr_exchanged = (HYPERVISOR - x.out.extent_start.va) / 8;
	x.in.nr_extents = x.out.nr_extents = x.nr_exchanged + 1;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "a cursor into the hypervisor");
	x = good;
	list[0] = MFN_NOWHERE;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "a frame beyond memory");
	list[0] = ((volatile uint64_t *)page_root())[256] >> PAGE_SHIFT & 0xffffffffffUL;
	x = good;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "a frame of the hypervisor");
	list[0] = page_mfn(page_root());
	x = good;
	check_refused(hyp_memory_op(XENMEM_exchange, &x), "the running L4");
}

static void others(void)
{
	struct xen_add_to_physmap add = { .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn, .idx = 1,
					  .gpfn = 2 };
	struct xen_remove_from_physmap remove = { .domid = DOMID_SELF,
						  .gpfn = page_pfn(page_alloc()) };
	struct xen_foreign_memory_map set = { .domid = 4711 };
	struct xen_machphys_mfn_list m2p = { .max_extents = 1, .extent_start = GUEST_PTR(list) };
	long result;

	check_refused(hyp_memory_op(XENMEM_add_to_physmap, &add), "add_to_physmap of a PV guest");
	result = hyp_memory_op(XENMEM_remove_from_physmap, &remove);
	check(result <= 0, "remove_from_physmap: %ld", result);
	check_refused(hyp_memory_op(XENMEM_set_memory_map, &set),
		      "the map of a domain that isn't there");
	result = hyp_memory_op(XENMEM_machphys_mfn_list, &m2p);
	check(result == 0 ? m2p.nr_extents == 1 : !kernel_is_dom0(), "machphys_mfn_list: %ld, %u",
	      result, m2p.nr_extents);
	result = hyp_memory_op(XENMEM_maximum_gpfn,
			       &(struct xen_memory_domain){ .domid = DOMID_SELF });
	check(result >= 0 || result == -ENOSYS || result == -EPERM, "maximum_gpfn: %ld", result);
}

void test_main(void)
{
	numbers();
	machine_map();
	give_and_take();
	odd_extents();
	exchange();
	bad_exchanges();
	others();
}
