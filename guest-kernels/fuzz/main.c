/* SPDX-License-Identifier: MIT */
/*
 * Random hypercalls on ourselves, half sensible: arguments are taken from values that mean
 * something. To survive is to pass. Left out is only what would end or cripple this kernel by doing
 * its job (shutdown, new entry points, another page table). "seed=N rounds=N" on the command line
 * choose the run.
 */
#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/memory.h"
#include "abi/physdev.h"
#include "abi/sched.h"
#include "abi/vcpu.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"
#include "test.h"
#include "trap.h"

#define TEST_VA		0x10000000000UL
#define NR_VICTIMS	32

static uint64_t state;
static char *victims[NR_VICTIMS];
static uint64_t mfns[NR_VICTIMS];
/* The tables under TEST_VA, by level: M2P will not be there to find them. */
static char *tables[4];
/* Four pages that arguments point to, with nothing behind them: results of any length end there. */
static uint64_t (*const scratch)[512] = (void *)0x30000000000;

static uint64_t random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dUL;
}

static uint64_t below(uint64_t n)
{
	return random() % n;
}

static uint64_t frame(void)
{
	static const uint64_t odd[] = { 0, 1, 0xb8, 0xfee00, 1UL << 28, 1UL << 40, ~0UL,
					~0UL >> 12 };

	switch (below(8)) {
	case 0:
		return odd[below(8)];
	case 1:
		return page_mfn(page_root());
	case 2:
		return page_mfn(tables[1 + below(3)]);
	default:
		return mfns[below(NR_VICTIMS)];
	}
}

static uint64_t entry(void)
{
	uint64_t flags = below(4) ? PTE_P | PTE_U | (below(2) ? PTE_W : 0) :
		random() & 0x800000000000ffff;

	return frame() << PAGE_SHIFT | (flags & ~0xf000UL);
}

/* The machine address of an entry in one of the tables under TEST_VA, or of a victim's word. */
static uint64_t entry_address(void)
{
	int level = (int)below(5);

	if (level == 0)
		return mfns[below(NR_VICTIMS)] << PAGE_SHIFT | below(512) * 8;
	if (level == 4)		/* a slot that is nobody's */
		return page_mfn(page_root()) << PAGE_SHIFT | (100 + below(8)) * 8;
	/*
	 * Not the slots of TEST_VA itself in the upper tables: they keep the lower ones reachable.
	 */
	return page_mfn(tables[level]) << PAGE_SHIFT |
	       (level == 1 ? below(512) : 1 + below(511)) * 8;
}

static uint64_t pointer(void)
{
	static const uint64_t bad[] = {
		0, 8, 0x7000000000, 0x800000000000, 0xffff800000000000, 0xffff82d080000000,
		0xffff830000000000,
		0xffff87fffffffff8, ~0UL, ~7UL,
	};

	if (below(6) == 0)
		return bad[below(10)];
	return (uint64_t)scratch[below(4)] + (below(4) ? 0 : below(4096));
}

static uint64_t any(void)
{
	switch (below(9)) {
	case 0:
		return below(4) ? DOMID_SELF : DOMID_FIRST_RESERVED + below(8);
	case 1:
		return 1UL << below(64);
	case 2:
		return (1UL << below(64)) - 1;
	case 3:
		return random();
	case 4:
		return frame();
	case 5:
		return entry();
	case 6:
		return pointer();
	default:
		return below(40);
	}
}

static void fill(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t *words = (uint32_t *)scratch[i];

		for (unsigned int j = 0; j < 64; j++)
			if (below(2)) {
				scratch[i][j] = any();
			} else {
				words[2 * j] = (uint32_t)any();
				words[2 * j + 1] = (uint32_t)any();
			}
	}
}

struct call {
	uint64_t nr, arg[5];
};

static struct call mmu(void)
{
	unsigned int n = (unsigned int)below(8);
	struct mmu_update *reqs = (void *)scratch[0];

	for (unsigned int i = 0; i < n; i++)
		reqs[i] = (struct mmu_update){ entry_address() | below(4), entry() };
	return (struct call){
		__HYPERVISOR_mmu_update,
		{ (uint64_t)reqs, n, below(2) ? 0 : pointer(), below(8) ? DOMID_SELF : any() },
	};
}

static struct call mmuext(void)
{
	unsigned int n = 1 + (unsigned int)below(4);
	struct mmuext_op *ops = (void *)scratch[0];

	for (unsigned int i = 0; i < n; i++) {
		ops[i] = (struct mmuext_op){ .cmd = (unsigned int)below(22), .arg1.mfn = frame() };
		if (ops[i].cmd == MMUEXT_NEW_BASEPTR)
			ops[i].arg1.mfn = page_mfn(page_root());
		if (ops[i].cmd >= MMUEXT_TLB_FLUSH_LOCAL && ops[i].cmd <= MMUEXT_SET_LDT)
			ops[i].arg1.linear_addr = pointer();
		ops[i].arg2.src_mfn = below(2) ? frame() : pointer();
	}
	return (struct call){
		__HYPERVISOR_mmuext_op,
		{ (uint64_t)ops, n, below(2) ? 0 : pointer(), below(8) ? DOMID_SELF : any() },
	};
}

static struct call mapping(void)
{
	uint64_t va = below(8) ? TEST_VA + below(512) * PAGE_SIZE : 0x7000000000 + below(1UL << 40);

	return (struct call){
		__HYPERVISOR_update_va_mapping, { va, entry(), below(2) ? below(8) : any() },
	};
}

static struct call memory(void)
{
	static const uint64_t cmds[] = {
		XENMEM_increase_reservation, XENMEM_decrease_reservation, XENMEM_populate_physmap,
		XENMEM_exchange,
	};
	struct xen_memory_reservation *r = (void *)scratch[0];

	if (below(3) == 0)
		return (struct call){ __HYPERVISOR_memory_op, { below(32), pointer() } };
	for (unsigned int i = 0; i < 2; i++)
		r[i] = (struct xen_memory_reservation){
			.extent_start = { (uint64_t)scratch[1 + i] }, .nr_extents = below(6),
			.extent_order = below(4) ? 0 : (unsigned int)below(70), .domid = DOMID_SELF,
			.mem_flags = below(4) ? 0 : (unsigned int)any(),
		};
	*(uint64_t *)(r + 2) = below(4) ? 0 : any();
	for (unsigned int i = 0; i < 8; i++) {
		scratch[1][i] = below(4) ? mfns[below(NR_VICTIMS)] : any();
		scratch[2][i] = below(2) ? page_pfn(victims[below(NR_VICTIMS)]) : any();
	}
	return (struct call){ __HYPERVISOR_memory_op, { cmds[below(4)], (uint64_t)r } };
}

static struct call grants(void)
{
	uint64_t cmd = below(14);

	if (cmd <= GNTTABOP_unmap_grant_ref || cmd == GNTTABOP_unmap_and_replace)
		scratch[0][0] = below(2) ? TEST_VA + below(512) * PAGE_SIZE : entry_address();
	if (cmd == GNTTABOP_unmap_and_replace)
		scratch[0][1] = TEST_VA + below(512) * PAGE_SIZE;
	return (struct call){
		__HYPERVISOR_grant_table_op, { cmd, (uint64_t)scratch[0], below(4) ? 1 : below(3) },
	};
}

static struct call events(void)
{
	uint64_t cmd = below(15);

	/* The console's port is not to be lost in a domain that has one. */
	if (!kernel_is_dom0() && (cmd == EVTCHNOP_close || cmd == EVTCHNOP_reset))
		cmd = EVTCHNOP_status;
	/* With the FIFO ABI our upcall would have to be another. */
	if (cmd == EVTCHNOP_init_control)
		scratch[0][0] = ~0UL;
	return (struct call){ __HYPERVISOR_event_channel_op, { cmd, (uint64_t)scratch[0] } };
}

static struct call vcpus(void)
{
	static const uint64_t cmds[] = {
		VCPUOP_is_up, VCPUOP_get_runstate_info, VCPUOP_register_runstate_memory_area,
		VCPUOP_set_periodic_timer, VCPUOP_stop_periodic_timer, VCPUOP_set_singleshot_timer,
		VCPUOP_stop_singleshot_timer, VCPUOP_get_physid,
		VCPUOP_register_vcpu_time_memory_area, 14, 77,
	};

	return (struct call){
		__HYPERVISOR_vcpu_op, { cmds[below(11)], below(4) ? 0 : any(), pointer() },
	};
}

static struct call simple(void)
{
	static const uint64_t numbers[] = {
		__HYPERVISOR_set_gdt, __HYPERVISOR_stack_switch, __HYPERVISOR_fpu_taskswitch,
		__HYPERVISOR_set_debugreg, __HYPERVISOR_get_debugreg,
		__HYPERVISOR_update_descriptor,
		__HYPERVISOR_set_timer_op, __HYPERVISOR_xen_version, __HYPERVISOR_vm_assist,
		__HYPERVISOR_set_segment_base, __HYPERVISOR_xsm_op, __HYPERVISOR_hvm_op,
		__HYPERVISOR_platform_op,
		__HYPERVISOR_sysctl, __HYPERVISOR_domctl, __HYPERVISOR_tmem_op,
		__HYPERVISOR_argo_op,
		__HYPERVISOR_xenpmu_op, __HYPERVISOR_dm_op, __HYPERVISOR_hypfs_op,
		__HYPERVISOR_xenoprof_op,
		__HYPERVISOR_arch_0, 11, 44, 63, 64,
	};
	struct call c = {
		numbers[below(sizeof(numbers) / sizeof(*numbers))],
		{ any(), any(), any(), any(), any() },
	};

	if (c.nr == __HYPERVISOR_vm_assist)
		c.arg[1] = below(8);	/* m2p_strict would take M2P from our own hands */
	if (c.nr == __HYPERVISOR_update_descriptor)
		c.arg[0] = entry_address();
	if (c.nr == __HYPERVISOR_set_gdt) {
		for (unsigned int i = 0; i < 16; i++)
			scratch[0][i] = frame();
		c.arg[0] = (uint64_t)scratch[0];
	}
	return c;
}

static struct call ports(void)
{
	static const uint64_t cmds[] = {
		PHYSDEVOP_irq_status_query, PHYSDEVOP_set_iopl, PHYSDEVOP_set_iobitmap,
		PHYSDEVOP_apic_read, 33,
	};

	return (struct call){ __HYPERVISOR_physdev_op, { cmds[below(5)], pointer() } };
}

static struct call one(void)
{
	switch (below(10)) {
	case 0:
	case 1:
		return mmu();
	case 2:
	case 3:
		return mmuext();
	case 4:
		return mapping();
	case 5:
		return memory();
	case 6:
		return grants();
	case 7:
		return events();
	case 8:
		return below(2) ? vcpus() : ports();
	default:
		return simple();
	}
}

static void multicall(void)
{
	static struct multicall_entry list[8];
	unsigned int n = 1 + (unsigned int)below(8);

	for (unsigned int i = 0; i < n; i++) {
		struct call c = one();

		list[i] = (struct multicall_entry){ .op = c.nr };
		memcpy(list[i].args, c.arg, sizeof(c.arg));
	}
	hyp_multicall(list, n);
}

static void on_debug(struct regs *regs)
{
	hyp_set_debugreg(7, 0x400);
	regs->rflags |= 1 << 16;
}

static void ignore(struct regs *regs)
{
	(void)regs;
}

static uint64_t option(const char *name, uint64_t fallback)
{
	const char *text = (const char *)start_info->cmd_line;
	size_t n = strlen(name);
	uint64_t value = 0;

	for (; *text; text++)
		if (memcmp(text, name, n) == 0) {
			for (text += n; *text >= '0' && *text <= '9'; text++)
				value = value * 10 + (uint64_t)(*text - '0');
			return value;
		}
	return fallback;
}

/*
 * What must hold whatever happened. A write of an entry that would be refused tells a table from a
 * page.
 */
static void still_sound(void)
{
	unsigned int both = 0;

	for (unsigned int i = 0; i < NR_VICTIMS; i++)
		for (unsigned int cmd = MMUEXT_PIN_L1_TABLE; cmd <= MMUEXT_PIN_L4_TABLE; cmd++) {
			struct mmuext_op pin = { .cmd = cmd, .arg1.mfn = mfns[i] };

			if (hyp_mmuext_op(&pin, 1, NULL, DOMID_SELF))
				continue;
			both += (*page_walk((uint64_t)victims[i], 1) & PTE_FRAME) ==
				mfns[i] << PAGE_SHIFT &&
				try_write((uint64_t)victims[i] + 8,
					  page_entry(page_root(), PTE_RW));
			pin.cmd = MMUEXT_UNPIN_TABLE;
			hyp_mmuext_op(&pin, 1, NULL, DOMID_SELF);
		}
	check_eq(both, 0, "no frame is a table and writable");
	check(hyp_xen_version(0, NULL) > 0, "hypercalls work");
	check(page_protect(page_root(), true) < 0, "our L4 is not writable");
}

void test_main(void)
{
	uint64_t seed = option("seed=", 1), rounds = option("rounds=", 20000);

	print("seed %lu, %lu rounds\n", seed, rounds);
	state = seed * 0x9e3779b97f4a7c15UL | 1;
	trap_handle(TRAP_DB, on_debug);
	trap_handle(TRAP_NMI, ignore);
	trap_handle(TRAP_NM, ignore);
	for (unsigned int i = 0; i < NR_VICTIMS; i++) {
		victims[i] = page_alloc();
		mfns[i] = page_mfn(victims[i]);
	}
	for (unsigned int i = 0; i < 4; i++)
		page_map((uint64_t)scratch[i], page_entry(page_alloc(), PTE_RW));
	page_map(TEST_VA, 0);
	for (int level = 1; level < 4; level++)
		tables[level] = (char *)((uint64_t)page_walk(TEST_VA, level) & -PAGE_SIZE);
	for (uint64_t i = 0; i < rounds; i++) {
		struct call c;

		fill();
		c = one();
		if (below(8) == 0)
			multicall();
		else if (below(16) == 0)
			try_write((uint64_t)tables[1] + below(512) * 8, entry());
		else
			hypercall(c.nr, c.arg[0], c.arg[1], c.arg[2], c.arg[3], c.arg[4]);
		if (below(8) == 0)
			page_protect(victims[below(NR_VICTIMS)], below(2));
		if (i % 5000 == 4999)
			still_sound();
	}
	hyp_set_debugreg(7, 0x400);
	still_sound();
}
