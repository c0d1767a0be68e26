/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a save file, and as the domain image in one, by the first byte also packed: refused
 * or restored, but nothing stays mapped, no more memory is given than the guest may have, and no
 * frame of another domain gets into its tables.
 *
 * Links: toolstack/stream/ toolstack/hyp/grants.c toolstack/lib/
 * Links: tests/fake/hyp.c tests/fake/hyp_save.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake/hyp.h"
#include "stream/envelope.h"
#include "stream/stream.h"

enum { PAGES = 64, VCPUS = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(struct hyp *hyp, struct stream_in *in, enum stream_packing packing)
{
	const struct stream_request request = {
		.memory_max_kib = PAGES * 4, .memory_kib = PAGES * 4, .vcpus_max = VCPUS,
		.store_port = 1, .console_port = 2,
	};
	const struct xen_domctl_createdomain config = { .max_vcpus = VCPUS };
	const struct stream_progress progress = { NULL, NULL };
	struct stream_result result = { 0 };
	struct error err;
	uint32_t domid = 0;

	if (hyp_domain_create(hyp, &domid, &config) || hyp_domain_max_vcpus(hyp, domid, VCPUS) ||
	    hyp_domain_max_mem(hyp, domid, PAGES * 4))
		abort();
	if (!stream_in_packed(in, packing)) {
		int rc = stream_load(hyp, domid, in, &request, &result, &progress, &err);

		if (!rc && (!fake_hyp_owns(domid, result.store_mfn) ||
			    !fake_hyp_owns(domid, result.console_mfn)))
			abort();
		if (!rc)
			stream_in_unpacked(in);
	}
	if (fake_hyp_mapped() || fake_hyp_domain(domid)->info.tot_pages > PAGES)
		abort();
	hyp_domain_destroy(hyp, domid);
}

static void envelope(struct stream_in *in)
{
	struct envelope envelope;
	struct error err;

	if (envelope_read(in, &envelope, &err))
		return;
	if (envelope.xml[envelope.xml_len])
		abort();
	envelope_free(&envelope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hyp *hyp;
	static int fd = -1;
	struct stream_in *in;
	struct error err;

	if (!hyp) {
		fake_hyp_reset(1 << 12);
		fd = memfd_create("save", MFD_CLOEXEC);
		if (fd < 0 || hyp_open(&hyp, &err))
			abort();
	}
	if (!size || ftruncate(fd, 0) ||
	    pwrite(fd, data + 1, size - 1, 0) != (ssize_t)(size - 1))
		return 0;
	lseek(fd, 0, SEEK_SET);
	if (stream_in_open(&in, fd))
		return 0;
	if (data[0] & 4)
		envelope(in);
	else
		load(hyp, in, data[0] & 3);
	stream_in_close(in);
	lseek(fd, 0, SEEK_SET);
	if (data[0] & 4)
		envelope_verify(fd, &err);
	return 0;
}
