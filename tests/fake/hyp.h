/* SPDX-License-Identifier: MIT */
/*
 * A hypervisor in this process, in place of toolstack/hyp: domains with memory that can be mapped,
 * page tables that must not be writable elsewhere when they are pinned, event channels, a log.
 * Every call can be made to fail. For one thread.
 */
#ifndef FAKE_HYP_H
#define FAKE_HYP_H

#include <stdbool.h>
#include <stdint.h>

#include "hyp/hyp.h"

/* Start afresh with Domain-0 and this much free memory. */
void fake_hyp_reset(uint64_t free_pages);

/* The n-th call from now on (1 is the next) fails with -ENOMEM; 0: none does. */
void fake_hyp_fail_at(unsigned n);
bool fake_hyp_failed(void);

/*
 * How much is left behind: domains beside Domain-0, pages that are mapped, pages that domains have.
 */
unsigned fake_hyp_domains(void);
unsigned fake_hyp_mapped(void);
uint64_t fake_hyp_used(void);

#define FAKE_VCPUS 4	/* whose CPUs are kept */

/* A vCPU's state; part[] is malloc'd. */
struct fake_vcpu {
	bool online;
	struct vcpu_guest_context context;
	void *part[HYP_VCPU_PARTS];
	size_t size[HYP_VCPU_PARTS];
};

/* A domain as a test looks at it. NULL if there is none. */
struct fake_domain {
	bool exists;
	struct xen_domctl_getdomaininfo info;
	struct xen_domctl_createdomain config;
	uint32_t max_vcpus;
	uint64_t max_kib, map_bytes, pinned, hypercall_page, grant_frame;
	unsigned ports;
	struct vcpu_guest_context context;
	bool has_context;
	struct hyp_sched sched;
	uint64_t cpus[FAKE_VCPUS];	/* where they may run; 0: anywhere */
	struct fake_vcpu vcpu[FAKE_VCPUS];
	struct xen_domctl_tsc_info tsc;
};
struct fake_domain *fake_hyp_domain(uint32_t domid);

/* The contents of a machine frame. */
void *fake_hyp_frame(uint64_t mfn);

/* What a frame is used for, XEN_DOMCTL_PFINFO_*: pins set it, and tests of what is saved. */
uint32_t *fake_hyp_type(uint64_t mfn);
/* Does the domain own it? Is it mapped to be written? */
bool fake_hyp_owns(uint32_t domid, uint64_t mfn);
bool fake_hyp_writable(uint64_t mfn);
/* What every call asks first: 0, or the error that the test wants. */
int fake_hyp_fails(void);

/* Let a domain shut down by itself, as a guest would. */
void fake_hyp_shutdown(uint32_t domid, unsigned reason);

#endif
