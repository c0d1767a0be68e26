/* SPDX-License-Identifier: MIT */
/*
 * Console output is shown without what could play with a terminal, however it is cut into pieces.
 * Links: toolstack/console/plain.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "console/plain.h"

static const struct {
	const char *from, *to;
} cases[] = {
	{ "plain\ttext\n", "plain\ttext\n" },
	{ "a\r\nb\a\b\177c", "a\nbc" },
	{ "\033[1;31mred\033[0m \033[2J\033[10;10Hx", "red x" },
	{ "\033]0;title\007x\033]2;t\033\\y", "xy" },
	{ "\033Pq#0\033\\z\033(Bw\033cv\033=u", "zwvu" },
	{ "\033]never ended\nnext", "\nnext" },
	{ "gr\303\274n \342\202\254 \360\237\220\247",
	  "gr\303\274n \342\202\254 \360\237\220\247" },
	{ "\302\233" "2J \200 \377 \303x \355\240\200 \300\257 \364\220\200\200",
	  "?2J ? ? ?x ? ?? ?" },
	{ "cut \342\202", "cut " },
};

static void is_shown_plainly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].from);

		/* As a whole, and cut at each place. */
		for (size_t cut = 0; cut <= len; cut++) {
			struct console_plain plain = { 0 };
			char *to = malloc(len + 8);
			size_t n = console_plain(&plain, cases[i].from, cut, to);

			n += console_plain(&plain, cases[i].from + cut, len - cut, to + n);
			assert_int_equal(n, strlen(cases[i].to));
			assert_memory_equal(to, cases[i].to, n);
			free(to);
		}
	}
}

/* Any bytes: nothing else than printable ones comes out, and no more than went in. */
static void any_bytes_are_harmless(void **state)
{
	struct console_plain plain = { 0 };
	char from[512], *to = malloc(sizeof(from) + 4);

	(void)state;
	srand(1);
	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < sizeof(from); i++)
			from[i] = (char)(rand() % 4 ? rand() : 0x1b + rand() % 3 * 0x20);
		size_t n = console_plain(&plain, from, sizeof(from), to);

		assert_true(n <= sizeof(from) + 4);
		for (size_t i = 0; i < n; i++) {
			uint8_t c = (uint8_t)to[i];

			assert_true(c >= 0x20 || c == '\n' || c == '\t');
			assert_true(c != 0x7f);
			if (c == 0xc2)
				assert_true((uint8_t)to[i + 1] >= 0xa0);
		}
	}
	free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_shown_plainly),
		cmocka_unit_test(any_bytes_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
