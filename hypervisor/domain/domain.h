/* SPDX-License-Identifier: MIT */
/*
 * A domain and its vCPUs: embeds each subsystem's state and owns its life (create, build, run, shut down, destroy).
 * Found by id through domain_get(), which holds a reference; freed when the last is put.
 */
#ifndef DOMAIN_DOMAIN_H
#define DOMAIN_DOMAIN_H

#include "abi/domctl.h"
#include "abi/xen.h"
#include "event/event.h"
#include "grant/grant.h"
#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "mm/mm.h"
#include "sched/sched.h"
#include "time/time.h"
#include "x86/vcpu.h"

#define DOMAIN_MAX_VCPUS	128

struct domain;
struct irq_domain;

struct vcpu {
	struct domain *domain;
	unsigned id;
	bool initialised;		/* has had a context set */
	struct machine_vcpu machine;	/* registers and what ring 3 needs loaded */
	struct sched_vcpu sched;
	struct mm_vcpu mm;
	struct event_vcpu event;
	struct timer singleshot, periodic, poll_timer;
	uint64_t period;		/* ns, 0: no periodic timer */
	struct vcpu_time_guest {	/* guest addresses of registered areas, 0: none */
		guest_ptr_t runstate, time;
	} area;
	struct frame *info_frame;	/* what VCPUOP_register_vcpu_info pinned, or NULL */
	/* what the guest registered */
	struct trap_gate {
		uint64_t address;
		uint16_t cs;
		uint8_t flags;
	} trap[256];
	struct {
		uint64_t event, failsafe, syscall, syscall32, sysenter;
		bool failsafe_masks, syscall_masks, syscall32_masks, sysenter_masks;
	} callback;
	uint64_t kernel_sp;
	uint16_t kernel_ss;
	uint8_t iopl;
	bool nmi_pending;
};

struct domain {
	domid_t id;
	uint32_t refs;
	struct list_node list;		/* of all domains, by ascending id; under the domain list lock */
	struct lock lock;		/* RANK_DOMAIN: pauses, life, settings */
	xen_domain_handle_t handle;	/* uuid */
	bool privileged;		/* the control domain */
	bool dying, shut_down, crashed;
	unsigned shutdown_code;
	unsigned controller_pauses;
	unsigned max_vcpus;
	struct vcpu **vcpu;		/* [max_vcpus] */
	struct shared_info *shared;
	uint64_t vm_assist;
	uint32_t ssidref, flags;
	struct mm_domain mm;
	struct event_domain event;
	struct grant_domain grant;
	struct sched_domain sched;
	struct irq_domain *irq;		/* NULL: no device interrupts */
	int64_t wallclock_offset;	/* seconds */
	uint32_t store_port, console_port;
};

/* The vCPU that this CPU runs (or an idle one's: domain id DOMID_IDLE). */
struct vcpu *vcpu_current(void);
/* The control domain, or NULL before it is built. */
extern struct domain *domain_control;

/* The domain with this id, referenced; DOMID_SELF is the caller's. NULL if there is none (or it is dying and gone). */
struct domain *domain_get(domid_t id);
void domain_put(struct domain *d);

/* End the running vCPU's domain as crashed: one line in the log with the reason, the vCPU's registers, VIRQ_DOM_EXC to dom0. */
void domain_crash(struct domain *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
