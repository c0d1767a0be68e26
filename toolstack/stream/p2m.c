/* SPDX-License-Identifier: MIT */
/* A guest's frames: see p2m.h. */
#include "stream/p2m.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/format.h"
#include "stream/p2m_list.h"

#define MAP_AT_ONCE 512U
#define NOT_OWN	    (3UL << 62)	/* Linux: a foreign frame, or a device's */
#define LEAF	    512U
#define MFN_LIMIT   (1UL << 40)
#define TYPE(info)  ((uint8_t)((info) >> XEN_DOMCTL_PFINFO_LTAB_SHIFT))

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NO_MEMORY, "out of memory");
}

/* The table's pages that list names, read into p2m->mfn. */
static int read_table(struct p2m *p2m, struct hyp *hyp, uint32_t domid, const uint64_t *list,
		      struct error *err)
{
	for (uint64_t at = 0; at < p2m->nr_list; at += MAP_AT_ONCE) {
		uint64_t left = p2m->nr_list - at, words;
		unsigned n = (unsigned)(left < MAP_AT_ONCE ? left : MAP_AT_ONCE);
		void *va;

		if (p2m_map(hyp, domid, list + at, n, &va, err))
			return -1;
		words = p2m->nr - at * P2M_PER_PAGE;
		if (words > n * P2M_PER_PAGE)
			words = n * P2M_PER_PAGE;
		memcpy(p2m->mfn + at * P2M_PER_PAGE, va, words * sizeof(*p2m->mfn));
		hyp_unmap(va, n);
	}
	return 0;
}

/* Note that a machine frame is this PFN's. -EEXIST if it is another's already. */
static int note(struct p2m *p2m, uint64_t mfn, uint64_t pfn)
{
	uint64_t leaf = mfn / LEAF;

	if (leaf >= p2m->nr_reverse) {
		uint64_t nr = leaf + leaf / 2 + 64;
		uint32_t **more = realloc(p2m->reverse, nr * sizeof(*more));

		if (!more)
			return -ENOMEM;
		memset(more + p2m->nr_reverse, 0, (nr - p2m->nr_reverse) * sizeof(*more));
		p2m->reverse = more;
		p2m->nr_reverse = nr;
	}
	if (!p2m->reverse[leaf]) {
		p2m->reverse[leaf] = malloc(LEAF * sizeof(**p2m->reverse));
		if (!p2m->reverse[leaf])
			return -ENOMEM;
		memset(p2m->reverse[leaf], 0xff, LEAF * sizeof(**p2m->reverse));
	}
	if (p2m->reverse[leaf][mfn % LEAF] != UINT32_MAX)
		return -EEXIST;
	p2m->reverse[leaf][mfn % LEAF] = (uint32_t)pfn;
	return 0;
}

uint64_t p2m_pfn(const struct p2m *p2m, uint64_t mfn)
{
	const uint32_t *leaf = mfn / LEAF < p2m->nr_reverse ? p2m->reverse[mfn / LEAF] : NULL;

	return leaf && leaf[mfn % LEAF] != UINT32_MAX ? leaf[mfn % LEAF] : NO_FRAME;
}

/* What the hypervisor says of n frames of the PFNs listed. */
static int confirm_some(struct p2m *p2m, struct hyp *hyp, uint32_t domid, const uint64_t *pfns,
			uint64_t *frames, unsigned n, struct error *err)
{
	int rc;

	for (unsigned i = 0; i < n; i++)
		frames[i] = p2m->mfn[pfns[i]];
	rc = hyp_memory_types(hyp, domid, frames, n);
	if (rc)
		return error_set(err, ERROR_HYPERCALL,
				 "the hypervisor does not tell what the guest's memory is: %s",
				 error_text(rc));
	for (unsigned i = 0; i < n; i++) {
		p2m->type[pfns[i]] = TYPE(frames[i]);
		rc = frames[i] == XEN_DOMCTL_PFINFO_XTAB
			     ? -EPERM
			     : note(p2m, p2m->mfn[pfns[i]], pfns[i]);
		if (rc == -ENOMEM)
			return no_memory(err);
		if (rc)
			return error_set(err, ERROR_STATE,
					 "the guest's P2M names a frame at PFN %#llx that %s",
					 (unsigned long long)pfns[i],
					 rc == -EPERM ? "is not its own" : "it names twice");
	}
	return 0;
}

/* Sort out which PFNs have a frame, and of what type. */
static int confirm(struct p2m *p2m, struct hyp *hyp, uint32_t domid, struct error *err)
{
	uint64_t pfns[HYP_TYPES_MAX], frames[HYP_TYPES_MAX];
	unsigned n = 0;

	for (uint64_t pfn = 0; pfn < p2m->nr; pfn++) {
		uint64_t mfn = p2m->mfn[pfn];

		if (mfn & NOT_OWN || mfn >= MFN_LIMIT)
			p2m->mfn[pfn] = NO_FRAME;
		else
			pfns[n++] = pfn;
		if (n == HYP_TYPES_MAX || (n && pfn == p2m->nr - 1)) {
			p2m->populated += n;
			if (confirm_some(p2m, hyp, domid, pfns, frames, n, err))
				return -1;
			n = 0;
		}
	}
	return 0;
}

/*
 * A reader writes the table anew, so its pages are only worth their place if they have words of
 * another meaning, or stand for several pages (Linux: a page of "nothing here").
 */
static void leave_out(struct p2m *p2m, const uint8_t *uses)
{
	for (uint64_t i = 0; i < p2m->nr_list; i++) {
		uint64_t pfn = p2m->list[i];

		if (uses[i] && p2m->type[pfn] == 0)
			p2m->type[pfn] = TYPE(XEN_DOMCTL_PFINFO_XALLOC);
	}
}

/* Which pages of the table are plain: before confirm() makes words of other meanings NO_FRAME. */
static void find_plain(const struct p2m *p2m, uint8_t *plain)
{
	for (uint64_t i = 0; i < p2m->nr_list; i++) {
		uint64_t end = (i + 1) * P2M_PER_PAGE;

		/* what lies behind the last PFN means nothing */
		if (end > p2m->nr)
			end = p2m->nr;
		plain[i] = true;
		for (uint64_t pfn = i * P2M_PER_PAGE; pfn < end && plain[i]; pfn++)
			plain[i] = !(p2m->mfn[pfn] & NOT_OWN) || p2m->mfn[pfn] == NO_FRAME;
	}
}

/* The list's machine frames become PFNs. */
static int list_pfns(struct p2m *p2m, const uint64_t *mfns, uint8_t *plain, struct error *err)
{
	uint8_t *seen = calloc(1, p2m->nr);

	if (!seen)
		return no_memory(err);
	for (uint64_t i = 0; i < p2m->nr_list; i++) {
		uint64_t pfn = p2m_pfn(p2m, mfns[i]);

		if (pfn == NO_FRAME) {
			free(seen);
			return error_set(err, ERROR_STATE,
					 "the guest keeps its P2M in a frame that is not its own");
		}
		p2m->list[i] = pfn;
		seen[pfn] += seen[pfn] < 2;
	}
	for (uint64_t i = 0; i < p2m->nr_list; i++)
		plain[i] = plain[i] && seen[p2m->list[i]] == 1;
	free(seen);
	return 0;
}

int p2m_read(struct p2m *p2m, struct hyp *hyp, uint32_t domid, const struct shared_info *shared,
	     uint64_t limit, struct error *err)
{
	uint64_t *mfns = NULL;
	uint8_t *plain = NULL;
	int rc = -1;

	*p2m = (struct p2m){ .nr = shared->arch.max_pfn };
	if (!p2m->nr || p2m->nr > limit || p2m->nr >= UINT32_MAX)
		return error_set(err, ERROR_STATE,
				 "the guest says that it has %llu pages; it cannot be saved",
				 (unsigned long long)p2m->nr);
	p2m->nr_list = (p2m->nr + P2M_PER_PAGE - 1) / P2M_PER_PAGE;
	if (p2m_list_find(hyp, domid, shared, p2m->nr_list, &mfns, err))
		goto out;
	p2m->mfn = malloc(p2m->nr * sizeof(*p2m->mfn));
	p2m->type = calloc(p2m->nr, sizeof(*p2m->type));
	p2m->list = malloc(p2m->nr_list * sizeof(*p2m->list));
	plain = malloc(p2m->nr_list);
	if (!p2m->mfn || !p2m->type || !p2m->list || !plain) {
		no_memory(err);
		goto out;
	}
	if (read_table(p2m, hyp, domid, mfns, err))
		goto out;
	find_plain(p2m, plain);
	if (confirm(p2m, hyp, domid, err) || list_pfns(p2m, mfns, plain, err))
		goto out;
	leave_out(p2m, plain);
	rc = 0;
out:
	free(mfns);
	free(plain);
	return rc;
}

void p2m_free(struct p2m *p2m)
{
	for (uint64_t i = 0; i < p2m->nr_reverse; i++)
		free(p2m->reverse[i]);
	free(p2m->reverse);
	free(p2m->mfn);
	free(p2m->type);
	free(p2m->list);
	*p2m = (struct p2m){ 0 };
}
