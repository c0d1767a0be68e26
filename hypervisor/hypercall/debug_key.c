/* SPDX-License-Identifier: MIT */
/*
 * XEN_SYSCTL_debug_keys: one letter, one answer in the log. The table is the list that '?' prints.
 * Only the control domain gets here.
 */
#include "console/log.h"
#include "hypercall/debug_key.h"
#include "lib/assert.h"
#include "x86/machine.h"

static void check_tables(void)
{
	log_info("invariant check: %u contradictions", mm_check(NULL, NULL));
}

static void dump_vcpu(const struct vcpu *v)
{
	static const char *const state[] = { "running", "runnable", "blocked", "offline" };
	const struct vcpu_info *info = v->event.info;

	log_info("  vcpu%u: %s on CPU %u, %s, pauses %u, upcall pending %u mask %u selector %#lx, "
		 "timer in %ld us",
		 v->id, state[v->sched.state], v->sched.cpu,
		 v->machine.kernel_mode ? "kernel" : "user", v->sched.pauses,
		 info->evtchn_upcall_pending, info->evtchn_upcall_mask, info->evtchn_pending_sel,
		 timer_pending(&v->singleshot)
			 ? ((int64_t)v->singleshot.deadline - (int64_t)machine_now()) / 1000
			 : -1);
}

/* Words of pending or masked-and-pending events; what is pending, unmasked and selected by no vCPU
 * was lost. */
static void dump_events(const struct shared_info *shared)
{
	for (unsigned i = 0; i < ARRAY_SIZE(shared->evtchn_pending); i++)
		if (shared->evtchn_pending[i])
			log_info("  events %u-%u: pending %#lx, of them masked %#lx", i * 64,
				 i * 64 + 63, shared->evtchn_pending[i],
				 shared->evtchn_pending[i] & shared->evtchn_mask[i]);
}

static void dump_domains(void)
{
	struct domain *d;
	domid_t next;

	for (domid_t id = 0; (d = domain_get_from(id)); id = next) {
		log_info("domain %u: %lu pages of %lu, %s%s%s", d->id, (unsigned long)d->mm.pages,
			 (unsigned long)d->mm.max_pages, d->controller_pauses ? "paused " : "",
			 d->shut_down ? "shut down " : "", d->dying ? "dying" : "");
		for (unsigned i = 0; i < d->max_vcpus; i++)
			if (d->vcpu[i])
				dump_vcpu(d->vcpu[i]);
		dump_events(d->shared);
		next = d->id + 1;
		domain_put(d);
	}
}

static void crash(void)
{
	panic("debug key 'C'");
}

/* Nothing is mapped there: the last page of our part of the address space (ARCHITECTURE.md). */
static void fault(void)
{
	*(volatile uint64_t *)0xffff87fffffff000ul = 0;
}

static void help(void);

static const struct {
	char key;
	const char *what;
	void (*fn)(void);
} keys[] = {
	{ 'c', "check every page table of the machine", check_tables },
	{ 'C', "crash the hypervisor, as a failed assertion does", crash },
	{ 'F', "crash it by a write to where nothing is", fault },
	{ 'q', "show all domains, their vCPUs and pending events", dump_domains },
	{ '?', "this list", help },
};

static void help(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		log_info("debug key '%c': %s", keys[i].key, keys[i].what);
}

void debug_key(char key)
{
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].key == key) {
			keys[i].fn();
			return;
		}
	}
	log_info("debug key '%c' means nothing, '?' lists those that do",
		 key >= ' ' && key < 127 ? key : '.');
}
