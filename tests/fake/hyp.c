/* SPDX-License-Identifier: MIT */
/*
 * A hypervisor in this process: see fake/hyp.h. Machine memory is a file in memory, so that the
 * same frame can be mapped at several addresses, and frames that are not neighbours as neighbours.
 */
#include "fake/hyp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DOMAINS = 64, FRAMES = 1 << 18, FIRST_FRAME = 0x100 };

struct hyp {
	int unused;
};

static struct fake_domain domains[DOMAINS];
static uint16_t owner[FRAMES];		/* domain id + 1, 0: free */
static uint8_t writable[FRAMES];	/* mappings of it */
static uint32_t type[FRAMES];
static uint64_t limit, used;
static unsigned fail_at, mapped, opened;
static bool failed;
static int memory = -1;
static uint8_t *all;
static struct {
	uint8_t *va;
	unsigned n;
	bool writable;
	uint64_t *mfns;
} mappings[64];

int fake_hyp_fails(void)
{
	if (!fail_at || --fail_at)
		return 0;
	failed = true;
	return -ENOMEM;
}

void fake_hyp_reset(uint64_t free_pages)
{
	if (all)
		munmap(all, FRAMES * HYP_PAGE_SIZE);
	if (memory >= 0)
		close(memory);
	memory = memfd_create("machine", MFD_CLOEXEC);
	if (memory < 0 || ftruncate(memory, FRAMES * HYP_PAGE_SIZE))
		abort();
	all = mmap(NULL, FRAMES * HYP_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	memset(domains, 0, sizeof(domains));
	memset(owner, 0, sizeof(owner));
	memset(writable, 0, sizeof(writable));
	memset(type, 0, sizeof(type));
	domains[0].exists = true;
	limit = free_pages;
	used = mapped = fail_at = 0;
	failed = false;
}

void fake_hyp_fail_at(unsigned n)
{
	fail_at = n;
	failed = false;
}

bool fake_hyp_failed(void)
{
	return failed;
}

unsigned fake_hyp_domains(void)
{
	unsigned n = 0;

	for (int i = 1; i < DOMAINS; i++)
		n += domains[i].exists;
	return n;
}

unsigned fake_hyp_mapped(void)
{
	return mapped;
}

uint64_t fake_hyp_used(void)
{
	return used;
}

struct fake_domain *fake_hyp_domain(uint32_t domid)
{
	return domid < DOMAINS && domains[domid].exists ? &domains[domid] : NULL;
}

void *fake_hyp_frame(uint64_t mfn)
{
	return mfn < FRAMES ? all + mfn * HYP_PAGE_SIZE : NULL;
}

uint32_t *fake_hyp_type(uint64_t mfn)
{
	return mfn < FRAMES ? &type[mfn] : NULL;
}

bool fake_hyp_owns(uint32_t domid, uint64_t mfn)
{
	return mfn < FRAMES && owner[mfn] == domid + 1;
}

bool fake_hyp_writable(uint64_t mfn)
{
	return writable[mfn] != 0;
}

void fake_hyp_shutdown(uint32_t domid, unsigned reason)
{
	domains[domid].info.flags |= XEN_DOMINF_shutdown | reason << XEN_DOMINF_shutdownshift;
}

int hyp_open(struct hyp **hyp, struct error *err)
{
	if (fake_hyp_fails())
		return error_set(err, ERROR_NO_HOST, "the test says so");
	opened++;
	*hyp = calloc(1, sizeof(**hyp));
	return *hyp ? 0 : error_set(err, ERROR_NO_MEMORY, "out of memory");
}

void hyp_close(struct hyp *hyp)
{
	free(hyp);
}

/* --- domains ------------------------------------------------------------------------------- */

/* A free frame for a domain; zeroed, as the hypervisor gives it. */
static uint64_t take_frame(uint32_t domid)
{
	for (uint64_t mfn = FIRST_FRAME; mfn < FRAMES; mfn++) {
		if (!owner[mfn]) {
			owner[mfn] = (uint16_t)(domid + 1);
			memset(fake_hyp_frame(mfn), 0, HYP_PAGE_SIZE);
			return mfn;
		}
	}
	return 0;
}

int hyp_domain_create(struct hyp *hyp, uint32_t *domid,
		      const struct xen_domctl_createdomain *config)
{
	int rc = fake_hyp_fails();
	uint32_t id = 1;

	(void)hyp;
	while (id < DOMAINS && domains[id].exists)
		id++;
	if (rc || id == DOMAINS)
		return rc ? rc : -ENOMEM;
	domains[id] = (struct fake_domain){ .exists = true, .config = *config };
	domains[id].info.domain = (domid_t)id;
	domains[id].info.flags = XEN_DOMINF_paused;
	memcpy(domains[id].info.handle, config->handle, sizeof(config->handle));
	domains[id].info.shared_info_frame = take_frame(id);
	domains[id].grant_frame = take_frame(id);
	domains[id].info.max_vcpu_id = FAKE_VCPUS - 1;
	*domid = id;
	return 0;
}

/* The domain and 0, or the error that the call ends with. */
static int find(uint32_t domid, struct fake_domain **domain)
{
	int rc = fake_hyp_fails();

	*domain = fake_hyp_domain(domid);
	return rc ? rc : *domain ? 0 : -ESRCH;
}

/* Never made to fail: what is undone must be undone. */
int hyp_domain_destroy(struct hyp *hyp, uint32_t domid)
{
	(void)hyp;
	if (!fake_hyp_domain(domid))
		return -ESRCH;
	domains[domid].exists = false;
	for (int i = 0; i < FAKE_VCPUS; i++)
		for (int j = 0; j < HYP_VCPU_PARTS; j++)
			free(domains[domid].vcpu[i].part[j]);
	used -= domains[domid].info.tot_pages;
	for (int mfn = 0; mfn < FRAMES; mfn++) {
		if (owner[mfn] == domid + 1)
			owner[mfn] = type[mfn] = 0;
	}
	return 0;
}

int hyp_domain_pause(struct hyp *hyp, uint32_t domid)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (!rc)
		domain->info.flags |= XEN_DOMINF_paused;
	return rc;
}

int hyp_domain_unpause(struct hyp *hyp, uint32_t domid)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (!rc)
		domain->info.flags &= ~XEN_DOMINF_paused;
	return rc;
}

int hyp_domain_max_vcpus(struct hyp *hyp, uint32_t domid, uint32_t max)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (rc)
		return rc;
	domain->max_vcpus = max;
	domain->info.max_vcpu_id = max - 1;
	return 0;
}

int hyp_domain_max_mem(struct hyp *hyp, uint32_t domid, uint64_t kib)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (!rc) {
		domain->max_kib = kib;
		domain->info.max_pages = kib / 4;
	}
	return rc;
}

int hyp_domain_hypercall_page(struct hyp *hyp, uint32_t domid, uint64_t gmfn)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (!rc)
		domain->hypercall_page = gmfn;
	return rc;
}

int hyp_vcpu_set_context(struct hyp *hyp, uint32_t domid, uint32_t vcpu,
			 const struct vcpu_guest_context *context)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (!rc && vcpu >= FAKE_VCPUS)
		return -ENOENT;
	if (!rc) {
		domain->vcpu[vcpu].context = *context;
		domain->vcpu[vcpu].online = context->flags & VGCF_online;
	}
	if (!rc && vcpu == 0) {
		domain->context = *context;
		domain->has_context = true;
	}
	return rc;
}

int hyp_domain_info(struct hyp *hyp, uint32_t domid, struct xen_domctl_getdomaininfo *info)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (!rc)
		*info = domain->info;
	return rc;
}

int hyp_domain_list(struct hyp *hyp, uint32_t first, struct xen_domctl_getdomaininfo *infos,
		    unsigned max)
{
	unsigned n = 0;
	int rc = fake_hyp_fails();

	(void)hyp;
	for (uint32_t id = first; id < DOMAINS && n < max && !rc; id++) {
		if (domains[id].exists)
			infos[n++] = domains[id].info;
	}
	return rc ? rc : (int)n;
}

int hyp_host_physinfo(struct hyp *hyp, struct xen_sysctl_physinfo *info)
{
	(void)hyp;
	*info = (struct xen_sysctl_physinfo){ .nr_cpus = 2,
					      .total_pages = limit,
					      .free_pages = limit - used };
	return fake_hyp_fails();
}

/* --- scheduling ---------------------------------------------------------------------------- */

int hyp_domain_get_sched(struct hyp *hyp, uint32_t domid, struct hyp_sched *sched)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (!rc)
		*sched = domain->sched;
	return rc;
}

int hyp_domain_set_sched(struct hyp *hyp, uint32_t domid, const struct hyp_sched *sched)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (rc)
		return rc;
	if (sched->weight)
		domain->sched.weight = sched->weight;
	if (sched->cap != HYP_SCHED_KEEP)
		domain->sched.cap = sched->cap;
	return 0;
}

/* The vCPU's set of CPUs: one word is enough. */
static int find_vcpu(uint32_t domid, uint32_t vcpu, uint64_t **cpus)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	if (!rc && (vcpu >= domain->max_vcpus || vcpu >= FAKE_VCPUS))
		rc = -ENOENT;
	if (!rc)
		*cpus = &domain->cpus[vcpu];
	return rc;
}

int hyp_vcpu_set_affinity(struct hyp *hyp, uint32_t domid, uint32_t vcpu, const uint64_t *cpus,
			  unsigned nr_cpus)
{
	uint64_t *mine;
	int rc = find_vcpu(domid, vcpu, &mine);

	(void)hyp;
	if (rc || !(cpus[0] & ((1u << nr_cpus) - 1)))
		return rc ? rc : -EINVAL;
	*mine = cpus[0];
	return 0;
}

int hyp_vcpu_get_affinity(struct hyp *hyp, uint32_t domid, uint32_t vcpu, uint64_t *cpus,
			  unsigned nr_cpus)
{
	uint64_t *mine;
	int rc = find_vcpu(domid, vcpu, &mine);

	(void)hyp;
	if (!rc)
		*cpus = *mine ? *mine : (1u << nr_cpus) - 1;
	return rc;
}

int hyp_vcpu_info(struct hyp *hyp, uint32_t domid, uint32_t vcpu,
		  struct xen_domctl_getvcpuinfo *info)
{
	uint64_t *mine;
	int rc = find_vcpu(domid, vcpu, &mine);

	(void)hyp;
	*info = (struct xen_domctl_getvcpuinfo){ .vcpu = vcpu, .cpu = 1,
						 .cpu_time = 1000 };
	if (!rc)
		info->online = vcpu == 0 || domains[domid].vcpu[vcpu].online;
	return rc;
}

/* --- memory -------------------------------------------------------------------------------- */

/* Extents are not neighbours, so that nobody relies on it. */
int hyp_memory_populate(struct hyp *hyp, uint32_t domid, unsigned order, uint64_t *frames,
			unsigned n)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (rc)
		return rc;
	for (unsigned i = 0; i < n; i++) {
		uint64_t size = 1UL << order, start = FIRST_FRAME;

		while (start + size <= FRAMES &&
		       (owner[start] || owner[start + size - 1] || start % size))
			start++;
		if (start + size > FRAMES || used + size > limit)
			return (int)i;
		for (uint64_t mfn = start; mfn < start + size; mfn++)
			owner[mfn] = (uint16_t)(domid + 1);
		memset(fake_hyp_frame(start), 0, size * HYP_PAGE_SIZE);
		used += size;
		domain->info.tot_pages += size;
		frames[i] = start;
	}
	return (int)n;
}

int hyp_memory_pin(struct hyp *hyp, uint32_t domid, unsigned level, uint64_t mfn)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (rc)
		return rc;
	if (level != 4 || owner[mfn] != domid + 1 || writable[mfn])
		return -EINVAL;
	domain->pinned = mfn;
	return 0;
}

int hyp_memory_set_map(struct hyp *hyp, uint32_t domid, uint64_t bytes)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (!rc)
		domain->map_bytes = bytes;
	return rc;
}

int hyp_foreign_map(struct hyp *hyp, uint32_t domid, int prot, const uint64_t *mfns, unsigned n,
		    void **out)
{
	unsigned slot = 0;
	uint8_t *va;

	(void)hyp;
	if (fake_hyp_fails())
		return -ENOMEM;
	while (mappings[slot].va)
		slot++;
	for (unsigned i = 0; i < n; i++) {
		if (mfns[i] >= FRAMES || owner[mfns[i]] != domid + 1)
			return -EINVAL;
	}
	mappings[slot].mfns = malloc(n * sizeof(*mfns));
	if (!mappings[slot].mfns)
		return -ENOMEM;
	va = mmap(NULL, n * HYP_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mappings[slot].va = va;
	mappings[slot].n = n;
	mappings[slot].writable = prot & PROT_WRITE;
	memcpy(mappings[slot].mfns, mfns, n * sizeof(*mfns));
	for (unsigned i = 0; i < n; i++) {
		if (mmap(va + i * HYP_PAGE_SIZE, HYP_PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED,
			 memory, (off_t)(mfns[i] * HYP_PAGE_SIZE)) == MAP_FAILED)
			abort();
		writable[mfns[i]] += mappings[slot].writable;
	}
	mapped += n;
	*out = va;
	return 0;
}

int hyp_resource_map(struct hyp *hyp, uint32_t domid, unsigned type, unsigned id, unsigned frame,
		     unsigned n, void **va)
{
	(void)hyp, (void)domid, (void)type, (void)id, (void)frame, (void)n, (void)va;
	return -EOPNOTSUPP;
}

void hyp_unmap(void *va, unsigned n)
{
	unsigned slot = 0;

	while (mappings[slot].va != va)
		slot++;
	for (unsigned i = 0; i < n; i++)
		writable[mappings[slot].mfns[i]] -= mappings[slot].writable;
	mapped -= n;
	free(mappings[slot].mfns);
	mappings[slot].va = NULL;
	munmap(va, n * HYP_PAGE_SIZE);
}

void hyp_unmap_read(struct hyp *hyp, const void *va, unsigned n)
{
	(void)hyp;
	hyp_unmap((void *)(uintptr_t)va, n);
}

void hyp_set_short_lived(struct hyp *hyp)
{
	(void)hyp;
}

int hyp_grant_frame(struct hyp *hyp, uint32_t domid, uint64_t *mfn)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (!rc)
		*mfn = domain->grant_frame;
	return rc;
}

int hyp_grant_prepare(void)
{
	return -ENOENT;
}

int hyp_evtchn_alloc(struct hyp *hyp, uint32_t domid, uint32_t remote)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	(void)remote;
	return rc ? rc : (int)++domain->ports;
}
