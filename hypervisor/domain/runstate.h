/* SPDX-License-Identifier: MIT */
/* The records that a vCPU shares with its guest outside shared_info: vcpu_info, runstate, time. */
#ifndef DOMAIN_RUNSTATE_H
#define DOMAIN_RUNSTATE_H

#include "domain/domain.h"

/*
 * vcpu_info lies at `offset` of frame `mfn` from now on; the frame stays writable data until it is
 * released. -EINVAL: not the domain's memory, misaligned or across the page's end, registered
 * already, or `v` is another vCPU that may be running.
 */
int must_check vcpu_register_info(struct vcpu *v, mfn_t mfn, uint32_t offset);
/* Drop the frame; nobody may use v->event.info any more. */
void vcpu_release_info(struct vcpu *v);
/*
 * Keep a vcpu_runstate_info (vcpu_time_info) up to date at `area` in the vCPU's kernel address
 * space; 0: no more. Written now if `v` is the caller's, and whenever it is put on a CPU. 0 or
 * -EFAULT.
 */
int must_check vcpu_register_runstate(struct vcpu *v, guest_ptr_t area);
int must_check vcpu_register_time(struct vcpu *v, guest_ptr_t area);
/* `v` has just become current, its tables are loaded: write what is registered. */
void vcpu_update_runstate_area(struct vcpu *v);

/* The ABI's record, as of now. */
void vcpu_runstate(struct vcpu *v, struct vcpu_runstate_info *info);

#endif
