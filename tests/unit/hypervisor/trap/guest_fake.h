/* SPDX-License-Identifier: MIT */
/* A guest inside the test's own address space: guest pointers are host pointers, "no memory" is a
 * range that faults. */
#ifndef GUEST_FAKE_H
#define GUEST_FAKE_H

#include "domain/domain.h"

/* Copies that touch [fake_hole, fake_hole + fake_hole_size) fault. */
extern uintptr_t fake_hole;
extern size_t fake_hole_size;
/* The last crash's text; empty: none. */
extern char fake_crash[200];
/* Port traffic: the last write, and what a read gives. */
extern uint32_t fake_port_value;
extern uint16_t fake_port;
/* What machine_fast_byte_strings() says. */
extern bool fake_fast_byte_strings;

/* A privileged domain with one vCPU in kernel mode. */
struct vcpu *fake_vcpu(void);

#endif
