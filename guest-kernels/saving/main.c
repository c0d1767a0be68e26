/* SPDX-License-Identifier: MIT */
/*
 * What a toolstack needs to save and restore a domain, asked as one: what frames are used for, the
 * M2P of another, a vCPU's whole state out and in; and what is refused of it.
 */
#include "abi/domctl.h"
#include "abi/memory.h"
#include "abi/sched.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"
#include "test.h"

#define NR_FRAMES	8
#define NONCANONICAL	0x800000000000UL
#define MFN_NOWHERE	(1UL << 39)
#define HYPERVISOR	0xffff830000000000UL
#define XSAVE_HEADER	(2 + 512 / 8)	/* in words of the buffer */
#define XSAVE_MAX	(16384 / 8)
#define LEGACY		(16 + 576UL)	/* bytes of a state without extended components */

static struct xen_domctl op;
static domid_t domid;
static xen_pfn_t frames[NR_FRAMES], list[1025];
static struct vcpu_guest_context context, got;
static uint64_t state[XSAVE_MAX];
static uint64_t state_size, state_mask;

static long domctl(unsigned int cmd)
{
	op.cmd = cmd;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = domid;
	return hypercall(__HYPERVISOR_domctl, (unsigned long)&op, 0, 0, 0, 0);
}

static void make_domain(void)
{
	struct xen_memory_reservation r = { .extent_start = GUEST_PTR(frames),
					    .nr_extents = NR_FRAMES };

	memset(&op, 0, sizeof(op));
	op.u.createdomain = (struct xen_domctl_createdomain){
		.max_vcpus = 2, .max_evtchn_port = 1023, .max_grant_frames = -1,
		.max_maptrack_frames = -1, .grant_opts = 1,
	};
	if (domctl(XEN_DOMCTL_createdomain))
		fail("no domain");
	domid = op.domain;
	op.u.max_vcpus.max = 2;
	check_eq(domctl(XEN_DOMCTL_max_vcpus), 0, "its vCPUs");
	op.u.max_mem.max_memkb = NR_FRAMES * 4;
	check_eq(domctl(XEN_DOMCTL_max_mem), 0, "its limit");
	for (unsigned int i = 0; i < NR_FRAMES; i++)
		frames[i] = i;
	r.domid = domid;
	if (hyp_memory_op(XENMEM_populate_physmap, &r) != NR_FRAMES)
		fail("no memory for the domain");
}

static long frame_info(unsigned long nr)
{
	op.u.getpageframeinfo3 = (struct xen_domctl_getpageframeinfo3){
		.num = nr, .array = GUEST_PTR(list) };
	return domctl(XEN_DOMCTL_getpageframeinfo3);
}

static void pin(unsigned int cmd, unsigned int frame)
{
	struct mmuext_op pin = { .cmd = cmd, .arg1.mfn = frames[frame] };

	check_eq(hyp_mmuext_op(&pin, 1, NULL, domid), 0, "mmuext_op %u of its frame %u", cmd,
		 frame);
}

static void what_frames_are(void)
{
	static const uint32_t want[] = {
		XEN_DOMCTL_PFINFO_NOTAB,
		XEN_DOMCTL_PFINFO_L4TAB | XEN_DOMCTL_PFINFO_LPINTAB,
		XEN_DOMCTL_PFINFO_L1TAB | XEN_DOMCTL_PFINFO_LPINTAB,
		XEN_DOMCTL_PFINFO_XTAB,
		XEN_DOMCTL_PFINFO_XTAB,
	};

	pin(MMUEXT_PIN_L4_TABLE, 1);
	pin(MMUEXT_PIN_L1_TABLE, 2);
	memcpy(list, frames, 3 * sizeof(list[0]));
	list[3] = MFN_NOWHERE;
	list[4] = page_mfn(page_root());
	check_eq(frame_info(5), 0, "what five frames are");
	for (unsigned int i = 0; i < 5; i++)
		check_eq((int64_t)list[i], want[i], "frame %u", i);
	check_eq(frame_info(0), 0, "of no frame");
	check_eq(frame_info(1025), -E2BIG, "of more than 1024");
	op.u.getpageframeinfo3 = (struct xen_domctl_getpageframeinfo3){
		.num = 1, .array = { HYPERVISOR } };
	check_refused(domctl(XEN_DOMCTL_getpageframeinfo3), "a list in the hypervisor");
	domid += 1000;
	check_eq(frame_info(1), -ESRCH, "of no domain");
	domid -= 1000;
}

static void its_m2p(void)
{
	struct mmu_update update = { .ptr = frames[0] << PAGE_SHIFT | MMU_MACHPHYS_UPDATE,
				     .val = 4711 };

	check_eq(hyp_mmu_update(&update, 1, NULL, domid), 0, "M2P of its frame");
	check_eq((int64_t)((volatile uint64_t *)MACH2PHYS_VIRT_START)[frames[0]], 4711,
		 "is what was set");
	update.ptr = page_maddr(page_root()) | MMU_MACHPHYS_UPDATE;
	check_refused(hyp_mmu_update(&update, 1, NULL, domid), "of a frame that isn't its own");
}

static long set_context(unsigned int vcpu)
{
	op.u.vcpucontext = (struct xen_domctl_vcpucontext){ .vcpu = vcpu,
							    .ctxt = GUEST_PTR(&context) };
	return domctl(XEN_DOMCTL_setvcpucontext);
}

static long get_context(unsigned int vcpu)
{
	op.u.vcpucontext = (struct xen_domctl_vcpucontext){ .vcpu = vcpu,
							    .ctxt = GUEST_PTR(&got) };
	return domctl(XEN_DOMCTL_getvcpucontext);
}

static void good_context(void)
{
	memset(&context, 0, sizeof(context));
	context.flags = VGCF_in_kernel | VGCF_online | VGCF_i387_valid |
			VGCF_syscall_disables_events;
	context.user_regs = (struct cpu_user_regs){
		.rip = 0xffffffff81000000, .rsp = 0xffffffff82000000, .rflags = 0x246,
		.rax = 1, .rbx = 2, .rcx = 3, .rdx = 4, .rsi = 5, .rdi = 6, .rbp = 7, .r8 = 8,
		.r9 = 9, .r10 = 10, .r11 = 11, .r12 = 12, .r13 = 13, .r14 = 14, .r15 = 15,
		.cs = FLAT_KERNEL_CS, .ss = FLAT_KERNEL_SS,
	};
	context.fpu_ctxt.x[0] = 0x7f;		/* FCW */
	context.fpu_ctxt.x[24] = (char)0x80;	/* MXCSR */
	context.fpu_ctxt.x[25] = 0x1f;
	context.fpu_ctxt.x[160] = 0x5a;		/* XMM0 */
	for (unsigned int i = 0; i < 256; i++)
		context.trap_ctxt[i].vector = (uint8_t)i;
	context.trap_ctxt[14] = (struct trap_info){ .vector = 14, .flags = 4,
						    .cs = FLAT_KERNEL_CS,
						    .address = 0xffffffff81001000 };
	context.kernel_ss = FLAT_KERNEL_SS;
	context.kernel_sp = 0xffffffff83000000;
	context.ctrlreg[0] = 0x80050033;
	context.ctrlreg[3] = xen_pfn_to_cr3(frames[1]);
	context.event_callback_eip = 0xffffffff81002000;
	context.failsafe_callback_eip = 0xffffffff81003000;
	context.syscall_callback_eip = 0xffffffff81004000;
	context.fs_base = 0x7f0000001000;
	context.gs_base_kernel = 0xffff888000001000;
	context.gs_base_user = 0x7f0000002000;
	context.gdt_frames[0] = frames[3];
	context.gdt_ents = 512;
}

#define SAME(field)	check_eq((int64_t)got.field, (int64_t)context.field, #field)

static void context_out_and_in(void)
{
	check_refused(get_context(0), "the state of a vCPU that has none");
	good_context();
	check_eq(set_context(0), 0, "a context");
	check_eq(get_context(0), 0, "and what it is now");
	SAME(user_regs.rip);
	SAME(user_regs.rsp);
	SAME(user_regs.r15);
	SAME(user_regs.rax);
	SAME(user_regs.cs);
	SAME(fpu_ctxt.x[0]);
	SAME(fpu_ctxt.x[160]);
	SAME(trap_ctxt[14].address);
	SAME(trap_ctxt[14].flags);
	SAME(kernel_sp);
	SAME(ctrlreg[3]);
	SAME(ctrlreg[1]);
	SAME(event_callback_eip);
	SAME(failsafe_callback_eip);
	SAME(syscall_callback_eip);
	SAME(fs_base);
	SAME(gs_base_kernel);
	SAME(gs_base_user);
	SAME(gdt_frames[0]);
	SAME(gdt_ents);
	check((got.flags & context.flags) == context.flags, "flags %lx", got.flags);
	context = got;
	context.user_regs.rax = 4711;	/* as for a suspend that is cancelled */
	check_eq(set_context(0), 0, "the same but for its result");
	check(!get_context(0) && got.user_regs.rax == 4711, "is taken: %ld",
	      (long)got.user_regs.rax);
}

static void bad_contexts(void)
{
	good_context();
	context.ctrlreg[3] = xen_pfn_to_cr3(frames[0]);
	check_refused(set_context(0), "other page tables for a vCPU that has some");
	good_context();
	context.event_callback_eip = NONCANONICAL;
	check_refused(set_context(1), "a callback that can't be");
	good_context();
	context.gdt_frames[0] = frames[1];
	check_refused(set_context(1), "a page table as GDT");
	good_context();
	context.ctrlreg[3] = xen_pfn_to_cr3(page_mfn(page_root()));
	check_refused(set_context(1), "page tables of another domain");
	check_refused(set_context(2), "a vCPU that isn't there");
	good_context();
	check_eq(set_context(1), 0, "a good one after all that");
}

static long ext_state(unsigned int cmd, unsigned int vcpu, uint64_t size)
{
	op.u.vcpuextstate = (struct xen_domctl_vcpuextstate){
		.vcpu = vcpu, .xfeature_mask = state_mask, .size = size,
		.buffer = GUEST_PTR(state) };
	return domctl(cmd);
}

static void bad_ext_state(void)
{
	check_refused(ext_state(XEN_DOMCTL_getvcpuextstate, 2, state_size), "of no vCPU");
	check_refused(ext_state(XEN_DOMCTL_getvcpuextstate, 0, 24), "into a small buffer");
	check_refused(ext_state(XEN_DOMCTL_setvcpuextstate, 2, state_size), "for no vCPU");
	check_refused(ext_state(XEN_DOMCTL_setvcpuextstate, 0, 8), "of half a word");
	check_refused(ext_state(XEN_DOMCTL_setvcpuextstate, 0, 1UL << 40), "of endless size");
	check_refused(ext_state(XEN_DOMCTL_setvcpuextstate, 0, 16 + 512 + 32), "half a header");
	state[0] = 0;
	check_refused(ext_state(XEN_DOMCTL_setvcpuextstate, 0, LEGACY), "XCR0 without x87");
	state[0] = 1UL << 62 | 3;
	check_refused(ext_state(XEN_DOMCTL_setvcpuextstate, 0, LEGACY), "XCR0 of the future");
	state[0] = state[1] = 3;
	state[XSAVE_HEADER] = 1UL << 62;
	check_refused(ext_state(XEN_DOMCTL_setvcpuextstate, 0, LEGACY),
		      "components that aren't there");
	state[XSAVE_HEADER] = 3;
	state[XSAVE_HEADER + 1] = 1UL << 63 | 3;
	check_refused(ext_state(XEN_DOMCTL_setvcpuextstate, 0, LEGACY), "a compact area");
	state[XSAVE_HEADER + 1] = 0;
}

static void ext_state_out_and_in(void)
{
	check_eq(ext_state(XEN_DOMCTL_getvcpuextstate, 0, 0), 0, "how long the XSAVE state is");
	state_size = op.u.vcpuextstate.size;
	state_mask = op.u.vcpuextstate.xfeature_mask;
	if (!state_size)
		return;
	if (!check(state_size >= 16 + 576 && state_size <= sizeof(state), "%lu bytes", state_size))
		return;
	check_eq(ext_state(XEN_DOMCTL_getvcpuextstate, 0, state_size), 0, "the XSAVE state");
	state[0] = state[1] = 3;
	state[XSAVE_HEADER] = 3;
	state[2 + 160 / 8] = 0x1234567890;
	check_eq(ext_state(XEN_DOMCTL_setvcpuextstate, 0, LEGACY), 0, "another");
	memset(state, 0, sizeof(state));
	check_eq(ext_state(XEN_DOMCTL_getvcpuextstate, 0, state_size), 0, "and what it is now");
	check_eq((int64_t)state[0], 3, "XCR0");
	check_eq((int64_t)state[2 + 160 / 8], 0x1234567890, "XMM0");
	bad_ext_state();
}

static void ext_context(void)
{
	struct xen_domctl_ext_vcpucontext *ext = &op.u.ext_vcpucontext;

	memset(ext, 0, sizeof(*ext));
	check_eq(domctl(XEN_DOMCTL_get_ext_vcpucontext), 0, "the extended context");
	check(ext->size > 0 && ext->size <= 128, "%u bytes", ext->size);
	ext->syscall32_callback_eip = 0xffffffff81005000;
	ext->sysenter_callback_eip = 0xffffffff81006000;
	ext->sysenter_disables_events = 1;
	check_eq(domctl(XEN_DOMCTL_set_ext_vcpucontext), 0, "another");
	memset(ext, 0, sizeof(*ext));
	check_eq(domctl(XEN_DOMCTL_get_ext_vcpucontext), 0, "and what it is now");
	check_eq((int64_t)ext->syscall32_callback_eip, (int64_t)0xffffffff81005000, "syscall32");
	check_eq((int64_t)ext->sysenter_callback_eip, (int64_t)0xffffffff81006000, "sysenter");
	check_eq(ext->sysenter_disables_events, 1, "its mask");
	ext->sysenter_callback_eip = NONCANONICAL;
	check_refused(domctl(XEN_DOMCTL_set_ext_vcpucontext), "an entry that can't be");
	ext->sysenter_callback_eip = 0;
	ext->size = 8;
	check_refused(domctl(XEN_DOMCTL_set_ext_vcpucontext), "eight bytes of it");
	ext->size = sizeof(*ext);
	ext->vcpu = 2;
	check_refused(domctl(XEN_DOMCTL_set_ext_vcpucontext), "for no vCPU");
	ext->vcpu = 2;
	check_refused(domctl(XEN_DOMCTL_get_ext_vcpucontext), "of no vCPU");
}

static void msrs(void)
{
	static struct xen_domctl_vcpu_msr msr[64];

	op.u.vcpu_msrs = (struct xen_domctl_vcpu_msrs){ 0 };
	check_eq(domctl(XEN_DOMCTL_get_vcpu_msrs), 0, "how many MSRs there are");
	check(op.u.vcpu_msrs.msr_count <= 64, "%u", op.u.vcpu_msrs.msr_count);
	op.u.vcpu_msrs = (struct xen_domctl_vcpu_msrs){ .msr_count = 64, .msrs = GUEST_PTR(msr) };
	check_eq(domctl(XEN_DOMCTL_get_vcpu_msrs), 0, "and which");
	op.u.vcpu_msrs.msrs = (guest_ptr_t)GUEST_PTR(msr);
	check_eq(domctl(XEN_DOMCTL_set_vcpu_msrs), 0, "the same again");
	msr[0] = (struct xen_domctl_vcpu_msr){ .index = 0x10, .value = 1 };
	op.u.vcpu_msrs = (struct xen_domctl_vcpu_msrs){ .msr_count = 1, .msrs = GUEST_PTR(msr) };
	check_refused(domctl(XEN_DOMCTL_set_vcpu_msrs), "the TSC");
	op.u.vcpu_msrs = (struct xen_domctl_vcpu_msrs){ .vcpu = 2 };
	check_refused(domctl(XEN_DOMCTL_get_vcpu_msrs), "of no vCPU");
}

static void shadow(void)
{
	op.u.shadow_op = (struct xen_domctl_shadow_op){ .op = 4711 };
	check_refused(domctl(XEN_DOMCTL_shadow_op), "a shadow operation that isn't there");
}

void test_main(void)
{
	if (!kernel_is_dom0())
		skip("only the control domain may");
	make_domain();
	what_frames_are();
	its_m2p();
	context_out_and_in();
	bad_contexts();
	ext_state_out_and_in();
	ext_context();
	msrs();
	shadow();
	check_eq(domctl(XEN_DOMCTL_destroydomain), 0, "its end");
}
