/* SPDX-License-Identifier: MIT */
/*
 * The heart of the PV ABI: hypercall numbers, memory-management requests, traps, vCPU contexts, and
 * the pages a guest shares with the hypervisor (start_info, shared_info).
 *
 * A 64-bit guest calls with the number in rax and arguments in rdi, rsi, rdx, r10, r8, r9; the
 * result comes back in rax; rcx and r11 are lost. A negative result is an errno of abi/errno.h.
 */
#ifndef ABI_XEN_H
#define ABI_XEN_H

#include "abi/types.h"

#define __HYPERVISOR_set_trap_table		0
#define __HYPERVISOR_mmu_update			1
#define __HYPERVISOR_set_gdt			2
#define __HYPERVISOR_stack_switch		3
#define __HYPERVISOR_set_callbacks		4
#define __HYPERVISOR_fpu_taskswitch		5
#define __HYPERVISOR_sched_op_compat		6
#define __HYPERVISOR_platform_op		7
#define __HYPERVISOR_set_debugreg		8
#define __HYPERVISOR_get_debugreg		9
#define __HYPERVISOR_update_descriptor		10
#define __HYPERVISOR_memory_op			12
#define __HYPERVISOR_multicall			13
#define __HYPERVISOR_update_va_mapping		14
#define __HYPERVISOR_set_timer_op		15
#define __HYPERVISOR_event_channel_op_compat	16
#define __HYPERVISOR_xen_version		17
#define __HYPERVISOR_console_io			18
#define __HYPERVISOR_physdev_op_compat		19
#define __HYPERVISOR_grant_table_op		20
#define __HYPERVISOR_vm_assist			21
#define __HYPERVISOR_update_va_mapping_otherdomain 22
#define __HYPERVISOR_iret			23
#define __HYPERVISOR_vcpu_op			24
#define __HYPERVISOR_set_segment_base		25
#define __HYPERVISOR_mmuext_op			26
#define __HYPERVISOR_xsm_op			27
#define __HYPERVISOR_nmi_op			28
#define __HYPERVISOR_sched_op			29
#define __HYPERVISOR_callback_op		30
#define __HYPERVISOR_xenoprof_op		31
#define __HYPERVISOR_event_channel_op		32
#define __HYPERVISOR_physdev_op			33
#define __HYPERVISOR_hvm_op			34
#define __HYPERVISOR_sysctl			35
#define __HYPERVISOR_domctl			36
#define __HYPERVISOR_kexec_op			37
#define __HYPERVISOR_tmem_op			38
#define __HYPERVISOR_argo_op			39
#define __HYPERVISOR_xenpmu_op			40
#define __HYPERVISOR_dm_op			41
#define __HYPERVISOR_hypfs_op			42
#define __HYPERVISOR_arch_0			48	/* machine checks (mca) on x86 */

/* Virtual interrupts: the first kind is bound per vCPU, the others once per domain. */
#define VIRQ_TIMER		0	/* per vCPU: its timer expired */
#define VIRQ_DEBUG		1	/* per vCPU: print your state */
#define VIRQ_CONSOLE		2	/* input waits on the hypervisor's console */
#define VIRQ_DOM_EXC		3	/* some domain shut down, crashed or died */
#define VIRQ_TBUF		4
#define VIRQ_DEBUGGER		6
#define VIRQ_XENOPROF		7	/* per vCPU */
#define VIRQ_CON_RING		8	/* the hypervisor logged something */
#define VIRQ_PCPU_STATE		9	/* a processor went on- or offline */
#define VIRQ_MEM_EVENT		10
#define VIRQ_ARGO		11
#define VIRQ_ENOMEM		12
#define VIRQ_XENPMU		13	/* per vCPU */
#define VIRQ_ARCH_0		16	/* machine checks on x86 */
#define NR_VIRQS		24

/* mmu_update: the command is in ptr's low bits, see struct mmu_update. */
#define MMU_NORMAL_PT_UPDATE		0	/* write val to the entry at machine address ptr */
#define MMU_MACHPHYS_UPDATE		1	/* M2P of the frame at ptr becomes val */
#define MMU_PT_UPDATE_PRESERVE_AD	2	/* as 0, keeping accessed and dirty as they are */
#define MMU_PT_UPDATE_NO_TRANSLATE	3

struct mmu_update {
	uint64_t ptr;
	uint64_t val;
};

#define MMUEXT_PIN_L1_TABLE		0
#define MMUEXT_PIN_L2_TABLE		1
#define MMUEXT_PIN_L3_TABLE		2
#define MMUEXT_PIN_L4_TABLE		3
#define MMUEXT_UNPIN_TABLE		4
#define MMUEXT_NEW_BASEPTR		5
#define MMUEXT_TLB_FLUSH_LOCAL		6
#define MMUEXT_INVLPG_LOCAL		7
#define MMUEXT_TLB_FLUSH_MULTI		8
#define MMUEXT_INVLPG_MULTI		9
#define MMUEXT_TLB_FLUSH_ALL		10
#define MMUEXT_INVLPG_ALL		11
#define MMUEXT_FLUSH_CACHE		12
#define MMUEXT_SET_LDT			13
#define MMUEXT_NEW_USER_BASEPTR		15
#define MMUEXT_CLEAR_PAGE		16
#define MMUEXT_COPY_PAGE		17
#define MMUEXT_FLUSH_CACHE_GLOBAL	18
#define MMUEXT_MARK_SUPER		19
#define MMUEXT_UNMARK_SUPER		20

struct mmuext_op {
	unsigned int cmd;
	union {
		xen_pfn_t mfn;
		unsigned long linear_addr;
	} arg1;
	union {
		unsigned int nr_ents;
		guest_ptr_t vcpumask;
		xen_pfn_t src_mfn;
	} arg2;
};

/*
 * update_va_mapping flags: what to flush, and on which vCPUs. With MULTI and a non-zero rest, the
 * rest is the address of a vCPU bitmap.
 */
#define UVMF_NONE		0UL
#define UVMF_TLB_FLUSH		1UL
#define UVMF_INVLPG		2UL
#define UVMF_FLUSHTYPE_MASK	3UL
#define UVMF_MULTI		0UL
#define UVMF_LOCAL		0UL
#define UVMF_ALL		4UL

#define CONSOLEIO_write		0
#define CONSOLEIO_read		1

#define VMASST_CMD_enable			0
#define VMASST_CMD_disable			1
#define VMASST_TYPE_4gb_segments		0
#define VMASST_TYPE_4gb_segments_notify		1
#define VMASST_TYPE_writable_pagetables		2
#define VMASST_TYPE_pae_extended_cr3		3
#define VMASST_TYPE_architectural_iopl		4
#define VMASST_TYPE_runstate_update_flag	5
#define VMASST_TYPE_m2p_strict			32

#define DOMID_FIRST_RESERVED	0x7FF0U
#define DOMID_SELF		0x7FF0U
#define DOMID_IO		0x7FF1U
#define DOMID_XEN		0x7FF2U
#define DOMID_COW		0x7FF3U
#define DOMID_INVALID		0x7FF4U
#define DOMID_IDLE		0x7FFFU
#define DOMID_MASK		0x7FFFU

struct multicall_entry {
	xen_ulong_t op, result;
	xen_ulong_t args[6];
};

/* --- Segments and addresses --- */

/* The guest's GDT has pages 0 to 13; pages 14 and 15 are the hypervisor's. */
#define FIRST_RESERVED_GDT_PAGE		14
#define FIRST_RESERVED_GDT_BYTE		(FIRST_RESERVED_GDT_PAGE * 4096)
#define FIRST_RESERVED_GDT_ENTRY	(FIRST_RESERVED_GDT_BYTE / 8)

#define FLAT_RING3_CS32		0xe023
#define FLAT_RING3_CS64		0xe033
#define FLAT_RING3_DS32		0xe02b
#define FLAT_RING3_DS64		0x0000
#define FLAT_RING3_SS32		0xe02b
#define FLAT_RING3_SS64		0xe02b

#define FLAT_KERNEL_DS64	FLAT_RING3_DS64
#define FLAT_KERNEL_DS32	FLAT_RING3_DS32
#define FLAT_KERNEL_DS		FLAT_KERNEL_DS64
#define FLAT_KERNEL_CS64	FLAT_RING3_CS64
#define FLAT_KERNEL_CS32	FLAT_RING3_CS32
#define FLAT_KERNEL_CS		FLAT_KERNEL_CS64
#define FLAT_KERNEL_SS64	FLAT_RING3_SS64
#define FLAT_KERNEL_SS32	FLAT_RING3_SS32
#define FLAT_KERNEL_SS		FLAT_KERNEL_SS64

#define FLAT_USER_DS64		FLAT_RING3_DS64
#define FLAT_USER_DS32		FLAT_RING3_DS32
#define FLAT_USER_DS		FLAT_USER_DS64
#define FLAT_USER_CS64		FLAT_RING3_CS64
#define FLAT_USER_CS32		FLAT_RING3_CS32
#define FLAT_USER_CS		FLAT_USER_CS64
#define FLAT_USER_SS64		FLAT_RING3_SS64
#define FLAT_USER_SS32		FLAT_RING3_SS32
#define FLAT_USER_SS		FLAT_USER_SS64

/* The part of every 64-bit address space that is not the guest's. M2P is its readable beginning. */
#define HYPERVISOR_VIRT_START	0xFFFF800000000000UL
#define HYPERVISOR_VIRT_END	0xFFFF880000000000UL
#define MACH2PHYS_VIRT_START	0xFFFF800000000000UL
#define MACH2PHYS_VIRT_END	0xFFFF804000000000UL
#define MACH2PHYS_NR_ENTRIES	((MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START) >> 3)

#define SEGBASE_FS		0
#define SEGBASE_GS_USER		1
#define SEGBASE_GS_KERNEL	2
#define SEGBASE_GS_USER_SEL	3

/* ud2 and the letters "xen" before cpuid: ask for the emulated instruction. */
#define XEN_EMULATE_PREFIX	".byte 0x0f,0x0b,0x78,0x65,0x6e ; "
#define XEN_CPUID		XEN_EMULATE_PREFIX "cpuid"

/* --- Traps and vCPU contexts --- */

/*
 * flags: bits 0-1 the least privileged ring that may raise it by int n; bit 2 masks events on
 * entry. set_trap_table takes an array of these that ends with address 0.
 */
struct trap_info {
	uint8_t vector;
	uint8_t flags;
	uint16_t cs;
	unsigned long address;
};

#define TI_GET_DPL(ti)		((ti)->flags & 3)
#define TI_GET_IF(ti)		((ti)->flags & 4)

struct cpu_user_regs {
	uint64_t r15;
	uint64_t r14;
	uint64_t r13;
	uint64_t r12;
	uint64_t rbp;
	uint64_t rbx;
	uint64_t r11;
	uint64_t r10;
	uint64_t r9;
	uint64_t r8;
	uint64_t rax;
	uint64_t rcx;
	uint64_t rdx;
	uint64_t rsi;
	uint64_t rdi;
	uint32_t error_code;
	uint32_t entry_vector;
	uint64_t rip;
	uint16_t cs, _pad0[1];
	uint8_t saved_upcall_mask;	/* rflags.IF is its inverse */
	uint8_t _pad1[3];
	uint64_t rflags;
	uint64_t rsp;
	uint16_t ss, _pad2[3];
	uint16_t es, _pad3[3];
	uint16_t ds, _pad4[3];
	uint16_t fs, _pad5[3];
	uint16_t gs, _pad6[3];
};

/* What the iret hypercall pops; flags is a set of VGCF_in_syscall. */
struct iret_context {
	uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

#define VGCF_i387_valid			(1 << 0)
#define VGCF_in_kernel			(1 << 2)
#define VGCF_failsafe_disables_events	(1 << 3)
#define VGCF_syscall_disables_events	(1 << 4)
#define VGCF_online			(1 << 5)
#define VGCF_in_syscall			(1 << 8)

/*
 * A vCPU's whole state, for VCPUOP_initialise and the domctls. ctrlreg[1] is the user page table.
 */
struct vcpu_guest_context {
	struct {
		char x[512];		/* an FXSAVE image */
	} fpu_ctxt;
	unsigned long flags;
	struct cpu_user_regs user_regs;
	struct trap_info trap_ctxt[256];
	unsigned long ldt_base, ldt_ents;
	unsigned long gdt_frames[16], gdt_ents;
	unsigned long kernel_ss, kernel_sp;
	unsigned long ctrlreg[8];
	unsigned long debugreg[8];
	unsigned long event_callback_eip;
	unsigned long failsafe_callback_eip;
	unsigned long syscall_callback_eip;
	unsigned long vm_assist;
	uint64_t fs_base;
	uint64_t gs_base_kernel;
	uint64_t gs_base_user;
};

/* A frame number as cr3 holds it, and back. */
#define xen_pfn_to_cr3(pfn)	((unsigned long)(pfn) << 12)
#define xen_cr3_to_pfn(cr3)	((unsigned long)(cr3) >> 12)

/* --- Shared pages --- */

#define XEN_LEGACY_MAX_VCPUS	32	/* vCPUs that have their vcpu_info in shared_info */

/*
 * Nanoseconds now = system_time + ((((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul) >>
 * 32). version is odd while the record changes.
 */
struct vcpu_time_info {
	uint32_t version;
	uint32_t pad0;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad1[2];
};

#define XEN_PVCLOCK_TSC_STABLE_BIT	(1 << 0)
#define XEN_PVCLOCK_GUEST_STOPPED	(1 << 1)

struct arch_vcpu_info {
	unsigned long cr2;
	unsigned long pad;
};

struct vcpu_info {
	uint8_t evtchn_upcall_pending;
	uint8_t evtchn_upcall_mask;
	xen_ulong_t evtchn_pending_sel;
	struct arch_vcpu_info arch;
	struct vcpu_time_info time;
};

struct arch_shared_info {
	unsigned long max_pfn;
	xen_pfn_t pfn_to_mfn_frame_list_list;
	unsigned long nmi_reason;
	unsigned long p2m_cr3;
	unsigned long p2m_vaddr;
	unsigned long p2m_generation;
};

struct shared_info {
	struct vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
	xen_ulong_t evtchn_pending[sizeof(xen_ulong_t) * 8];
	xen_ulong_t evtchn_mask[sizeof(xen_ulong_t) * 8];
	uint32_t wc_version;		/* wall clock at system time 0 */
	uint32_t wc_sec;
	uint32_t wc_nsec;
	uint32_t wc_sec_hi;
	struct arch_shared_info arch;
};

#define MAX_GUEST_CMDLINE	1024

/* The page a domain's first vCPU finds in rsi. */
struct start_info {
	char magic[32];			/* "xen-<version>-<platform>" */
	unsigned long nr_pages;
	unsigned long shared_info;	/* machine address */
	uint32_t flags;			/* SIF_* */
	xen_pfn_t store_mfn;
	uint32_t store_evtchn;
	union {
		struct {
			xen_pfn_t mfn;
			uint32_t evtchn;
		} domU;
		struct {
			uint32_t info_off;	/* of dom0_vga_console_info, in this page */
			uint32_t info_size;
		} dom0;
	} console;
	unsigned long pt_base;		/* virtual address of the boot L4 */
	unsigned long nr_pt_frames;
	unsigned long mfn_list;		/* virtual address of the P2M list */
	unsigned long mod_start;	/* virtual address, or PFN with SIF_MOD_START_PFN */
	unsigned long mod_len;
	int8_t cmd_line[MAX_GUEST_CMDLINE];
	unsigned long first_p2m_pfn;	/* with XEN_ELFNOTE_INIT_P2M: where the list's frames lie */
	unsigned long nr_p2m_frames;
};

#define SIF_PRIVILEGED		(1 << 0)
#define SIF_INITDOMAIN		(1 << 1)
#define SIF_MULTIBOOT_MOD	(1 << 2)
#define SIF_MOD_START_PFN	(1 << 3)
#define SIF_VIRT_P2M_4TOOLS	(1 << 4)
#define SIF_PM_MASK		(0xFF << 8)

#define XEN_VGATYPE_TEXT_MODE_3	0x03
#define XEN_VGATYPE_VESA_LFB	0x23
#define XEN_VGATYPE_EFI_LFB	0x70

struct dom0_vga_console_info {
	uint8_t video_type;		/* XEN_VGATYPE_* */
	union {
		struct {
			uint16_t font_height;
			uint16_t cursor_x, cursor_y;
			uint16_t rows, columns;
		} text_mode_3;
		struct {
			uint16_t width, height;
			uint16_t bytes_per_line;
			uint16_t bits_per_pixel;
			uint32_t lfb_base;
			uint32_t lfb_size;	/* in units of 64 KiB */
			uint8_t red_pos, red_size;
			uint8_t green_pos, green_size;
			uint8_t blue_pos, blue_size;
			uint8_t rsvd_pos, rsvd_size;
			uint32_t gbl_caps;
			uint16_t mode_attrs;
			uint16_t pad;
			uint32_t ext_lfb_base;	/* bits 32-63 of the address */
		} vesa_lfb;
	} u;
};

#endif
