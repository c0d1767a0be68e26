/* SPDX-License-Identifier: MIT */
/* Building a frame on the guest kernel's stack and going to its handler. */
#ifndef TRAP_FRAME_H
#define TRAP_FRAME_H

#include "trap/trap.h"
#include "x86/machine.h"

/* Two registers. */
struct frame_call {
	uint64_t address; /* of the handler, not 0 */
	uint32_t error_code;
	uint8_t vector;	  /* for the log */
	bool has_error_code;
	bool masks_events; /* after the old mask is saved */
};

/* Push the frame and set regs to run the handler in kernel mode; false if the domain crashed
 * instead. */
bool frame_push(struct vcpu *v, struct cpu_regs *regs, struct frame_call call);
/* The running vCPU goes to guest kernel mode, with its kernel tables; no-op if it is there. */
void frame_enter_kernel(struct vcpu *v);

#endif
