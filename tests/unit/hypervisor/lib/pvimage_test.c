/* SPDX-License-Identifier: MIT */
/*
 * The plan of a PV guest's initial memory keeps the promises of "Start-of-day memory layout" in the
 * ABI. The page tables it writes are walked by a model of the processor, over all of what they map.
 * Links: hypervisor/lib/pvimage.c hypervisor/lib/elf.c tests/fake/elf_image.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "abi/elfnote.h"
#include "fake/elf_image.h"
#include "lib/pvimage.h"

#define MIB (1024UL * 1024)
#define MFN_OFFSET 0x100000UL	/* the model's machine frame of pfn 0 */

static struct elf_image image;

static int kernel_of_image(struct pv_kernel *kernel, const char **why)
{
	struct elf_file elf;

	assert_int_equal(elf_parse(&elf, image.data, image.size, why), 0);
	return pv_kernel_parse(kernel, &elf, why);
}

static void linux_kernel(struct pv_kernel *kernel)
{
	const char *why;

	elf_image_linux(&image);
	assert_int_equal(kernel_of_image(kernel, &why), 0);
}

static void small_kernel(struct pv_kernel *kernel)
{
	const char *why;

	elf_image_small(&image);
	assert_int_equal(kernel_of_image(kernel, &why), 0);
}

static void notes_become_a_kernel(void **state)
{
	struct pv_kernel kernel;

	(void)state;
	linux_kernel(&kernel);
	assert_int_equal(kernel.entry, 0xffffffff81000040);
	assert_int_equal(kernel.virt_base, 0xffffffff80000000);
	assert_int_equal(kernel.first_pfn, 0x1000);
	assert_int_equal(kernel.end_pfn, 0x1400);
	assert_int_equal(kernel.init_p2m, 512UL << 30);
	assert_true(kernel.has_init_p2m && kernel.initrd_by_pfn && kernel.suspend_cancel);
	assert_false(kernel.has_hypercall_page);

	small_kernel(&kernel);
	assert_int_equal(kernel.entry, 0x401010); /* the ELF header's, as there is no ENTRY note */
	assert_int_equal(kernel.first_pfn, 1);
	assert_int_equal(kernel.end_pfn, 5);
	assert_true(kernel.has_hypercall_page);
	assert_int_equal(kernel.hypercall_pfn, 2);
	assert_false(kernel.has_init_p2m || kernel.initrd_by_pfn);
}

/* Linux's notes with another or one more note. */
static void note_refused(uint32_t type, uint64_t value, const char *expected)
{
	struct pv_kernel kernel;
	const char *why = "";

	elf_image_linux(&image);
	image.nr_headers--;
	elf_image_note_number(&image, type, value);
	elf_image_notes_done(&image);
	assert_int_equal(kernel_of_image(&kernel, &why), -8);
	assert_string_equal(why, expected);
}

static void notes_that_cannot_be_kept_are_refused(void **state)
{
	const char *where = "it wants to be where a guest cannot be (VIRT_BASE)";

	(void)state;
	note_refused(XEN_ELFNOTE_ENTRY, 0xffffffff80000040,
		     "its entry lies outside of its segments");
	note_refused(XEN_ELFNOTE_ENTRY, 0xffffffff81400000,
		     "its entry lies outside of its segments");
	note_refused(XEN_ELFNOTE_VIRT_BASE, 0xffff800000000000, where);
	note_refused(XEN_ELFNOTE_VIRT_BASE, 0xffff87ffff000000, where);
	note_refused(XEN_ELFNOTE_VIRT_BASE, 0x00007fffff000000, where);
	note_refused(XEN_ELFNOTE_VIRT_BASE, 0xffffffffff000000, where);
	note_refused(XEN_ELFNOTE_VIRT_BASE, 0xffffffff80000800, where);
	note_refused(XEN_ELFNOTE_PADDR_OFFSET, 0x1000001,
		     "a segment lies outside of the memory that PADDR_OFFSET describes");
	note_refused(XEN_ELFNOTE_HYPERCALL_PAGE, 0xffffffff81000800,
		     "its hypercall page lies outside of its segments");
	note_refused(XEN_ELFNOTE_HYPERCALL_PAGE, 0xffffffff81400000,
		     "its hypercall page lies outside of its segments");
	note_refused(XEN_ELFNOTE_LOADER, 1,
		     "its Xen notes ask for another loader than \"generic\"");
	note_refused(XEN_ELFNOTE_XEN_VERSION, 1, "its Xen notes are for another ABI than xen-3.0");
	note_refused(XEN_ELFNOTE_HV_START_LOW, 0xffff900000000000,
		     "its Xen notes place the hypervisor where it is not (HV_START_LOW)");
}

static void kernels_for_others_are_refused(void **state)
{
	struct pv_kernel kernel;
	const char *why = "";

	(void)state;
	elf_image_start(&image, 0x1000);
	elf_image_load(&image, 0x1000, 0x1000, 16, 16, 0);
	assert_int_equal(kernel_of_image(&kernel, &why), -8);
	assert_string_equal(why, "it has no Xen notes, so it is not a kernel for PV guests");
	elf_image_note_number(&image, XEN_ELFNOTE_PHYS32_ENTRY, 0x1000);
	elf_image_notes_done(&image);
	assert_int_equal(kernel_of_image(&kernel, &why), -8);
	assert_string_equal(
		why, "its Xen notes have no PV entry, only one for PVH (Linux: CONFIG_XEN_PV)");

	elf_image_small(&image);
	image.nr_headers--;
	elf_image_note(&image, XEN_ELFNOTE_MOD_START_PFN, "yes", 3);
	elf_image_notes_done(&image);
	assert_int_equal(kernel_of_image(&kernel, &why), -8);
	assert_string_equal(why, "a Xen note that must be a number is not one");

	elf_image_small(&image);
	elf_image_load(&image, 0x404000, 0x4000, 16, 16, 0);
	assert_int_equal(kernel_of_image(&kernel, &why), -8);
	assert_string_equal(why, "two of its segments overlap");
}

/* --- A model of the machine ---------------------------------------------------------------- */

struct model {
	const struct pv_plan *plan;
	uint64_t (*tables)[512];
};

static uint64_t model_mfn(void *context, uint64_t pfn)
{
	const struct model *model = context;

	assert_true(pfn < model->plan->request.nr_pages);
	return pfn + MFN_OFFSET;
}

/* The entry that maps va, or 0; asserts that every table on the way is one of the plan's. */
static uint64_t model_walk(const struct model *model, uint64_t va)
{
	uint64_t pfn = model->plan->boot.level[4].pfn, entry = 0;

	for (int level = 4; level >= 1; level--) {
		uint64_t i;

		for (i = 0; i < model->plan->nr_tables && pv_plan_table_pfn(model->plan, i) != pfn;
		     i++)
			;
		assert_true(i < model->plan->nr_tables);
		entry = model->tables[i][va >> (12 + 9 * (level - 1)) & 511];
		if (!(entry & 1))
			return 0;
		assert_int_equal(entry & 0xfffUL & ~2UL, 0x65);
		pfn = (entry >> 12) - MFN_OFFSET;
	}
	return entry;
}

static uint64_t count_present(const struct model *model, uint64_t table)
{
	uint64_t n = 0;

	for (int e = 0; e < 512; e++)
		n += model->tables[table][e] & 1;
	return n;
}

/*
 * Everything that can be reached by the tables is what the plan says, and not one entry more is
 * present.
 */
static void check_tables(const struct pv_plan *plan)
{
	struct model model = { plan, calloc(plan->nr_tables, sizeof(*model.tables)) };
	uint64_t base = plan->kernel.virt_base, leaves = 0;
	uint64_t nr_list = plan->kernel.has_init_p2m ? plan->p2m.nr : 0;

	for (uint64_t i = 0; i < plan->nr_tables; i++)
		pv_plan_fill_table(plan, i, model.tables[i], model_mfn, &model);
	for (uint64_t pfn = 0; pfn < plan->boot.nr_mapped; pfn++) {
		bool table = pfn >= plan->boot.level[4].pfn &&
			     pfn < plan->boot.level[4].pfn + plan->nr_boot_tables;

		assert_int_equal(model_walk(&model, base + pfn * 4096),
				 (pfn + MFN_OFFSET) << 12 | (table ? 0x65 : 0x67));
	}
	for (uint64_t n = 0; n < nr_list; n++)
		assert_int_equal(model_walk(&model, plan->p2m_va + n * 4096),
				 (plan->p2m.pfn + n + MFN_OFFSET) << 12 | 0x67);
	for (uint64_t i = 0; i < plan->nr_tables; i++) {
		uint64_t pfn = pv_plan_table_pfn(plan, i);

		if (pfn - plan->boot.level[1].pfn < plan->boot.level[1].nr ||
		    (nr_list && pfn - plan->list.level[1].pfn < plan->list.level[1].nr))
			leaves += count_present(&model, i);
	}
	assert_int_equal(leaves, plan->boot.nr_mapped + nr_list);
	free(model.tables);
}

/* Parts follow each other without overlap in the given order. */
static void check_order(const struct pv_plan *plan)
{
	bool outside = plan->kernel.initrd_by_pfn, list = plan->kernel.has_init_p2m;
	const struct pv_part empty = { 0, 0 },
			     tables = { plan->boot.level[4].pfn, plan->nr_boot_tables };
	const struct pv_part parts[] = {
		{ plan->kernel.first_pfn, plan->kernel.end_pfn - plan->kernel.first_pfn },
		outside ? empty : plan->initrd,
		list ? empty : plan->p2m,
		plan->start_info,
		plan->store,
		plan->console,
		tables,
		plan->stack,
		outside ? plan->initrd : empty,
		list ? plan->p2m : empty,
		plan->list.level[3],
		plan->list.level[2],
		plan->list.level[1],
	};
	uint64_t next = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i].nr)
			continue;
		assert_true(parts[i].pfn >= next);
		next = parts[i].pfn + parts[i].nr;
	}
	assert_int_equal(next, plan->used);
	assert_true(plan->used <= plan->request.nr_pages);
}

static void check_plan(const struct pv_kernel *kernel, uint64_t nr_pages, uint64_t initrd,
		       bool rings)
{
	const struct pv_request request = { nr_pages, initrd, rings };
	uint64_t end_of_stack;
	struct pv_plan plan;
	const char *why = "";

	if (pv_plan_make(&plan, kernel, &request, &why)) {
		print_error("%s\n", why);
		fail();
	}
	check_order(&plan);
	assert_int_equal(plan.p2m.nr, (nr_pages + 511) / 512);
	assert_int_equal(plan.initrd.nr, (initrd + 4095) / 4096);
	assert_int_equal(plan.store.nr, rings);
	assert_int_equal(plan.console.nr, rings);
	end_of_stack = kernel->virt_base + (plan.stack.pfn + 1) * 4096;
	assert_int_equal(plan.stack_va, end_of_stack);
	assert_int_equal(plan.boot.end % (4 * MIB), 0);
	assert_true(plan.boot.end - end_of_stack >= 512 * 1024);
	assert_true(plan.boot.end - end_of_stack <= 512 * 1024 + 8 * MIB);
	check_tables(&plan);
}

static void plans_keep_the_layout(void **state)
{
	static const uint64_t initrds[] = { 0, 1, 4096, 3 * MIB + 5, 40 * MIB };
	struct pv_kernel kernel;

	(void)state;
	for (size_t i = 0; i < sizeof(initrds) / sizeof(initrds[0]); i++) {
		linux_kernel(&kernel);
		check_plan(&kernel, 128 * MIB / 4096, initrds[i], true);
		check_plan(&kernel, 512 * MIB / 4096 + 13, initrds[i], false);
		check_plan(&kernel, 9UL << 18, initrds[i], false);
		kernel.initrd_by_pfn = false;
		check_plan(&kernel, 128 * MIB / 4096, initrds[i], true);
		kernel.has_init_p2m = false;
		check_plan(&kernel, 128 * MIB / 4096, initrds[i], true);
		small_kernel(&kernel);
		check_plan(&kernel, 64 * MIB / 4096, initrds[i], true);
		check_plan(&kernel, 5UL << 18, initrds[i], false);
	}
	small_kernel(&kernel);
	check_plan(&kernel, 256, 0, true);	/* 1 MiB: the region reaches beyond the memory */
}

/*
 * The region's end moves over every boundary at which one more table, or one more level of them, is
 * needed.
 */
static void plans_hold_at_every_boundary(void **state)
{
	struct pv_kernel kernel;

	(void)state;
	small_kernel(&kernel);
	for (uint64_t initrd = 0; initrd < 9 * MIB; initrd += 61 * 4096)
		check_plan(&kernel, 16 * MIB / 4096, initrd, true);
	kernel.virt_base = (1UL << 30) - 4 * MIB;
	for (uint64_t initrd = 0; initrd < 9 * MIB; initrd += 509 * 4096)
		check_plan(&kernel, 16 * MIB / 4096, initrd, true);
	kernel.virt_base = (512UL << 30) - 4 * MIB - 4096;
	for (uint64_t initrd = 0; initrd < 9 * MIB; initrd += 509 * 4096)
		check_plan(&kernel, 16 * MIB / 4096, initrd, false);
	/* Up to the last 1 GiB of all addresses, where sums are about to wrap. */
	linux_kernel(&kernel);
	kernel.initrd_by_pfn = false;
	check_plan(&kernel, 5UL << 18, 1100 * MIB, true);
}

static void plans_that_cannot_be_are_refused(void **state)
{
	struct pv_request request = { 8 * MIB / 4096, 0, true };
	struct pv_kernel kernel;
	struct pv_plan plan;
	const char *why = "";

	(void)state;
	linux_kernel(&kernel);
	assert_int_equal(pv_plan_make(&plan, &kernel, &request, &why), -12);
	assert_string_equal(why,
			    "kernel, initrd and page tables don't fit into the guest's memory");
	request.nr_pages = 64 * MIB / 4096;
	request.initrd_size = 60 * MIB;
	assert_int_equal(pv_plan_make(&plan, &kernel, &request, &why), -12);
	request.initrd_size = UINT64_MAX;
	assert_int_equal(pv_plan_make(&plan, &kernel, &request, &why), -22);
	request.initrd_size = 0;
	kernel.init_p2m = 0xffff800000000000;
	assert_int_equal(pv_plan_make(&plan, &kernel, &request, &why), -22);
	kernel.init_p2m = 0xfffffffffffff000;
	assert_int_equal(pv_plan_make(&plan, &kernel, &request, &why), -22);
	assert_string_equal(why,
			    "the kernel wants the P2M list where a guest cannot be (INIT_P2M)");
	kernel.init_p2m = 0xffffff8000000000;	/* the kernel's own 512 GiB */
	assert_int_equal(pv_plan_make(&plan, &kernel, &request, &why), -22);
	assert_string_equal(why, "the kernel wants the P2M list too near to itself (INIT_P2M)");
	kernel.initrd_by_pfn = false;
	request.nr_pages = 1UL << 30;
	request.initrd_size = 2048 * MIB;
	assert_int_equal(pv_plan_make(&plan, &kernel, &request, &why), -22);
	assert_string_equal(why, "the kernel's initial region does not fit above VIRT_BASE");
}

static void start_info_tells_the_plan(void **state)
{
	struct pv_request request = { 128 * MIB / 4096, 5 * MIB + 1, true };
	struct start_info info = { 0 };
	struct pv_kernel kernel;
	struct pv_plan plan;
	const char *why;

	(void)state;
	linux_kernel(&kernel);
	assert_int_equal(pv_plan_make(&plan, &kernel, &request, &why), 0);
	pv_plan_fill_start_info(&plan, &info);
	assert_int_equal(info.nr_pages, 32768);
	assert_int_equal(info.pt_base, 0xffffffff80000000 + plan.boot.level[4].pfn * 4096);
	assert_int_equal(info.nr_pt_frames, plan.nr_boot_tables);
	assert_int_equal(info.mfn_list, 512UL << 30);
	assert_int_equal(info.first_p2m_pfn, plan.p2m.pfn);
	assert_int_equal(info.nr_p2m_frames, 64 + 3);
	assert_int_equal(info.mod_start, plan.initrd.pfn);
	assert_int_equal(info.mod_len, 5 * MIB + 1);
	assert_int_equal(info.flags, SIF_MOD_START_PFN);

	small_kernel(&kernel);
	memset(&info, 0, sizeof(info));
	assert_int_equal(pv_plan_make(&plan, &kernel, &request, &why), 0);
	pv_plan_fill_start_info(&plan, &info);
	assert_int_equal(info.mod_start, 0x400000 + plan.initrd.pfn * 4096);
	assert_int_equal(info.mfn_list, 0x400000 + plan.p2m.pfn * 4096);
	assert_int_equal(info.first_p2m_pfn, 0);
	assert_int_equal(info.flags, 0);
	request.initrd_size = 0;
	memset(&info, 0, sizeof(info));
	assert_int_equal(pv_plan_make(&plan, &kernel, &request, &why), 0);
	pv_plan_fill_start_info(&plan, &info);
	assert_int_equal(info.mod_start, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_become_a_kernel),
		cmocka_unit_test(notes_that_cannot_be_kept_are_refused),
		cmocka_unit_test(kernels_for_others_are_refused),
		cmocka_unit_test(plans_keep_the_layout),
		cmocka_unit_test(plans_hold_at_every_boundary),
		cmocka_unit_test(plans_that_cannot_be_are_refused),
		cmocka_unit_test(start_info_tells_the_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
