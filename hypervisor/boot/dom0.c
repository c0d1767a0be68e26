/* SPDX-License-Identifier: MIT */
/*
 * The control domain's builder. lib/pvimage plans where everything goes; this allocates, copies,
 * writes the tables, and then has mm/ check them like any guest's: dom0 gets no entry that a guest
 * could not have made.
 */
#include "boot/dom0.h"
#include "abi/errno.h"
#include "boot/dom0_memory.h"
#include "console/log.h"
#include "dev/vga.h"
#include "domain/domain.h"
#include "hypercall/page.h"
#include "irq/irq.h"
#include "lib/assert.h"
#include "lib/pvimage.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define MIB_PAGES(mib) ((uint64_t)(mib) << 8)
#define RESERVE_PAGES                                                                              \
	MIB_PAGES(16) /* never given to dom0: heap for its tables and the first guests' */

uint64_t dom0_pages(const struct boot_options *o, uint64_t total, uint64_t free)
{
	uint64_t most = free > 2 * RESERVE_PAGES ? free - RESERVE_PAGES : free / 2;
	uint64_t pages = min(MIB_PAGES(256) + total / 16, MIB_PAGES(4096));

	if (o->dom0_mem)
		pages = o->dom0_mem >> PAGE_SHIFT;
	if (o->dom0_mem_min)
		pages = max(pages, o->dom0_mem_min >> PAGE_SHIFT);
	if (o->dom0_mem_max)
		pages = min(pages, o->dom0_mem_max >> PAGE_SHIFT);
	if (pages > most && (o->dom0_mem || o->dom0_mem_min))
		log_warning("dom0_mem: only %lu MiB are free for domain 0",
			    (unsigned long)(most >> 8));
	return min(pages, most);
}

/* Copy into consecutive pseudo-physical addresses. */
static void copy_in(const struct dom0_memory *m, uint64_t paddr, const void *from, uint64_t size)
{
	while (size) {
		uint64_t offset = paddr & (PAGE_SIZE - 1), n = min(size, PAGE_SIZE - offset);

		memcpy((char *)machine_va(dom0_memory_mfn(m, paddr >> PAGE_SHIFT)) + offset, from,
		       n);
		from = (const char *)from + n;
		paddr += n;
		size -= n;
	}
}

static void copy_kernel(const struct dom0_memory *m, const struct elf_file *elf,
			const struct pv_kernel *kernel)
{
	for (unsigned i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		copy_in(m, pv_kernel_segment_start(kernel, s), elf->data + s->offset, s->filesz);
	}
	if (kernel->has_hypercall_page)
		hypercall_page_write(machine_va(dom0_memory_mfn(m, kernel->hypercall_pfn)));
}

static uint64_t mfn_of(void *memory, uint64_t pfn)
{
	return dom0_memory_mfn(memory, pfn).n;
}

static void write_tables(struct dom0_memory *m, const struct pv_plan *plan)
{
	for (uint64_t i = 0; i < plan->nr_tables; i++) {
		mfn_t mfn = dom0_memory_mfn(m, pv_plan_table_pfn(plan, i));

		pv_plan_fill_table(plan, i, machine_va(mfn), mfn_of, m);
	}
}

static void write_p2m(const struct dom0_memory *m, const struct pv_plan *plan)
{
	for (uint64_t pfn = 0; pfn < plan->request.nr_pages; pfn++) {
		mfn_t mfn = dom0_memory_mfn(m, pfn);
		mfn_t page = dom0_memory_mfn(m, plan->p2m.pfn + pfn / 512);

		((uint64_t *)machine_va(page))[pfn % 512] = mfn.n;
		mm_m2p_set(mfn, pfn);
	}
}

static void fill_video(struct dom0_vga_console_info *out, const struct boot_video *video)
{
	if (video->kind == VIDEO_TEXT) {
		out->video_type = XEN_VGATYPE_TEXT_MODE_3;
		out->u.text_mode_3.font_height = 16;
		out->u.text_mode_3.rows = (uint16_t)video->height;
		out->u.text_mode_3.columns = (uint16_t)video->width;
		out->u.text_mode_3.cursor_y = (uint16_t)vga_cursor_row();
	} else if (video->kind == VIDEO_LFB) {
		out->video_type =
			boot_info.efi_system_table ? XEN_VGATYPE_EFI_LFB : XEN_VGATYPE_VESA_LFB;
		out->u.vesa_lfb.width = (uint16_t)video->width;
		out->u.vesa_lfb.height = (uint16_t)video->height;
		out->u.vesa_lfb.bytes_per_line = (uint16_t)video->pitch;
		out->u.vesa_lfb.bits_per_pixel = video->bpp;
		out->u.vesa_lfb.lfb_base = (uint32_t)video->address;
		out->u.vesa_lfb.ext_lfb_base = (uint32_t)(video->address >> 32);
		out->u.vesa_lfb.lfb_size =
			(uint32_t)DIV_ROUND_UP((uint64_t)video->pitch * video->height, 65536);
		out->u.vesa_lfb.red_pos = video->red_pos;
		out->u.vesa_lfb.red_size = video->red_size;
		out->u.vesa_lfb.green_pos = video->green_pos;
		out->u.vesa_lfb.green_size = video->green_size;
		out->u.vesa_lfb.blue_pos = video->blue_pos;
		out->u.vesa_lfb.blue_size = video->blue_size;
	}
}

/* start_info, and behind it in the same page what dom0 is told of the screen. */
static void write_start_info(const struct dom0_memory *m, const struct pv_plan *plan,
			     const struct domain *d, const struct boot_info *info)
{
	struct start_info *si = machine_va(dom0_memory_mfn(m, plan->start_info.pfn));
	const char *cmdline = info->module[0].cmdline;

	pv_plan_fill_start_info(plan, si);
	memcpy(si->magic, "xen-3.0-x86_64", sizeof("xen-3.0-x86_64"));
	si->shared_info = machine_mfn(d->shared).n << PAGE_SHIFT;
	si->flags |= SIF_PRIVILEGED | SIF_INITDOMAIN;
	memcpy(si->cmd_line, cmdline, strnlen(cmdline, MAX_GUEST_CMDLINE - 1));
	if (info->video.kind != VIDEO_NONE) {
		si->console.dom0.info_off = sizeof(*si);
		si->console.dom0.info_size = sizeof(struct dom0_vga_console_info);
		fill_video((struct dom0_vga_console_info *)(si + 1), &info->video);
	}
}

static void set_first_vcpu(struct domain *d, const struct dom0_memory *m,
			   const struct pv_plan *plan)
{
	struct vcpu_guest_context *ctx = heap_alloc(sizeof(*ctx));
	int rc;

	if (!ctx)
		panic("domain 0: no memory for its first context");
	ctx->flags = VGCF_in_kernel | VGCF_online;
	ctx->user_regs.rip = plan->kernel.entry;
	ctx->user_regs.rsp = plan->stack_va;
	ctx->user_regs.rsi = plan->start_info_va;
	ctx->user_regs.cs = FLAT_KERNEL_CS64;
	ctx->user_regs.ss = FLAT_KERNEL_SS64;
	ctx->kernel_ss = FLAT_KERNEL_SS64;
	ctx->kernel_sp = plan->stack_va;
	ctx->ctrlreg[3] = xen_pfn_to_cr3(dom0_memory_mfn(m, pv_plan_table_pfn(plan, 0)).n);
	do {
		machine_budget_start();
		rc = vcpu_set_context(d->vcpu[0], ctx);
		if (!rc) /* the ABI hands the first L4 over pinned */
			rc = mm_pin(&d->mm, dom0_memory_mfn(m, pv_plan_table_pfn(plan, 0)), 4);
	} while (rc == -ERESTART);
	if (rc)
		panic("domain 0: its first page tables are refused (%d)", rc);
	heap_free(ctx);
}

static struct domain *create(const struct boot_info *info, uint64_t pages)
{
	struct domain_settings settings = { .privileged = true,
					    .max_pages = max(pages, info->options.dom0_mem_max >>
									    PAGE_SHIFT) };
	struct domain *d;
	unsigned n = cpumask_count(machine_cpus_online());

	settings.max_vcpus = min(info->options.dom0_max_vcpus ? info->options.dom0_max_vcpus : n,
				 DOMAIN_MAX_VCPUS + 0u);
	if (domain_create(0, &settings, &d))
		panic("domain 0: can't create it");
	if (irq_domain_create(d))
		panic("domain 0: no memory for its interrupts");
	domain_control = d;
	for (unsigned i = 0; i < settings.max_vcpus; i++)
		if (vcpu_create(d, i))
			panic("domain 0: no memory for vCPU %u", i);
	return d;
}

/* The frames of a module that nobody else has a byte in. */
static void free_module(const struct boot_module *module)
{
	struct mm_range r = { ALIGN_UP(module->start, PAGE_SIZE), module->end & PAGE_MASK };

	if (r.start < r.end)
		mm_free_range(r);
}

void dom0_build(const struct boot_info *info)
{
	const struct boot_module *kernel_file = &info->module[0],
				 *initrd = info->nr_modules > 1 ? &info->module[1] : NULL;
	struct pv_request request = { .initrd_size = initrd ? initrd->end - initrd->start : 0 };
	struct dom0_memory memory;
	struct pv_kernel kernel;
	static struct pv_plan plan;
	static struct elf_file elf;
	struct domain *d;
	const char *why;

	if (!info->nr_modules)
		panic("domain 0: the boot loader gave no kernel (module2 lines in grub.cfg)");
	if (elf_parse(&elf, boot_va(kernel_file->start), kernel_file->end - kernel_file->start,
		      &why) ||
	    pv_kernel_parse(&kernel, &elf, &why))
		panic("domain 0: the first module is no kernel for us: %s", why);
	request.nr_pages = dom0_pages(&info->options, mm_total_frames(), mm_free_frames());
	if (pv_plan_make(&plan, &kernel, &request, &why))
		panic("domain 0 of %lu MiB: %s", (unsigned long)(request.nr_pages >> 8), why);
	d = create(info, request.nr_pages);
	dom0_memory_alloc(&memory, &d->mm, request.nr_pages);
	copy_kernel(&memory, &elf, &kernel);
	if (initrd)
		copy_in(&memory, plan.initrd.pfn << PAGE_SHIFT, boot_va(initrd->start),
			request.initrd_size);
	write_p2m(&memory, &plan);
	write_tables(&memory, &plan);
	write_start_info(&memory, &plan, d, info);
	set_first_vcpu(d, &memory, &plan);
	dom0_memory_forget(&memory);
	for (unsigned i = 0; i < info->nr_modules; i++)
		free_module(&info->module[i]);
	log_info("domain 0: %lu MiB, %u vCPUs, entry %#lx", (unsigned long)(request.nr_pages >> 8),
		 d->max_vcpus, (unsigned long)kernel.entry);
	domain_controller_unpause(d);
}
