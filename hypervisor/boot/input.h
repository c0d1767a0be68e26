/* SPDX-License-Identifier: MIT */
/* What is typed on the serial lines reaches the control domain. */
#ifndef BOOT_INPUT_H
#define BOOT_INPUT_H

/* Start listening. After irq_init() and time_init(), once. */
void input_start(void);

#endif
