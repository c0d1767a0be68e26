/* SPDX-License-Identifier: MIT */
/* The VGA text screen as a console sink, until the control domain takes it over. */
#ifndef DEV_VGA_H
#define DEV_VGA_H

#include "lib/types.h"

/*
 * Start to write at the bottom of a text screen of `columns` by `rows` whose characters are at
 * `memory`.
 */
void vga_init(volatile uint16_t *memory, unsigned columns, unsigned rows);
/* Stop: dom0 draws now. Does nothing if it was not started. */
void vga_release(void);
/* Where the cursor is, for dom0's console information. */
unsigned vga_cursor_row(void);

#endif
