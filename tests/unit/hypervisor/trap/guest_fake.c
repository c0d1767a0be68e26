/* SPDX-License-Identifier: MIT */
/* The fakes of guest_fake.h: what trap/ calls of domain/, mm/ and the machine. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "abi/errno.h"
#include "dev/pci.h"
#include "dev/serial.h"
#include "guest_fake.h"
#include "x86/machine.h"

uintptr_t fake_hole;
size_t fake_hole_size;
char fake_crash[200];
uint32_t fake_port_value;
uint16_t fake_port;

static struct domain domain;
static struct vcpu vcpu;
static struct trap_gate trap[TRAP_GATES];

struct vcpu *fake_vcpu(void)
{
	memset(&domain, 0, sizeof(domain));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(trap, 0, sizeof(trap));
	vcpu.trap = trap;
	domain.privileged = true;
	vcpu.domain = &domain;
	vcpu.event.info = &vcpu.dummy_info;
	vcpu.machine.kernel_mode = true;
	vcpu.iopl = 1;
	fake_crash[0] = 0;
	fake_hole_size = 0;
	return &vcpu;
}

static size_t accessible(uintptr_t at, size_t n)
{
	if (!fake_hole_size || at + n <= fake_hole || at >= fake_hole + fake_hole_size)
		return n;
	return at < fake_hole ? fake_hole - at : 0;
}

size_t machine_copy_from_guest(void *to, vaddr_t from, size_t n)
{
	size_t ok = accessible(from.a, n);

	memcpy(to, (void *)from.a, ok);
	return n - ok;
}

size_t machine_copy_to_guest(vaddr_t to, const void *from, size_t n)
{
	size_t ok = accessible(to.a, n);

	memcpy((void *)to.a, from, ok);
	return n - ok;
}

bool machine_read_word(vaddr_t from, uint64_t *word)
{
	return !machine_copy_from_guest(word, from, sizeof(*word));
}

bool machine_write_frame(vaddr_t to, const uint64_t word[8], bool error_code)
{
	uint64_t frame[8], *at = frame;

	for (unsigned i = 0; i < 8; i++)
		if (i != 2 || error_code)
			*at++ = word[i];
	return !machine_copy_to_guest(to, frame, (size_t)(at - frame) * sizeof(*at));
}

int mm_emulate_cmpxchg(struct mm_domain *mm, mfn_t root, vaddr_t va, uint64_t old, uint64_t new)
{
	(void)mm;
	(void)root;
	return __sync_bool_compare_and_swap((uint64_t *)va.a, old, new) ? 0 : -EAGAIN;
}

int mm_emulate_exchange(struct mm_domain *mm, mfn_t root, vaddr_t va, uint64_t new, uint64_t *old)
{
	(void)mm;
	(void)root;
	if (va.a & 7)
		return -ENOENT;
	*old = __atomic_exchange_n((uint64_t *)va.a, new, __ATOMIC_SEQ_CST);
	return 0;
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	va_list args;

	(void)d;
	va_start(args, fmt);
	vsnprintf(fake_crash, sizeof(fake_crash), fmt, args);
	va_end(args);
}

void machine_vcpu_toggle_mode(struct machine_vcpu *mv)
{
	mv->kernel_mode = !mv->kernel_mode;
}

uint32_t machine_port_in(uint16_t port, unsigned bytes)
{
	(void)bytes;
	fake_port = port;
	return fake_port_value;
}

void machine_port_out(uint16_t port, unsigned bytes, uint32_t value)
{
	fake_port = port;
	fake_port_value = bytes == 4 ? value : value & ((1u << bytes * 8) - 1);
}

void machine_tables_load(mfn_t l4, bool flush)
{
	(void)l4;
	(void)flush;
}

void machine_budget_start(void)
{
}

void machine_vcpu_set_ts(struct machine_vcpu *mv, bool ts)
{
	mv->ts = ts;
}

void machine_vcpu_fpu_own(struct machine_vcpu *mv)
{
	(void)mv;
}

bool machine_vcpu_set_cr4(struct machine_vcpu *mv, uint64_t cr4)
{
	mv->cr4 = cr4;
	return cr4 != 0xbad;
}

bool machine_vcpu_set_xcr0(struct machine_vcpu *mv, uint64_t xcr0)
{
	mv->xcr0 = xcr0;
	return xcr0 & 1;
}

uint64_t machine_vcpu_base(const struct machine_vcpu *mv, unsigned which)
{
	return which == SEGBASE_FS	  ? mv->fs_base
	       : which == SEGBASE_GS_USER ? mv->gs_base_user
					  : mv->gs_base_kernel;
}

int machine_vcpu_set_base(struct machine_vcpu *mv, unsigned which, uint64_t value)
{
	if (which == SEGBASE_FS)
		mv->fs_base = value;
	else
		mv->gs_base_kernel = value;
	return 0;
}

int vcpu_set_debug(struct vcpu *v, unsigned reg, uint64_t value)
{
	v->machine.dr[reg] = value;
	return 0;
}

uint64_t machine_ticks(void)
{
	return 12345;
}

bool machine_ticks_stable(void)
{
	return true;
}

uint64_t machine_ticks_khz(void)
{
	return 1000000;
}

unsigned machine_paddr_bits(void)
{
	return 40;
}

void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	(void)subleaf;
	out[0] = out[1] = out[2] = out[3] = leaf == 0x80000000 ? 0x80000008 : 0xffffffff;
}

bool machine_null_clears_base(void)
{
	return true;
}

bool fake_fast_byte_strings = true;

bool machine_fast_byte_strings(void)
{
	return fake_fast_byte_strings;
}

void machine_vcpu_xsave_leaf(const struct machine_vcpu *mv, unsigned subleaf, uint32_t out[4])
{
	(void)mv;
	(void)subleaf;
	(void)out;
}

bool serial_owns_port(uint16_t port)
{
	return port == 0x3f8;
}

bool pci_port_in(uint16_t port, unsigned bytes, uint32_t *value)
{
	(void)port;
	(void)bytes;
	(void)value;
	return false;
}

bool pci_port_out(uint16_t port, unsigned bytes, uint32_t value)
{
	(void)port;
	(void)bytes;
	(void)value;
	return false;
}
