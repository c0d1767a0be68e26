/* SPDX-License-Identifier: MIT */
/* MSRs that may not exist: an emulator's CPU model promises some that are not there. */
#ifndef X86_MSR_H
#define X86_MSR_H

#include "lib/types.h"

/* False, and *value 0, if the CPU raised #GP. */
bool msr_read_safe(uint32_t msr, uint64_t *value);
bool msr_write_safe(uint32_t msr, uint64_t value);

#endif
