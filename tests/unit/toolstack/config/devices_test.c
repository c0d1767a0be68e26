/* SPDX-License-Identifier: MIT */
/*
 * Devices in a configuration: the numbers of disks, MAC addresses that are made, and devices that
 * come and go.
 *
 * Links: toolstack/config/ toolstack/lib/
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

/* The numbers of Xen's docs/man/xen-vbd-interface. */
static void numbers_disks(void **state)
{
	static const struct {
		const char *target;
		uint32_t number;
	} good[] = {
		{ "xvda", 51712 }, { "xvda1", 51713 }, { "xvda15", 51727 }, { "xvdb", 51728 },
		{ "xvdp", 51952 }, { "xvdp15", 51967 }, { "xvda16", 1u << 28 | 16 },
		{ "xvdq", 1u << 28 | 16 << 8 }, { "xvdz", 1u << 28 | 25 << 8 },
		{ "xvdaa", 1u << 28 | 26 << 8 }, { "xvdba7", 1u << 28 | 52 << 8 | 7 },
		{ "xvdzz255", 1u << 28 | 701 << 8 | 255 },
	};
	static const char *const bad[] = { "", "xvd", "xv", "xvd1", "xvdA", "xvda0", "xvda01",
					   "xvda256", "xvda9999999999", "xvdaaa", "hda", "sda",
					   "xvda-1", "xvda1 " };
	uint32_t number;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(config_disk_number(good[i].target, &number), 0);
		assert_int_equal(number, good[i].number);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(config_disk_number(bad[i], &number), -EINVAL);
}

static void add_interface(struct vm_config *cfg)
{
	const struct vm_interface interface = { .source = strdup("br0") };

	assert_int_equal(config_add_interface(cfg, &interface), 0);
}

static void makes_macs_that_stay(void **state)
{
	struct vm_config cfg = { .uuid = { 1, 2, 3 } }, other = { .uuid = { 1, 2, 4 } };
	uint8_t first[6], second[6];

	(void)state;
	add_interface(&cfg);
	add_interface(&cfg);
	add_interface(&other);
	config_make_macs(&cfg);
	config_make_macs(&other);
	memcpy(first, cfg.interfaces[0].mac, 6);
	memcpy(second, cfg.interfaces[1].mac, 6);
	assert_memory_equal(first, "\x00\x16\x3e", 3);
	assert_memory_not_equal(first, second, 6);
	assert_memory_not_equal(first, other.interfaces[0].mac, 6);
	/* One that comes to the place of one that went has not its neighbour's address. */
	config_remove_interface(&cfg, 0);
	add_interface(&cfg);
	config_make_macs(&cfg);
	assert_memory_equal(cfg.interfaces[0].mac, second, 6);
	assert_memory_not_equal(cfg.interfaces[1].mac, second, 6);
	config_free(&cfg);
	config_free(&other);
}

static void reads_macs(void **state)
{
	static const char *const bad[] = { "", "00:16:3e:00:00", "00:16:3e:00:00:0",
					   "01:16:3e:00:00:00", "00-16-3e-00-00-00",
					   "00:16:3e:00:00:00:00",
					   "0:016:3e:00:00:00", "00:16:3e:00:00:0g",
					   "+0:16:3e:00:00:00", " 0:16:3e:00:00:00" };
	char text[CONFIG_MAC_TEXT];
	uint8_t mac[6];

	(void)state;
	assert_int_equal(config_parse_mac("fE:16:3e:00:aA:ff", mac), 0);
	config_format_mac(mac, text);
	assert_string_equal(text, "fe:16:3e:00:aa:ff");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(config_parse_mac(bad[i], mac), -EINVAL);
}

static void devices_come_and_go(void **state)
{
	struct vm_config cfg = { .n_disks = 0 };
	struct vm_disk copy;

	(void)state;
	for (int i = 0; i < CONFIG_DISKS_MAX; i++) {
		const struct vm_disk disk = { .source = strdup("/d"), .cdrom = i == 1 };

		assert_int_equal(config_add_disk(&cfg, &disk), 0);
	}
	assert_int_equal(config_add_disk(&cfg, &cfg.disks[0]), -ENOSPC);
	config_remove_disk(&cfg, 0);
	assert_int_equal(cfg.n_disks, CONFIG_DISKS_MAX - 1);
	assert_true(cfg.disks[0].cdrom);
	assert_int_equal(config_copy_disk(&copy, &cfg.disks[0]), 0);
	assert_ptr_not_equal(copy.source, cfg.disks[0].source);
	config_free_disk(&copy);
	config_free(&cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_disks),
		cmocka_unit_test(makes_macs_that_stay),
		cmocka_unit_test(reads_macs),
		cmocka_unit_test(devices_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
