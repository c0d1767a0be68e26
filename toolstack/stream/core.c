/* SPDX-License-Identifier: MIT */
/* A domain as an ELF core file: see core.h. */
#include "stream/core.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <unistd.h>

#include "stream/core_map.h"
#include "stream/format.h"
#include "stream/p2m.h"
#include "stream/page.h"

enum { BATCH = 256, FIXED = 3 };	/* segments: notes, direct map, kernel image */

/* A note of the CORE kind, as the kernel writes one for each thread. */
struct thread_note {
	Elf64_Nhdr header;
	char name[8];		/* "CORE" */
	struct elf_prstatus status;
} __attribute__((packed));

_Static_assert(sizeof(struct thread_note) % 4 == 0, "notes are aligned to 4");

struct core {
	struct hyp *hyp;
	uint32_t domid;
	int fd;
	const struct core_request *request;
	struct error *err;
	struct p2m p2m;
	struct thread_note *threads;
	unsigned nr_threads;
	uint64_t root;		/* the top page table of the first of them */
	struct core_map map;
	uint64_t pages_at;	/* offset in the file of PFN 0 */
	uint8_t copy[BATCH * HYP_PAGE_SIZE];
};

/* All of it, or -1 with err set. */
static int put(const struct core *core, const void *data, size_t len, uint64_t at)
{
	const char *from = data;

	while (len) {
		ssize_t n = pwrite(core->fd, from, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(core->err, ERROR_FILE, "cannot be written: %s",
					 error_text(-errno));
		from += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* ---- registers ---- */

static struct elf_prstatus status_of(unsigned vcpu, const struct vcpu_guest_context *context)
{
	struct elf_prstatus status = { .pr_pid = (int)vcpu + 1 };
	const struct cpu_user_regs *r = &context->user_regs;
	const uint64_t gs_base = context->flags & VGCF_in_kernel ? context->gs_base_kernel :
								   context->gs_base_user;
	/* The order of struct user_regs_struct. */
	const uint64_t regs[] = {
		r->r15, r->r14, r->r13, r->r12, r->rbp, r->rbx, r->r11, r->r10, r->r9, r->r8,
		r->rax, r->rcx, r->rdx, r->rsi, r->rdi, ~UINT64_C(0), r->rip, r->cs, r->rflags,
		r->rsp, r->ss, context->fs_base, gs_base, r->ds, r->es, r->fs, r->gs,
	};

	_Static_assert(sizeof(regs) == sizeof(status.pr_reg), "one word for each register");
	memcpy(&status.pr_reg, regs, sizeof(regs));
	return status;
}

/* The vCPUs that have run. */
static int read_threads(struct core *core, unsigned vcpus)
{
	struct vcpu_guest_context *context = malloc(sizeof(*context));
	int rc = 0;

	core->threads = calloc(vcpus, sizeof(*core->threads));
	if (!context || !core->threads) {
		free(context);
		return error_set(core->err, ERROR_NO_MEMORY, "out of memory");
	}
	for (unsigned i = 0; i < vcpus && !rc; i++) {
		struct thread_note *note = &core->threads[core->nr_threads];

		rc = hyp_vcpu_get_context(core->hyp, core->domid, i, context);
		if (rc == -ENODATA) {	/* it was never started */
			rc = 0;
			continue;
		}
		note->header = (Elf64_Nhdr){ 5, sizeof(note->status), NT_PRSTATUS };
		memcpy(note->name, "CORE", 5);
		note->status = status_of(i, context);
		if (!rc && !core->nr_threads)
			core->root = xen_cr3_to_pfn(context->ctrlreg[3]);
		core->nr_threads += !rc;
	}
	free(context);
	return rc ? error_set(core->err, ERROR_HYPERCALL,
			      "the hypervisor does not tell the guest's registers: %s",
			      error_text(rc))
		  : 0;
}

/* ---- headers ---- */

/* A piece of memory from pfn on, at this address. */
static Elf64_Phdr segment_of(const struct core *core, uint64_t va, uint64_t pfn, uint64_t pages)
{
	return (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = core->pages_at + pfn * HYP_PAGE_SIZE,
		.p_vaddr = va,
		.p_paddr = pfn * HYP_PAGE_SIZE,
		.p_filesz = pages * HYP_PAGE_SIZE,
		.p_memsz = pages * HYP_PAGE_SIZE,
		.p_align = HYP_PAGE_SIZE,
	};
}

/* By ascending address: the direct map, what was mapped, the kernel image in between. */
static void fill_segments(const struct core *core, Elf64_Phdr *segment)
{
	const uint64_t most = CORE_KERNEL_MAX / HYP_PAGE_SIZE, all = core->p2m.nr;
	const struct core_map *map = &core->map;
	bool image = false;

	*segment++ = segment_of(core, CORE_DIRECT_MAP, 0, all);
	for (unsigned i = 0; i <= map->nr; i++) {
		if (!image && (i == map->nr || map->pieces[i].va > CORE_KERNEL_IMAGE)) {
			*segment++ = segment_of(core, CORE_KERNEL_IMAGE, 0,
						all < most ? all : most);
			image = true;
		}
		if (i < map->nr)
			*segment++ = segment_of(core, map->pieces[i].va, map->pieces[i].pfn,
						map->pieces[i].pages);
	}
}

static int write_headers(struct core *core)
{
	const uint64_t notes = core->nr_threads * sizeof(*core->threads);
	const unsigned nr = FIXED + core->map.nr;
	const uint64_t notes_at = sizeof(Elf64_Ehdr) + nr * sizeof(Elf64_Phdr);
	const Elf64_Ehdr head = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)nr,
	};
	Elf64_Phdr *segments = calloc(nr, sizeof(*segments));
	int rc;

	if (!segments)
		return error_set(core->err, ERROR_NO_MEMORY, "out of memory");
	core->pages_at = (notes_at + notes + HYP_PAGE_SIZE - 1) & ~(HYP_PAGE_SIZE - 1);
	segments[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = notes,
				    .p_align = 4 };
	fill_segments(core, segments + 1);
	rc = put(core, &head, sizeof(head), 0) ||
	     put(core, segments, nr * sizeof(*segments), sizeof(head)) ||
	     put(core, core->threads, notes, notes_at);
	free(segments);
	return rc ? -1 : 0;
}

/* ---- memory ---- */

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, HYP_PAGE_SIZE - 1);
}

/* The pages of these PFNs, ascending: those in a row that are not zero in one write. */
static int write_batch(struct core *core, const uint64_t *pfns, const uint64_t *mfns, unsigned n)
{
	void *va;
	int rc = hyp_foreign_map(core->hyp, core->domid, PROT_READ, mfns, n, &va);

	if (rc)
		return error_set(core->err, ERROR_HYPERCALL,
				 "the guest's memory cannot be mapped: %s", error_text(rc));
	memcpy(core->copy, va, n * HYP_PAGE_SIZE);
	hyp_unmap(va, n);
	for (unsigned i = 0, run; i < n && !rc; i += run) {
		run = 0;
		while (i + run < n && pfns[i + run] == pfns[i] + run &&
		       !is_zero(core->copy + (i + run) * HYP_PAGE_SIZE))
			run++;
		if (run)
			rc = put(core, core->copy + i * HYP_PAGE_SIZE, run * HYP_PAGE_SIZE,
				 core->pages_at + pfns[i] * HYP_PAGE_SIZE);
		else
			run = 1;
	}
	return rc;
}

static int write_pages(struct core *core)
{
	const struct core_request *request = core->request;
	uint64_t pfns[BATCH], mfns[BATCH], done = 0;
	unsigned n = 0;
	int rc = 0;

	for (uint64_t pfn = 0; pfn < core->p2m.nr && !rc; pfn++) {
		if (core->p2m.mfn[pfn] != NO_FRAME) {
			pfns[n] = pfn;
			mfns[n++] = core->p2m.mfn[pfn];
		}
		if (n < BATCH && pfn + 1 < core->p2m.nr)
			continue;
		rc = n ? write_batch(core, pfns, mfns, n) : 0;
		done += n;
		n = 0;
		if (!rc && request->progress)
			rc = request->progress(request->context, done * HYP_PAGE_SIZE,
					       core->p2m.populated * HYP_PAGE_SIZE, core->err);
	}
	if (!rc && ftruncate(core->fd, (off_t)(core->pages_at + core->p2m.nr * HYP_PAGE_SIZE)))
		rc = error_set(core->err, ERROR_FILE, "cannot be written: %s",
			       error_text(-errno));
	return rc;
}

static int read_domain(struct core *core)
{
	struct xen_domctl_getdomaininfo info;
	void *shared;
	int rc = hyp_domain_info(core->hyp, core->domid, &info);

	if (!rc)
		rc = hyp_foreign_map(core->hyp, core->domid, PROT_READ,
				     &(uint64_t){ info.shared_info_frame }, 1, &shared);
	if (rc)
		return error_set(core->err, ERROR_HYPERCALL,
				 "the hypervisor does not tell of the guest: %s", error_text(rc));
	/* A guest may still write here through another's mapping: the reader gets a copy. */
	memcpy(core->copy, shared, HYP_PAGE_SIZE);
	hyp_unmap(shared, 1);
	if (p2m_read(&core->p2m, core->hyp, core->domid, (struct shared_info *)core->copy,
		     PFN_LIMIT(info.max_pages), core->err) ||
	    read_threads(core, info.max_vcpu_id + 1))
		return -1;
	return core_map_read(&core->map, core->hyp, core->domid, &core->p2m, core->root)
		       ? error_set(core->err, ERROR_NO_MEMORY, "out of memory")
		       : 0;
}

int core_write(struct hyp *hyp, uint32_t domid, int fd, const struct core_request *request,
	       struct error *err)
{
	struct core *core = calloc(1, sizeof(*core));
	int rc;

	if (!core)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	core->hyp = hyp;
	core->domid = domid;
	core->fd = fd;
	core->request = request;
	core->err = err;
	rc = read_domain(core) || write_headers(core) || write_pages(core) ? -1 : 0;
	p2m_free(&core->p2m);
	free(core->map.pieces);
	free(core->threads);
	free(core);
	return rc;
}
