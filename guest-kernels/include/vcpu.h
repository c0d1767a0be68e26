/* SPDX-License-Identifier: MIT */
/* A second vCPU. */
#ifndef VCPU_H
#define VCPU_H

#include <stdbool.h>

#include "abi/vcpu.h"
#include "abi/xen.h"

/*
 * What vCPU 1 begins with: fn(), in kernel mode, on a stack of its own and on the page table that
 * we run on, with events masked and all callbacks, but no exceptions (see vcpu_traps()).
 */
void vcpu_context(struct vcpu_guest_context *context, void (*fn)(void));
/* Give a context the CPU's own exceptions, to the same entries as vCPU 0's. */
void vcpu_traps(struct vcpu_guest_context *context);
/* Start vCPU 1 with both; false if there is none. */
bool vcpu_start(void (*fn)(void));

#endif
