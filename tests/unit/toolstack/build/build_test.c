/* SPDX-License-Identifier: MIT */
/*
 * A guest is built as the plan says: its memory holds the kernel's segments and the initrd, its
 * page tables lead to them, start_info tells of them, and dom0 can reach its rings. Every step that
 * fails is told, and nothing stays mapped.
 * Links: toolstack/hyp/grants.c
 * Links: toolstack/build/build.c toolstack/build/memory.c toolstack/build/image.c
 * Links: toolstack/build/unpack.c toolstack/build/unxz.c
 * Links: toolstack/build/bzimage.c toolstack/build/cache.c toolstack/build/data.c
 * Links: toolstack/lib/error.c
 * Links: toolstack/lib/file.c hypervisor/lib/elf.c hypervisor/lib/pvimage.c tests/fake/hyp.c
 * Links: tests/fake/elf_image.c
 * Links: tests/unit/support/failing_alloc.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/grant_table.h"
#include "build/build.h"
#include "build/cache.h"
#include "fake/elf_image.h"
#include "fake/hyp.h"
#include "unit/support/failing_alloc.h"

#define MEMORY_KIB (64 * 1024)

static struct elf_image file;
static char folder[] = "/tmp/build_test-XXXXXX", kernel[64], initrd[64];

static void put_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static int setup(void **state)
{
	uint8_t bytes[5000];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(kernel, sizeof(kernel), "%s/kernel", folder);
	snprintf(initrd, sizeof(initrd), "%s/initrd", folder);
	cache_folder = folder;
	memset(bytes, 0x5a, sizeof(bytes));
	put_file(initrd, bytes, sizeof(bytes));
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

struct built {
	struct image image;
	struct pv_plan plan;
	struct build_result pages;
	uint32_t domid;
	struct hyp *hyp;
	struct error err;
};

static const struct build_request request = {
	.cmdline = "console=hvc0 quiet",
	.memory_max_kib = 2 * MEMORY_KIB,
	.store_port = 3,
	.console_port = 4,
};

static void prepare(struct built *b)
{
	const struct xen_domctl_createdomain config = { .max_vcpus = 1 };

	fake_hyp_reset(MEMORY_KIB / 4 + 100);
	put_file(kernel, file.data, file.size);
	assert_int_equal(image_open(&b->image, kernel, initrd, &b->err), 0);
	assert_int_equal(build_plan(&b->plan, &b->image, MEMORY_KIB, &b->err), 0);
	assert_int_equal(hyp_open(&b->hyp, &b->err), 0);
	assert_int_equal(hyp_domain_create(b->hyp, &b->domid, &config), 0);
}

static int build(struct built *b)
{
	return build_domain(b->hyp, b->domid, &b->image, &b->plan, &request, &b->pages, NULL, NULL,
			    &b->err);
}

static void finish(struct built *b)
{
	assert_int_equal(fake_hyp_mapped(), 0);
	hyp_domain_destroy(b->hyp, b->domid);
	hyp_close(b->hyp);
	image_close(&b->image);
}

/*
 * The guest's byte at a virtual address, through its page tables as the processor would walk them.
 */
static uint8_t *guest(const struct built *b, uint64_t va)
{
	uint64_t mfn = fake_hyp_domain(b->domid)->context.ctrlreg[3] >> 12;

	for (int shift = 39; shift >= 12; shift -= 9) {
		uint64_t entry = ((uint64_t *)fake_hyp_frame(mfn))[va >> shift & 511];

		assert_int_equal(entry & 5, 5);
		mfn = entry >> 12;
	}
	return (uint8_t *)fake_hyp_frame(mfn) + va % 4096;
}

static void check_start_info(const struct built *b)
{
	const struct fake_domain *domain = fake_hyp_domain(b->domid);
	const struct start_info *info = (void *)guest(b, domain->context.user_regs.rsi);

	assert_memory_equal(info->magic, "xen-3.0-x86_64", 15);
	assert_int_equal(info->nr_pages, MEMORY_KIB / 4);
	assert_int_equal(info->shared_info, domain->info.shared_info_frame * 4096);
	assert_int_equal(info->store_evtchn, 3);
	assert_int_equal(info->console.domU.evtchn, 4);
	assert_int_equal(info->store_mfn, b->pages.store_mfn);
	assert_int_equal(info->console.domU.mfn, b->pages.console_mfn);
	assert_string_equal((const char *)info->cmd_line, "console=hvc0 quiet");
	for (uint64_t pfn = 0; pfn < MEMORY_KIB / 4; pfn += 777) {
		uint64_t mfn = *(uint64_t *)guest(b, info->mfn_list + pfn * 8);

		if (pfn < b->plan.boot.nr_mapped)
			assert_ptr_equal(guest(b, b->plan.kernel.virt_base + pfn * 4096),
					 fake_hyp_frame(mfn));
	}
}

static void check_domain(const struct built *b)
{
	const struct fake_domain *domain = fake_hyp_domain(b->domid);
	const struct grant_entry_v1 *grants = fake_hyp_frame(domain->grant_frame);
	const struct shared_info *shared = fake_hyp_frame(domain->info.shared_info_frame);

	assert_int_equal(domain->info.tot_pages, MEMORY_KIB / 4);
	assert_int_equal(domain->map_bytes, 2UL * MEMORY_KIB * 1024);
	assert_int_equal(domain->pinned, domain->context.ctrlreg[3] >> 12);
	assert_int_equal(domain->context.user_regs.rip, b->plan.kernel.entry);
	assert_int_equal(grants[GNTTAB_RESERVED_CONSOLE].frame, b->pages.console_mfn);
	assert_int_equal(grants[GNTTAB_RESERVED_XENSTORE].frame, b->pages.store_mfn);
	assert_int_equal(grants[GNTTAB_RESERVED_XENSTORE].flags, GTF_permit_access);
	assert_int_equal(shared->vcpu_info[31].evtchn_upcall_mask, 1);
}

static void a_kernel_like_linux_is_built(void **state)
{
	struct built b = { 0 };
	const uint64_t *list;

	(void)state;
	elf_image_linux(&file);
	prepare(&b);
	assert_int_equal(build(&b), 0);
	check_start_info(&b);
	check_domain(&b);
	assert_int_equal(*guest(&b, 0xffffffff81000000), 0xaa);
	assert_int_equal(*guest(&b, 0xffffffff81002fff), 0xaa);
	assert_int_equal(*guest(&b, 0xffffffff81003000), 0);
	assert_int_equal(*guest(&b, 0xffffffff81200000), 0xbb);	/* by physical address */
	assert_int_equal(*guest(&b, 0xffffffff81202233), 0xcc);
	assert_int_equal(*guest(&b, 0xffffffff81202234), 0);
	/* The initrd is told by frame, so it is found through the list. */
	list = (const uint64_t *)guest(&b, 512UL << 30);
	assert_int_equal(*(uint8_t *)fake_hyp_frame(list[b.plan.initrd.pfn]), 0x5a);
	assert_int_equal(((uint8_t *)fake_hyp_frame(list[b.plan.initrd.pfn + 1]))[903], 0x5a);
	assert_int_equal(((uint8_t *)fake_hyp_frame(list[b.plan.initrd.pfn + 1]))[904], 0);
	finish(&b);
}

static void a_small_kernel_is_built(void **state)
{
	struct built b = { 0 };

	(void)state;
	elf_image_small(&file);
	prepare(&b);
	assert_int_equal(build(&b), 0);
	check_start_info(&b);
	check_domain(&b);
	assert_int_equal(*guest(&b, 0x4027ff), 0x11);
	assert_int_equal(*guest(&b, 0x402800), 0);
	assert_int_equal(*guest(&b, 0x403000), 0x22);
	assert_int_equal(*guest(&b, b.plan.initrd_start + 4999), 0x5a);
	assert_ptr_equal(guest(&b, 0x402000),
			 fake_hyp_frame(fake_hyp_domain(b.domid)->hypercall_page));
	finish(&b);
}

static void every_refusal_is_told(void **state)
{
	unsigned n = 0;
	bool failed;

	(void)state;
	elf_image_small(&file);
	do {
		struct built b = { 0 };
		int rc;

		prepare(&b);
		fake_hyp_fail_at(++n);
		rc = build(&b);
		failed = fake_hyp_failed();
		/* Asking for 2 MiB extents may fail: small ones do as well. */
		if (rc)
			assert_true(failed && b.err.text[0] && b.err.code != ERROR_NONE);
		else
			assert_int_equal(fake_hyp_domain(b.domid)->info.tot_pages, MEMORY_KIB / 4);
		finish(&b);
	} while (failed);
	assert_true(n > 8);
}

static void every_allocation_may_fail(void **state)
{
	unsigned n = 0;
	bool failed;

	(void)state;
	elf_image_small(&file);
	do {
		struct built b = { 0 };
		int rc;

		prepare(&b);
		failing_alloc_arm(++n);
		rc = build(&b);
		failed = failing_alloc_hit();
		failing_alloc_arm(0);
		if (failed && rc)
			assert_true(b.err.code == ERROR_NO_MEMORY || b.err.code == ERROR_HYPERCALL);
		finish(&b);
	} while (failed);
	assert_true(n > 3);
}

static void a_full_host_is_told_with_what_it_has(void **state)
{
	struct built b = { 0 };

	(void)state;
	elf_image_small(&file);
	prepare(&b);
	fake_hyp_reset(MEMORY_KIB / 4 - 1);
	assert_int_equal(hyp_domain_create(b.hyp, &b.domid, &(struct xen_domctl_createdomain){ 0 }),
			 0);
	assert_int_equal(build(&b), -1);
	assert_int_equal(b.err.code, ERROR_NO_MEMORY);
	assert_non_null(strstr(b.err.text, "64 MiB"));
	finish(&b);
}

static void a_file_that_shrinks_meanwhile_is_told(void **state)
{
	struct built b = { 0 };

	(void)state;
	elf_image_small(&file);
	prepare(&b);
	assert_int_equal(truncate(initrd, 100), 0);
	assert_int_equal(build(&b), -1);
	assert_int_equal(b.err.code, ERROR_FILE);
	assert_int_equal(truncate(initrd, 5000), 0);
	finish(&b);
}

static void what_does_not_fit_is_refused_before(void **state)
{
	struct image image;
	struct pv_plan plan;
	struct error err;

	(void)state;
	elf_image_linux(&file);
	put_file(kernel, file.data, file.size);
	assert_int_equal(image_open(&image, kernel, NULL, &err), 0);
	assert_int_equal(build_plan(&plan, &image, 16 * 1024, &err), -1);
	assert_int_equal(err.code, ERROR_KERNEL);
	assert_non_null(strstr(err.text, "16 MiB"));
	image_close(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_like_linux_is_built),
		cmocka_unit_test(a_small_kernel_is_built),
		cmocka_unit_test(every_refusal_is_told),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(a_full_host_is_told_with_what_it_has),
		cmocka_unit_test(a_file_that_shrinks_meanwhile_is_told),
		cmocka_unit_test(what_does_not_fit_is_refused_before),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
