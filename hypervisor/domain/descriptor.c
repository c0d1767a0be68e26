/* SPDX-License-Identifier: MIT */
/* A vCPU's GDT and LDT: lists of frames that mm/ holds as descriptor pages while they are in use.
 */
#include "abi/errno.h"
#include "abi/xen.h"
#include "domain/domain.h"
#include "x86/machine.h"

#define DESCRIPTORS_PER_FRAME 512

static void put(mfn_t *frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!mfn_eq(frames[i], MFN_NONE))
			mm_put_descriptor_frame(frames[i]);
		frames[i] = MFN_NONE;
	}
}

/* Reference all of `fresh`, then let them take the place of `table`. */
static int replace(struct mm_domain *mm, mfn_t *table, unsigned max, mfn_t *fresh, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int rc = mm_get_descriptor_frame(mm, fresh[i]);

		if (rc) {
			put(fresh, i);
			return rc;
		}
	}
	put(table, max);
	for (unsigned i = 0; i < n; i++)
		table[i] = fresh[i];
	return 0;
}

int vcpu_set_gdt(struct vcpu *v, const unsigned long *frames, unsigned entries)
{
	unsigned n = DIV_ROUND_UP(entries, DESCRIPTORS_PER_FRAME);
	mfn_t fresh[GDT_GUEST_FRAMES];
	int rc;

	if (entries > FIRST_RESERVED_GDT_ENTRY)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		fresh[i] = MFN(frames[i]);
	rc = replace(&v->domain->mm, v->machine.gdt, GDT_GUEST_FRAMES, fresh, n);
	if (rc)
		return rc;
	v->machine.gdt_entries = entries;
	if (v == vcpu_current())
		machine_vcpu_load_gdt(&v->machine);
	return 0;
}

int vcpu_set_ldt(struct vcpu *v, vaddr_t base, unsigned entries)
{
	unsigned n = DIV_ROUND_UP(entries, DESCRIPTORS_PER_FRAME);
	mfn_t fresh[LDT_MAX_FRAMES];
	uint64_t entry, maddr;
	int rc;

	if (entries > LDT_MAX_FRAMES * DESCRIPTORS_PER_FRAME || base.a & (PAGE_SIZE - 1))
		return -EINVAL;
	for (unsigned i = 0; i < n; i++) {
		if (mm_walk(v->mm.kernel_table, VADDR(base.a + i * PAGE_SIZE), &entry, &maddr) ||
		    !(entry & 1))
			return -EINVAL;
		fresh[i] = MFN(entry >> PAGE_SHIFT & 0xffffffffffull);
	}
	rc = replace(&v->domain->mm, v->machine.ldt, LDT_MAX_FRAMES, fresh, n);
	if (rc)
		return rc;
	v->machine.ldt_entries = entries;
	v->machine.ldt_base = base;
	if (v == vcpu_current())
		machine_vcpu_load_ldt(&v->machine);
	return 0;
}

void vcpu_release_descriptors(struct vcpu *v)
{
	put(v->machine.gdt, GDT_GUEST_FRAMES);
	put(v->machine.ldt, LDT_MAX_FRAMES);
	v->machine.gdt_entries = v->machine.ldt_entries = 0;
}
