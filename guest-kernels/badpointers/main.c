/* SPDX-License-Identifier: MIT */
/*
 * A bad pointer in every pointer argument of every hypercall, and in every pointer inside of what
 * they point to. Each must be answered by an error. Refused calls must not leak what they had
 * already taken.
 */
#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/memory.h"
#include "abi/sched.h"
#include "abi/vcpu.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "page.h"
#include "print.h"
#include "test.h"
#include "trap.h"

#define TEST_VA		0x10000000000UL
#define NR_BAD		(sizeof(bad) / sizeof(*bad))

static const uint64_t bad[] = {
	8,				/* not mapped, but for null */
	0x7000000000,			/* not mapped */
	TEST_VA + PAGE_SIZE - 1,	/* one byte, then nothing */
	0x7ffffffffffe,			/* the last canonical two */
	0x800000000000,			/* not canonical */
	0xffff7ffffffffff8,		/* not canonical */
	0xffff7ffffffffffe,		/* across into the hypervisor */
	0xffff800000000000,		/* M2P, which the guest can read */
	0xffff828000000000,		/* the hypervisor */
	0xffff82d040200000,
	0xffff82d080200000,
	0xffff830000000000,
	0xffff87fffffffff8,		/* its last 8 bytes */
	0xffff87fffffffffe,		/* across its end */
	0xfffffffffffffff8,		/* the last 8 bytes, not mapped */
	0xffffffffffffffff,
};

/* All commands from first to last of a call whose argument number `pointer` is a pointer. */
struct group {
	const char *name;
	unsigned int nr, pointer;
	uint64_t first, last;		/* values of argument 0, if pointer isn't that one */
	uint64_t arg1, arg2;		/* the others */
	uint64_t skip;
		/* commands (bits) that take no pointer, or would do what they say */
	uint64_t maybe;			/* commands that may return 0 or more: they need not look */
};

#define BIT(n)	(1UL << (n))

static const struct group groups[] = {
	{ "set_trap_table", __HYPERVISOR_set_trap_table, 0, 0, 0, 0, 0, 0, 0 },
	{ "mmu_update", __HYPERVISOR_mmu_update, 0, 0, 0, 1, 0, 0, 0 },
	{ "set_gdt", __HYPERVISOR_set_gdt, 0, 0, 0, 512, 0, 0, 0 },
	{ "platform_op", __HYPERVISOR_platform_op, 0, 0, 0, 0, 0, 0, 0 },
	{ "memory_op", __HYPERVISOR_memory_op, 1, 0, 29, 0, 0, BIT(2),
	  BIT(XENMEM_increase_reservation) | BIT(XENMEM_decrease_reservation) |
		  BIT(XENMEM_populate_physmap) |
	  BIT(18) | BIT(19) },
	{ "multicall", __HYPERVISOR_multicall, 0, 0, 0, 2, 0, 0, 0 },
	{ "xen_version", __HYPERVISOR_xen_version, 1, 0, 12, 0, 0, BIT(0) | BIT(7), 0 },
	{ "console_io", __HYPERVISOR_console_io, 2, 0, 2, 16, 0, 0, BIT(1) },
	{ "grant_table_op", __HYPERVISOR_grant_table_op, 1, 0, 13, 0, 1, 0, 0 },
	{ "vcpu_op", __HYPERVISOR_vcpu_op, 2, 0, 14, 0, 0,
	  BIT(VCPUOP_up) | BIT(VCPUOP_down) | BIT(VCPUOP_is_up) | BIT(VCPUOP_stop_periodic_timer) |
	  BIT(VCPUOP_stop_singleshot_timer) | BIT(VCPUOP_send_nmi), 0 },
	{ "mmuext_op", __HYPERVISOR_mmuext_op, 0, 0, 0, 1, 0, 0, 0 },
	{ "xsm_op", __HYPERVISOR_xsm_op, 0, 0, 0, 0, 0, 0, 0 },
	{ "nmi_op", __HYPERVISOR_nmi_op, 1, 0, 0, 0, 0, 0, 0 },
	{ "sched_op", __HYPERVISOR_sched_op, 1, 2, 8, 0, 0, 0, 0 },
	{ "callback_op", __HYPERVISOR_callback_op, 1, 0, 2, 0, 0, 0, 0 },
	{ "event_channel_op", __HYPERVISOR_event_channel_op, 1, 0, 14, 0, 0, 0, 0 },
	{ "physdev_op", __HYPERVISOR_physdev_op, 1, 0, 33, 0, 0, BIT(4), 0 },
	{ "hvm_op", __HYPERVISOR_hvm_op, 1, 0, 25, 0, 0, BIT(5), 0 },
	{ "sysctl", __HYPERVISOR_sysctl, 0, 0, 0, 0, 0, 0, 0 },
	{ "domctl", __HYPERVISOR_domctl, 0, 0, 0, 0, 0, 0, 0 },
	{ "xenpmu_op", __HYPERVISOR_xenpmu_op, 1, 0, 5, 0, 0, 0, 0 },
	{ "dm_op", __HYPERVISOR_dm_op, 2, 0, 0, 1, 0, 0, 0 },
	{ "mca", __HYPERVISOR_arch_0, 0, 0, 0, 0, 0, 0, 0 },
};

static long call(const struct group *g, uint64_t cmd, uint64_t pointer)
{
	switch (g->pointer) {
	case 0:
		return hypercall(g->nr, pointer, g->arg1, 0, DOMID_SELF, 0);
	case 1:
		return hypercall(g->nr, cmd, pointer, g->arg2, DOMID_SELF, 0);
	default:
		return hypercall(g->nr, cmd, g->arg1, pointer, DOMID_SELF, 0);
	}
}

static void pointer_arguments(void)
{
	for (const struct group *g = groups; g < groups + sizeof(groups) / sizeof(*groups); g++) {
		unsigned int wrong = 0, faults = 0, n = 0;

		for (uint64_t cmd = g->first; cmd <= g->last; cmd++) {
			if (g->skip >> cmd & 1)
				continue;
			for (unsigned int i = 0; i < NR_BAD; i++) {
				long result = call(g, cmd, bad[i]);

				n++;
				faults += result == -EFAULT;
				if (result < 0 || (g->maybe >> cmd & 1))
					continue;
				wrong++;
				print("      %s %lu with %lx: %ld\n", g->name, cmd, bad[i], result);
			}
		}
		check(wrong == 0, "%s: %u bad pointers, %u times -EFAULT", g->name, n, faults);
	}
	trap_init();
}

/* --- Pointers inside of structures --- */

static xen_pfn_t list[4];
static evtchn_port_t port;
static struct sched_poll poll = { .nr_ports = 1, .timeout = 1 };
static struct mmuext_op flush = { .cmd = MMUEXT_TLB_FLUSH_MULTI };
static struct mmuext_op invalidate = { .cmd = MMUEXT_INVLPG_MULTI };
static struct xen_memory_reservation take = { .nr_extents = 1, .domid = DOMID_SELF };
static struct xen_memory_map map = { .nr_entries = 10 };
static struct xen_machphys_mfn_list m2p = { .max_extents = 2 };
static struct xen_mem_acquire_resource resource = {
	.domid = DOMID_SELF, .type = XENMEM_resource_grant_table, .nr_frames = 1,
};
static struct xen_memory_exchange in = {
	.in = { .nr_extents = 1, .domid = DOMID_SELF }, .out = { .nr_extents = 1,
								 .domid = DOMID_SELF },
};
static struct xen_memory_exchange out = {
	.in = { .nr_extents = 1, .domid = DOMID_SELF }, .out = { .nr_extents = 1,
								 .domid = DOMID_SELF },
};
static struct gnttab_setup_table table = { .dom = DOMID_SELF, .nr_frames = 1 };
static struct vcpu_register_runstate_memory_area runstate;
static struct vcpu_register_time_memory_area time_area;

static const struct inner {
	const char *name;
	guest_ptr_t *pointer;
	unsigned int nr;
	uint64_t args[4];
	bool lenient;
		/* 0 is right: looked at later, told by a status, or one byte is enough */
} inners[] = {
	{ "poll.ports", &poll.ports, __HYPERVISOR_sched_op, { SCHEDOP_poll, (uint64_t)&poll },
	  false },
	{ "mmuext_op.vcpumask", &flush.arg2.vcpumask, __HYPERVISOR_mmuext_op, { (uint64_t)&flush, 1,
										0, DOMID_SELF },
											true },
	{ "mmuext_op.vcpumask", &invalidate.arg2.vcpumask, __HYPERVISOR_mmuext_op,
	  { (uint64_t)&invalidate, 1, 0, DOMID_SELF }, true },
	{ "increase_reservation", &take.extent_start, __HYPERVISOR_memory_op,
	  { XENMEM_increase_reservation, (uint64_t)&take }, true },
	{ "decrease_reservation", &take.extent_start, __HYPERVISOR_memory_op,
	  { XENMEM_decrease_reservation, (uint64_t)&take }, true },
	{ "populate_physmap", &take.extent_start, __HYPERVISOR_memory_op, { XENMEM_populate_physmap,
									    (uint64_t)&take },
										    true },
	{ "memory_map", &map.buffer, __HYPERVISOR_memory_op, { XENMEM_memory_map, (uint64_t)&map },
	  false },
	{ "machine_memory_map", &map.buffer, __HYPERVISOR_memory_op, { XENMEM_machine_memory_map,
								       (uint64_t)&map }, false },
	{ "machphys_mfn_list", &m2p.extent_start, __HYPERVISOR_memory_op,
	  { XENMEM_machphys_mfn_list, (uint64_t)&m2p }, true },
	{ "acquire_resource", &resource.frame_list, __HYPERVISOR_memory_op,
	  { XENMEM_acquire_resource, (uint64_t)&resource }, false },
	{ "exchange.in", &in.in.extent_start, __HYPERVISOR_memory_op, { XENMEM_exchange,
									(uint64_t)&in }, false },
	{ "exchange.out", &out.out.extent_start, __HYPERVISOR_memory_op, { XENMEM_exchange,
									   (uint64_t)&out },
										   false },
	{ "setup_table", &table.frame_list, __HYPERVISOR_grant_table_op, { GNTTABOP_setup_table,
									   (uint64_t)&table, 1 },
										   true },
	{ "runstate area", &runstate.addr.h, __HYPERVISOR_vcpu_op,
	  { VCPUOP_register_runstate_memory_area, 0, (uint64_t)&runstate }, true },
	{ "time area", &time_area.addr.h, __HYPERVISOR_vcpu_op,
	  { VCPUOP_register_vcpu_time_memory_area, 0, (uint64_t)&time_area }, true },
};

static void inner_pointers(void)
{
	in.out.extent_start = GUEST_PTR(&list[1]);
	out.in.extent_start = GUEST_PTR(&list[0]);
	list[0] = 1UL << 40;
	for (const struct inner *c = inners; c < inners + sizeof(inners) / sizeof(*inners); c++) {
		unsigned int wrong = 0;

		for (unsigned int i = 0; i < NR_BAD; i++) {
			long result;

			c->pointer->va = bad[i];
			result = hypercall(c->nr, c->args[0], c->args[1], c->args[2], c->args[3],
					   0);
			if (result < 0 || (c->lenient && result == 0))
				continue;
			wrong++;
			print("      %s with %lx: %ld\n", c->name, bad[i], result);
		}
		check(wrong == 0, "%s: bad pointers inside", c->name);
	}
	runstate.addr.p = time_area.addr.p = 0;
	hyp_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &runstate);
	hyp_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time_area);
}

/* --- Results into pages that can't be written --- */

static void read_only(void)
{
	char *page = page_alloc();
	void *at = (void *)TEST_VA;
	long result;
	struct mmu_update none = { .ptr = page_maddr(page), .val = 0 };

	page_set(TEST_VA, page_entry(page, PTE_RO));
	for (unsigned int cmd = 1; cmd <= 8; cmd++)
		if (cmd != 7)
			check_eq(hyp_xen_version(cmd, at), -EFAULT, "read-only: xen_version %u",
				 cmd);
	check_eq(hyp_vcpu_op(VCPUOP_get_runstate_info, 0, at), -EFAULT,
		 "read-only: get_runstate_info");
	check_eq(hyp_memory_op(XENMEM_machphys_mapping, at), -EFAULT,
		 "read-only: machphys_mapping");
	check_eq(hyp_grant_table_op(GNTTABOP_query_size, at, 1), -EFAULT, "read-only: query_size");
	check_eq(hyp_multicall(at, 1), -EFAULT, "read-only: multicall");
	result = hyp_mmu_update(&none, 1, at, DOMID_SELF);
	check(result == 0 || result == -EFAULT, "read-only: how many mmu_updates were done (%ld)",
	      result);
}

/*
 * New ports whose number can't be told. Xen leaves them behind, so they are counted, not forbidden.
 */
static void untold_ports(void)
{
	void *at = (void *)TEST_VA;
	unsigned int wrong = 0;
	long result = 0;

	for (unsigned int i = 0; i < 6000; i++) {
		result = hyp_event_channel_op(EVTCHNOP_bind_ipi, at);
		wrong += result != -EFAULT && result != -ENOSPC;
	}
	check_eq(wrong, 0, "6000 ports into a read-only page");
	print("note: they are %s\n", result == -ENOSPC ? "left behind" : "closed again");
	for (evtchn_port_t p = 1; kernel_is_dom0() && p < 4096; p++)
		event_close(p);
	port = event_bind_ipi(0);
	check(port != 0 || !kernel_is_dom0(), "then there are ports again");
	event_close(port);
}

/* Copies that just fit are right. */
static void at_the_edge(void)
{
	char *page = page_alloc();
	struct evtchn_status *status = (void *)(TEST_VA + PAGE_SIZE - sizeof(*status));

	page_set(TEST_VA, page_entry(page, PTE_RW));
	page_set(TEST_VA + PAGE_SIZE, 0);
	status->dom = DOMID_SELF;
	status->port = 3;
	check_eq(hyp_event_channel_op(EVTCHNOP_status, status), 0,
		 "a structure that ends where the page does");
	check_eq(hyp_event_channel_op(EVTCHNOP_status, (char *)status + 4), -EFAULT,
		 "and one that does not");
}

void test_main(void)
{
	page_map(TEST_VA, page_entry(page_alloc(), PTE_RW));
	page_map(TEST_VA + PAGE_SIZE, 0);
	pointer_arguments();
	inner_pointers();
	read_only();
	untold_ports();
	at_the_edge();
}
