/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls through /dev/xen/privcmd. The hypervisor reads and writes arguments through this
 * process's page tables and cannot fault pages in, so arguments live in memory that the kernel
 * leaves in place.
 */
#include "hyp/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hyp/linux.h"

#define BUFFER_START (16UL << 10)	/* enough for all but lists of frames */

/* /dev/xen/hypercall gives pages of the kernel's own; without it, locked memory comes near. */
static void *map_buffer(const struct hyp *hyp, size_t size)
{
	if (hyp->hypercall >= 0)
		return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, hyp->hypercall, 0);
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
}

int hyp_reserve(struct hyp *hyp, size_t size)
{
	size_t want = BUFFER_START;
	void *buffer;

	hyp->used = 0;
	if (size <= hyp->size)
		return 0;
	while (want < size + 4 * 64)	/* each piece is rounded up to 64 bytes */
		want *= 2;
	if (hyp->size)
		munmap(hyp->buffer, hyp->size);
	hyp->size = 0;
	buffer = map_buffer(hyp, want);
	if (buffer == MAP_FAILED)
		return -ENOMEM;
	hyp->buffer = buffer;
	hyp->size = want;
	return 0;
}

void *hyp_take(struct hyp *hyp, size_t size)
{
	void *piece = hyp->buffer + hyp->used;

	hyp->used += (size + 63) & ~63UL;
	memset(piece, 0, size);
	return piece;
}

long hyp_call(struct hyp *hyp, unsigned op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
	struct privcmd_hypercall call = { op, { a1, a2, a3, a4, 0 } };
	int rc = ioctl(hyp->privcmd, IOCTL_PRIVCMD_HYPERCALL, &call);

	return rc < 0 ? -errno : rc;
}

long hyp_memory_op(struct hyp *hyp, unsigned cmd, void *arg, size_t size)
{
	void *copy = hyp_take(hyp, size);
	long rc;

	memcpy(copy, arg, size);
	rc = hyp_call(hyp, __HYPERVISOR_memory_op, cmd, (uintptr_t)copy, 0, 0);
	memcpy(arg, copy, size);
	return rc;
}

static int open_error(struct error *err)
{
	if (errno == EACCES || errno == EPERM)
		return error_set(err, ERROR_PERMISSION, "/dev/xen/privcmd: %s; run as root",
				 error_text(-errno));
	return error_set(
		err, ERROR_NO_HOST,
		"/dev/xen/privcmd: %s; this is not the control domain of a hypervisor, or its "
		"kernel lacks the module xen-privcmd",
		error_text(-errno));
}

int hyp_open(struct hyp **out, struct error *err)
{
	struct hyp *hyp = calloc(1, sizeof(*hyp));

	if (!hyp)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	hyp->hypercall = -1;
	hyp->privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	if (hyp->privcmd < 0) {
		open_error(err);
		goto fail;
	}
	hyp->hypercall = open("/dev/xen/hypercall", O_RDWR | O_CLOEXEC);
	if (hyp_reserve(hyp, BUFFER_START - 4 * 64)) {
		error_set(err, ERROR_NO_MEMORY, "no memory for hypercalls");
		goto fail;
	}
	*out = hyp;
	return 0;
fail:
	hyp_close(hyp);
	return -1;
}

void hyp_close(struct hyp *hyp)
{
	if (!hyp)
		return;
	if (hyp->size)
		munmap(hyp->buffer, hyp->size);
	if (hyp->privcmd >= 0)
		close(hyp->privcmd);
	if (hyp->hypercall >= 0)
		close(hyp->hypercall);
	free(hyp);
}
