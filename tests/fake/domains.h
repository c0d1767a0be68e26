/* SPDX-License-Identifier: MIT */
/*
 * Domains as the decoding of memory hypercalls sees them: a control domain and two guests, on the
 * fake machine.
 */
#ifndef FAKE_DOMAINS_H
#define FAKE_DOMAINS_H

#include "fake/tables.h"
#include "hypercall/hypercall.h"

#define FAKE_DOMAINS	3	/* ids 0 (privileged), 1, 2 */

struct fake_domain {
	struct domain d;
	struct vcpu v[2];
	struct vcpu *vcpu[2];
	struct shared_info shared;
	struct tables t;		/* the root of both vCPUs */
	uint64_t data[64];		/* for what the guest points to */
};

extern struct fake_domain fake_domain[FAKE_DOMAINS];
/* How many references domain_get() has given and domain_put() not taken back. */
extern int fake_domain_refs;

/*
 * vCPU k of domain i runs on CPU i (k 0), or on CPU 3 (domain 1, k 1). cmocka's setup and teardown;
 * the latter checks everything.
 */
int fake_domains_setup(void **state);
int fake_domains_teardown(void **state);
/*
 * A hypercall of domain i's first vCPU, once: what the dispatcher would do but for restarting.
 * c->arg is kept.
 */
int64_t fake_call(unsigned i, hypercall_fn *fn, struct hypercall *c);
/* The same with arguments, repeated until it doesn't restart. */
int64_t fake_hypercall(unsigned i, hypercall_fn *fn, uint64_t a, uint64_t b, uint64_t c,
		       uint64_t d);

#endif
