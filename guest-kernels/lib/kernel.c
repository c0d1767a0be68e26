/* SPDX-License-Identifier: MIT */
/* From the entry point to kernel_main(). */
#include "abi/sched.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"
#include "trap.h"

struct start_info *start_info;
volatile struct vcpu_info *vcpu_info = &shared_info.vcpu_info[0];

/* Its own page; the frame that the loader put under it is given up for the shared one. */
volatile struct shared_info shared_info __attribute__((aligned(4096), section(".bss.page")));

bool kernel_is_dom0(void)
{
	return start_info->flags & SIF_INITDOMAIN;
}

void kernel_shutdown(unsigned int reason)
{
	struct sched_shutdown op = { .reason = reason };

	for (;;)
		hyp_sched_op(SCHEDOP_shutdown, &op);
}

void kernel_start(struct start_info *info)
{
	start_info = info;
	if (page_set((unsigned long)&shared_info, info->shared_info | PTE_RW))
		kernel_shutdown(SHUTDOWN_crash);
	vcpu_info->evtchn_upcall_mask = 1;
	memset((void *)shared_info.evtchn_mask, 0xff, sizeof(shared_info.evtchn_mask));
	console_init();
	trap_init();
	kernel_main();
	kernel_shutdown(SHUTDOWN_poweroff);
}
