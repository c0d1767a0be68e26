/* SPDX-License-Identifier: MIT */
/*
 * Hostile kernels: ELF headers, notes and boot headers of the fuzzer's choice, and what is planned
 * from them. What is accepted must be inside the file, outside of the hypervisor's range and inside
 * the guest's memory. The first byte chooses: the input is the file, or it is a list of changes
 * (place and value, 2 and 8 bytes) to a good kernel, cut at its last two bytes.
 *
 * Links: toolstack/build/bzimage.c hypervisor/lib/elf.c hypervisor/lib/pvimage.c
 * Links: tests/fake/elf_image.c
 */
#include <stdlib.h>
#include <string.h>

#include "build/bzimage.h"
#include "fake/elf_image.h"
#include "lib/elf.h"
#include "lib/pvimage.h"

#define NR_PAGES 65536UL	/* 256 MiB */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_or_bug)
{
	if (!true_or_bug)
		abort();
}

/* Every frame that is asked about is the guest's. */
static uint64_t mfn_of(void *context, uint64_t pfn)
{
	(void)context;
	require(pfn < NR_PAGES);
	return pfn + 0x1000;
}

static void check_plan(const struct pv_kernel *kernel, uint64_t initrd_size, bool rings)
{
	static uint64_t entries[512];
	const struct pv_request request = { NR_PAGES, initrd_size, rings };
	struct start_info info = { 0 };
	struct pv_plan plan;
	const char *why = NULL;
	int rc = pv_plan_make(&plan, kernel, &request, &why);

	if (rc) {
		require((rc == -12 || rc == -22) && why);
		return;
	}
	require(plan.used <= NR_PAGES && kernel->end_pfn <= plan.start_info.pfn);
	for (uint64_t i = 0; i < plan.nr_tables; i++) {
		require(pv_plan_table_pfn(&plan, i) < plan.used);
		pv_plan_fill_table(&plan, i, entries, mfn_of, NULL);
		for (int e = 256; i == 0 && e < 272; e++)
			require(entries[e] == 0);
	}
	pv_plan_fill_start_info(&plan, &info);
	require(info.nr_pages == NR_PAGES);
}

static void check_elf(const uint8_t *data, size_t size)
{
	struct pv_kernel kernel;
	struct elf_file elf;
	const char *why = NULL;

	if (elf_parse(&elf, data, size, &why)) {
		require(why);
		return;
	}
	for (uint32_t i = 0; i < elf.nr_segments; i++) {
		const struct elf_segment *segment = &elf.segments[i];

		require(segment->filesz <= size && segment->offset <= size - segment->filesz);
		require(segment->filesz <= segment->memsz);
	}
	if (pv_kernel_parse(&kernel, &elf, &why)) {
		require(why);
		return;
	}
	require(kernel.first_pfn < kernel.end_pfn);
	require(!kernel.has_hypercall_page || kernel.hypercall_pfn < kernel.end_pfn);
	check_plan(&kernel, 0, true);
	check_plan(&kernel, size * 1000, size & 1);
}

/* A good kernel with the changes that the input lists, in memory of exactly its size. */
static void check_changed(bool like_linux, const uint8_t *data, size_t size)
{
	static struct elf_image image;
	uint16_t at;
	uint8_t *copy;

	if (like_linux)
		elf_image_linux(&image);
	else
		elf_image_small(&image);
	for (; size >= sizeof(at) + 8; data += sizeof(at) + 8, size -= sizeof(at) + 8) {
		memcpy(&at, data, sizeof(at));
		memcpy(image.data + at % (image.size - 8), data + sizeof(at), 8);
	}
	if (size >= sizeof(at)) {
		memcpy(&at, data, sizeof(at));
		image.size -= at % image.size;
	}
	copy = malloc(image.size);
	memcpy(copy, image.data, image.size);
	check_elf(copy, image.size);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bzimage image;
	const char *why = NULL;

	if (size < 7)
		return 0;
	if (data[0] & 1) {
		check_changed(data[0] & 2, data + 1, size - 1);
		return 0;
	}
	check_elf(data + 1, size - 1);
	if (bzimage_is(data + 1, size - 1) &&
	    !bzimage_parse(&image, data + 1, size - 1, size + 10000, &why))
		require(image.length <= size + 10000 &&
			image.offset <= size + 10000 - image.length);
	bzimage_unpacker(data + 1);
	return 0;
}
