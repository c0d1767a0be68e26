/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory out of its image. A page may come more than once; the last one counts. Page
 * tables stay as they came until all is there (load_finish.c).
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/load.h"
#include "stream/page.h"

#define LARGE_ORDER 9U	/* 2 MiB: few extents to ask for, and contiguous memory */
#define LARGE	    (1U << LARGE_ORDER)
#define BATCH	    PAGE_DATA_MAX
#define TYPE(info)  ((info) >> XEN_DOMCTL_PFINFO_LTAB_SHIFT)

int load_p2m_frames(struct loader *l, uint32_t length)
{
	struct p2m_frames_header header;
	uint64_t nr;

	if (length < sizeof(header))
		return load_damaged(l, "X86_PV_P2M_FRAMES is too short");
	if (load_read(l, &header, sizeof(header)))
		return -1;
	nr = (uint64_t)le32toh(header.end_pfn) + 1;
	l->nr_list = (nr + P2M_PER_PAGE - 1) / P2M_PER_PAGE;
	if (header.start_pfn || nr > PFN_LIMIT(l->limit) ||
	    length != sizeof(header) + l->nr_list * sizeof(*l->list))
		return load_damaged(l, "X86_PV_P2M_FRAMES does not fit the guest's memory");
	l->mfn = malloc(nr * sizeof(*l->mfn));
	l->type = calloc(nr, sizeof(*l->type));
	l->list = malloc(l->nr_list * sizeof(*l->list));
	if (!l->mfn || !l->type || !l->list)
		return error_set(l->err, ERROR_NO_MEMORY, "out of memory");
	memset(l->mfn, 0xff, nr * sizeof(*l->mfn));
	l->nr = nr;
	if (load_read(l, l->list, l->nr_list * sizeof(*l->list)))
		return -1;
	for (uint64_t i = 0; i < l->nr_list; i++) {
		l->list[i] = le64toh(l->list[i]);
		if (l->list[i] >= nr)
			return load_damaged(l, "X86_PV_P2M_FRAMES names pages that are not there");
	}
	return 0;
}

/* The pages of one record. */
struct batch {
	unsigned n;
	uint64_t entry[BATCH];		/* as read, then the PFN */
	uint8_t type[BATCH];
	unsigned nr_data;		/* how many have contents */
	uint64_t data_mfn[BATCH];
};

static bool has_data(unsigned type)
{
	return type < TYPE(XEN_DOMCTL_PFINFO_BROKEN);
}

static bool type_ok(unsigned type)
{
	return type <= 4 || (type >= 9 && type <= 12) || type == TYPE(XEN_DOMCTL_PFINFO_XALLOC) ||
	       type == TYPE(XEN_DOMCTL_PFINFO_XTAB);
}

static int read_batch(struct loader *l, struct batch *b, uint32_t length)
{
	struct page_data_header header;

	if (length < sizeof(header) || load_read(l, &header, sizeof(header)))
		return length < sizeof(header) ? load_damaged(l, "PAGE_DATA is too short") : -1;
	b->n = le32toh(header.count);
	if (!b->n || b->n > BATCH || length < sizeof(header) + b->n * sizeof(b->entry[0]))
		return load_damaged(l, "PAGE_DATA has an impossible number of pages");
	if (load_read(l, b->entry, b->n * sizeof(b->entry[0])))
		return -1;
	b->nr_data = 0;
	for (unsigned i = 0; i < b->n; i++) {
		uint64_t entry = le64toh(b->entry[i]);

		b->type[i] = (uint8_t)(entry >> (XEN_DOMCTL_PFINFO_LTAB_SHIFT + PAGE_TYPE_SHIFT));
		b->entry[i] = entry & PAGE_PFN_MASK;
		if (entry & PAGE_RESERVED || b->entry[i] >= l->nr || !type_ok(b->type[i]))
			return load_damaged(l, "PAGE_DATA names a page that cannot be");
		b->nr_data += has_data(b->type[i]);
	}
	if (length != sizeof(header) + b->n * sizeof(b->entry[0]) +
			      (uint64_t)b->nr_data * HYP_PAGE_SIZE)
		return load_damaged(l, "PAGE_DATA has a wrong length");
	return 0;
}

static int no_memory(struct loader *l, int rc)
{
	if (rc < 0 && rc != -ENOMEM)
		return load_refused(l, "to give the guest memory", rc);
	return error_set(l->err, ERROR_NO_MEMORY,
			 "there is no memory left for the guest after %llu MiB; stop another guest",
			 (unsigned long long)l->populated >> 8);
}

/* Do the pages from i on begin with a whole 2 MiB of the guest's that has nothing yet? */
static bool is_large(const struct loader *l, const struct batch *b, unsigned i)
{
	if (b->entry[i] % LARGE || i + LARGE > b->n)
		return false;
	for (unsigned j = 0; j < LARGE; j++) {
		if (b->entry[i + j] != b->entry[i] + j || l->mfn[b->entry[i + j]] != NO_FRAME ||
		    b->type[i + j] == TYPE(XEN_DOMCTL_PFINFO_XTAB))
			return false;
	}
	return true;
}

/* False if there is no memory in such large pieces; small ones may do. */
static bool populate_large(struct loader *l, uint64_t pfn)
{
	uint64_t frame = pfn;

	if (hyp_memory_populate(l->hyp, l->domid, LARGE_ORDER, &frame, 1) != 1)
		return false;
	for (unsigned j = 0; j < LARGE; j++)
		l->mfn[pfn + j] = frame + j;
	l->populated += LARGE;
	return true;
}

/* Give the batch's pages memory; that is zero. */
static int populate(struct loader *l, const struct batch *b)
{
	uint64_t pfns[BATCH], frames[BATCH];
	unsigned n = 0;
	int done;

	for (unsigned i = 0; i < b->n; i++) {
		uint64_t pfn = b->entry[i];

		if (b->type[i] == TYPE(XEN_DOMCTL_PFINFO_XTAB) || l->mfn[pfn] != NO_FRAME)
			continue;
		if (is_large(l, b, i) && populate_large(l, pfn)) {
			i += LARGE - 1;
			continue;
		}
		l->mfn[pfn] = 0;	/* so that a second mention is none */
		pfns[n] = frames[n] = pfn;
		n++;
	}
	if (!n)
		return 0;
	if (l->populated + n > l->limit)
		return load_damaged(l, "it has more pages than the guest may have");
	done = hyp_memory_populate(l->hyp, l->domid, 0, frames, n);
	if (done < (int)n)
		return no_memory(l, done);
	for (unsigned i = 0; i < n; i++)
		l->mfn[pfns[i]] = frames[i];
	l->populated += n;
	return 0;
}

int load_page_data(struct loader *l, uint32_t length)
{
	struct batch b;
	void *va;
	int rc;

	if (read_batch(l, &b, length) || populate(l, &b))
		return -1;
	b.nr_data = 0;
	for (unsigned i = 0; i < b.n; i++) {
		if (b.type[i] != TYPE(XEN_DOMCTL_PFINFO_XTAB))
			l->type[b.entry[i]] = b.type[i] & 15;
		if (has_data(b.type[i]))
			b.data_mfn[b.nr_data++] = l->mfn[b.entry[i]];
	}
	if (b.nr_data) {
		if (load_map(l, b.data_mfn, b.nr_data, &va))
			return -1;
		rc = load_read(l, va, b.nr_data * HYP_PAGE_SIZE);
		hyp_unmap(va, b.nr_data);
		if (rc)
			return -1;
	}
	if (l->progress->fn)
		l->progress->fn(l->progress->context, l->populated * HYP_PAGE_SIZE,
				l->request->memory_kib << 10);
	return 0;
}
