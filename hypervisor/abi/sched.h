/* SPDX-License-Identifier: MIT */
/* sched_op(cmd, arg): giving up the CPU, and the end of a domain. */
#ifndef ABI_SCHED_H
#define ABI_SCHED_H

#include "abi/types.h"

#define SCHEDOP_yield		0
#define SCHEDOP_block		1	/* unmasks events, then sleeps until one is pending */
#define SCHEDOP_shutdown	2
#define SCHEDOP_poll		3
#define SCHEDOP_remote_shutdown	4
#define SCHEDOP_shutdown_code	5
#define SCHEDOP_watchdog	6
#define SCHEDOP_pin_override	7

#define SHUTDOWN_poweroff	0
#define SHUTDOWN_reboot		1
#define SHUTDOWN_suspend	2	/* argument 3: start_info's frame; result 1: cancelled */
#define SHUTDOWN_crash		3
#define SHUTDOWN_watchdog	4
#define SHUTDOWN_soft_reset	5
#define SHUTDOWN_MAX		5

struct sched_shutdown {
	unsigned int reason;
};

/*
 * Sleeps, events masked or not, until one of ports is pending or timeout (system time, ns) is past.
 */
struct sched_poll {
	guest_ptr_t ports;
	unsigned int nr_ports;
	uint64_t timeout;
};

struct sched_remote_shutdown {
	domid_t domain_id;
	unsigned int reason;
};

struct sched_watchdog {
	uint32_t id;
	uint32_t timeout;
};

struct sched_pin_override {
	int32_t pcpu;
};

#endif
