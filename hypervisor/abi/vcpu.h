/* SPDX-License-Identifier: MIT */
/* vcpu_op(cmd, vcpu, arg): life of a vCPU, its timers, and the records it shares. */
#ifndef ABI_VCPU_H
#define ABI_VCPU_H

#include "abi/types.h"

#define VCPUOP_initialise			0
#define VCPUOP_up				1
#define VCPUOP_down				2
#define VCPUOP_is_up				3
#define VCPUOP_get_runstate_info		4
#define VCPUOP_register_runstate_memory_area	5
#define VCPUOP_set_periodic_timer		6
#define VCPUOP_stop_periodic_timer		7
#define VCPUOP_set_singleshot_timer		8
#define VCPUOP_stop_singleshot_timer		9
#define VCPUOP_register_vcpu_info		10
#define VCPUOP_send_nmi				11
#define VCPUOP_get_physid			12
#define VCPUOP_register_vcpu_time_memory_area	13

#define RUNSTATE_running	0
#define RUNSTATE_runnable	1
#define RUNSTATE_blocked	2
#define RUNSTATE_offline	3

#define XEN_RUNSTATE_UPDATE	(1ULL << 63)	/* in state_entry_time while the record changes */

struct vcpu_runstate_info {
	int state;
	uint64_t state_entry_time;
	uint64_t time[4];
};

struct vcpu_register_runstate_memory_area {
	union {
		guest_ptr_t h;
		uint64_t p;
	} addr;
};

struct vcpu_set_periodic_timer {
	uint64_t period_ns;
};

#define VCPU_SSHOTTMR_future	(1U << 0)	/* a time in the past may be refused by -ETIME */

struct vcpu_set_singleshot_timer {
	uint64_t timeout_abs_ns;
	uint32_t flags;
};

struct vcpu_register_vcpu_info {
	uint64_t mfn;
	uint32_t offset;
	uint32_t rsvd;
};

struct vcpu_get_physid {
	uint64_t phys_id;		/* APIC id in the low half, ACPI id in the high half */
};

struct vcpu_register_time_memory_area {
	union {
		guest_ptr_t h;
		uint64_t p;
	} addr;
};

#endif
