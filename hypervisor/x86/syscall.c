/* SPDX-License-Identifier: MIT */
/*
 * The system call MSRs of a CPU (Intel SDM 3A 5.8.7, 5.8.8), and the patching of entry code
 * when SMAP is on.
 */
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/entry.h"
#include "x86/insn.h"
#include "x86/machine.h"
#include "x86/msr.h"

#define STUB_SIZE	64

void entry_init_syscall(void)
{
	unsigned cpu = machine_cpu();

	wrmsr(MSR_STAR, (uint64_t)SEL_GUEST_CS32 << 48 | (uint64_t)SEL_CS << 32);
	wrmsr(MSR_LSTAR, (uint64_t)entry_syscall_stubs + STUB_SIZE * cpu);
	wrmsr(MSR_CSTAR, (uint64_t)entry_syscall32_stubs + STUB_SIZE * cpu);
	/*
	 * Everything that a guest could have set and that would matter before entry.S has saved
	 * it.
	 */
	wrmsr(MSR_SYSCALL_MASK,
	      RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC);
	if (cpu_features.amd)
		return;			/* no sysenter in long mode */
	msr_write_safe(MSR_SYSENTER_CS, SEL_CS);
	msr_write_safe(MSR_SYSENTER_ESP, (uint64_t)(&this_cpu()->regs + 1));
	msr_write_safe(MSR_SYSENTER_EIP, (uint64_t)entry_sysenter);
}

struct smap_site {
	int32_t place;			/* from here */
	uint32_t last_byte;		/* of 0f 01 xx */
};

extern const struct smap_site smap_sites_start[], smap_sites_end[];

/* Through the direct map: the image's own mapping of its text is read-only. */
void entry_patch_smap(void)
{
	for (const struct smap_site *s = smap_sites_start; s < smap_sites_end; s++) {
		uint64_t va = (uint64_t)&s->place + (uint64_t)(int64_t)s->place,
			 pa = va - IMAGE_VIRT + image_phys;
		uint8_t code[3] = { 0x0f, 0x01, (uint8_t)s->last_byte };

		memcpy((char *)machine_va(MFN(pa >> PAGE_SHIFT)) + (pa & ~PAGE_MASK), code,
		       sizeof(code));
	}
}
