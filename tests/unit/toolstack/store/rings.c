/* SPDX-License-Identifier: MIT */
/* See rings.h. */
#include "unit/toolstack/store/rings.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hyp/hyp.h"

#define PORT(domid) ((domid) + 2)	/* 1: the virq's */

struct xenstore_domain_interface *rings_page;
unsigned int rings_told[RINGS_MAX];
static bool pending[RINGS_MAX], masked[RINGS_MAX], queued[RINGS_MAX];
static int events;

void rings_init(void)
{
	rings_page = mmap(NULL, RINGS_MAX * sizeof(*rings_page), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(rings_page != MAP_FAILED);
}

static void deliver(unsigned int domid)
{
	eventfd_t one = 1;

	if (!pending[domid] || masked[domid])
		return;
	pending[domid] = false;
	masked[domid] = queued[domid] = true;
	rings_told[domid]++;
	eventfd_write(events, one);
}

void rings_fire(unsigned int domid)
{
	pending[domid] = true;
	deliver(domid);
}

int hyp_open(struct hyp **hyp, struct error *err)
{
	(void)err;
	*hyp = (struct hyp *)rings_page;
	return 0;
}

int hyp_evtchn_open(void)
{
	events = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return events;
}

int hyp_grant_open(void)
{
	return 1001;
}

int hyp_evtchn_bind_virq(int fd, uint32_t virq)
{
	(void)fd;
	(void)virq;
	return 1;
}

int hyp_evtchn_bind_interdomain(int fd, uint32_t domid, uint32_t port)
{
	(void)fd;
	(void)port;
	return (int)PORT(domid);
}

int hyp_evtchn_unbind(int fd, uint32_t port)
{
	(void)fd;
	(void)port;
	return 0;
}

int hyp_evtchn_notify(int fd, uint32_t port)
{
	(void)fd;
	(void)port;
	return 0;
}

int hyp_evtchn_unmask(int fd, uint32_t port)
{
	(void)fd;
	if (port >= PORT(0) && port < PORT(RINGS_MAX)) {
		masked[port - PORT(0)] = false;
		deliver(port - PORT(0));
	}
	return 0;
}

int hyp_evtchn_next(int fd)
{
	eventfd_t count;

	for (unsigned int i = 0; i < RINGS_MAX; i++) {
		if (queued[i]) {
			queued[i] = false;
			return (int)PORT(i);
		}
	}
	eventfd_read(fd, &count);
	return -EAGAIN;
}

int hyp_store_page(void **va, uint32_t *port)
{
	*va = &rings_page[0];
	*port = 1;
	return 0;
}

int hyp_grant_map(int fd, uint32_t domid, const uint32_t *refs, unsigned n, void **va)
{
	(void)fd;
	(void)refs;
	(void)n;
	if (domid >= RINGS_MAX)
		return -ESRCH;
	*va = &rings_page[domid];
	return 0;
}

int hyp_grant_unmap(int fd, void *va, unsigned n)
{
	(void)fd;
	(void)va;
	(void)n;
	return 0;
}

int hyp_foreign_map(struct hyp *hyp, uint32_t domid, int prot, const uint64_t *mfns, unsigned n,
		    void **va)
{
	(void)hyp;
	(void)domid;
	(void)prot;
	(void)mfns;
	(void)n;
	(void)va;
	return -ESRCH;
}

void hyp_unmap(void *va, unsigned n)
{
	(void)va;
	(void)n;
}

int hyp_domain_info(struct hyp *hyp, uint32_t domid, struct xen_domctl_getdomaininfo *info)
{
	(void)hyp;
	(void)domid;
	memset(info, 0, sizeof(*info));
	return 0;
}
