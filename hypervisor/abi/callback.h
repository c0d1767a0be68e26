/* SPDX-License-Identifier: MIT */
/*
 * callback_op(cmd, arg): where a guest wants to be entered for events, failed returns and system
 * calls.
 */
#ifndef ABI_CALLBACK_H
#define ABI_CALLBACK_H

#include "abi/types.h"

#define CALLBACKTYPE_event			0
#define CALLBACKTYPE_failsafe			1	/* a guest segment could not be loaded */
#define CALLBACKTYPE_syscall			2	/* syscall from 64-bit user mode */
#define CALLBACKTYPE_sysenter_deprecated	3
#define CALLBACKTYPE_nmi			4
#define CALLBACKTYPE_sysenter			5
#define CALLBACKTYPE_syscall32			7

#define CALLBACKF_mask_events			(1U << 0)	/* events are masked on entry */

#define CALLBACKOP_register			0
struct callback_register {
	uint16_t type;
	uint16_t flags;
	xen_callback_t address;
};

#define CALLBACKOP_unregister			1
struct callback_unregister {
	uint16_t type;
	uint16_t _unused;
};

#endif
