/* SPDX-License-Identifier: MIT */
/*
 * Writing a domain's image: see stream.h. The domain stands still, but its memory may still change
 * under our hands (a back end ends its last request), so pages are copied before they are hashed
 * and written.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stream/format.h"
#include "stream/p2m.h"
#include "stream/page.h"
#include "stream/save.h"
#include "stream/stream.h"

#define BATCH PAGE_DATA_MAX

/* A PAGE_DATA record as it is gathered. */
struct page_record {
	struct record_header header;
	struct page_data_header pages;
	uint64_t entry[BATCH];
	uint8_t data[BATCH * HYP_PAGE_SIZE];
};

int save_write(struct saver *s, const void *data, size_t len)
{
	int rc = stream_out_write(s->out, data, len);

	return rc ? error_set(s->err, ERROR_FILE, "cannot be written: %s", error_text(rc))
		  : 0;
}

int save_record(struct saver *s, uint32_t type, const void *head, size_t head_len,
		const void *body, size_t len)
{
	const struct record_header header = { .type = htole32(type),
					      .length = htole32((uint32_t)(head_len + len)) };
	static const char zeros[RECORD_ALIGN];

	return save_write(s, &header, sizeof(header)) || save_write(s, head, head_len) ||
			       save_write(s, body, len) ||
			       save_write(s, zeros, -(head_len + len) % RECORD_ALIGN)
		       ? -1
		       : 0;
}

static int save_headers(struct saver *s)
{
	const struct image_header image = { .marker = IMAGE_MARKER,
					    .id = htobe32(IMAGE_ID),
					    .version = htobe32(IMAGE_VERSION) };
	int version = hyp_host_version(s->hyp, 0, NULL, 0);
	const struct domain_header domain = { .type = htole32(DOMAIN_TYPE_PV),
					      .page_shift = htole16(HYP_PAGE_SHIFT),
					      .xen_major = htole32((uint32_t)version >> 16),
					      .xen_minor = htole32(version & 0xffff) };
	const struct pv_info info = { .guest_width = 8, .pt_levels = 4 };

	if (version < 0)
		return error_set(s->err, ERROR_HYPERCALL,
				 "the hypervisor does not tell its version: %s",
				 error_text(version));
	return save_write(s, &image, sizeof(image)) || save_write(s, &domain, sizeof(domain)) ||
			       save_record(s, RECORD_PV_INFO, NULL, 0, &info, sizeof(info))
		       ? -1
		       : 0;
}

static int save_p2m(struct saver *s)
{
	const struct p2m_frames_header header = { .start_pfn = 0,
						  .end_pfn = htole32((uint32_t)s->p2m.nr - 1) };

	return save_record(s, RECORD_P2M_FRAMES, &header, sizeof(header), s->p2m.list,
			   s->p2m.nr_list * sizeof(*s->p2m.list));
}

/* The next pages that the guest has, from *pfn on. How many. */
static unsigned gather(const struct p2m *p2m, uint64_t *pfn, uint64_t pfns[BATCH])
{
	unsigned n = 0;

	for (; *pfn < p2m->nr && n < BATCH; (*pfn)++) {
		if (p2m->mfn[*pfn] != NO_FRAME)
			pfns[n++] = *pfn;
	}
	return n;
}

static const void *map(struct saver *s, const uint64_t *mfns, unsigned n)
{
	void *va;
	int rc = n ? hyp_foreign_map(s->hyp, s->domid, PROT_READ, mfns, n, &va) : 0;

	if (rc) {
		error_set(s->err, ERROR_HYPERCALL, "the guest's memory cannot be mapped: %s",
			  error_text(rc));
		return NULL;
	}
	return n ? va : "";
}

/* One page into the record: *used bytes of data are there. Its type may become XALLOC. */
static int add_page(struct saver *s, struct page_record *record, uint64_t pfn, const void *page,
		    size_t *used, unsigned *type)
{
	uint8_t *to = record->data + *used;
	unsigned level = *type & 7;

	if (level) {
		if (page_table_save(&s->p2m, to, page, level))
			return error_set(s->err, ERROR_STATE,
					 "the guest's page table at PFN %#llx maps a frame that is "
					 "not its own; it cannot be saved now",
					 (unsigned long long)pfn);
	} else if (!page_copy(to, page)) {
		*type = XEN_DOMCTL_PFINFO_XALLOC >> XEN_DOMCTL_PFINFO_LTAB_SHIFT;
		return 0;
	}
	*used += HYP_PAGE_SIZE;
	return 0;
}

static int fill_record(struct saver *s, struct page_record *record, const uint64_t *pfns,
		       unsigned n, size_t *used)
{
	const unsigned xalloc = XEN_DOMCTL_PFINFO_XALLOC >> XEN_DOMCTL_PFINFO_LTAB_SHIFT;
	uint64_t mfns[BATCH];
	unsigned mapped = 0, at = 0;
	const uint8_t *va;
	int rc = 0;

	for (unsigned i = 0; i < n; i++) {
		if (s->p2m.type[pfns[i]] != xalloc)
			mfns[mapped++] = s->p2m.mfn[pfns[i]];
	}
	va = map(s, mfns, mapped);
	if (!va)
		return -1;
	*used = 0;
	for (unsigned i = 0; i < n && !rc; i++) {
		unsigned type = s->p2m.type[pfns[i]];

		if (type != xalloc)
			rc = add_page(s, record, pfns[i], va + HYP_PAGE_SIZE * at++, used, &type);
		record->entry[i] = htole64(
			pfns[i] | (uint64_t)type
					  << (XEN_DOMCTL_PFINFO_LTAB_SHIFT + PAGE_TYPE_SHIFT));
	}
	if (mapped)
		hyp_unmap_read(s->hyp, va, mapped);
	return rc;
}

static int save_pages(struct saver *s, const struct stream_progress *progress)
{
	uint64_t all = s->p2m.populated * HYP_PAGE_SIZE, done = 0, pfn = 0, pfns[BATCH];
	struct page_record *record = malloc(sizeof(*record));
	int rc = 0;

	if (!record)
		return error_set(s->err, ERROR_NO_MEMORY, "out of memory");
	while (!rc) {
		unsigned n = gather(&s->p2m, &pfn, pfns);
		size_t used, head = sizeof(record->pages) + n * sizeof(record->entry[0]);

		if (!n)
			break;
		rc = fill_record(s, record, pfns, n, &used);
		record->header = (struct record_header){ htole32(RECORD_PAGE_DATA),
							 htole32((uint32_t)(head + used)) };
		record->pages = (struct page_data_header){ .count = htole32(n) };
		if (!rc)
			rc = save_write(s, record, sizeof(record->header) + head);
		if (!rc)
			rc = save_write(s, record->data, used);
		done += n * HYP_PAGE_SIZE;
		if (!rc && progress->fn)
			progress->fn(progress->context, done, all);
	}
	free(record);
	return rc;
}

static int save_tsc(struct saver *s)
{
	struct xen_domctl op = { .domain = (domid_t)s->domid };
	int rc = hyp_domctl(s->hyp, XEN_DOMCTL_gettscinfo, &op);
	const struct tsc_info info = { .mode = htole32(op.u.tsc_info.tsc_mode),
				       .khz = htole32(op.u.tsc_info.gtsc_khz),
				       .nsec = htole64(op.u.tsc_info.elapsed_nsec),
				       .incarnation = htole32(op.u.tsc_info.incarnation) };

	if (rc)
		return error_set(s->err, ERROR_HYPERCALL,
				 "the hypervisor does not tell of the guest's clock: %s",
				 error_text(rc));
	return save_record(s, RECORD_TSC_INFO, NULL, 0, &info, sizeof(info));
}

/* What the domain is, and a copy of its shared_info, which is what all else is found from. */
static int look(struct saver *s)
{
	const void *va;
	int rc = hyp_domain_info(s->hyp, s->domid, &s->info);

	if (rc)
		return error_set(s->err, ERROR_HYPERCALL,
				 "the hypervisor does not tell of the guest: %s", error_text(rc));
	va = map(s, &(uint64_t){ s->info.shared_info_frame }, 1);
	if (!va)
		return -1;
	memcpy(s->shared, va, HYP_PAGE_SIZE);
	hyp_unmap((void *)va, 1);
	return 0;
}

int stream_save(struct hyp *hyp, uint32_t domid, struct stream_out *out,
		const struct stream_progress *progress, struct error *err)
{
	struct saver *s = calloc(1, sizeof(*s));
	int rc = -1;

	if (!s)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	*s = (struct saver){ .hyp = hyp, .domid = domid, .out = out, .err = err };
	if (look(s))
		goto out;
	/* Some room above what it may have: a PC's hole below 4 GiB, memory that was taken away. */
	if (p2m_read(&s->p2m, hyp, domid, (struct shared_info *)s->shared,
		     PFN_LIMIT(s->info.max_pages), err))
		goto out;
	rc = save_headers(s) || save_p2m(s) || save_pages(s, progress) || save_tsc(s) ||
			     save_record(s, RECORD_SHARED_INFO, NULL, 0, s->shared,
					 HYP_PAGE_SIZE) ||
			     save_vcpus(s) || save_record(s, RECORD_END, NULL, 0, NULL, 0)
		     ? -1
		     : 0;
out:
	p2m_free(&s->p2m);
	free(s);
	return rc;
}
