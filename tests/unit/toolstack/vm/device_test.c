/* SPDX-License-Identifier: MIT */
/*
 * Devices of guests on a hypervisor, a store and a host in this process: nodes as Linux's drivers
 * read them and who may write them, a disk that two want, devices that come and go, and that what
 * fails at any step leaves nothing behind.
 *
 * Links: toolstack/vm/ toolstack/build/ toolstack/config/ toolstack/lib/ toolstack/console/client.c
 * Links: hypervisor/lib/elf.c hypervisor/lib/pvimage.c
 * Links: toolstack/stream/ toolstack/hyp/grants.c tests/fake/hyp_save.c
 * Links: tests/fake/hyp.c tests/fake/store_client.c tests/fake/elf_image.c tests/fake/host.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake/host.h"
#include "fake/hyp.h"
#include "fake/store_client.h"
#include "vm/device.h"
#include "vm/hotplug.h"
#include "vm/network.h"

static char folder[] = "/tmp/device_test.XXXXXX";
static char run_dir[100], net_dir[100], shipped_dir[100];

#define BACK "/local/domain/0/backend/"
#define FRONT "/local/domain/1/device/"

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(run_dir, sizeof(run_dir), "%s/run", folder);
	snprintf(net_dir, sizeof(net_dir), "%s/net", folder);
	snprintf(shipped_dir, sizeof(shipped_dir), "%s/shipped", folder);
	vm_run_dir = run_dir;
	vm_network_run_dir = net_dir;
	vm_network_shipped_dir = shipped_dir;
	return 0;
}

static int remove_folder(void **state)
{
	char command[120];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static int fresh(void **state)
{
	char command[200];

	(void)state;
	fake_hyp_reset(65536);
	fake_store_reset();
	fake_host_reset();
	fake_host_file("/a.img", 1 << 20, false);
	fake_host_file("/b.img", 1 << 20, false);
	fake_host_file("/dev/vg/c", 0, true);
	fake_host_link("br0", "-");
	snprintf(command, sizeof(command), "rm -rf %s/*", folder);
	return system(command);
}

static struct vm_disk disk_of(const char *source, const char *target)
{
	struct vm_disk disk = { .source = strdup(source) };

	strcpy(disk.target, target);
	return disk;
}

/* Two disks and an interface. */
static void fill(struct vm_config *config)
{
	struct vm_disk a = disk_of("/a.img", "xvda"), c = disk_of("/dev/vg/c", "xvdb1");
	const struct vm_interface interface = { .source = strdup("br0"), .target = strdup("web0"),
						.has_mac = true, .mac = { 0, 0x16, 0x3e, 1, 2, 3 },
						.out_average = 1000 };

	c.block = c.readonly = true;
	assert_int_equal(config_add_disk(config, &a), 0);
	assert_int_equal(config_add_disk(config, &c), 0);
	assert_int_equal(config_add_interface(config, &interface), 0);
}

static void is_value(const char *path, const char *value)
{
	const char *got = fake_store_value(path);

	if (!got || strcmp(got, value))
		fail_msg("%s is %s, not %s", path, got ? got : "not there", value);
}

static void writes_what_the_drivers_read(void **state)
{
	struct vm_config config = { .name = NULL };
	struct vm vm = { 0 };
	struct error err;

	(void)state;
	fill(&config);
	assert_int_equal(vm_need_store(&vm, &err), 0);
	if (vm_devices_attach(&vm, 1, &config, &err))
		fail_msg("%s", err.text);
	is_value(BACK "vbd/1/51712/frontend", FRONT "vbd/51712");
	is_value(BACK "vbd/1/51712/physical-device", "7:0");
	is_value(BACK "vbd/1/51712/mode", "w");
	is_value(BACK "vbd/1/51712/online", "1");
	is_value(BACK "vbd/1/51729/mode", "r");
	is_value(FRONT "vbd/51712/backend", BACK "vbd/1/51712");
	is_value(FRONT "vbd/51712/device-type", "disk");
	is_value(FRONT "vbd/51729/virtual-device", "51729");
	is_value(FRONT "vbd/51712/state", "1");
	is_value(BACK "vif/1/0/mac", "00:16:3e:01:02:03");
	is_value(BACK "vif/1/0/rate", "51200,50000");
	is_value(BACK "vif/1/0/hotplug-status", "connected");
	is_value(FRONT "vif/0/mac", "00:16:3e:01:02:03");
	/* The guest writes its own end, and no more. */
	assert_string_equal(fake_store_perms(FRONT "vbd/51712"), "n1,r0");
	assert_string_equal(fake_store_perms(BACK "vbd/1/51712"), "n0,r1");
	assert_string_equal(fake_host_bridge_of("web0"), "br0");
	assert_int_equal(fake_host_open(), 0);
	vm_devices_remove(&vm, 1);
	assert_null(fake_store_value(BACK "vbd/1"));
	assert_null(fake_store_value(FRONT "vif/0"));
	config_free(&config);
}

static int attach(struct vm *vm, uint32_t domid, const char *source, bool readonly, bool shared,
		  struct error *err)
{
	struct vm_disk disk = disk_of(source, "xvda");
	int rc;

	disk.readonly = readonly;
	disk.shareable = shared;
	rc = disk_attach(vm, domid, &disk, err);
	config_free_disk(&disk);
	return rc;
}

static void a_disk_that_two_want_becomes_one_s(void **state)
{
	static const struct {
		bool readonly, shared, other_readonly, other_shared;
		int rc;
	} cases[] = {
		{ false, false, false, false, -1 }, { true, false, false, false, -1 },
		{ false, false, true, false, -1 },  { true, false, true, false, 0 },
		{ false, true, false, false, -1 },  { false, true, false, true, 0 },
		{ false, true, true, true, 0 },	    { true, true, false, true, 0 },
	};
	struct vm vm = { 0 };
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fresh(NULL);
		assert_int_equal(vm_need_store(&vm, &err), 0);
		assert_int_equal(attach(&vm, 1, "/a.img", cases[i].readonly, cases[i].shared, &err),
				 0);
		assert_int_equal(attach(&vm, 2, "/a.img", cases[i].other_readonly,
					cases[i].other_shared, &err), cases[i].rc);
		if (cases[i].rc)
			assert_int_equal(err.code, ERROR_DEVICE);
		assert_int_equal(attach(&vm, 3, "/b.img", false, false, &err), 0);
	}
}

static void what_cannot_be_is_refused(void **state)
{
	struct vm_disk file = disk_of("/a.img", "xvda"), block = disk_of("/dev/vg/c", "xvda");
	struct vm vm = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(vm_need_store(&vm, &err), 0);
	file.block = true;
	assert_int_equal(disk_attach(&vm, 1, &file, &err), -1);
	assert_int_equal(disk_attach(&vm, 1, &block, &err), -1);
	assert_int_equal(attach(&vm, 1, "/nonexistent", false, false, &err), -1);
	assert_int_equal(err.code, ERROR_DEVICE);
	assert_non_null(strstr(err.text, "/nonexistent"));
	assert_int_equal(fake_store_count(), 0);
	config_free_disk(&file);
	config_free_disk(&block);
}

/* Each call to the store and to the host fails in turn. */
static void what_fails_leaves_nothing(void **state)
{
	struct vm_config config = { .name = NULL };
	bool failed = true;

	(void)state;
	fill(&config);
	config.disks[0].format = VM_DISK_QCOW2;
	for (unsigned n = 1; failed; n++) {
		for (int host = 0; host < 2; host++) {
			struct vm vm = { 0 };
			struct error err;
			int rc;

			fresh(NULL);
			assert_int_equal(vm_need_store(&vm, &err), 0);
			if (host)
				fake_host_fail_at(n);
			else
				fake_store_fail_at(n);
			rc = vm_devices_attach(&vm, 1, &config, &err);
			if (host)
				failed = failed | fake_host_failed();
			else
				failed = fake_store_failed();
			fake_host_fail_at(0);
			fake_store_fail_at(0);
			if (!rc)
				continue;
			vm_devices_remove(&vm, 1);
			assert_null(fake_store_value(BACK "vbd/1"));
			assert_null(fake_store_value(BACK "vif/1"));
			assert_int_equal(fake_host_open(), 0);
			assert_false(fake_host_image_lives());
		}
	}
	config_free(&config);
}

static void a_device_that_no_guest_took_goes_at_once(void **state)
{
	const struct device device = { .kind = "vbd", .domid = 1, .id = 51712, .name = "xvda" };
	struct vm vm = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(vm_need_store(&vm, &err), 0);
	assert_int_equal(attach(&vm, 1, "/a.img", false, false, &err), 0);
	assert_int_equal(device_unplug(&vm, &device, &err), 0);
	assert_null(fake_store_value(BACK "vbd/1/51712"));
	assert_null(fake_store_value(FRONT "vbd/51712"));
	assert_int_equal(attach(&vm, 2, "/a.img", false, false, &err), 0);
}

static void what_was_left_is_swept(void **state)
{
	struct vm vm = { 0 };
	struct vm_disk disk = disk_of("/a.img", "xvda");
	struct error err;

	(void)state;
	disk.format = VM_DISK_QCOW2;
	assert_int_equal(vm_need_store(&vm, &err), 0);
	assert_int_equal(disk_attach(&vm, 7, &disk, &err), 0);
	assert_true(fake_host_image_lives());
	assert_int_equal(vm_sweep(&vm, &err), 0);	/* there is no domain 7 */
	assert_null(fake_store_value(BACK "vbd/7"));
	assert_false(fake_host_image_lives());
	config_free_disk(&disk);
	vm_close(&vm);
}

static const char network_xml[] =
	"<network><name>lan</name><forward mode='nat'/><bridge name='lan0'/>"
	"<ip address='10.1.2.1' prefix='24'><dhcp><range start='10.1.2.2' end='10.1.2.9'/></dhcp>"
	"</ip></network>";

static void ship_network(void)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "mkdir -p %s", shipped_dir);
	assert_int_equal(system(path), 0);
	snprintf(path, sizeof(path), "%s/lan.xml", shipped_dir);
	file = fopen(path, "w");
	fputs(network_xml, file);
	fclose(file);
}

static void a_network_starts_for_its_first_guest(void **state)
{
	struct vm_interface interface = { .type = VM_INTERFACE_NETWORK, .source = (char *)"lan" };
	struct vm_network network;
	struct vm vm = { 0 };
	struct error err;

	(void)state;
	ship_network();
	assert_int_equal(vm_need_store(&vm, &err), 0);
	if (interface_attach(&vm, 1, 0, &interface, &err))
		fail_msg("%s", err.text);
	assert_string_equal(fake_host_bridge_of("vif1.0"), "lan0");
	assert_non_null(strstr(fake_host_calls(), "nft -f -\nadd table ip enso_lan0"));
	assert_non_null(strstr(fake_host_calls(), "dnsmasq --conf-file="));
	assert_int_equal(vm_network_find("lan", false, &network, &err), 0);
	assert_true(network.active && network.shipped && network.ports == 1);
	network_free(&network.config);
	assert_int_equal(vm_network_stop("lan", false, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	assert_int_equal(vm_network_undefine("lan", &err), -1);
	assert_int_equal(vm_network_stop("lan", true, &err), 0);
	assert_null(fake_host_bridge_of("lan0"));
	assert_int_equal(vm_network_find("wan", false, &network, &err), -1);
	assert_int_equal(err.code, ERROR_NO_NETWORK);
	interface.source = (char *)"wan";
	assert_int_equal(interface_attach(&vm, 1, 1, &interface, &err), -1);
	assert_int_equal(err.code, ERROR_NO_NETWORK);
}

struct seen {
	int told, failed, watched;
};

static void on_tell(void *context, const char *name, const struct error *why)
{
	struct seen *seen = context;

	assert_string_equal(name, "lan");
	seen->told++;
	seen->failed += why != NULL;
}

static void on_watch(void *context, int fd)
{
	((struct seen *)context)->watched++;
	close(fd);
}

static struct seen tend(void)
{
	struct seen seen = { 0 };
	const struct vm_network_keeper keeper = { on_tell, on_watch, &seen };
	struct error err;

	assert_int_equal(vm_network_tend(&keeper, &err), 0);
	return seen;
}

/* And one that was stopped is left alone. */
static void what_ended_of_a_network_runs_again(void **state)
{
	struct seen seen;
	struct error err;

	(void)state;
	ship_network();
	seen = tend();
	assert_true(!seen.told && !seen.watched);
	assert_int_equal(vm_network_start("lan", &err), 0);
	seen = tend();
	assert_true(!seen.told && seen.watched == 1);
	host_process_end("", "dnsmasq");
	fake_host_fail_at(1);
	seen = tend();
	assert_true(seen.failed == 1 && !seen.watched);
	seen = tend();
	assert_true(seen.told == 1 && !seen.failed && seen.watched == 1);
	assert_true(host_process_lives("", "dnsmasq"));
	assert_int_equal(vm_network_stop("lan", true, &err), 0);
	seen = tend();
	assert_true(!seen.told && !seen.watched);
	assert_false(host_process_lives("", "dnsmasq"));
}

/* Each call to the host fails in turn: the network is not half there. */
static void a_network_that_fails_leaves_nothing(void **state)
{
	bool failed = true;

	(void)state;
	for (unsigned n = 1; failed; n++) {
		struct vm_network network;
		struct error err;
		int rc;

		fresh(NULL);
		ship_network();
		fake_host_fail_at(n);
		rc = vm_network_start("lan", &err);
		failed = fake_host_failed();
		assert_int_equal(rc, failed ? -1 : 0);
		assert_int_equal(vm_network_find("lan", false, &network, &err), 0);
		assert_int_equal(network.active, !failed);
		network_free(&network.config);
		assert_true(!failed || !fake_host_bridge_of("lan0"));
		assert_true(n < 30);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(writes_what_the_drivers_read, fresh),
		cmocka_unit_test_setup(a_disk_that_two_want_becomes_one_s, fresh),
		cmocka_unit_test_setup(what_cannot_be_is_refused, fresh),
		cmocka_unit_test_setup(what_fails_leaves_nothing, fresh),
		cmocka_unit_test_setup(a_device_that_no_guest_took_goes_at_once, fresh),
		cmocka_unit_test_setup(what_was_left_is_swept, fresh),
		cmocka_unit_test_setup(a_network_starts_for_its_first_guest, fresh),
		cmocka_unit_test_setup(a_network_that_fails_leaves_nothing, fresh),
		cmocka_unit_test_setup(what_ended_of_a_network_runs_again, fresh),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
