/* SPDX-License-Identifier: MIT */
/* What the files of memory_op share. */
#ifndef HYPERCALL_MEMORY_OP_H
#define HYPERCALL_MEMORY_OP_H

#include "hypercall/foreign.h"

/* The command word: the low bits say what, the rest is the extent to go on with (abi/memory.h). */
#define MEMOP_CMD_BITS	6
#define MEMOP_CMD_MASK	((1u << MEMOP_CMD_BITS) - 1)

/*
 * increase_reservation, decrease_reservation, populate_physmap: how many extents were done, or
 * -errno if not one could be looked at.
 */
int64_t memory_extents(struct hypercall *c, unsigned op, guest_ptr_t arg);
/* exchange: 0, or -errno with nr_exchanged telling how far it went. */
int64_t memory_exchange(struct hypercall *c, guest_ptr_t arg);

#endif
