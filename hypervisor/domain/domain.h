/* SPDX-License-Identifier: MIT */
/*
 * A domain and its vCPUs: embeds each subsystem's state and owns its life (create, build, run, shut
 * down, destroy). Found by id through domain_get(), which holds a reference; freed when the last is
 * put.
 */
#ifndef DOMAIN_DOMAIN_H
#define DOMAIN_DOMAIN_H

#include "abi/callback.h"
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

#define DOMAIN_MAX_VCPUS 128
#define TRAP_GATES	 256 /* one for each vector */

struct domain;
struct irq_domain;

struct vcpu {
	struct domain *domain;
	unsigned id;
	bool initialised;	     /* has had a context set */
	struct machine_vcpu machine; /* registers and what ring 3 needs loaded */
	struct sched_vcpu sched;
	struct mm_vcpu mm;
	struct event_vcpu event;
	struct timer singleshot, periodic, poll_timer;
	uint64_t period;	 /* ns, 0: no periodic timer */
	struct vcpu_time_guest { /* guest addresses of registered areas, 0: none */
		guest_ptr_t runstate, time;
	} area;
	void *info_frame; /* the page that VCPUOP_register_vcpu_info pinned, a hypervisor address,
			     or NULL */
	/* what the guest registered */
	struct trap_gate {
		uint64_t address;
		uint16_t cs;
		uint8_t flags;
	} *trap; /* [TRAP_GATES], a page apart: with it this would take two */
	struct guest_callback {
		uint64_t address;	/* 0: none */
		bool masks;		/* events, on entry */
	} callback[CALLBACKTYPE_syscall32 + 1];	/* by CALLBACKTYPE_* */
	uint64_t kernel_sp;
	uint16_t kernel_ss;
	uint8_t iopl;
	bool nmi_pending;
	struct vcpu_info dummy_info; /* for ids above shared_info's until one is registered */
};

struct domain {
	domid_t id;
	uint32_t refs;
	struct list_node list; /* of all domains, by ascending id; under the domain list lock */
	struct lock lock;      /* RANK_DOMAIN: pauses, life, settings */
	xen_domain_handle_t handle; /* uuid */
	bool privileged;	    /* the control domain */
	bool dying, gone, shut_down, crashed;
	unsigned shutdown_code;
	unsigned controller_pauses; /* under lock, like the four above */
	unsigned max_vcpus;
	struct vcpu **vcpu;		/* [max_vcpus], entries appear and stay */
	struct event_vcpu **event_vcpu; /* the same for event/ */
	struct shared_info *shared;
	uint64_t vm_assist;
	uint32_t ssidref, flags;
	struct mm_domain mm;
	struct event_domain event;
	struct grant_domain grant;
	struct sched_domain sched;
	struct irq_domain *irq;	  /* NULL: no device interrupts */
	int64_t wallclock_offset; /* seconds */
	struct domain_watchdog {  /* SCHEDOP_watchdog; under lock */
		struct timer timer;
		struct domain *domain; /* NULL: free */
	} watchdog[2];
	uint32_t store_port, console_port;
};

/* The vCPU that this CPU runs (or an idle one's: domain id DOMID_IDLE). */
struct vcpu *vcpu_current(void);
/* The control domain, or NULL before it is built. */
extern struct domain *domain_control;

/* -- domains -- */

struct domain_settings {
	bool privileged;
	unsigned max_vcpus;				/* 1..DOMAIN_MAX_VCPUS */
	unsigned max_grant_frames, max_maptrack_frames; /* 0: the default */
	uint64_t max_pages;
	xen_domain_handle_t handle;
	uint32_t ssidref, flags; /* as the toolstack gave them */
};

/*
 * A new domain, paused once by its controller; *d is referenced by the list alone. `id`
 * DOMID_INVALID: the next free one. 0, -EEXIST, -EINVAL, -ENOMEM.
 */
int must_check domain_create(domid_t id, const struct domain_settings *settings, struct domain **d);
/* Take it down for good. 0 when all that could go is gone, -ERESTART: call again. */
int must_check domain_kill(struct domain *d);

/* The domain with this id, referenced; DOMID_SELF is the caller's. NULL if there is none. */
struct domain *domain_get(domid_t id);
void domain_put(struct domain *d);
/* The first domain with this id or a higher one, referenced; NULL at the end. */
struct domain *domain_get_from(domid_t id);

/* No vCPU of it runs when this returns (not for the caller's own domain); counts, undone by
 * domain_unpause(). */
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);
/* The toolstack's pause (one count in d->controller_pauses): 0, -EINVAL if unpaused too often. */
int domain_controller_pause(struct domain *d);
int domain_controller_unpause(struct domain *d);

/* All vCPUs stop, the reason (SHUTDOWN_* of abi/sched.h) is kept, the control domain is told. The
 * control domain's own: the machine. */
void domain_shutdown(struct domain *d, unsigned reason);
/*
 * SCHEDOP_watchdog: without a visit within `seconds` the domain is shut down (SHUTDOWN_watchdog).
 * `id` 0 takes a free one, else 1 or 2 is set again, or freed by `seconds` 0. The id for a new one,
 * 0, -EINVAL, -ENOSPC.
 */
int domain_set_watchdog(struct domain *d, uint32_t id, uint32_t seconds);
/* All of them, for domain_kill(). */
void domain_stop_watchdogs(struct domain *d);
/* After a suspend: run again. */
void domain_resume(struct domain *d);
/* End the domain as crashed: one line in the log with the reason, the registers if it is running
 * here, VIRQ_DOM_EXC to dom0. */
void domain_crash(struct domain *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* -- vCPUs -- */

/* The idle domain's vCPU for a CPU, made current there; before anything else runs on it. */
void vcpu_init_idle(unsigned cpu);
/* 0, -EEXIST, -EINVAL, -ENOMEM. */
int must_check vcpu_create(struct domain *d, unsigned id);
/* Its memory, when nobody can name its domain any more. */
void vcpu_free(struct vcpu *v);
/* Give back what it holds in mm/ and its timers, for domain_kill(): 0 or -ERESTART. */
int must_check vcpu_release(struct vcpu *v);
/*
 * Check and take a whole state, of a vCPU that is on no CPU: its first, or another on the same page
 * tables (else -EOPNOTSUPP). 0, -EINVAL, -ENOMEM, or -ERESTART.
 */
int must_check vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *ctx);
/* The reverse, for a vCPU that is paused (or the caller's own). */
void vcpu_get_context(struct vcpu *v, struct vcpu_guest_context *ctx);
/* Debug register 0-3, 6, 7: 0, -EINVAL for what could stop the hypervisor itself. Takes effect at
 * once if `v` is running here. */
int must_check vcpu_set_debug(struct vcpu *v, unsigned reg, uint64_t value);
/*
 * The GDT (up to 14 frames, `entries` descriptors) and the LDT (at `base` in its address space).
 * All frames are checked and referenced before the old ones are dropped. Takes effect at once if
 * `v` is running here. 0, -EINVAL, -ERESTART.
 */
int must_check vcpu_set_gdt(struct vcpu *v, const unsigned long *frames, unsigned entries);
int must_check vcpu_set_ldt(struct vcpu *v, vaddr_t base, unsigned entries);
void vcpu_release_descriptors(struct vcpu *v);
/* One gate of the guest's trap table; an address of 0 removes it. 0 or -EINVAL. */
int must_check vcpu_set_trap(struct vcpu *v, const struct trap_info *ti);
/* An NMI for it, from any CPU. */
void vcpu_send_nmi(struct vcpu *v);
/* Take the CPU's state off prev and give it next's. Called by x86/ on the way out; either may be
 * idle. */
void vcpu_switch(struct vcpu *prev, struct vcpu *next);
/* Its registers, wherever they are; only while it does not run or is the caller's. */
struct cpu_regs *vcpu_regs(struct vcpu *v);
/* The page table that its mode runs on. */
static inline mfn_t vcpu_table(const struct vcpu *v)
{
	return v->machine.kernel_mode ? v->mm.kernel_table : v->mm.user_table;
}

/* Canonical, and none of the hypervisor's own: an address where a guest may have code. */
bool vcpu_code_address_ok(uint64_t address);

#endif
