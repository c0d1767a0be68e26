/* SPDX-License-Identifier: MIT */
/*
 * When all of an image has come: what names frames of the machine it was saved on is made to name
 * those of this one, then the hypervisor takes page tables and vCPUs, with its own checks.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/load.h"
#include "stream/page.h"

#define BATCH	 PAGE_DATA_MAX
#define LEVEL(t) ((t) & 7U)
#define PINNED	 8U
#define TABLE(t) ((t) && (t) <= (4U | PINNED))	/* the types of page tables: 1-4 and 9-12 */

static bool is_plain(const struct loader *l, uint64_t pfn)
{
	return pfn < l->nr && l->mfn[pfn] != NO_FRAME && !TABLE(l->type[pfn]);
}

/* n tables, mapped. */
static int load_some_tables(struct loader *l, const uint64_t *pfns, unsigned n)
{
	uint64_t mfns[BATCH];
	uint8_t *va;
	void *map;
	int rc = 0;

	for (unsigned i = 0; i < n; i++)
		mfns[i] = l->mfn[pfns[i]];
	if (load_map(l, mfns, n, &map))
		return -1;
	va = map;
	for (unsigned i = 0; i < n && !rc; i++)
		rc = page_table_load(l->mfn, l->nr, va + i * HYP_PAGE_SIZE,
				     LEVEL(l->type[pfns[i]]));
	hyp_unmap(map, n);
	return rc ? load_damaged(l, "a page table maps a page that is not there") : 0;
}

static int load_tables(struct loader *l)
{
	uint64_t pfns[BATCH];
	unsigned n = 0;

	for (uint64_t pfn = 0; pfn < l->nr; pfn++) {
		if (l->mfn[pfn] != NO_FRAME && TABLE(l->type[pfn]))
			pfns[n++] = pfn;
		if (n == BATCH || (n && pfn == l->nr - 1)) {
			if (load_some_tables(l, pfns, n))
				return -1;
			n = 0;
		}
	}
	return 0;
}

/*
 * One page of the P2M: words of pages that the guest has are written; others keep a meaning of the
 * guest's own (Linux: bit 62, identity), or say that there is nothing.
 */
static void write_p2m_page(const struct loader *l, uint64_t index, uint64_t *words)
{
	const uint64_t identity = 1UL << 62;

	for (unsigned i = 0; i < P2M_PER_PAGE; i++) {
		uint64_t pfn = index * P2M_PER_PAGE + i;

		if (pfn < l->nr && l->mfn[pfn] != NO_FRAME)
			words[i] = l->mfn[pfn];
		else if (!(words[i] & identity))
			words[i] = NO_FRAME;
	}
}

static int write_p2m(struct loader *l)
{
	for (uint64_t at = 0; at < l->nr_list; at += BATCH) {
		uint64_t left = l->nr_list - at, mfns[BATCH];
		unsigned n = (unsigned)(left < BATCH ? left : BATCH);
		uint8_t *va;
		void *map;

		for (unsigned i = 0; i < n; i++) {
			if (!is_plain(l, l->list[at + i]))
				return load_damaged(l, "a page of its P2M is not there");
			mfns[i] = l->mfn[l->list[at + i]];
		}
		if (load_map(l, mfns, n, &map))
			return -1;
		va = map;
		for (unsigned i = 0; i < n; i++)
			write_p2m_page(l, at + i, (uint64_t *)(va + i * HYP_PAGE_SIZE));
		hyp_unmap(map, n);
	}
	return 0;
}

/* A page that the suspended guest named by its PFN in start_info. */
static int ring(struct loader *l, uint64_t pfn, uint64_t *mfn)
{
	if (!is_plain(l, pfn))
		return load_damaged(l, "the page of the guest's store or console is not there");
	*mfn = l->mfn[pfn];
	return 0;
}

/*
 * start_info: where shared_info is, and the guest's ends of its two rings. The store's ring begins
 * anew; the console's keeps what nobody has read yet.
 */
static int write_start_info(struct loader *l, uint64_t shared_info_mfn)
{
	struct start_info *info;
	uint64_t pfn;
	void *va;
	int rc;

	if (load_start_info_pfn(l, &pfn))
		return -1;
	if (!is_plain(l, pfn))
		return load_damaged(l, "its start_info page is not there");
	if (load_map(l, &l->mfn[pfn], 1, &va))
		return -1;
	info = va;
	rc = ring(l, info->store_mfn, &l->result->store_mfn);
	if (!rc)
		rc = ring(l, info->console.domU.mfn, &l->result->console_mfn);
	info->shared_info = shared_info_mfn << HYP_PAGE_SHIFT;
	info->store_mfn = l->result->store_mfn;
	info->store_evtchn = l->request->store_port;
	info->console.domU.mfn = l->result->console_mfn;
	info->console.domU.evtchn = l->request->console_port;
	hyp_unmap(va, 1);
	if (rc || load_map(l, &l->result->store_mfn, 1, &va))
		return -1;
	memset(va, 0, HYP_PAGE_SIZE);
	hyp_unmap(va, 1);
	return 0;
}

/*
 * Of the old shared_info the new one gets what is the guest's; channels are gone, clocks are this
 * host's, and where the P2M's frames are the guest tells anew.
 */
static int write_shared(struct loader *l, uint64_t mfn)
{
	const struct shared_info *old = (const struct shared_info *)l->shared;
	struct shared_info *shared;
	void *va;

	if (load_map(l, &mfn, 1, &va))
		return -1;
	shared = va;
	for (unsigned i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
		shared->vcpu_info[i].evtchn_upcall_pending = 0;
		shared->vcpu_info[i].evtchn_upcall_mask = old->vcpu_info[i].evtchn_upcall_mask;
		shared->vcpu_info[i].evtchn_pending_sel = 0;
		shared->vcpu_info[i].arch = old->vcpu_info[i].arch;
	}
	memset(shared->evtchn_pending, 0, sizeof(shared->evtchn_pending));
	memset(shared->evtchn_mask, 0xff, sizeof(shared->evtchn_mask));
	shared->arch = old->arch;
	shared->arch.pfn_to_mfn_frame_list_list = 0;
	shared->arch.p2m_cr3 = 0;
	hyp_unmap(va, 1);
	return 0;
}

static int pin_tables(struct loader *l)
{
	struct hyp_table *tables;
	size_t n = 0;
	int rc;

	for (uint64_t pfn = 0; pfn < l->nr; pfn++)
		n += TABLE(l->type[pfn]) && l->type[pfn] & PINNED;
	tables = malloc((n + 1) * sizeof(*tables));
	if (!tables)
		return error_set(l->err, ERROR_NO_MEMORY, "out of memory");
	n = 0;
	for (uint64_t pfn = 0; pfn < l->nr; pfn++) {
		if (TABLE(l->type[pfn]) && l->type[pfn] & PINNED && l->mfn[pfn] != NO_FRAME)
			tables[n++] = (struct hyp_table){ l->mfn[pfn], LEVEL(l->type[pfn]) };
	}
	rc = hyp_memory_pin_all(l->hyp, l->domid, tables, n);
	free(tables);
	return rc ? load_refused(l, "the guest's page tables", rc) : 0;
}

static int set_tsc(struct loader *l)
{
	struct xen_domctl op = { .domain = (domid_t)l->domid };
	int rc;

	if (!l->has_tsc)
		return 0;
	op.u.tsc_info = (struct xen_domctl_tsc_info){
		.tsc_mode = le32toh(l->tsc.mode), .gtsc_khz = le32toh(l->tsc.khz),
		.elapsed_nsec = le64toh(l->tsc.nsec),
		.incarnation = le32toh(l->tsc.incarnation) };
	rc = hyp_domctl(l->hyp, XEN_DOMCTL_settscinfo, &op);
	return rc ? load_refused(l, "the guest's clock", rc) : 0;
}

int load_finish(struct loader *l)
{
	struct xen_domctl_getdomaininfo info;
	int rc = hyp_domain_info(l->hyp, l->domid, &info);

	if (rc)
		return load_refused(l, "to tell of the domain", rc);
	/* Nothing may be mapped here any more when the tables are pinned. */
	if (load_tables(l) || write_p2m(l) || write_start_info(l, info.shared_info_frame) ||
	    write_shared(l, info.shared_info_frame) || pin_tables(l) || load_vcpus(l) ||
	    set_tsc(l))
		return -1;
	rc = hyp_memory_set_map(l->hyp, l->domid, l->request->memory_max_kib << 10);
	if (rc)
		return load_refused(l, "the memory map", rc);
	rc = hyp_grant_rings(l->hyp, l->domid, l->result->console_mfn, l->result->store_mfn);
	return rc ? load_refused(l, "the guest's grant table", rc) : 0;
}
