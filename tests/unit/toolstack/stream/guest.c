/* SPDX-License-Identifier: MIT */
/* A suspended guest: see guest.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define PTE	  0x67UL	/* present, writable, user, accessed, dirty */
#define FRAME	  0x000ffffffffff000UL
#define TYPE(l)	  ((uint32_t)(l) << XEN_DOMCTL_PFINFO_LTAB_SHIFT)
#define XSAVE_LEN 592

void *guest_page(const struct guest *guest, uint64_t pfn)
{
	return fake_hyp_frame(guest->mfn[pfn]);
}

struct shared_info *guest_shared(const struct guest *guest)
{
	return fake_hyp_frame(fake_hyp_domain(guest->domid)->info.shared_info_frame);
}

uint64_t guest_entry(const struct guest *guest, uint64_t pfn)
{
	return guest->mfn[pfn] << 12 | PTE;
}

static void make_tables(struct guest *guest)
{
	uint64_t *l4 = guest_page(guest, GUEST_L4), *l1 = guest_page(guest, GUEST_L1);
	unsigned slot = GUEST_P2M_VA >> 12 & 511;

	l4[GUEST_P2M_VA >> 39 & 511] = guest_entry(guest, GUEST_L3);
	l4[256] = 0xdead001;	/* the hypervisor's */
	((uint64_t *)guest_page(guest, GUEST_L3))[GUEST_P2M_VA >> 30 & 511] =
		guest_entry(guest, GUEST_L2);
	((uint64_t *)guest_page(guest, GUEST_L2))[GUEST_P2M_VA >> 21 & 511] =
		guest_entry(guest, GUEST_L1);
	for (unsigned i = 0; i < 3; i++)
		l1[slot + i] = guest_entry(guest, GUEST_P2M + i);
	l1[slot + 3] = guest_entry(guest, GUEST_DATA) | 1UL << 63;
	l1[slot + 4] = 0x1234567000;	/* not present: means what the guest likes */
	*fake_hyp_type(guest->mfn[GUEST_L4]) = TYPE(4) | XEN_DOMCTL_PFINFO_LPINTAB;
	*fake_hyp_type(guest->mfn[GUEST_USER_L4]) = TYPE(4) | XEN_DOMCTL_PFINFO_LPINTAB;
	*fake_hyp_type(guest->mfn[GUEST_L3]) = TYPE(3);
	*fake_hyp_type(guest->mfn[GUEST_L2]) = TYPE(2);
	*fake_hyp_type(guest->mfn[GUEST_L1]) = TYPE(1);
}

static void make_p2m(struct guest *guest)
{
	for (unsigned pfn = 0; pfn < 3 * 512; pfn++) {
		uint64_t *words = guest_page(guest, GUEST_P2M + pfn / 512);

		words[pfn % 512] = pfn < GUEST_PAGES ? guest->mfn[pfn] : ~0UL;
	}
}

static void make_pages(struct guest *guest)
{
	struct start_info *info = guest_page(guest, GUEST_START_INFO);

	strcpy(info->magic, "xen-3.0-x86_64");
	info->store_mfn = GUEST_STORE;	/* Linux: PFNs while it is suspended */
	info->console.domU.mfn = GUEST_CONSOLE;
	memset(guest_page(guest, GUEST_STORE), 0x55, HYP_PAGE_SIZE);
	strcpy(guest_page(guest, GUEST_CONSOLE), "not read yet");
	for (unsigned pfn = GUEST_DATA; pfn < 1000; pfn += 3)
		for (unsigned i = 0; i < 512; i++)
			((uint64_t *)guest_page(guest, pfn))[i] = pfn * 0x100000001b3UL ^ i << 7;
	/* a page with nothing but its last byte */
	((char *)guest_page(guest, GUEST_DATA + 1))[HYP_PAGE_SIZE - 1] = 1;
}

static void make_vcpu(struct guest *guest, unsigned id)
{
	struct vcpu_guest_context context = { .flags = VGCF_online | VGCF_in_kernel };
	uint64_t xsave[XSAVE_LEN / 8] = { 3, 3, 0x1234 + id };
	struct xen_domctl_ext_vcpucontext ext = { .size = sizeof(ext),
						  .sysenter_callback_eip = 0x4444 };

	context.user_regs.rip = 0xffffffff81000000 + id;
	context.user_regs.rdx = guest->mfn[GUEST_START_INFO];
	context.ctrlreg[3] = xen_pfn_to_cr3(guest->mfn[GUEST_L4]);
	context.ctrlreg[1] = id ? 0 : xen_pfn_to_cr3(guest->mfn[GUEST_USER_L4]);
	context.gdt_frames[0] = guest->mfn[GUEST_GDT];
	context.gdt_ents = 16;
	assert_int_equal(hyp_vcpu_set_context(guest->hyp, guest->domid, id, &context), 0);
	assert_int_equal(hyp_vcpu_set_part(guest->hyp, guest->domid, id, HYP_VCPU_XSAVE, xsave,
					   sizeof(xsave)), 0);
	assert_int_equal(hyp_vcpu_set_part(guest->hyp, guest->domid, id, HYP_VCPU_EXTENDED, &ext,
					   sizeof(ext)), 0);
}

static uint32_t new_domain(struct hyp *hyp)
{
	struct xen_domctl_createdomain config = { .max_vcpus = GUEST_VCPUS };
	uint32_t domid = 0;

	assert_int_equal(hyp_domain_create(hyp, &domid, &config), 0);
	assert_int_equal(hyp_domain_max_vcpus(hyp, domid, GUEST_VCPUS), 0);
	assert_int_equal(hyp_domain_max_mem(hyp, domid, GUEST_PAGES * 4), 0);
	return domid;
}

uint32_t guest_new_domain(const struct guest *guest)
{
	return new_domain(guest->hyp);
}

void guest_make(struct guest *guest)
{
	struct shared_info *shared;
	struct error err;

	fake_hyp_reset(1 << 14);
	assert_int_equal(hyp_open(&guest->hyp, &err), 0);
	guest->domid = new_domain(guest->hyp);
	for (unsigned i = 0; i < GUEST_PAGES; i++)
		guest->mfn[i] = i;
	assert_int_equal(hyp_memory_populate(guest->hyp, guest->domid, 0, guest->mfn, GUEST_PAGES),
			 GUEST_PAGES);
	make_tables(guest);
	make_p2m(guest);
	make_pages(guest);
	for (unsigned i = 0; i < GUEST_VCPUS; i++)
		make_vcpu(guest, i);
	shared = guest_shared(guest);
	shared->arch.max_pfn = GUEST_MAX_PFN;
	shared->arch.p2m_cr3 = xen_pfn_to_cr3(guest->mfn[GUEST_L4]);
	shared->arch.p2m_vaddr = GUEST_P2M_VA;
	shared->evtchn_pending[0] = 6;
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	shared->vcpu_info[1].evtchn_upcall_pending = 1;
	fake_hyp_domain(guest->domid)->tsc = (struct xen_domctl_tsc_info){ .gtsc_khz = 2600000 };
}

unsigned guest_nonzero(const struct guest *guest)
{
	static const char zeros[HYP_PAGE_SIZE];
	unsigned n = 0;

	for (unsigned pfn = 0; pfn < GUEST_PAGES; pfn++)
		n += memcmp(guest_page(guest, pfn), zeros, HYP_PAGE_SIZE) != 0;
	return n;
}

struct stream_request guest_request(void)
{
	return (struct stream_request){ .memory_max_kib = GUEST_PAGES * 4,
					.memory_kib = GUEST_PAGES * 4,
					.vcpus_max = GUEST_VCPUS,
					.store_port = 11, .console_port = 12 };
}

/* The restored guest's frames, by its own P2M. */
static void find_frames(uint32_t domid, uint64_t mfn[GUEST_MAX_PFN])
{
	const struct vcpu_guest_context *context = &fake_hyp_domain(domid)->vcpu[0].context;
	const uint64_t *table = fake_hyp_frame(xen_cr3_to_pfn(context->ctrlreg[3]));

	for (unsigned shift = 39; shift > 12; shift -= 9) {
		uint64_t entry = table[GUEST_P2M_VA >> shift & 511];

		assert_int_equal(entry & 0xfff, PTE);
		table = fake_hyp_frame((entry & FRAME) >> 12);
	}
	for (unsigned pfn = 0; pfn < GUEST_MAX_PFN; pfn++) {
		uint64_t entry = table[(GUEST_P2M_VA >> 12 & 511) + pfn / 512];
		const uint64_t *words = fake_hyp_frame((entry & FRAME) >> 12);

		mfn[pfn] = words[pfn % 512];
		assert_true(pfn < GUEST_PAGES ? fake_hyp_owns(domid, mfn[pfn]) : mfn[pfn] == ~0UL);
	}
}

/* Entries name the same PFNs, with the same bits. */
static void check_table(const struct guest *guest, const uint64_t *mfn, unsigned pfn)
{
	const uint64_t *old = guest_page(guest, pfn), *new = fake_hyp_frame(mfn[pfn]);

	for (unsigned i = 0; i < 512; i++) {
		uint64_t want = old[i];

		if (pfn == GUEST_L4 && i == 256)
			want = 0;
		for (unsigned p = 0; old[i] & 1 && p < GUEST_PAGES; p++)
			if ((old[i] & FRAME) >> 12 == guest->mfn[p])
				want = (old[i] & ~FRAME) | mfn[p] << 12;
		assert_true(new[i] == want);
	}
}

static void check_pages(const struct guest *guest, const uint64_t *mfn)
{
	for (unsigned pfn = 0; pfn < GUEST_PAGES; pfn++) {
		if (pfn == GUEST_START_INFO || pfn == GUEST_STORE ||
		    (pfn >= GUEST_P2M && pfn < GUEST_P2M + 3))
			continue;
		if (pfn >= GUEST_L4 && pfn <= GUEST_USER_L4)
			check_table(guest, mfn, pfn);
		else
			assert_memory_equal(guest_page(guest, pfn), fake_hyp_frame(mfn[pfn]),
					    HYP_PAGE_SIZE);
	}
}

static void check_vcpus(const struct guest *guest, uint32_t domid, const uint64_t *mfn)
{
	const struct fake_domain *old = fake_hyp_domain(guest->domid);
	const struct fake_domain *new = fake_hyp_domain(domid);

	for (unsigned i = 0; i < GUEST_VCPUS; i++) {
		const struct vcpu_guest_context *context = &new->vcpu[i].context;

		assert_int_equal(context->user_regs.rip, 0xffffffff81000000 + i);
		assert_int_equal(xen_cr3_to_pfn(context->ctrlreg[3]), mfn[GUEST_L4]);
		assert_int_equal(xen_cr3_to_pfn(context->ctrlreg[1]), i ? 0 : mfn[GUEST_USER_L4]);
		assert_int_equal(context->gdt_frames[0], mfn[GUEST_GDT]);
		assert_int_equal(new->vcpu[i].size[HYP_VCPU_XSAVE], XSAVE_LEN);
		assert_memory_equal(new->vcpu[i].part[HYP_VCPU_XSAVE],
				    old->vcpu[i].part[HYP_VCPU_XSAVE], XSAVE_LEN);
	}
	assert_false(new->vcpu[GUEST_VCPUS].online);
	assert_int_equal(new->vcpu[0].context.user_regs.rdx, mfn[GUEST_START_INFO]);
	assert_int_equal(new->tsc.gtsc_khz, 2600000);
}

void guest_check_restored(const struct guest *guest, uint32_t domid,
			  const struct stream_request *request,
			  const struct stream_result *result)
{
	const struct fake_domain *domain = fake_hyp_domain(domid);
	const struct shared_info *shared = fake_hyp_frame(domain->info.shared_info_frame);
	const struct start_info *info;
	uint64_t mfn[GUEST_MAX_PFN];
	static const char zeros[HYP_PAGE_SIZE];

	assert_int_equal(fake_hyp_mapped(), 0);
	assert_int_equal(domain->info.tot_pages, GUEST_PAGES);
	find_frames(domid, mfn);
	check_pages(guest, mfn);
	check_vcpus(guest, domid, mfn);
	assert_int_equal(*fake_hyp_type(mfn[GUEST_L4]), TYPE(4) | XEN_DOMCTL_PFINFO_LPINTAB);
	assert_int_equal(*fake_hyp_type(mfn[GUEST_USER_L4]), TYPE(4) | XEN_DOMCTL_PFINFO_LPINTAB);
	info = fake_hyp_frame(mfn[GUEST_START_INFO]);
	assert_int_equal(info->store_mfn, mfn[GUEST_STORE]);
	assert_int_equal(info->store_evtchn, request->store_port);
	assert_int_equal(info->console.domU.mfn, mfn[GUEST_CONSOLE]);
	assert_int_equal(info->console.domU.evtchn, request->console_port);
	assert_int_equal(info->shared_info, domain->info.shared_info_frame << 12);
	assert_int_equal(result->store_mfn, mfn[GUEST_STORE]);
	assert_int_equal(result->console_mfn, mfn[GUEST_CONSOLE]);
	assert_memory_equal(fake_hyp_frame(mfn[GUEST_STORE]), zeros, HYP_PAGE_SIZE);
	assert_int_equal(shared->evtchn_pending[0], 0);
	assert_true(shared->evtchn_mask[0] == ~0UL);
	assert_int_equal(shared->vcpu_info[0].evtchn_upcall_mask, 1);
	assert_int_equal(shared->vcpu_info[1].evtchn_upcall_pending, 0);
	assert_int_equal(shared->arch.max_pfn, GUEST_MAX_PFN);
	assert_int_equal(shared->arch.p2m_cr3, 0);
}
