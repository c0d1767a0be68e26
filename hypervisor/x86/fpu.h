/* SPDX-License-Identifier: MIT */
/* FPU, SSE, AVX state of vCPUs. Only x86/ includes this; others see vcpu.h. */
#ifndef X86_FPU_H
#define X86_FPU_H

#include "x86/vcpu.h"

/* The running vCPU's registers into its area; they stay valid here too. */
void fpu_save(struct machine_vcpu *mv);
/* The other way, unless the registers hold them still; and CR0.TS, XCR0 as the vCPU has them. */
void fpu_load(struct machine_vcpu *mv);
/*
 * The running vCPU changes XCR0 (checked by the caller): a state that it gets new is in its
 * initial condition.
 */
void fpu_set_xcr0(struct machine_vcpu *mv, uint64_t xcr0);
/* May a guest have this in XCR0 on this CPU? */
bool must_check fpu_xcr0_ok(uint64_t xcr0);

#endif
