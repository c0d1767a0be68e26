/* SPDX-License-Identifier: MIT */
/*
 * VGA text: characters with attributes in memory, the bottom line is written and scrolled.
 * Under the console lock.
 */
#include "dev/vga.h"

#include "console/console.h"

#define ATTRIBUTE	0x0700	/* grey on black */

static volatile uint16_t *screen;
static unsigned columns, rows, column;

static void scroll(void)
{
	for (unsigned i = 0; i < columns * (rows - 1); i++)
		screen[i] = screen[i + columns];
	for (unsigned i = columns * (rows - 1); i < columns * rows; i++)
		screen[i] = ATTRIBUTE | ' ';
	column = 0;
}

static void write(const char *text, size_t n)
{
	for (; n; n--, text++) {
		if (*text == '\n' || column == columns)
			scroll();
		if (*text == '\r')
			column = 0;
		else if (*text >= ' ')
			screen[columns * (rows - 1) + column++] =
				(uint16_t)(ATTRIBUTE | (uint8_t)*text);
	}
}

void vga_init(volatile uint16_t *memory, unsigned width, unsigned height)
{
	screen = memory;
	columns = width;
	rows = height;
	scroll();
	console_add_sink(write);
}

void vga_release(void)
{
	console_remove_sink(write);
}

unsigned vga_cursor_row(void)
{
	return rows ? rows - 1 : 0;
}
