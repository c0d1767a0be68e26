/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts: which CPU vector serves which line or message, and which guest's event channel it raises.
 * x86/ calls irq_handle() with the vector; hypercall/physdev_op.c maps lines and messages to pirqs.
 */
#ifndef IRQ_IRQ_H
#define IRQ_IRQ_H

#include "lib/types.h"

struct domain;

/* A device vector (0x20..0xef) fired on this CPU. Acknowledges it and raises the event of whoever has it bound. */
void irq_handle(unsigned vector);

#endif
