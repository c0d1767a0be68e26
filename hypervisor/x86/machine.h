/* SPDX-License-Identifier: MIT */
/*
 * THE MACHINE: the seam below which ring 0, ports, MSRs and assembly live. x86/ implements it
 * for iron, tests/fake/ for the host. A port to another architecture starts by writing this
 * header again. Interrupts are off whenever C code runs.
 */
#ifndef X86_MACHINE_H
#define X86_MACHINE_H

#include "lib/cpumask.h"
#include "lib/types.h"
#include "x86/windows.h"

/* -- CPUs -- */

/* The index of the CPU that we run on (dense, 0 is the boot CPU). */
unsigned machine_cpu(void);
/* What this CPU runs: struct vcpu of domain/, opaque here. */
void *machine_current(void);
void machine_set_current(void *vcpu);
/* The CPUs that are up. */
const struct cpumask *machine_cpus_online(void);
/* Called in every wait loop: serves TLB-flush requests of other CPUs, then pauses. */
void machine_relax(void);
/*
 * Make `cpu` leave its guest or its idle wait soon and look at its pending work. Cheap, may be
 * called for ourselves.
 */
void machine_kick(unsigned cpu);

/* -- long work -- */

/*
 * A restartable operation has a budget of about 1 ms, which begins when machine_budget_spent() is
 * first asked after this; that then tells when to leave.
 */
void machine_budget_start(void);
bool machine_budget_spent(void);

/* -- memory -- */

/*
 * The direct-map address of a RAM frame; the inverse for direct-map and hypervisor-image
 * addresses.
 */
void *machine_va(mfn_t mfn);
mfn_t machine_mfn(const void *va);
/*
 * Map device memory uncached (or write-combining); lives for ever. NULL if the window is full.
 * `paddr` need not be aligned.
 */
void *machine_map_device(uint64_t paddr, uint64_t size, bool write_combining);
/*
 * Map frames at `va` in our part of every address space, MAP_* below; larger pages where they
 * fit. What is mapped stays. 0, or -ENOMEM. Table frames come from machine_table_alloc():
 * zeroed, of RAM; NULL if there is none.
 */
#define MAP_WRITE		(1u << 0)
#define MAP_EXEC		(1u << 1)
#define MAP_USER		(1u << 2)
#define MAP_GLOBAL		(1u << 3)
#define MAP_UNCACHED		(1u << 4)
#define MAP_WRITE_COMBINING	(1u << 5)
#define MAP_SMALL		(1u << 6)	/* 4 KiB pages only */
int must_check machine_map(vaddr_t va, mfn_t mfn, uint64_t frames, unsigned flags);
extern void *(*machine_table_alloc)(void);
/* Physical address bits of this CPU: entries with higher bits are refused. */
unsigned machine_paddr_bits(void);
/* True if the CPU has 1: NX (entries may carry bit 63). */
bool machine_has_nx(void);

/* -- address spaces -- */

/* Write our entries (slots 256..271) into a guest's L4 table. */
void machine_l4_install(uint64_t *l4);
/*
 * Load CR3 on this CPU (flushes its non-global entries). No-op if it is loaded already and
 * `flush` is false.
 */
void machine_tables_load(mfn_t l4, bool flush);
/* Our own table, in which idle CPUs run. */
mfn_t machine_tables_idle(void);

/* -- TLB -- */

/* The TLB clock: a stamp taken now is older than any flush that starts after. */
uint32_t machine_tlb_stamp(void);
/* Remove from `cpus` those that have flushed everything since `stamp`. */
void machine_tlb_filter(struct cpumask *cpus, uint32_t stamp);
/* Flush all non-global entries on the CPUs of the set (NULL: this one), and wait for it. */
void machine_tlb_flush(const struct cpumask *cpus);
/* Flush the entries for one address, likewise. A non-canonical address is ignored. */
void machine_tlb_flush_va(const struct cpumask *cpus, vaddr_t va);

/*
 * -- guests' memory by virtual address in the loaded address space; the caller has checked that
 * the range is not ours --
 */

/*
 * Copy; 0, or something else if a byte faulted: what the rest of `to` holds then is undefined.
 */
size_t must_check machine_copy_from_guest(void *to, vaddr_t from, size_t n);
size_t must_check machine_copy_to_guest(vaddr_t to, const void *from, size_t n);

/*
 * The frame of an exception, 8 words (or 7: without the third, its error code), and iret's. True if
 * all of it is there.
 */
struct iret_context;
bool must_check machine_write_frame(vaddr_t to, const uint64_t word[8], bool error_code);
bool must_check machine_read_iret(vaddr_t from, struct iret_context *frame);
/* Eight bytes; true if all are there. */
bool must_check machine_read_word(vaddr_t from, uint64_t *word);
bool must_check machine_write_word(vaddr_t to, uint64_t word);

/* -- time -- */

/* Nanoseconds since boot, the same on all CPUs. */
uint64_t machine_now(void);
/*
 * The time-stamp counter, and its scale as the guest ABI wants it: ns = (ticks << shift (>> if
 * negative)) * mul >> 32.
 */
uint64_t machine_ticks(void);
void machine_ticks_scale(uint32_t *mul, int8_t *shift);
uint64_t machine_ticks_khz(void);
/* ticks at which machine_now() was 0 */
uint64_t machine_ticks_base(void);
/* True if all CPUs' counters are constant-rate, don't stop, and agree. */
bool machine_ticks_stable(void);
/*
 * Arm this CPU's one-shot timer for an absolute time (ns); ~0 disarms. A time in the past fires
 * at once.
 */
void machine_timer_arm(uint64_t deadline);
/* Seconds since 1970 from the battery clock (read once at boot by time/). */
uint64_t machine_wallclock(void);

/* -- ports (dev/, emulation of a guest's in and out) -- */
uint32_t machine_port_in(uint16_t port, unsigned bytes);
void machine_port_out(uint16_t port, unsigned bytes, uint32_t value);

/* -- what the emulation of a guest's privileged instructions asks of the CPU -- */

/*
 * IA32_PAT as we set it on every CPU, the value that the guest ABI fixes: WB WT UC- UC WC WP UC
 * UC.
 */
#define MACHINE_PAT	0x0000050100070406ull
/* The CPU's own CPUID: out = eax ebx ecx edx. */
void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
/*
 * True if kernels may be told (they ask of AMD's CPUs alone) that a null selector clears its
 * segment's base.
 */
bool machine_null_clears_base(void);
/* True if string instructions are as fast by bytes as by words, which ERMS and FSRM promise. */
bool machine_fast_byte_strings(void);

/* -- end -- */
_Noreturn void machine_reboot(void);
_Noreturn void machine_poweroff(void);
/*
 * Reboot, or halt if noreboot was given: what follows a panic, and a crash of the control
 * domain.
 */
_Noreturn void machine_end_after_crash(void);
_Noreturn void machine_halt(void);

#endif
