/* SPDX-License-Identifier: MIT */
/*
 * A new guest's memory, and what is written to it: see build/internal.h. Foreign frames are mapped
 * in big batches.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "build/internal.h"
#include "lib/file.h"

#define LARGE_ORDER                                                                                \
	9U /* 2 MiB: few extents to ask for, and a large page's worth of contiguous memory */
#define LARGE (1UL << LARGE_ORDER)
#define COPY_FRAMES 4096UL	/* frames of a file that are mapped at a time */
#define MAP_FRAMES 65536UL	/* frames that are asked for at a time, so that progress is seen */

static int no_memory(struct builder *b, int rc)
{
	struct xen_sysctl_physinfo host;
	unsigned long want = b->plan->request.nr_pages >> 8;

	if (rc < 0 && rc != -ENOMEM)
		return error_set(b->err, ERROR_HYPERCALL,
				 "the hypervisor refuses to give memory: %s", error_text(rc));
	if (hyp_host_physinfo(b->hyp, &host))
		return error_set(b->err, ERROR_NO_MEMORY, "the host has no %lu MiB free", want);
	return error_set(
		b->err, ERROR_NO_MEMORY,
		"the host has no %lu MiB free, only %llu beside what the guest already took; stop "
		"another guest or give less",
		want, (unsigned long long)host.free_pages >> 8);
}

/* Populate as many whole 2 MiB extents as there are; *pfn advances over them. */
static int populate_large(struct builder *b, uint64_t *pfn)
{
	unsigned n = (unsigned)(b->plan->request.nr_pages / LARGE);
	uint64_t *extents;
	int done;

	if (n == 0)
		return 0;
	extents = malloc(n * sizeof(*extents));
	if (!extents)
		return error_set(b->err, ERROR_NO_MEMORY, "out of memory");
	for (unsigned i = 0; i < n; i++)
		extents[i] = i * LARGE;
	done = hyp_memory_populate(b->hyp, b->domid, LARGE_ORDER, extents, n);
	for (int i = 0; i < done; i++) {
		for (unsigned j = 0; j < LARGE; j++)
			b->mfns[*pfn + j] = extents[i] + j;
		*pfn += LARGE;
	}
	free(extents);
	return 0;
}

int build_populate(struct builder *b)
{
	uint64_t pfn = 0, nr_pages = b->plan->request.nr_pages;

	if (populate_large(b, &pfn))
		return -1;
	while (pfn < nr_pages) {
		unsigned n = (unsigned)(nr_pages - pfn < MAP_FRAMES ? nr_pages - pfn : MAP_FRAMES);
		int done;

		for (unsigned i = 0; i < n; i++)
			b->mfns[pfn + i] = pfn + i;
		done = hyp_memory_populate(b->hyp, b->domid, 0, b->mfns + pfn, n);
		if (done < (int)n)
			return no_memory(b, done);
		pfn += n;
	}
	return 0;
}

/* Map n of the guest's frames, given by machine frame number. */
static void *map_frames(struct builder *b, const uint64_t *mfns, unsigned n)
{
	void *va = NULL;
	int rc = hyp_foreign_map(b->hyp, b->domid, PROT_READ | PROT_WRITE, mfns, n, &va);

	if (rc)
		error_set(b->err, ERROR_HYPERCALL, "the guest's memory cannot be mapped: %s",
			  error_text(rc));
	return rc ? NULL : va;
}

/*
 * Copy len bytes of a file to the guest's pseudo-physical address to. Reads go into the guest's
 * frames without a detour.
 */
static int copy_file(struct builder *b, int fd, uint64_t offset, uint64_t to, uint64_t len)
{
	while (len) {
		uint64_t skip = to % HYP_PAGE_SIZE;
		uint64_t room = COPY_FRAMES * HYP_PAGE_SIZE - skip, n = len < room ? len : room;
		unsigned frames = (unsigned)((skip + n + HYP_PAGE_SIZE - 1) / HYP_PAGE_SIZE);
		uint8_t *va = map_frames(b, b->mfns + to / HYP_PAGE_SIZE, frames);
		int rc;

		if (!va)
			return -1;
		rc = file_read_at(fd, va + skip, n, (off_t)offset);
		hyp_unmap(va, frames);
		if (rc == -ENODATA)
			return error_set(b->err, ERROR_FILE,
					 "kernel or initrd became shorter while it was read");
		if (rc)
			return error_set(b->err, ERROR_FILE, "kernel or initrd cannot be read: %s",
					 error_text(rc));
		offset += n;
		to += n;
		len -= n;
		b->copied += n;
		if (b->progress)
			b->progress(b->context, b->copied, b->to_copy);
	}
	return 0;
}

/* Copy what is not zero of a segment. With act false: only add up the bytes. */
static int copy_segment(struct builder *b, const struct elf_segment *segment, bool act)
{
	uint64_t to = pv_kernel_segment_start(&b->plan->kernel, segment);
	uint64_t end = segment->offset + segment->filesz;
	int rc = 0;

	for (size_t i = 0; i < b->image->data.count && !rc; i++) {
		struct data_run run = b->image->data.run[i];

		if (run.start < segment->offset)
			run.start = segment->offset;
		if (run.end > end)
			run.end = end;
		if (run.start >= run.end)
			continue;
		if (act)
			rc = copy_file(b, b->image->kernel_fd, run.start,
				       to + (run.start - segment->offset), run.end - run.start);
		else
			b->to_copy += run.end - run.start;
	}
	return rc;
}

int build_copy(struct builder *b)
{
	const struct elf_file *elf = &b->image->elf;

	b->to_copy = b->image->initrd_size;
	for (uint32_t i = 0; i < elf->nr_segments; i++)
		copy_segment(b, &elf->segments[i], false);
	for (uint32_t i = 0; i < elf->nr_segments; i++) {
		if (copy_segment(b, &elf->segments[i], true))
			return -1;
	}
	return copy_file(b, b->image->initrd_fd, 0, b->plan->initrd.pfn * HYP_PAGE_SIZE,
			 b->image->initrd_size);
}

static uint64_t mfn_of(void *context, uint64_t pfn)
{
	const struct builder *b = context;

	return b->mfns[pfn];
}

static void write_start_info(struct builder *b, struct start_info *info)
{
	static const char magic[] = "xen-3.0-x86_64";
	const char *cmdline = b->request->cmdline ? b->request->cmdline : "";

	memset(info, 0, sizeof(*info));
	pv_plan_fill_start_info(b->plan, info);
	memcpy(info->magic, magic, sizeof(magic));
	info->flags |= SIF_VIRT_P2M_4TOOLS;	/* stream/ finds the P2M list by its address */
	info->shared_info = b->shared_info_mfn * HYP_PAGE_SIZE;
	info->store_mfn = b->mfns[b->plan->store.pfn];
	info->store_evtchn = b->request->store_port;
	info->console.domU.mfn = b->mfns[b->plan->console.pfn];
	info->console.domU.evtchn = b->request->console_port;
	strncpy((char *)info->cmd_line, cmdline, sizeof(info->cmd_line) - 1);
}

/* No vCPU takes events before its kernel is ready for them. */
static void write_shared_info(struct shared_info *shared)
{
	for (unsigned i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		shared->vcpu_info[i].evtchn_upcall_mask = 1;
}

int build_write(struct builder *b)
{
	const struct pv_plan *plan = b->plan;
	unsigned nr_list = (unsigned)plan->p2m.nr, nr_tables = (unsigned)plan->nr_tables;
	unsigned n = nr_list + nr_tables + 2;
	uint64_t *mfns = malloc(n * sizeof(*mfns));
	uint8_t *va;

	if (!mfns)
		return error_set(b->err, ERROR_NO_MEMORY, "out of memory");
	memcpy(mfns, b->mfns + plan->p2m.pfn, nr_list * sizeof(*mfns));
	for (unsigned i = 0; i < nr_tables; i++)
		mfns[nr_list + i] = b->mfns[pv_plan_table_pfn(plan, i)];
	mfns[n - 2] = b->mfns[plan->start_info.pfn];
	mfns[n - 1] = b->shared_info_mfn;
	va = map_frames(b, mfns, n);
	free(mfns);
	if (!va)
		return -1;
	memcpy(va, b->mfns, plan->request.nr_pages * sizeof(*b->mfns));
	for (unsigned i = 0; i < nr_tables; i++)
		pv_plan_fill_table(plan, i, (uint64_t *)(va + (nr_list + i) * HYP_PAGE_SIZE),
				   mfn_of, b);
	write_start_info(b, (struct start_info *)(va + (n - 2) * HYP_PAGE_SIZE));
	write_shared_info((struct shared_info *)(va + (n - 1) * HYP_PAGE_SIZE));
	hyp_unmap(va,
		  n); /* before the tables are pinned: they may not be writable from here then */
	return 0;
}

int build_grant(struct builder *b)
{
	int rc = hyp_grant_rings(b->hyp, b->domid, b->mfns[b->plan->console.pfn],
				 b->mfns[b->plan->store.pfn]);

	return rc ? error_set(b->err, ERROR_HYPERCALL,
			      "the guest's grant table cannot be written: %s", error_text(rc))
		  : 0;
}
