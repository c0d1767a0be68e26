/* SPDX-License-Identifier: MIT */
/*
 * A domain as an ELF core: its registers are threads, its memory stands at both of Linux's
 * addresses, zero and missing pages are holes, and every failure is told.
 * Links: toolstack/stream/core.c toolstack/stream/core_map.c
 * Links: toolstack/stream/p2m.c toolstack/stream/p2m_list.c toolstack/lib/
 * Links: tests/fake/hyp.c tests/fake/hyp_save.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake/hyp.h"
#include "stream/core.h"

enum {
	PAGES = 20,
	MISSING = 5,
	ZERO = 6,
	LEAF = 12,	/* of the P2M */
	MIDDLE = 13,
	ROOT = 14,
	L4 = 15,	/* page tables: L4 to L1 */
	L1 = 18,
};

#define STACK 0xffffc90000000000ull

static struct hyp *hyp;
static uint32_t domid;
static uint64_t mfns[PAGES];
static struct shared_info *shared;

/* A domain that keeps its P2M as old kernels do, with two vCPUs. */
static int setup(void **state)
{
	const struct xen_domctl_createdomain config = { .max_vcpus = 2 };
	struct vcpu_guest_context context = { .flags = VGCF_in_kernel, .gs_base_kernel = 0x77 };
	struct xen_domctl_getdomaininfo info;
	struct error err;

	(void)state;
	fake_hyp_reset(1024);
	domid = 0;
	assert_int_equal(hyp_open(&hyp, &err), 0);
	assert_int_equal(hyp_domain_create(hyp, &domid, &config), 0);
	assert_int_equal(hyp_domain_max_vcpus(hyp, domid, 2), 0);
	assert_int_equal(hyp_memory_populate(hyp, domid, 0, mfns, PAGES), PAGES);
	for (uint64_t i = 0; i < PAGES; i++)
		memset(fake_hyp_frame(mfns[i]), i == ZERO ? 0 : (int)(i + 1), HYP_PAGE_SIZE);
	for (uint64_t i = 0; i < PAGES; i++)
		((uint64_t *)fake_hyp_frame(mfns[LEAF]))[i] = i == MISSING ? ~0ull : mfns[i];
	*(uint64_t *)fake_hyp_frame(mfns[MIDDLE]) = mfns[LEAF];
	*(uint64_t *)fake_hyp_frame(mfns[ROOT]) = mfns[MIDDLE];
	hyp_domain_info(hyp, domid, &info);
	shared = fake_hyp_frame(info.shared_info_frame);
	shared->arch.max_pfn = PAGES;
	shared->arch.pfn_to_mfn_frame_list_list = mfns[ROOT];
	/* Two pages at STACK, then one elsewhere; and a table that maps itself. */
	for (unsigned i = L4; i <= L1; i++)
		memset(fake_hyp_frame(mfns[i]), 0, HYP_PAGE_SIZE);
	for (unsigned i = L4; i < L1; i++)
		((uint64_t *)fake_hyp_frame(mfns[i]))[i == L4 ? STACK >> 39 & 511 : 0] =
			mfns[i + 1] << 12 | 1;
	((uint64_t *)fake_hyp_frame(mfns[L1]))[3] = mfns[1] << 12 | 1;
	((uint64_t *)fake_hyp_frame(mfns[L1]))[4] = mfns[2] << 12 | 1;
	((uint64_t *)fake_hyp_frame(mfns[L1]))[5] = mfns[1] << 12 | 1;
	((uint64_t *)fake_hyp_frame(mfns[L1]))[6] = 0xfffff0001ull;
	((uint64_t *)fake_hyp_frame(mfns[L1]))[7] = mfns[1] << 12 | 1;
	((uint64_t *)fake_hyp_frame(mfns[L4]))[510] = mfns[L4] << 12 | 1;
	context.ctrlreg[3] = xen_pfn_to_cr3(mfns[L4]);
	context.user_regs.rip = CORE_KERNEL_IMAGE + 0x1234;
	context.user_regs.rsp = CORE_DIRECT_MAP + 0x2340;
	assert_int_equal(hyp_vcpu_set_context(hyp, domid, 0, &context), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hyp_close(hyp);
	return 0;
}

static unsigned calls;

static int count(void *context, uint64_t done, uint64_t all, struct error *err)
{
	assert_true(done <= all);
	calls++;
	return context ? error_set(err, ERROR_FILE, "enough") : 0;
}

static int file(void)
{
	return memfd_create("core", MFD_CLOEXEC);
}

static void is_what_gdb_reads(void **state)
{
	const struct core_request request = { count, NULL };
	int fd = file();
	struct error err;
	struct stat st;

	(void)state;
	assert_int_equal(core_write(hyp, domid, fd, &request, &err), 0);
	assert_int_equal(fake_hyp_mapped(), 0);
	assert_true(calls > 0);
	fstat(fd, &st);
	const uint8_t *core = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	const Elf64_Ehdr *head = (const void *)core;
	const Elf64_Phdr *segment = (const void *)(core + head->e_phoff);

	assert_memory_equal(head->e_ident, ELFMAG, SELFMAG);
	assert_int_equal(head->e_type, ET_CORE);
	assert_true(head->e_phnum >= 5);
	assert_int_equal(segment[0].p_type, PT_NOTE);
	assert_int_equal(segment[1].p_vaddr, CORE_DIRECT_MAP);
	assert_int_equal(segment[2].p_vaddr, STACK + 3 * HYP_PAGE_SIZE);
	assert_int_equal(segment[2].p_memsz, 2 * HYP_PAGE_SIZE);
	assert_int_equal(segment[2].p_paddr, HYP_PAGE_SIZE);
	assert_int_equal(core[segment[2].p_offset], 2);
	assert_int_equal(segment[3].p_vaddr, STACK + 5 * HYP_PAGE_SIZE);
	/* A page that is mapped again and again is there once. */
	assert_true(segment[4].p_vaddr > STACK + 7 * HYP_PAGE_SIZE);
	for (unsigned i = 2; i < head->e_phnum; i++)
		assert_true(segment[i].p_vaddr > segment[i - 1].p_vaddr);
	assert_int_equal(segment[head->e_phnum - 1].p_vaddr, CORE_KERNEL_IMAGE);
	assert_int_equal(segment[1].p_filesz, PAGES * HYP_PAGE_SIZE);
	assert_int_equal(segment[1].p_offset + segment[1].p_filesz, st.st_size);
	for (unsigned i = 0; i < PAGES; i++) {
		const uint8_t *page = core + segment[1].p_offset + i * HYP_PAGE_SIZE;

		if (i < LEAF)
			assert_int_equal(page[99], i == MISSING || i == ZERO ? 0 : i + 1);
		else if (i < ROOT)
			assert_memory_equal(page, fake_hyp_frame(mfns[i]), HYP_PAGE_SIZE);
	}
	/* The first note: a thread with the registers of vCPU 0. */
	const Elf64_Nhdr *note = (const void *)(core + segment[0].p_offset);
	struct elf_prstatus status;

	memcpy(&status, (const uint8_t *)(note + 1) + 8, sizeof(status));
	assert_int_equal(note->n_type, NT_PRSTATUS);
	assert_int_equal(note->n_descsz, sizeof(status));
	assert_string_equal((const char *)(note + 1), "CORE");
	assert_int_equal(status.pr_pid, 1);
	assert_int_equal(((const uint64_t *)&status.pr_reg)[16], CORE_KERNEL_IMAGE + 0x1234);
	assert_int_equal(((const uint64_t *)&status.pr_reg)[19], CORE_DIRECT_MAP + 0x2340);
	assert_int_equal(((const uint64_t *)&status.pr_reg)[22], 0x77);
	munmap((void *)(uintptr_t)core, (size_t)st.st_size);
	close(fd);
}

static void every_failure_is_told(void **state)
{
	const struct core_request request = { NULL, NULL }, stop = { count, &calls };
	struct error err;
	unsigned n = 0, told = 0;
	int fd = file(), rc;

	(void)state;
	do {
		err = (struct error){ 0 };
		fake_hyp_fail_at(++n);
		rc = core_write(hyp, domid, fd, &request, &err);
		/* Only a page table that cannot be read is no reason to have no core. */
		assert_int_equal(!!err.code, rc != 0);
		told += rc != 0;
		assert_int_equal(fake_hyp_mapped(), 0);
	} while (fake_hyp_failed());
	assert_true(told > 5 && told + 12 > n);
	fake_hyp_fail_at(0);
	assert_int_equal(core_write(hyp, domid, fd, &stop, &err), -1);
	assert_string_equal(err.text, "enough");
	close(fd);
	fd = open("/dev/full", O_RDWR);
	assert_int_equal(core_write(hyp, domid, fd, &request, &err), -1);
	assert_int_equal(err.code, ERROR_FILE);
	close(fd);
}

static void a_hostile_table_is_refused(void **state)
{
	const struct core_request request = { NULL, NULL };
	uint64_t *leaf = fake_hyp_frame(mfns[LEAF]);
	int fd = file();
	struct error err;

	(void)state;
	leaf[1] = 1;		/* not its own */
	assert_int_equal(core_write(hyp, domid, fd, &request, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	leaf[1] = leaf[2];	/* named twice */
	assert_int_equal(core_write(hyp, domid, fd, &request, &err), -1);
	shared->arch.max_pfn = ~0ul;
	assert_int_equal(core_write(hyp, domid, fd, &request, &err), -1);
	assert_int_equal(fake_hyp_mapped(), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_what_gdb_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(every_failure_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hostile_table_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
