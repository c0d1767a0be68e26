/* SPDX-License-Identifier: MIT */
/*
 * What a small PV kernel starts with. kernel_start() (lib/kernel.c) sets up console, traps,
 * callbacks and shared_info, with events masked, and calls kernel_main(): a kernel's own, or the
 * test framework's.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/xen.h"

#define PAGE_SIZE	4096UL
#define PAGE_SHIFT	12

extern struct start_info *start_info;
/* Our shared_info page, mapped. */
extern volatile struct shared_info shared_info;

/* Entered from start64.S; does not return. */
void kernel_start(struct start_info *info);
void kernel_main(void);

/* True in the control domain. */
bool kernel_is_dom0(void);
/* The first vCPU's vcpu_info: in shared_info until it is registered elsewhere. */
extern volatile struct vcpu_info *vcpu_info;

/* End this domain; reason is a SHUTDOWN_*. */
void kernel_shutdown(unsigned int reason) __attribute__((noreturn));

#endif
