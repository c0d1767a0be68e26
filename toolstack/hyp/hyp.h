/* SPDX-License-Identifier: MIT */
/*
 * The seam to the hypervisor: the only folder that opens /dev/xen. Everything above it can be
 * tested on any machine by linking tests/fake/hyp.c in place of this folder.
 *
 * Structures are the ABI's own (abi/...). Results are 0 or more, or -errno as the hypervisor or
 * Linux gave it; nothing here prints. Arguments of hypercalls are copied through one buffer that
 * the kernel does not move, so callers may pass ordinary memory. A struct hyp is used by one thread
 * at a time.
 */
#ifndef HYP_HYP_H
#define HYP_HYP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/domctl.h"
#include "abi/sysctl.h"
#include "abi/xen.h"
#include "lib/error.h"

#define HYP_PAGE_SHIFT 12
#define HYP_PAGE_SIZE 4096UL

struct hyp;

/*
 * Open the hypervisor. -1 and err (ERROR_NO_HOST or ERROR_PERMISSION) if this is not its control
 * domain.
 */
int hyp_open(struct hyp **hyp, struct error *err);
void hyp_close(struct hyp *hyp);

/* ---- Domains: XEN_DOMCTL_* ---------------------------------------------------------------- */

/* createdomain: *domid in: wanted id, or 0 for any; out: the new domain's. */
int hyp_domain_create(struct hyp *hyp, uint32_t *domid,
		      const struct xen_domctl_createdomain *config);
/* destroydomain: returns when the domain's memory is given back. */
int hyp_domain_destroy(struct hyp *hyp, uint32_t domid);
int hyp_domain_pause(struct hyp *hyp, uint32_t domid);
int hyp_domain_unpause(struct hyp *hyp, uint32_t domid);
/* resumedomain: after a suspend that was cancelled. */
int hyp_domain_resume(struct hyp *hyp, uint32_t domid);
/* max_vcpus: allocate the vCPUs that createdomain announced. */
int hyp_domain_max_vcpus(struct hyp *hyp, uint32_t domid, uint32_t max);
int hyp_domain_max_mem(struct hyp *hyp, uint32_t domid, uint64_t kib);
/* hypercall_init: fill the machine frame gmfn with the hypercall page. */
int hyp_domain_hypercall_page(struct hyp *hyp, uint32_t domid, uint64_t gmfn);
/* setvcpucontext, getvcpucontext. */
int hyp_vcpu_set_context(struct hyp *hyp, uint32_t domid, uint32_t vcpu,
			 const struct vcpu_guest_context *context);
int hyp_vcpu_get_context(struct hyp *hyp, uint32_t domid, uint32_t vcpu,
			 struct vcpu_guest_context *context);
/*
 * The rest of a vCPU's state as the save format has it. get: *buf is malloc'd, *size bytes (which
 * may be 0); set: size bytes as get gave them.
 */
enum hyp_vcpu_part {
	HYP_VCPU_EXTENDED,	/* get_ext_vcpucontext: struct xen_domctl_ext_vcpucontext */
	HYP_VCPU_XSAVE,		/* getvcpuextstate: XCR0, all of XCR0 ever, the XSAVE area */
	HYP_VCPU_MSRS,		/* get_vcpu_msrs: struct xen_domctl_vcpu_msr[] */
	HYP_VCPU_PARTS
};
int hyp_vcpu_get_part(struct hyp *hyp, uint32_t domid, uint32_t vcpu, enum hyp_vcpu_part part,
		      void **buf, size_t *size);
int hyp_vcpu_set_part(struct hyp *hyp, uint32_t domid, uint32_t vcpu, enum hyp_vcpu_part part,
		      const void *buf, size_t size);
/* getdomaininfo: -ESRCH if there is no domain with this very id. */
int hyp_domain_info(struct hyp *hyp, uint32_t domid, struct xen_domctl_getdomaininfo *info);
/* getdomaininfolist: domains with id >= first, ascending. Returns how many were written. */
int hyp_domain_list(struct hyp *hyp, uint32_t first, struct xen_domctl_getdomaininfo *infos,
		    unsigned max);
/*
 * Any other domctl whose structure holds no guest handle; version and command are filled in here.
 */
int hyp_domctl(struct hyp *hyp, uint32_t cmd, struct xen_domctl *op);

/* ---- Scheduling: scheduler_op, vcpuaffinity, getvcpuinfo ---------------------------------- */

#define HYP_CPUS_MAX 512	/* physical CPUs that a set can name */

struct hyp_sched {
	unsigned weight;	/* set: 0 leaves it */
	unsigned cap;		/* percent of one CPU, 0: none; set: HYP_SCHED_KEEP leaves it */
};
#define HYP_SCHED_KEEP 0xffff

/* -EOPNOTSUPP if the hypervisor runs neither credit nor credit2. */
int hyp_domain_get_sched(struct hyp *hyp, uint32_t domid, struct hyp_sched *sched);
int hyp_domain_set_sched(struct hyp *hyp, uint32_t domid, const struct hyp_sched *sched);
/*
 * The CPUs on which a vCPU may run (hard affinity): bits of nr_cpus CPUs in words of 64.
 * set: -EINVAL if none of them is online.
 */
int hyp_vcpu_set_affinity(struct hyp *hyp, uint32_t domid, uint32_t vcpu, const uint64_t *cpus,
			  unsigned nr_cpus);
int hyp_vcpu_get_affinity(struct hyp *hyp, uint32_t domid, uint32_t vcpu, uint64_t *cpus,
			  unsigned nr_cpus);
/* -ENOENT (Xen: or -ESRCH) if the domain has no such vCPU. */
int hyp_vcpu_info(struct hyp *hyp, uint32_t domid, uint32_t vcpu,
		  struct xen_domctl_getvcpuinfo *info);

/* ---- Host: XEN_SYSCTL_*, xen_version ------------------------------------------------------ */

int hyp_host_physinfo(struct hyp *hyp, struct xen_sysctl_physinfo *info);
/*
 * readconsole: up to size bytes of the hypervisor's log from *index on, which is advanced. Returns
 * bytes.
 */
int hyp_host_log(struct hyp *hyp, uint32_t *index, char *buf, size_t size);
/* Drop what the hypervisor's log holds. */
int hyp_host_log_clear(struct hyp *hyp);
/* debug_keys: each letter makes the hypervisor write an answer into its log, or crash. */
int hyp_host_debug_keys(struct hyp *hyp, const char *keys);
/*
 * xen_version XENVER_*: the sub-operation's own structure of size bytes; NULL, 0 for
 * XENVER_version.
 */
int hyp_host_version(struct hyp *hyp, unsigned cmd, void *arg, size_t size);

/* ---- Memory: XENMEM_*, mmu_update, mmuext_op ---------------------------------------------- */

/*
 * populate_physmap: frames[i] in: guest frame numbers, out: machine frame numbers of n extents of
 * 2^order frames. Returns how many leading extents were populated, which is less than n when memory
 * ran out.
 */
int hyp_memory_populate(struct hyp *hyp, uint32_t domid, unsigned order, uint64_t *frames,
			unsigned n);
/* MMUEXT_PIN_L1..L4_TABLE (level 1 to 4) of a domain's frame. */
int hyp_memory_pin(struct hyp *hyp, uint32_t domid, unsigned level, uint64_t mfn);
/* The same of n frames, as few calls as may be. */
struct hyp_table {
	uint64_t mfn;
	unsigned level;
};
int hyp_memory_pin_all(struct hyp *hyp, uint32_t domid, const struct hyp_table *tables, size_t n);
/*
 * getpageframeinfo3: frames[i] in: machine frame number, out: XEN_DOMCTL_PFINFO_*; n at most
 * HYP_TYPES_MAX.
 */
#define HYP_TYPES_MAX 1024U
int hyp_memory_types(struct hyp *hyp, uint32_t domid, uint64_t *frames, unsigned n);
/*
 * set_memory_map: the map that a PV guest reads with XENMEM_memory_map: one entry, RAM from 0 to
 * bytes.
 */
int hyp_memory_set_map(struct hyp *hyp, uint32_t domid, uint64_t bytes);

/*
 * Map n machine frames of a domain contiguously. 0 and *va, or the error of the first frame that
 * could not be mapped (then nothing stays mapped). prot as for mmap.
 */
int hyp_foreign_map(struct hyp *hyp, uint32_t domid, int prot, const uint64_t *mfns, unsigned n,
		    void **va);
/*
 * Map n frames of a resource (XENMEM_resource_grant_table, ...) from frame on. -errno if not
 * supported.
 */
int hyp_resource_map(struct hyp *hyp, uint32_t domid, unsigned type, unsigned id, unsigned frame,
		     unsigned n, void **va);
void hyp_unmap(void *va, unsigned n);
/*
 * Unmap what was mapped to be read. With hyp_set_short_lived() the first GiB of it stays until the
 * process ends, which it has to do soon: then the kernel lets go of whole page tables, where
 * munmap() is a trap for each page, and takes longer than to map and read it. What stays costs page
 * tables (2 MiB for the GiB) and areas, of which a process has 65,530, so more does not.
 */
void hyp_unmap_read(struct hyp *hyp, const void *va, unsigned n);
void hyp_set_short_lived(struct hyp *hyp);

/*
 * GNTTABOP_setup_table on behalf of a domain: its first grant-table frame, as machine frame number.
 */
int hyp_grant_frame(struct hyp *hyp, uint32_t domid, uint64_t *mfn);

/*
 * Let Domain-0 map the console's and the store's page: the entries of a new domain's grant table
 * that the ABI reserves for them.
 */
int hyp_grant_rings(struct hyp *hyp, uint32_t domid, uint64_t console_mfn, uint64_t store_mfn);

/* EVTCHNOP_alloc_unbound in domain domid, to be bound by domain remote. Returns the port. */
int hyp_evtchn_alloc(struct hyp *hyp, uint32_t domid, uint32_t remote);

/* ---- Event channels of this domain: /dev/xen/evtchn --------------------------------------- */

/* A file descriptor that is readable when a bound port fired; non-blocking, close-on-exec. */
int hyp_evtchn_open(void);
/*
 * Bind to another domain's unbound port; to a virq of this domain; an unbound port for a domain.
 * Local port.
 */
int hyp_evtchn_bind_interdomain(int fd, uint32_t domid, uint32_t port);
int hyp_evtchn_bind_virq(int fd, uint32_t virq);
int hyp_evtchn_bind_unbound(int fd, uint32_t domid);
int hyp_evtchn_unbind(int fd, uint32_t port);
int hyp_evtchn_notify(int fd, uint32_t port);
/* The next local port that fired, masked until hyp_evtchn_unmask(); -EAGAIN if there is none. */
int hyp_evtchn_next(int fd);
int hyp_evtchn_unmask(int fd, uint32_t port);

/* ---- Grants of other domains: /dev/xen/gntdev --------------------------------------------- */

int hyp_grant_open(void);
/* Map n grants of one domain contiguously, readable and writable. 0 and *va, or -errno. */
int hyp_grant_map(int fd, uint32_t domid, const uint32_t *refs, unsigned n, void **va);
int hyp_grant_unmap(int fd, void *va, unsigned n);
/*
 * Have the kernel make the addresses at which it maps grants, 128 MiB at once, now: under Xen that
 * takes seconds, in which the store daemon would answer nobody if a guest's ring came first.
 */
int hyp_grant_prepare(void);

/* ---- xenstore of the control domain itself: /dev/xen/xenbus_backend ----------------------- */

/*
 * The page shared with the local kernel's xenbus and the port to bind with
 * hyp_evtchn_bind_interdomain().
 */
int hyp_store_page(void **va, uint32_t *port);

#endif
