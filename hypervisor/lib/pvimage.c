/* SPDX-License-Identifier: MIT */
/* The plan of a PV guest's initial memory: see lib/pvimage.h. */
#include "lib/pvimage.h"

#include "abi/elfnote.h"

#define PAGE 4096ULL
#define SLACK (512ULL << 10)
#define REGION_ALIGN (4ULL << 20)
#define CANONICAL_HOLE_START 0x0000800000000000ULL
/* Bytes of a kernel or initrd, pages of a guest: no sum of these wraps. */
#define LIMIT (1ULL << 40)

/* present, writable, user, accessed, dirty: 64-bit PV kernels run in ring 3. */
#define ENTRY_FLAGS 0x67ULL
#define ENTRY_WRITABLE 0x02ULL

enum { NO_EXEC = -8, NO_MEM = -12, INVALID = -22 };

static int refuse(int rc, const char **why, const char *text)
{
	*why = text;
	return rc;
}

static uint64_t pages(uint64_t bytes)
{
	return bytes / PAGE + (bytes % PAGE != 0);
}

/*
 * May a guest use the virtual addresses [start, start + size)? The last page of all is left out, so
 * that no end wraps.
 */
static bool guest_range(uint64_t start, uint64_t size)
{
	uint64_t end = start + size;

	if (end < start)
		return false;
	return end <= CANONICAL_HOLE_START || start >= HYPERVISOR_VIRT_END;
}

/* --- Notes --------------------------------------------------------------------------------- */

/* Notes as they were found; bit n of seen is note type n. */
struct notes {
	uint32_t seen;
	uint64_t value[XEN_ELFNOTE_MAX + 1];
	const char *bad;
};

static bool text_is(const struct elf_note *note, const char *text)
{
	size_t len = __builtin_strlen(text);

	return note->desc_size >= len && !__builtin_memcmp(note->desc, text, len) &&
	       (note->desc_size == len || note->desc[len] == 0);
}

static int take_note(void *context, const struct elf_note *note)
{
	struct notes *notes = context;

	if (note->name_size != 4 || __builtin_memcmp(note->name, "Xen", 4) ||
	    note->type > XEN_ELFNOTE_MAX)
		return 0;
	notes->seen |= 1u << note->type;
	switch (note->type) {
	case XEN_ELFNOTE_ENTRY:
	case XEN_ELFNOTE_HYPERCALL_PAGE:
	case XEN_ELFNOTE_VIRT_BASE:
	case XEN_ELFNOTE_PADDR_OFFSET:
	case XEN_ELFNOTE_HV_START_LOW:
	case XEN_ELFNOTE_SUSPEND_CANCEL:
	case XEN_ELFNOTE_INIT_P2M:
	case XEN_ELFNOTE_MOD_START_PFN:
	case XEN_ELFNOTE_SUPPORTED_FEATURES:
		if (!elf_note_number(note, &notes->value[note->type]))
			notes->bad = "a Xen note that must be a number is not one";
		break;
	case XEN_ELFNOTE_XEN_VERSION:
		if (!text_is(note, "xen-3.0"))
			notes->bad = "its Xen notes are for another ABI than xen-3.0";
		break;
	case XEN_ELFNOTE_LOADER:
		if (!text_is(note, "generic"))
			notes->bad = "its Xen notes ask for another loader than \"generic\"";
		break;
	}
	return notes->bad ? NO_EXEC : 0;
}

static int check_notes(const struct notes *notes, const char **why)
{
	if (!(notes->seen & ((1u << XEN_ELFNOTE_ENTRY) | (1u << XEN_ELFNOTE_XEN_VERSION) |
			     (1u << XEN_ELFNOTE_GUEST_OS) | (1u << XEN_ELFNOTE_PHYS32_ENTRY))))
		return refuse(NO_EXEC, why,
			      "it has no Xen notes, so it is not a kernel for PV guests");
	if ((notes->seen & (1u << XEN_ELFNOTE_PHYS32_ENTRY)) &&
	    !(notes->seen & (1u << XEN_ELFNOTE_ENTRY)))
		return refuse(
			NO_EXEC, why,
			"its Xen notes have no PV entry, only one for PVH (Linux: CONFIG_XEN_PV)");
	if ((notes->seen & (1u << XEN_ELFNOTE_HV_START_LOW)) &&
	    notes->value[XEN_ELFNOTE_HV_START_LOW] > HYPERVISOR_VIRT_START)
		return refuse(NO_EXEC, why,
			      "its Xen notes place the hypervisor where it is not (HV_START_LOW)");
	return 0;
}

uint64_t pv_kernel_segment_start(const struct pv_kernel *kernel, const struct elf_segment *segment)
{
	return segment->paddr - kernel->paddr_offset;
}

/* Which frames do the segments cover, and do no two of them overlap? */
static int cover_segments(struct pv_kernel *kernel, const struct elf_file *elf, const char **why)
{
	uint64_t low = ~0ULL, high = 0;

	for (uint32_t i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *segment = &elf->segments[i];
		uint64_t start = pv_kernel_segment_start(kernel, segment);

		if (segment->paddr < kernel->paddr_offset || start + segment->memsz > LIMIT)
			return refuse(
				NO_EXEC, why,
				"a segment lies outside of the memory that PADDR_OFFSET describes");
		for (uint32_t j = 0; j < i; j++) {
			const struct elf_segment *other = &elf->segments[j];

			if (segment->paddr < other->paddr + other->memsz &&
			    other->paddr < segment->paddr + segment->memsz)
				return refuse(NO_EXEC, why, "two of its segments overlap");
		}
		if (start < low)
			low = start;
		if (start + segment->memsz > high)
			high = start + segment->memsz;
	}
	kernel->first_pfn = low / PAGE;
	kernel->end_pfn = pages(high);
	if (kernel->virt_base % PAGE || !guest_range(kernel->virt_base, kernel->end_pfn * PAGE))
		return refuse(NO_EXEC, why, "it wants to be where a guest cannot be (VIRT_BASE)");
	return 0;
}

/* Is the virtual address one of the kernel's own? */
static bool in_kernel(const struct pv_kernel *kernel, uint64_t va)
{
	return va >= kernel->virt_base + kernel->first_pfn * PAGE &&
	       va < kernel->virt_base + kernel->end_pfn * PAGE;
}

int pv_kernel_parse(struct pv_kernel *kernel, const struct elf_file *elf, const char **why)
{
	struct notes notes = { 0 };
	int rc = elf_each_note(elf, take_note, &notes, why);

	if (notes.bad)
		return refuse(NO_EXEC, why, notes.bad);
	if (!rc)
		rc = check_notes(&notes, why);
	if (rc)
		return rc;

	*kernel = (struct pv_kernel){
		.entry = (notes.seen & (1u << XEN_ELFNOTE_ENTRY)) ? notes.value[XEN_ELFNOTE_ENTRY]
								  : elf->entry,
		.virt_base = notes.value[XEN_ELFNOTE_VIRT_BASE],
		.paddr_offset = notes.value[XEN_ELFNOTE_PADDR_OFFSET],
		.init_p2m = notes.value[XEN_ELFNOTE_INIT_P2M],
		.has_init_p2m = notes.seen & (1u << XEN_ELFNOTE_INIT_P2M),
		.has_hypercall_page = notes.seen & (1u << XEN_ELFNOTE_HYPERCALL_PAGE),
		.initrd_by_pfn = notes.value[XEN_ELFNOTE_MOD_START_PFN] != 0,
		.suspend_cancel = notes.value[XEN_ELFNOTE_SUSPEND_CANCEL] != 0,
		.supported_features = (uint32_t)notes.value[XEN_ELFNOTE_SUPPORTED_FEATURES],
	};
	rc = cover_segments(kernel, elf, why);
	if (rc)
		return rc;
	if (!in_kernel(kernel, kernel->entry))
		return refuse(NO_EXEC, why, "its entry lies outside of its segments");
	if (kernel->has_hypercall_page) {
		uint64_t va = notes.value[XEN_ELFNOTE_HYPERCALL_PAGE];

		if (va % PAGE || !in_kernel(kernel, va))
			return refuse(NO_EXEC, why,
				      "its hypercall page lies outside of its segments");
		kernel->hypercall_pfn = (va - kernel->virt_base) / PAGE;
	}
	return 0;
}

/* --- Layout -------------------------------------------------------------------------------- */

static uint64_t round_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/* The bytes that one entry of a table of this level maps. */
static uint64_t entry_size(unsigned level)
{
	return PAGE << (9 * (level - 1));
}

/* How many tables of a level are needed for [start, end)? end > start. */
static uint64_t count_tables(unsigned level, uint64_t start, uint64_t end)
{
	uint64_t size = entry_size(level + 1);

	return (end - 1) / size - start / size + 1;
}

/* Take nr frames at *next. */
static struct pv_part take_part(uint64_t *next, uint64_t nr)
{
	struct pv_part part = { nr ? *next : 0, nr };

	*next += nr;
	return part;
}

/* Take the frames for tables of levels top to 1 over [start, end). Returns how many. */
static uint64_t take_tables(struct pv_tables *tables, uint64_t *next, unsigned top, uint64_t start,
			    uint64_t end)
{
	uint64_t before = *next;

	tables->start = start;
	tables->end = end;
	for (unsigned level = top; level >= 1; level--)
		tables->level[level] =
			take_part(next, level == 4 ? 1 : count_tables(level, start, end));
	return *next - before;
}

/*
 * The tables lie in the region that they map: take them, and if the region must grow for the slack
 * behind them, and so must the tables, again. Each round adds at least 4 MiB, one more table of
 * each level at most.
 */
static int plan_region(struct pv_plan *plan, uint64_t *next, const char **why)
{
	uint64_t base = plan->kernel.virt_base, first = *next, end = base + (first + 2) * PAGE;

	for (;;) {
		uint64_t need;

		*next = first;
		plan->nr_boot_tables = take_tables(&plan->boot, next, 4, base, end);
		plan->stack = take_part(next, 1);
		need = base + *next * PAGE + SLACK;
		if (!guest_range(base, need - base + REGION_ALIGN))
			return refuse(INVALID, why,
				      "the kernel's initial region does not fit above VIRT_BASE");
		need = round_up(need, REGION_ALIGN);
		if (need <= end)
			break;
		end = need;
	}
	plan->boot.first_pfn = 0;
	plan->boot.nr_mapped = (end - base) / PAGE;
	if (plan->boot.nr_mapped > plan->request.nr_pages)
		plan->boot.nr_mapped = plan->request.nr_pages;
	return 0;
}

/* The frames behind the region: what the kernel takes unmapped, or mapped elsewhere. */
static int plan_outside(struct pv_plan *plan, uint64_t *next, const char **why)
{
	const struct pv_kernel *kernel = &plan->kernel;
	uint64_t list_size = pages(plan->request.nr_pages * 8) * PAGE;
	uint64_t slot = entry_size(4), list = kernel->init_p2m;

	if (kernel->initrd_by_pfn)
		plan->initrd = take_part(next, pages(plan->request.initrd_size));
	if (!kernel->has_init_p2m)
		return 0;
	if (list % PAGE || list > ~0ULL - list_size || !guest_range(list, list_size))
		return refuse(INVALID, why,
			      "the kernel wants the P2M list where a guest cannot be (INIT_P2M)");
	if (list / slot <= (plan->boot.end - 1) / slot &&
	    (list + list_size - 1) / slot >= plan->boot.start / slot)
		return refuse(INVALID, why,
			      "the kernel wants the P2M list too near to itself (INIT_P2M)");
	plan->p2m = take_part(next, list_size / PAGE);
	take_tables(&plan->list, next, 3, list, list + list_size);
	plan->list.first_pfn = plan->p2m.pfn;
	plan->list.nr_mapped = plan->p2m.nr;
	plan->p2m_va = list;
	return 0;
}

static uint64_t part_va(const struct pv_plan *plan, uint64_t pfn)
{
	return plan->kernel.virt_base + pfn * PAGE;
}

int pv_plan_make(struct pv_plan *plan, const struct pv_kernel *kernel,
		 const struct pv_request *request, const char **why)
{
	uint64_t next = kernel->end_pfn, outside;
	int rc;

	*plan = (struct pv_plan){ .request = *request, .kernel = *kernel };
	if (request->nr_pages > LIMIT || request->initrd_size > LIMIT)
		return refuse(INVALID, why, "memory or initrd is too large");
	if (!kernel->initrd_by_pfn)
		plan->initrd = take_part(&next, pages(request->initrd_size));
	if (!kernel->has_init_p2m)
		plan->p2m = take_part(&next, pages(request->nr_pages * 8));
	plan->start_info = take_part(&next, 1);
	plan->store = take_part(&next, request->rings);
	plan->console = take_part(&next, request->rings);
	rc = plan_region(plan, &next, why);
	if (rc)
		return rc;
	outside = (plan->boot.end - plan->boot.start) / PAGE;
	plan->used = outside;
	rc = plan_outside(plan, &plan->used, why);
	if (rc)
		return rc;
	if (plan->used ==
	    outside) /* nothing lies behind the region, so it may reach beyond the memory */
		plan->used = next;
	if (plan->used > request->nr_pages)
		return refuse(NO_MEM, why,
			      "kernel, initrd and page tables don't fit into the guest's memory");

	plan->nr_tables = plan->nr_boot_tables;
	for (unsigned level = 1; level <= 3; level++)
		plan->nr_tables += plan->list.level[level].nr;
	if (!kernel->has_init_p2m)
		plan->p2m_va = part_va(plan, plan->p2m.pfn);
	if (plan->initrd.nr)
		plan->initrd_start =
			kernel->initrd_by_pfn ? plan->initrd.pfn : part_va(plan, plan->initrd.pfn);
	plan->start_info_va = part_va(plan, plan->start_info.pfn);
	plan->stack_va = part_va(plan, plan->stack.pfn + 1);
	return 0;
}

/* --- Page tables --------------------------------------------------------------------------- */

uint64_t pv_plan_table_pfn(const struct pv_plan *plan, uint64_t i)
{
	if (i < plan->nr_boot_tables)
		return plan->boot.level[4].pfn + i;
	return plan->list.level[3].pfn + (i - plan->nr_boot_tables);
}

/* Where the tables of a level begin to map: the start, rounded down to the reach of one table. */
static uint64_t level_base(const struct pv_tables *tables, unsigned level)
{
	return tables->start & ~(entry_size(level + 1) - 1);
}

/* Point the L4's entries for tables' range at its L3 tables. */
static void fill_top(const struct pv_tables *tables, uint64_t entries[512],
		     uint64_t (*mfn_of)(void *context, uint64_t pfn), void *context)
{
	uint64_t slot = tables->start / entry_size(4) % 512;

	for (uint64_t n = 0; n < tables->level[3].nr; n++)
		entries[slot + n] = mfn_of(context, tables->level[3].pfn + n) * PAGE | ENTRY_FLAGS;
}

/* Is a frame one of the boot tables? Those of the list are not mapped at all. */
static bool is_table(const struct pv_plan *plan, uint64_t pfn)
{
	return pfn - plan->boot.level[4].pfn < plan->nr_boot_tables;
}

/* Entry e of table n of a level; 0 is not present. */
static uint64_t table_entry(const struct pv_plan *plan, const struct pv_tables *tables,
			    unsigned level, uint64_t n, unsigned e,
			    uint64_t (*mfn_of)(void *context, uint64_t pfn), void *context)
{
	uint64_t va = level_base(tables, level) + n * entry_size(level + 1) + e * entry_size(level);
	uint64_t flags = ENTRY_FLAGS, pfn;

	if (va >= tables->end || va + (entry_size(level) - 1) < tables->start)
		return 0;
	if (level == 1) {
		if ((va - tables->start) / PAGE >= tables->nr_mapped)
			return 0;
		pfn = tables->first_pfn + (va - tables->start) / PAGE;
		if (is_table(plan, pfn))
			flags &= ~ENTRY_WRITABLE;
	} else {
		pfn = tables->level[level - 1].pfn +
		      (va - level_base(tables, level - 1)) / entry_size(level);
	}
	return mfn_of(context, pfn) * PAGE | flags;
}

void pv_plan_fill_table(const struct pv_plan *plan, uint64_t i, uint64_t entries[512],
			uint64_t (*mfn_of)(void *context, uint64_t pfn), void *context)
{
	const struct pv_tables *tables = i < plan->nr_boot_tables ? &plan->boot : &plan->list;
	uint64_t pfn = pv_plan_table_pfn(plan, i);
	unsigned level = 1;

	__builtin_memset(entries, 0, 512 * sizeof(*entries));
	if (i == 0) {
		fill_top(&plan->boot, entries, mfn_of, context);
		fill_top(&plan->list, entries, mfn_of, context);
		return;
	}
	while (pfn - tables->level[level].pfn >= tables->level[level].nr)
		level++;
	for (unsigned e = 0; e < 512; e++)
		entries[e] = table_entry(plan, tables, level, pfn - tables->level[level].pfn, e,
					 mfn_of, context);
}

void pv_plan_fill_start_info(const struct pv_plan *plan, struct start_info *info)
{
	info->nr_pages = plan->request.nr_pages;
	info->pt_base = part_va(plan, plan->boot.level[4].pfn);
	info->nr_pt_frames = plan->nr_boot_tables;
	info->mfn_list = plan->p2m_va;
	if (plan->kernel.has_init_p2m) {
		info->first_p2m_pfn = plan->p2m.pfn;
		info->nr_p2m_frames = plan->used - plan->p2m.pfn;
	}
	if (plan->initrd.nr) {
		info->mod_start = plan->initrd_start;
		info->mod_len = plan->request.initrd_size;
		if (plan->kernel.initrd_by_pfn)
			info->flags |= SIF_MOD_START_PFN;
	}
}
