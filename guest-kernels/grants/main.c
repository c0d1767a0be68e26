/* SPDX-License-Identifier: MIT */
/*
 * Grants, with ourselves as the other domain: the table, mapping and unmapping, copies, and every
 * reference, handle, address and length that must be refused.
 */
#include "grant.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"
#include "test.h"
#include "trap.h"

#define TEST_VA		0x10000000000UL
#define TEST2_VA	(TEST_VA + PAGE_SIZE)
#define NO_REF		0x7fffffff

static volatile struct grant_entry_v1 *const table = (void *)GRANT_TABLE_VA;
static domid_t self;

static void set_up(void)
{
	struct gnttab_query_size size = { .dom = DOMID_SELF };
	struct gnttab_set_version version = { .version = 1 };
	xen_pfn_t frames[4] = { 0 };
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1,
					    .frame_list = GUEST_PTR(frames) };

	check_eq(hyp_grant_table_op(GNTTABOP_query_size, &size, 1), 0, "query_size");
	check(size.status == GNTST_okay && size.max_nr_frames >= 1, "up to %u frames",
	      size.max_nr_frames);
	check_eq(hyp_grant_table_op(GNTTABOP_set_version, &version, 1), 0, "set_version(1)");
	check_eq(version.version, 1, "it is 1");
	version.version = 3;
	check_refused(hyp_grant_table_op(GNTTABOP_set_version, &version, 1), "version 3");
	version.version = 0;
	check_refused(hyp_grant_table_op(GNTTABOP_set_version, &version, 1), "version 0");
	check_eq(hyp_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0, "setup_table");
	check_eq(setup.status, GNTST_okay, "of one frame");
	grant_map_table(frames[0]);
	check(table[0].flags == 0 || !kernel_is_dom0(), "it can be mapped");
	setup.nr_frames = ~0u;
	hyp_grant_table_op(GNTTABOP_setup_table, &setup, 1);
	check(setup.status != GNTST_okay, "too many frames: %d", setup.status);
	setup.dom = 4711;
	setup.nr_frames = 1;
	hyp_grant_table_op(GNTTABOP_setup_table, &setup, 1);
	check(setup.status != GNTST_okay, "of a domain that isn't there: %d", setup.status);
	self = grant_own_id();
	print("      we are domain %u\n", self);
	page_map(TEST_VA, 0);
	page_map(TEST2_VA, 0);
}

static void grant(grant_ref_t ref, const void *page, uint16_t flags)
{
	grant_give(ref, self, page, flags);
}

static struct gnttab_map_grant_ref map(grant_ref_t ref, uint32_t flags, uint64_t va)
{
	struct gnttab_map_grant_ref op = { .host_addr = va, .flags = flags, .ref = ref, .dom = self,
					   .status = 77 };

	check_eq(hyp_grant_table_op(GNTTABOP_map_grant_ref, &op, 1), 0, "map_grant_ref");
	return op;
}

static int unmap(grant_handle_t handle, uint64_t va, uint64_t bus)
{
	struct gnttab_unmap_grant_ref op = { .host_addr = va, .dev_bus_addr = bus, .handle = handle,
					     .status = 77 };

	check_eq(hyp_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1), 0, "unmap_grant_ref");
	return op.status;
}

static void mapping(void)
{
	char *a = page_alloc();
	struct gnttab_map_grant_ref op;

	*(uint64_t *)a = 0xaaaa;
	grant(10, a, GTF_permit_access);
	op = map(10, GNTMAP_host_map, TEST_VA);
	if (!check_eq(op.status, GNTST_okay, "map it writable"))
		return;
	check(*(volatile uint64_t *)TEST_VA == 0xaaaa, "it is mapped");
	*(volatile uint64_t *)TEST_VA = 0xbbbb;
	check(*(volatile uint64_t *)a == 0xbbbb, "and writable");
	check((table[10].flags & (GTF_reading | GTF_writing)) == (GTF_reading | GTF_writing),
	      "the entry shows it");
	check_refused(unmap(op.handle, TEST2_VA, 0), "unmap it elsewhere");
	check(try_write(TEST_VA, 1), "it is still mapped");
	page_protect(a, false);
	check(page_ext(MMUEXT_PIN_L1_TABLE, a) < 0,
	      "mapped writable by grant, it can't become a table");
	page_protect(a, true);
	check_eq(unmap(op.handle, TEST_VA, 0), GNTST_okay, "unmap it");
	uint64_t value;
	check(!try_read(TEST_VA, &value), "it is gone");
	check((table[10].flags & (GTF_reading | GTF_writing)) == 0, "from the entry too");
	check_eq(unmap(op.handle, TEST_VA, 0), GNTST_bad_handle, "unmap it twice");
	memset(a, 0, PAGE_SIZE);
	page_protect(a, false);
	check(page_ext(MMUEXT_PIN_L1_TABLE, a) == 0 && page_ext(MMUEXT_UNPIN_TABLE, a) == 0,
	      "now it can be a table");
	page_protect(a, true);

	op = map(10, GNTMAP_host_map | GNTMAP_readonly, TEST_VA);
	check(op.status == GNTST_okay && op.dev_bus_addr == page_mfn(a) << PAGE_SHIFT,
	      "map it read-only: its frame is told, as Linux wants for its devices");
	check(!try_write(TEST_VA, 1) && try_read(TEST_VA, &value), "it is that");
	check_eq(table[10].flags & GTF_writing, 0, "the entry shows it");
	struct gnttab_map_grant_ref two = map(10, GNTMAP_host_map, TEST2_VA);
	check_eq(two.status, GNTST_okay, "map it a second time");
	check_eq(unmap(two.handle, TEST2_VA, 0), GNTST_okay, "unmap that");
	check_eq(unmap(op.handle, TEST_VA, 0), GNTST_okay, "unmap the first");
	op = map(10, GNTMAP_host_map | GNTMAP_device_map, TEST_VA);
	check(op.status == GNTST_okay && op.dev_bus_addr == page_mfn(a) << PAGE_SHIFT,
	      "map it for devices too");
	check_eq(unmap(op.handle, TEST_VA, op.dev_bus_addr), GNTST_okay, "unmap both");
	op = map(10, GNTMAP_host_map | GNTMAP_contains_pte, page_maddr(page_walk(TEST_VA, 1)));
	check_eq(op.status, GNTST_okay, "map it by the entry's address");
	check(try_read(TEST_VA, &value), "it is mapped");
	check_refused(unmap(op.handle, page_maddr(page_walk(TEST2_VA, 1)), 0),
		      "unmap it from another entry");
	check_eq(unmap(op.handle, page_maddr(page_walk(TEST_VA, 1)), 0), GNTST_okay, "unmap it");
	table[10].flags = 0;
	page_free(a);
}

static void refused_map(grant_ref_t ref, uint32_t flags, uint64_t va, const char *name)
{
	struct gnttab_map_grant_ref op = map(ref, flags, va);

	check(op.status < 0, "refused (%d): %s", op.status, name);
	if (op.status == 0)
		unmap(op.handle, va, 0);
}

static void bad_mappings(void)
{
	char *a = page_alloc();
	struct gnttab_map_grant_ref op;

	grant(11, a, GTF_permit_access | GTF_readonly);
	refused_map(11, GNTMAP_host_map, TEST_VA, "a read-only grant, writable");
	refused_map(12, GNTMAP_host_map, TEST_VA, "an entry that grants nothing");
	refused_map(NO_REF, GNTMAP_host_map, TEST_VA, "a reference beyond the table");
	refused_map(~0u, GNTMAP_host_map, TEST_VA, "reference -1");
	refused_map(11, 0, TEST_VA, "no kind of mapping");
	refused_map(11, GNTMAP_host_map | GNTMAP_readonly, 0x7000000000,
		    "at an address without a table");
	refused_map(11, GNTMAP_host_map | GNTMAP_readonly, 0xffff830000000000, "in the hypervisor");
	refused_map(11, GNTMAP_host_map | GNTMAP_readonly, 0x800000000000,
		    "at a non-canonical address");
	refused_map(11, GNTMAP_host_map | GNTMAP_readonly | GNTMAP_contains_pte, 1UL << 52,
		    "by an entry in no memory");
	refused_map(11, GNTMAP_host_map | GNTMAP_readonly | GNTMAP_contains_pte,
		    page_maddr(page_walk(TEST_VA, 1)) + 4, "by an unaligned entry");
	refused_map(11, GNTMAP_host_map | GNTMAP_readonly | GNTMAP_contains_pte,
		    page_maddr(page_walk(TEST_VA, 2)), "by an entry of an L2");
	table[11].domid = (domid_t)(self + 5);
	refused_map(11, GNTMAP_host_map | GNTMAP_readonly, TEST_VA, "a grant to another");
	grant(11, page_root(), GTF_permit_access);
	refused_map(11, GNTMAP_host_map, TEST_VA, "a page table, writable");
	table[11].frame = ~0u;
	refused_map(11, GNTMAP_host_map | GNTMAP_readonly, TEST_VA, "a frame beyond memory");
	grant(11, a, GTF_accept_transfer);
	refused_map(11, GNTMAP_host_map, TEST_VA, "a transfer entry");
	grant(11, a, GTF_transitive);
	refused_map(11, GNTMAP_host_map, TEST_VA, "a transitive entry in version 1");
	op = (struct gnttab_map_grant_ref){ .host_addr = TEST_VA, .flags = GNTMAP_host_map,
					    .ref = 11, .dom = 4711 };
	hyp_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);
	check_eq(op.status, GNTST_bad_domain, "a domain that isn't there");
	check_eq(unmap(4711, TEST_VA, 0), GNTST_bad_handle, "unmap a handle that isn't there");
	check_eq(unmap(~0u, TEST_VA, 0), GNTST_bad_handle, "unmap handle -1");
	table[11].flags = 0;
	page_free(a);
}

static int copy(struct gnttab_copy op)
{
	op.status = 77;
	check_eq(hyp_grant_table_op(GNTTABOP_copy, &op, 1), 0, "copy");
	return op.status;
}

static struct gnttab_copy by_frame(const void *from, uint16_t from_at, const void *to,
				   uint16_t to_at, uint16_t len)
{
	return (struct gnttab_copy){
		.source = { .u.gmfn = page_mfn(from), .domid = DOMID_SELF, .offset = from_at },
		.dest = { .u.gmfn = page_mfn(to), .domid = DOMID_SELF, .offset = to_at },
		.len = len,
	};
}

static void copies(void)
{
	char *a = page_alloc(), *b = page_alloc();
	struct gnttab_copy op;

	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		a[i] = (char)i;
	check_eq(copy(by_frame(a, 0, b, 0, 4096)), GNTST_okay, "a whole page by frames");
	check(memcmp(a, b, PAGE_SIZE) == 0, "is copied");
	check_eq(copy(by_frame(a, 3, b, 1001, 77)), GNTST_okay, "a piece");
	check(memcmp(a + 3, b + 1001, 77) == 0 && b[1000] == a[1000] && b[1078] == a[1078],
	      "is copied, and no more");
	check_eq(copy(by_frame(a, 0, b, 0, 0)), GNTST_okay, "nothing");
	check_refused(copy(by_frame(a, 1, b, 0, 4096)), "across the end of the source");
	check_refused(copy(by_frame(a, 0, b, 1, 4096)), "across the end of the target");
	check_refused(copy(by_frame(a, 0xffff, b, 0, 2)), "an offset beyond the page");
	check_refused(copy(by_frame(a, 0, b, 0, 0xffff)), "a length beyond the page");
	check_refused(copy(by_frame(a, 0, page_root(), 0, 8)), "onto a page table");
	op = by_frame(a, 0, b, 0, 8);
	op.source.u.gmfn = 1UL << 40;
	check_refused(copy(op), "from no memory");
	op = by_frame(a, 0, b, 0, 8);
	op.dest.u.gmfn = 1UL << 40;
	check_refused(copy(op), "to no memory");
	op = by_frame(a, 0, b, 0, 8);
	op.source.domid = 4711;
	check_refused(copy(op), "from a domain that isn't there");
	grant(20, a, GTF_permit_access | GTF_readonly);
	grant(21, b, GTF_permit_access);
	memset(b, 0, PAGE_SIZE);
	op = by_frame(a, 0, b, 0, 100);
	op.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref;
	op.source.u.ref = 20;
	op.dest.u.ref = 21;
	check_eq(copy(op), GNTST_okay, "by references");
	check(memcmp(a, b, 100) == 0, "is copied");
	check((table[20].flags & (GTF_reading | GTF_writing)) == 0, "and the entry is free again");
	op.source.u.ref = 21;
	op.dest.u.ref = 20;
	check_refused(copy(op), "into a read-only grant");
	op.dest.u.ref = NO_REF;
	check_refused(copy(op), "into a reference beyond the table");
	op.dest.u.ref = 22;
	check_refused(copy(op), "into an entry that grants nothing");
	table[20].flags = table[21].flags = 0;
}

static void others(void)
{
	struct gnttab_get_version get = { .dom = DOMID_SELF };
	struct gnttab_get_status_frames frames = { .dom = DOMID_SELF, .nr_frames = 1 };
	struct gnttab_transfer transfer = { .mfn = page_mfn(page_alloc()), .domid = self,
					    .ref = 30 };
	struct gnttab_swap_grant_ref swap = { .ref_a = NO_REF, .ref_b = 30 };
	struct gnttab_unmap_and_replace replace = { .host_addr = TEST_VA, .new_addr = TEST2_VA,
						    .handle = ~0u };
	long result;

	result = hyp_grant_table_op(GNTTABOP_get_version, &get, 1);
	check(result == -ENOSYS || (result == 0 && get.version == 1), "get_version");
	result = hyp_grant_table_op(GNTTABOP_get_status_frames, &frames, 1);
	check(result < 0 || frames.status < 0, "status frames in version 1: %ld %d", result,
	      frames.status);
	result = hyp_grant_table_op(GNTTABOP_transfer, &transfer, 1);
	check(result < 0 || transfer.status < 0, "a transfer nobody accepts: %ld %d", result,
	      transfer.status);
	result = hyp_grant_table_op(GNTTABOP_swap_grant_ref, &swap, 1);
	check(result < 0 || swap.status < 0, "swap with a reference beyond the table: %ld %d",
	      result, swap.status);
	result = hyp_grant_table_op(GNTTABOP_unmap_and_replace, &replace, 1);
	check(result < 0 || replace.status < 0, "replace by handle -1: %ld %d", result,
	      replace.status);
	check_eq(hyp_grant_table_op(13, &get, 1), -ENOSYS, "command 13");
	check_refused(hyp_grant_table_op(GNTTABOP_copy, (void *)0xffff830000000000, 1),
		      "operations in the hypervisor");
	check_refused(hyp_grant_table_op(GNTTABOP_map_grant_ref, (void *)0x7000000000, 1),
		      "operations nowhere");
	check_refused(hyp_grant_table_op(GNTTABOP_copy, (void *)0x7000000000, ~0u),
		      "2^32 - 1 operations");
	check_eq(hyp_grant_table_op(GNTTABOP_copy, NULL, 0), 0, "no operations");
}

void test_main(void)
{
	set_up();
	mapping();
	bad_mappings();
	copies();
	others();
}
