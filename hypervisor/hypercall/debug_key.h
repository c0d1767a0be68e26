/* SPDX-License-Identifier: MIT */
/* What an administrator may ask the hypervisor to show of itself. */
#ifndef HYPERCALL_DEBUG_KEY_H
#define HYPERCALL_DEBUG_KEY_H

#include "domain/domain.h"

/* Do what `key` stands for; the answer goes to the log. */
void debug_key(char key);

#endif
