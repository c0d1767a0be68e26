/* SPDX-License-Identifier: MIT */
/* Building a PV guest, step by step: see build/build.h. */
#include "build/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "build/internal.h"

int build_plan(struct pv_plan *plan, const struct image *image, uint64_t memory_kib,
	       struct error *err)
{
	const struct pv_request request = {
		.nr_pages = memory_kib / 4,
		.initrd_size = image->initrd_size,
		.rings = true,
	};
	const char *why = "";
	int rc = pv_plan_make(plan, &image->kernel, &request, &why);

	if (rc == -ENOMEM)
		return error_set(err, ERROR_KERNEL, "%s (%llu MiB); give it more", why,
				 (unsigned long long)memory_kib >> 10);
	return rc ? error_set(err, ERROR_KERNEL, "%s", why) : 0;
}

static int refused(struct builder *b, const char *what, int rc)
{
	return error_set(b->err, ERROR_HYPERCALL, "the hypervisor refuses %s: %s", what,
			 error_text(rc));
}

/* A page of calls into the hypervisor, where the kernel wants one. */
static int write_hypercall_page(struct builder *b)
{
	const struct pv_kernel *kernel = &b->plan->kernel;
	int rc;

	if (!kernel->has_hypercall_page)
		return 0;
	rc = hyp_domain_hypercall_page(b->hyp, b->domid, b->mfns[kernel->hypercall_pfn]);
	return rc ? refused(b, "the hypercall page", rc) : 0;
}

/*
 * The registers with which a 64-bit PV guest starts ("Start-of-day" in the ABI's xen.h): rsi is
 * start_info.
 */
static int start_vcpu(struct builder *b)
{
	const struct pv_plan *plan = b->plan;
	struct vcpu_guest_context *context = calloc(1, sizeof(*context));
	int rc;

	if (!context)
		return error_set(b->err, ERROR_NO_MEMORY, "out of memory");
	context->flags = VGCF_in_kernel | VGCF_online;
	context->user_regs.rip = plan->kernel.entry;
	context->user_regs.rsp = plan->stack_va;
	context->user_regs.rsi = plan->start_info_va;
	context->user_regs.rflags = 1 << 9;	/* interrupts enabled */
	context->user_regs.cs = FLAT_KERNEL_CS;
	context->user_regs.ss = FLAT_KERNEL_SS;
	context->user_regs.ds = FLAT_KERNEL_DS;
	context->user_regs.es = FLAT_KERNEL_DS;
	context->kernel_ss = FLAT_KERNEL_SS;
	context->kernel_sp = plan->stack_va;
	context->ctrlreg[3] = xen_pfn_to_cr3(b->mfns[pv_plan_table_pfn(plan, 0)]);
	rc = hyp_vcpu_set_context(b->hyp, b->domid, 0, context);
	free(context);
	return rc ? refused(b, "the state of vCPU 0", rc) : 0;
}

static int pin_tables(struct builder *b)
{
	int rc = hyp_memory_pin(b->hyp, b->domid, 4, b->mfns[pv_plan_table_pfn(b->plan, 0)]);

	return rc ? refused(b, "the page tables", rc) : 0;
}

static int set_memory_map(struct builder *b)
{
	int rc = hyp_memory_set_map(b->hyp, b->domid, b->request->memory_max_kib << 10);

	return rc ? refused(b, "the memory map", rc) : 0;
}

static int find_shared_info(struct builder *b)
{
	struct xen_domctl_getdomaininfo info;
	int rc = hyp_domain_info(b->hyp, b->domid, &info);

	if (rc)
		return refused(b, "to tell about the domain", rc);
	b->shared_info_mfn = info.shared_info_frame;
	return 0;
}

int build_domain(struct hyp *hyp, uint32_t domid, const struct image *image,
		 const struct pv_plan *plan, const struct build_request *request,
		 struct build_result *result,
		 void (*progress)(void *context, uint64_t done, uint64_t all), void *context,
		 struct error *err)
{
	static int (*const steps[])(struct builder * b) = {
		find_shared_info, build_populate, build_copy,  build_write, write_hypercall_page,
		pin_tables,	  set_memory_map, build_grant, start_vcpu,
	};
	struct builder b = {
		.hyp = hyp, .domid = domid, .image = image, .plan = plan, .request = request,
		.progress = progress, .context = context, .err = err,
	};
	int rc = 0;

	b.mfns = calloc(plan->request.nr_pages, sizeof(*b.mfns));
	if (!b.mfns)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !rc; i++)
		rc = steps[i](&b);
	if (!rc) {
		result->store_mfn = b.mfns[plan->store.pfn];
		result->console_mfn = b.mfns[plan->console.pfn];
	}
	free(b.mfns);
	return rc;
}
