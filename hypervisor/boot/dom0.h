/* SPDX-License-Identifier: MIT */
/* Building the control domain from the boot loader's modules. */
#ifndef BOOT_DOM0_H
#define BOOT_DOM0_H

#include "boot/boot.h"

/*
 * Build domain 0 from the first module (an ELF kernel with Xen notes) and the second, if there is
 * one (its initrd), and let it run. Panics with the reason if that is impossible. The modules'
 * memory is free afterwards.
 */
void dom0_build(const struct boot_info *info);

/* Frames of memory for domain 0, when `free` are free of `total`: what the options ask, else 256
 * MiB and a 16th of the machine's. */
uint64_t dom0_pages(const struct boot_options *o, uint64_t total, uint64_t free);

#endif
