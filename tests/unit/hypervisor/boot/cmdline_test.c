/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's options: names and values as administrators write them, and what is said of
 * those that are wrong.
 *
 * Links: hypervisor/boot/cmdline.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "boot/cmdline.h"
#include "console/log.h"

static struct boot_options o;
static char complaints[1024];

static void complain(const char *what, const char *option)
{
	size_t n = strlen(complaints);

	snprintf(complaints + n, sizeof(complaints) - n, "%s %s;", option, what);
}

static void parse(const char *line)
{
	complaints[0] = '\0';
	cmdline_defaults(&o);
	cmdline_parse(&o, line, complain);
}

static void nothing_said(void **state)
{
	(void)state;
	parse("   \t ");
	assert_string_equal(complaints, "");
	assert_true(o.console_com[0]);
	assert_true(o.console_vga);
	assert_int_equal(o.com[0].baud, 115200);
	assert_int_equal(o.com[1].port, 0x2f8);
	assert_true(o.smap && o.smep && o.erms_check);
	assert_int_equal(o.max_cpus, 0);
}

static void consoles(void **state)
{
	(void)state;
	parse("console=com2,vga com2=9600,7e2,0x3e8 com1=auto vga=text-80x25,keep");
	assert_string_equal(complaints, "");
	assert_false(o.console_com[0]);
	assert_true(o.console_com[1]);
	assert_int_equal(o.com[1].baud, 9600);
	assert_int_equal(o.com[1].bits, 7);
	assert_int_equal(o.com[1].parity, 'e');
	assert_int_equal(o.com[1].stop, 2);
	assert_int_equal(o.com[1].port, 0x3e8);
	assert_int_equal(o.com[0].baud, 0);
	assert_true(o.vga_keep);
	parse("com1=115200,8n1,0x3f8,4");
	assert_string_equal(complaints, "");
	parse("console=none");
	assert_false(o.console_com[0] || o.console_com[1] || o.console_vga);
}

static void memory_sizes(void **state)
{
	(void)state;
	parse("dom0_mem=512M,max:2g,min:131072 dom0_max_vcpus=3");
	assert_string_equal(complaints, "");
	assert_int_equal(o.dom0_mem, 512ull << 20);
	assert_int_equal(o.dom0_mem_max, 2ull << 30);
	assert_int_equal(o.dom0_mem_min, 128ull << 20);
	assert_int_equal(o.dom0_max_vcpus, 3);
	parse("dom0_mem=268435456B");
	assert_int_equal(o.dom0_mem, 256ull << 20);
}

static void levels_and_switches(void **state)
{
	(void)state;
	parse("loglvl=all guest_loglvl=none/warning noreboot no-smap smep=off nosmp x2apic=0 "
	      "no-erms-check");
	assert_string_equal(complaints, "");
	assert_int_equal(o.loglvl, LOG_DEBUG);
	assert_int_equal(o.guest_loglvl, -1);
	assert_true(o.noreboot);
	assert_false(o.smap || o.smep || o.x2apic || o.erms_check);
	assert_int_equal(o.max_cpus, 1);
	parse("no-noreboot=off maxcpus=4");
	assert_true(o.noreboot);
	assert_int_equal(o.max_cpus, 4);
}

static void wrong_ones_are_named(void **state)
{
	static const char *const not_understood[] = {
		"com1=110000",
		"com1=9600,9n1",
		"com1=9600,8x1",
		"com1=9600,8n3",
		"com1=9600,8n1,0x10000",
		"com1=",
		"console=com3",
		"console=com1,",
		"dom0_mem=",
		"dom0_mem=1x",
		"dom0_mem=99999999999999999999",
		"dom0_mem=20000000T",
		"dom0_mem=1G,",
		"dom0_max_vcpus=two",
		"maxcpus=70000",
		"loglvl=loud",
		"smap=perhaps",
	};
	char expected[128];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(not_understood); i++) {
		parse(not_understood[i]);
		snprintf(expected, sizeof(expected), "%.*s not understood;",
			 (int)strcspn(not_understood[i], "="), not_understood[i]);
		assert_string_equal(complaints, expected);
	}
	parse("placeholder noreboot nosuch=1 com11=9600");
	assert_string_equal(
		complaints,
		"placeholder unknown option;nosuch unknown option;com11 unknown option;");
	assert_true(o.noreboot);
}

static void too_long_a_word(void **state)
{
	static char line[1000];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line + sizeof(line) - 10, " noreboot", 9);
	parse(line);
	assert_non_null(strstr(complaints, "xxx too long;"));
	assert_true(o.noreboot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said),         cmocka_unit_test(consoles),
		cmocka_unit_test(memory_sizes),         cmocka_unit_test(levels_and_switches),
		cmocka_unit_test(wrong_ones_are_named), cmocka_unit_test(too_long_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
