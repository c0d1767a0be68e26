/* SPDX-License-Identifier: MIT */
/*
 * A guest comes out of a save file as it went in, packed or not, from a file or a pipe; the file
 * holds no more than the guest's non-zero memory. A damaged file is refused, wherever the damage
 * is; a guest that lies about itself is not saved; whatever call fails, nothing stays mapped.
 * Links: toolstack/stream/ toolstack/hyp/grants.c toolstack/lib/
 * Links: tests/fake/hyp.c tests/fake/hyp_save.c tests/unit/toolstack/stream/guest.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "stream/envelope.h"
#include "stream/format.h"

#define XML	"<domain type='xen'><name>g</name></domain>"
#define XML_END (ENVELOPE_HEADER + ((sizeof(XML) - 1 + 7) & ~7UL))

static const struct stream_progress quiet;

/* Save to fd. 0 or -1 with err set. */
static int save(const struct guest *guest, int fd, enum stream_packing packing, struct error *err)
{
	struct envelope envelope = { .packing = packing, .memory_kib = GUEST_PAGES * 4,
				     .xml = XML, .xml_len = sizeof(XML) - 1 };
	struct stream_out *out;
	int rc;

	assert_int_equal(stream_out_open(&out, fd), 0);
	assert_int_equal(envelope_write(out, &envelope), 0);
	assert_int_equal(stream_out_packed(out, packing), 0);
	rc = stream_save(guest->hyp, guest->domid, out, &quiet, err);
	if (!rc && (stream_out_unpacked(out) || envelope_write_end(out)))
		rc = error_set(err, ERROR_FILE, "the end");
	stream_out_close(out);
	return rc;
}

static int load(const struct guest *guest, uint32_t domid, int fd, struct stream_result *result,
		struct error *err)
{
	struct stream_request request = guest_request();
	struct envelope envelope;
	struct stream_in *in;
	int rc;

	assert_int_equal(stream_in_open(&in, fd), 0);
	rc = envelope_read(in, &envelope, err);
	if (!rc) {
		rc = stream_in_packed(in, envelope.packing);
		if (rc)
			envelope_read_failed(rc, err);
		else
			rc = stream_load(guest->hyp, domid, in, &request, result, &quiet, err);
		if (!rc && stream_in_unpacked(in))
			rc = error_set(err, ERROR_SAVE_FILE, "more");
		if (!rc)
			rc = envelope_read_end(in, err);
		envelope_free(&envelope);
	}
	stream_in_close(in);
	return rc;
}

/* A saved guest in a file in memory. */
static int saved(struct guest *guest, enum stream_packing packing, off_t *size)
{
	int fd = memfd_create("save", MFD_CLOEXEC);
	struct error err;

	guest_make(guest);
	assert_int_equal(save(guest, fd, packing, &err), 0);
	assert_int_equal(fake_hyp_mapped(), 0);
	*size = lseek(fd, 0, SEEK_CUR);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void done(struct guest *guest, int fd)
{
	for (uint32_t id = 1; id < 8; id++)
		hyp_domain_destroy(guest->hyp, id);
	assert_int_equal(fake_hyp_mapped(), 0);
	hyp_close(guest->hyp);
	if (fd >= 0)
		close(fd);
}

/* A new domain from fd is the guest. */
static void comes_back(struct guest *guest, int fd)
{
	struct stream_request request = guest_request();
	uint32_t domid = guest_new_domain(guest);
	struct stream_result result;
	struct error err;

	assert_int_equal(load(guest, domid, fd, &result, &err), 0);
	guest_check_restored(guest, domid, &request, &result);
}

static void round_trip(enum stream_packing packing)
{
	struct guest guest;
	struct error err;
	off_t size;
	int fd = saved(&guest, packing, &size);

	assert_int_equal(envelope_verify(fd, &err), 0);
	lseek(fd, 0, SEEK_SET);
	comes_back(&guest, fd);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), size);
	done(&guest, fd);
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip(STREAM_PLAIN);
	round_trip(STREAM_ZSTD);
	round_trip(STREAM_LZ4);
}

static void test_size(void **state)
{
	/* headers, records, shared_info, two vCPUs */
	const off_t rest = 8192 + GUEST_VCPUS * (off_t)(sizeof(struct vcpu_guest_context) + 1024);
	struct guest guest;
	off_t size;
	int fd = saved(&guest, STREAM_PLAIN, &size);

	(void)state;
	assert_true(size <= (off_t)(guest_nonzero(&guest) * HYP_PAGE_SIZE) + rest);
	done(&guest, fd);
}

static void test_pipe(void **state)
{
	struct guest guest;
	off_t size;
	int fd = saved(&guest, STREAM_ZSTD, &size), ends[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		char buf[1000];
		ssize_t n;

		while ((n = read(fd, buf, sizeof(buf))) > 0)
			if (write(ends[1], buf, (size_t)n) != n)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	comes_back(&guest, ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(ends[0]);
	done(&guest, fd);
}

/* Every bit of what stands before the memory, and of the record headers. */
static void test_flips(void **state)
{
	const size_t headers = XML_END + sizeof(struct image_header) +
			       sizeof(struct domain_header) + 16 + 8 + 8 + 3 * 8 + 8 + 8 + 64;
	struct guest guest;
	struct error err;
	off_t size;
	int fd = saved(&guest, STREAM_PLAIN, &size);

	(void)state;
	for (size_t at = 0; at < headers; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			struct envelope envelope;
			struct stream_in *in;
			uint8_t byte;
			int rc;

			assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
			byte ^= (uint8_t)(1u << bit);
			assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
			/* by itself, where it is of the envelope */
			lseek(fd, 0, SEEK_SET);
			assert_int_equal(stream_in_open(&in, fd), 0);
			rc = envelope_read(in, &envelope, &err);
			stream_in_close(in);
			assert_int_equal(rc, at < XML_END ? -1 : 0);
			if (!rc)
				envelope_free(&envelope);
			else
				assert_int_equal(err.code, ERROR_SAVE_FILE);
			/* and by the whole */
			if (bit == 0) {
				lseek(fd, 0, SEEK_SET);
				assert_int_equal(envelope_verify(fd, &err), -1);
				assert_int_equal(err.code, ERROR_SAVE_FILE);
			}
			byte ^= (uint8_t)(1u << bit);
			assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
		}
	}
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(envelope_verify(fd, &err), 0);
	done(&guest, fd);
}

static void cut(enum stream_packing packing)
{
	struct stream_result result;
	struct guest guest;
	struct error err;
	off_t size;
	int fd = saved(&guest, packing, &size);

	for (off_t len = size - 1; len >= 0; len = len > size - 40 ? len - 1 : len - size / 29) {
		uint32_t domid = guest_new_domain(&guest);

		assert_int_equal(ftruncate(fd, len), 0);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(envelope_verify(fd, &err), -1);
		assert_int_equal(err.code, ERROR_SAVE_FILE);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(load(&guest, domid, fd, &result, &err), -1);
		assert_int_equal(err.code, ERROR_SAVE_FILE);
		assert_int_equal(fake_hyp_mapped(), 0);
		hyp_domain_destroy(guest.hyp, domid);
	}
	done(&guest, fd);
}

static void test_cut(void **state)
{
	(void)state;
	cut(STREAM_LZ4);	/* from its end on: it cannot be made longer again */
	cut(STREAM_ZSTD);
	cut(STREAM_PLAIN);
}

static void test_more_at_the_end(void **state)
{
	struct guest guest;
	struct error err;
	off_t size;
	int fd = saved(&guest, STREAM_PLAIN, &size);

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, size), 1);
	assert_int_equal(envelope_verify(fd, &err), -1);
	done(&guest, fd);
}

/* --- guests that lie ----------------------------------------------------------------------- */

static void lie_max_pfn(struct guest *guest)
{
	guest_shared(guest)->arch.max_pfn = 1UL << 40;
}

static void lie_no_pfn(struct guest *guest)
{
	guest_shared(guest)->arch.max_pfn = 0;
}

static void lie_nowhere(struct guest *guest)
{
	guest_shared(guest)->arch.p2m_cr3 = 0;
}

static void lie_cr3(struct guest *guest)
{
	guest_shared(guest)->arch.p2m_cr3 = xen_pfn_to_cr3(0x3ffff);
}

static void lie_address(struct guest *guest)
{
	guest_shared(guest)->arch.p2m_vaddr = HYPERVISOR_VIRT_START + 0x1000;
}

static void lie_address_end(struct guest *guest)
{
	guest_shared(guest)->arch.p2m_vaddr = 0xfffffffffffff000;
}

static void lie_not_canonical(struct guest *guest)
{
	guest_shared(guest)->arch.p2m_vaddr = 0x7fffffffe000;
}

static void lie_not_mapped(struct guest *guest)
{
	guest_shared(guest)->arch.p2m_vaddr = GUEST_P2M_VA + (8UL << 30);
}

static void lie_large(struct guest *guest)
{
	((uint64_t *)guest_page(guest, GUEST_L2))[GUEST_P2M_VA >> 21 & 511] |= 0x80;
}

static void lie_foreign_frame(struct guest *guest)
{
	((uint64_t *)guest_page(guest, GUEST_P2M))[50] =
		fake_hyp_domain(guest_new_domain(guest))->info.shared_info_frame;
}

static void lie_twice(struct guest *guest)
{
	((uint64_t *)guest_page(guest, GUEST_P2M))[50] = guest->mfn[51];
}

static void lie_table(struct guest *guest)
{
	((uint64_t *)guest_page(guest, GUEST_L1))[7] = 0x3fff0067;
}

static void lie_no_start_info(struct guest *guest)
{
	fake_hyp_domain(guest->domid)->vcpu[0].context.user_regs.rdx = 77;
}

static void lie_gdt(struct guest *guest)
{
	fake_hyp_domain(guest->domid)->vcpu[1].context.gdt_frames[0] = 77;
}

static void lie_root(struct guest *guest)
{
	fake_hyp_domain(guest->domid)->vcpu[1].context.ctrlreg[1] = 77 << 12;
}

static void lie_hidden_p2m(struct guest *guest)
{
	/* the P2M's own page is not in the P2M */
	((uint64_t *)guest_page(guest, GUEST_P2M))[GUEST_P2M + 1] = ~0UL;
}

static void test_lies(void **state)
{
	static void (*const lies[])(struct guest *guest) = {
		lie_max_pfn,	 lie_no_pfn,	  lie_nowhere,	   lie_cr3,	  lie_address,
		lie_address_end, lie_not_canonical, lie_not_mapped, lie_large,	  lie_foreign_frame,
		lie_twice,	 lie_table,	  lie_no_start_info, lie_gdt,	  lie_root,
		lie_hidden_p2m,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		int fd = memfd_create("save", MFD_CLOEXEC);
		struct error err = { 0 };
		struct guest guest;

		guest_make(&guest);
		lies[i](&guest);
		assert_int_equal(save(&guest, fd, STREAM_PLAIN, &err), -1);
		assert_int_equal(err.code, ERROR_STATE);
		done(&guest, fd);
	}
}

/* A P2M that is told as a tree, as by older kernels. */
static void test_tree(void **state)
{
	struct guest guest;
	struct error err;
	uint64_t *mid;
	int fd = memfd_create("save", MFD_CLOEXEC);

	(void)state;
	guest_make(&guest);
	mid = guest_page(&guest, 31);
	((uint64_t *)guest_page(&guest, 30))[0] = guest.mfn[31];
	for (unsigned i = 0; i < 3; i++)
		mid[i] = guest.mfn[GUEST_P2M + i];
	guest_shared(&guest)->arch.p2m_cr3 = 0;
	guest_shared(&guest)->arch.pfn_to_mfn_frame_list_list = guest.mfn[30];
	assert_int_equal(save(&guest, fd, STREAM_PLAIN, &err), 0);
	lseek(fd, 0, SEEK_SET);
	comes_back(&guest, fd);
	done(&guest, fd);
}

/* --- calls that fail ----------------------------------------------------------------------- */

static void test_failing_calls(void **state)
{
	struct stream_result result;
	struct guest guest;
	struct error err;
	off_t size;
	int fd = saved(&guest, STREAM_PLAIN, &size), rc = -1;

	(void)state;
	for (unsigned n = 1; rc; n++) {
		lseek(fd, 0, SEEK_SET);
		fake_hyp_fail_at(n);
		rc = save(&guest, fd, STREAM_PLAIN, &err);
		assert_int_equal(fake_hyp_mapped(), 0);
		assert_true(rc == 0 || fake_hyp_failed());
		assert_true(n < 1000);
	}
	rc = -1;
	for (unsigned n = 1; rc; n++) {
		uint32_t domid;

		fake_hyp_fail_at(0);
		domid = guest_new_domain(&guest);
		lseek(fd, 0, SEEK_SET);
		fake_hyp_fail_at(n);
		rc = load(&guest, domid, fd, &result, &err);
		assert_int_equal(fake_hyp_mapped(), 0);
		/* A large extent or the resource that is refused is tried in another way. */
		assert_true(rc == 0 || fake_hyp_failed());
		fake_hyp_fail_at(0);
		hyp_domain_destroy(guest.hyp, domid);
		if (!rc && fake_hyp_failed())
			rc = -1;
		assert_true(n < 1000);
	}
	done(&guest, fd);
}

static void test_full_disk(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct guest guest;
	struct error err;

	(void)state;
	guest_make(&guest);
	assert_int_equal(save(&guest, fd, STREAM_PLAIN, &err), -1);
	assert_int_equal(err.code, ERROR_FILE);
	done(&guest, fd);
}

/* No memory on the host for all of the guest. */
static void test_no_memory(void **state)
{
	struct stream_result result;
	struct guest guest;
	struct error err;
	off_t size;
	int fd = saved(&guest, STREAM_PLAIN, &size);
	uint64_t hog[(1 << 14) - GUEST_PAGES - 700];
	uint32_t other;

	(void)state;
	other = guest_new_domain(&guest);
	for (size_t i = 0; i < sizeof(hog) / sizeof(hog[0]); i++)
		hog[i] = i;
	assert_true(hyp_memory_populate(guest.hyp, other, 0, hog, sizeof(hog) / sizeof(hog[0])) >
		    0);
	assert_int_equal(load(&guest, guest_new_domain(&guest), fd, &result, &err), -1);
	assert_int_equal(err.code, ERROR_NO_MEMORY);
	done(&guest, fd);
}

/* What the fuzzer starts from is whole images, so that it gets everywhere. Run from the top. */
static void seed(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stream_request request = guest_request();
	struct stream_result result;
	struct stream_in *in;
	struct guest guest;
	struct error err;
	uint8_t packing;

	assert_true(fd >= 0);
	assert_int_equal(read(fd, &packing, 1), 1);
	guest_make(&guest);
	assert_int_equal(stream_in_open(&in, fd), 0);
	assert_int_equal(stream_in_packed(in, packing), 0);
	if (stream_load(guest.hyp, guest_new_domain(&guest), in, &request, &result, &quiet, &err))
		fail_msg("%s: %s", path, err.text);
	assert_int_equal(stream_in_unpacked(in), 0);
	stream_in_close(in);
	done(&guest, fd);
}

static void test_fuzz_seeds(void **state)
{
	(void)state;
	seed("tests/fuzz/corpus/save_file/image");
	seed("tests/fuzz/corpus/save_file/image.lz4");
	seed("tests/fuzz/corpus/save_file/image.zst");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_size),
		cmocka_unit_test(test_pipe),	      cmocka_unit_test(test_flips),
		cmocka_unit_test(test_cut),	      cmocka_unit_test(test_more_at_the_end),
		cmocka_unit_test(test_lies),	      cmocka_unit_test(test_tree),
		cmocka_unit_test(test_failing_calls), cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_no_memory),     cmocka_unit_test(test_fuzz_seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
