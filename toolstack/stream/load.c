/* SPDX-License-Identifier: MIT */
/* Reading an image, record by record: see stream.h. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stream/envelope.h"
#include "stream/load.h"
#include "stream/page.h"

int load_read(struct loader *l, void *buf, size_t len)
{
	int rc = stream_in_read(l->in, buf, len);

	return rc ? envelope_read_failed(rc, l->err) : 0;
}

int load_damaged(struct loader *l, const char *what)
{
	return error_set(l->err, ERROR_SAVE_FILE, "the save file is damaged: %s", what);
}

int load_refused(struct loader *l, const char *what, int rc)
{
	return error_set(l->err, rc == -ENOMEM ? ERROR_NO_MEMORY : ERROR_HYPERCALL,
			 "the hypervisor refuses %s: %s", what, error_text(rc));
}

int load_map(struct loader *l, const uint64_t *mfns, unsigned n, void **va)
{
	int rc = hyp_foreign_map(l->hyp, l->domid, PROT_READ | PROT_WRITE, mfns, n, va);

	return rc ? load_refused(l, "to map the guest's memory", rc) : 0;
}

static int load_headers(struct loader *l)
{
	struct domain_header domain;
	struct image_header image;

	if (load_read(l, &image, sizeof(image)))
		return -1;
	if (image.marker != IMAGE_MARKER || be32toh(image.id) != IMAGE_ID)
		return load_damaged(l, "there is no domain image in it");
	if (be32toh(image.version) != IMAGE_VERSION || be16toh(image.options))
		return error_set(l->err, ERROR_SAVE_FILE,
				 "its domain image has version %u, options %#x; version %u of a "
				 "little-endian machine is what can be read",
				 be32toh(image.version), be16toh(image.options), IMAGE_VERSION);
	if (load_read(l, &domain, sizeof(domain)))
		return -1;
	if (le32toh(domain.type) != DOMAIN_TYPE_PV || le16toh(domain.page_shift) != HYP_PAGE_SHIFT)
		return error_set(l->err, ERROR_SAVE_FILE,
				 "its domain image is not of an x86 PV guest");
	return 0;
}

static int load_info(struct loader *l, uint32_t length)
{
	struct pv_info info;

	if (length != sizeof(info))
		return load_damaged(l, "X86_PV_INFO has a wrong length");
	if (load_read(l, &info, sizeof(info)))
		return -1;
	if (info.guest_width != 8 || info.pt_levels != 4)
		return error_set(l->err, ERROR_SAVE_FILE,
				 "its domain image is of a %u-bit guest; only 64-bit guests can be "
				 "restored", info.guest_width * 8);
	l->has_info = true;
	return 0;
}

static int load_shared(struct loader *l, uint32_t length)
{
	if (length != sizeof(l->shared))
		return load_damaged(l, "SHARED_INFO is no page");
	l->has_shared = true;
	return load_read(l, l->shared, sizeof(l->shared));
}

static int load_tsc(struct loader *l, uint32_t length)
{
	if (length != sizeof(l->tsc))
		return load_damaged(l, "X86_TSC_INFO has a wrong length");
	l->has_tsc = true;
	return load_read(l, &l->tsc, sizeof(l->tsc));
}

static int skip(struct loader *l, uint32_t type, uint32_t length)
{
	int rc;

	if (!(type & RECORD_OPTIONAL))
		return error_set(l->err, ERROR_SAVE_FILE,
				 "its domain image has a record of type %#x, which is not for what "
				 "is read here", type);
	rc = stream_in_skip(l->in, length);
	return rc ? envelope_read_failed(rc, l->err) : 0;
}

/* What a record builds on has to be there. */
static int in_order(struct loader *l, uint32_t type)
{
	switch (type) {
	case RECORD_P2M_FRAMES:
		return l->has_info && !l->nr;
	case RECORD_PAGE_DATA:
	case RECORD_VCPU_BASIC:
	case RECORD_VCPU_EXTENDED:
	case RECORD_VCPU_XSAVE:
	case RECORD_VCPU_MSRS:
		return l->nr != 0;
	default:
		return true;
	}
}

static int load_body(struct loader *l, uint32_t type, uint32_t length)
{
	switch (type) {
	case RECORD_END:
		l->ended = true;
		return length ? load_damaged(l, "END is not empty") : 0;
	case RECORD_PV_INFO:
		return load_info(l, length);
	case RECORD_P2M_FRAMES:
		return load_p2m_frames(l, length);
	case RECORD_PAGE_DATA:
		return load_page_data(l, length);
	case RECORD_VCPU_BASIC:
	case RECORD_VCPU_EXTENDED:
	case RECORD_VCPU_XSAVE:
	case RECORD_VCPU_MSRS:
		return load_vcpu_record(l, type, length);
	case RECORD_SHARED_INFO:
		return load_shared(l, length);
	case RECORD_TSC_INFO:
		return load_tsc(l, length);
	default:
		return skip(l, type, length);
	}
}

static int load_record(struct loader *l)
{
	struct record_header header;
	uint8_t pad[RECORD_ALIGN];
	uint32_t type, length;

	if (load_read(l, &header, sizeof(header)))
		return -1;
	type = le32toh(header.type);
	length = le32toh(header.length);
	if (!in_order(l, type))
		return load_damaged(l, "its records are not in their order");
	return load_body(l, type, length) || load_read(l, pad, -length % RECORD_ALIGN) ? -1 : 0;
}

static int load_all(struct loader *l)
{
	if (load_headers(l))
		return -1;
	while (!l->ended)
		if (load_record(l))
			return -1;
	if (!l->nr || !l->has_shared)
		return load_damaged(l, "its domain image lacks the P2M or the shared page");
	return load_finish(l);
}

int stream_load(struct hyp *hyp, uint32_t domid, struct stream_in *in,
		const struct stream_request *request, struct stream_result *result,
		const struct stream_progress *progress, struct error *err)
{
	struct loader *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	*l = (struct loader){ .hyp = hyp, .domid = domid, .in = in, .request = request,
			      .result = result, .progress = progress, .err = err,
			      .limit = request->memory_max_kib / 4 };
	l->vcpu = calloc(request->vcpus_max, sizeof(*l->vcpu));
	rc = l->vcpu ? load_all(l) : error_set(err, ERROR_NO_MEMORY, "out of memory");
	for (unsigned i = 0; l->vcpu && i < request->vcpus_max; i++)
		for (unsigned j = 0; j < CONTEXTS; j++)
			free(l->vcpu[i].context[j]);
	free(l->vcpu);
	free(l->mfn);
	free(l->type);
	free(l->list);
	free(l);
	return rc;
}
