/* SPDX-License-Identifier: MIT */
/*
 * Saving and restoring as vm.h says, with a guest that suspends as Linux does: the file is there
 * and the guest gone, or the guest runs on and there is no file; a guest whose saver was killed
 * goes on; what cannot be saved or restored is refused and nothing of it is left.
 * Links: tests/unit/support/vm_host.c
 * Links: toolstack/stream/ toolstack/hyp/grants.c tests/fake/hyp_save.c
 * Links: toolstack/vm/ toolstack/build/ toolstack/config/ toolstack/lib/ toolstack/console/client.c
 * Links: hypervisor/lib/elf.c hypervisor/lib/pvimage.c
 * Links: tests/fake/hyp.c tests/fake/store_client.c tests/fake/elf_image.c tests/fake/host.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "abi/sched.h"
#include "fake/hyp.h"
#include "fake/store_client.h"
#include "lib/file.h"
#include "unit/support/vm_host.h"
#include "vm/defined.h"
#include "vm/internal.h"

#define FRAME 0x000ffffffffff000UL

static char save_dir[200], saved[200];
static const struct vm_save_options plainly = { .timeout_ms = 50 };
static const struct vm_create_options as_it_was = { 0 };
static struct vm vm;
static struct vm_info info;
static struct error err;

static int setup(void **state)
{
	if (vm_host_setup(state))
		return -1;
	snprintf(save_dir, sizeof(save_dir), "%s/save", vm_state_dir);
	snprintf(saved, sizeof(saved), "%s/file", vm_state_dir);
	vm_save_dir = save_dir;
	return 0;
}

static void look(void)
{
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
}

static int fresh(void **state)
{
	struct vm_config config;
	char text[1000];
	uint32_t domid;

	assert_int_equal(vm_host_fresh(state), 0);
	assert_int_equal(file_make_dirs(vm_state_dir), 0);
	snprintf(text, sizeof(text),
		 "<domain type='xen'><name>web</name><memory>8192</memory>"
		 "<os><type>linux</type><kernel>%s</kernel></os></domain>", vm_host_kernel);
	assert_int_equal(config_parse(&config, text, strlen(text), "web.xml", NULL, &err), 0);
	assert_int_equal(vm_create(&vm, &config, &as_it_was, &domid, &err), 0);
	config_free(&config);
	look();
	return 0;
}

static int done(void **state)
{
	(void)state;
	assert_int_equal(fake_hyp_mapped(), 0);
	vm_close(&vm);
	return 0;
}

/* --- the guest's side ---------------------------------------------------------------------- */

static struct fake_domain *domain(void)
{
	return fake_hyp_domain(info.domid);
}

/* The hypervisor knows page tables by what they are used for. */
static void note_types(uint64_t mfn, unsigned level)
{
	const uint64_t *words = fake_hyp_frame(mfn);

	*fake_hyp_type(mfn) = level << XEN_DOMCTL_PFINFO_LTAB_SHIFT |
			      (level == 4 ? XEN_DOMCTL_PFINFO_LPINTAB : 0);
	for (unsigned i = 0; i < 512 && level > 1; i++)
		if (words[i] & 1)
			note_types((words[i] & FRAME) >> 12, level - 1);
}

/* The frame at an address of the guest's. */
static uint64_t frame_at(uint64_t va)
{
	uint64_t mfn = xen_cr3_to_pfn(domain()->context.ctrlreg[3]);

	for (unsigned shift = 39; shift >= 12; shift -= 9)
		mfn = (((uint64_t *)fake_hyp_frame(mfn))[va >> shift & 511] & FRAME) >> 12;
	return mfn;
}

static uint64_t pfn_of(const struct start_info *start, uint64_t mfn)
{
	for (uint64_t pfn = 0; pfn < start->nr_pages; pfn++) {
		uint64_t page = start->mfn_list + pfn / 512 * HYP_PAGE_SIZE;
		const uint64_t *words = fake_hyp_frame(frame_at(page));

		if (words[pfn % 512] == mfn)
			return pfn;
	}
	fail();
	return 0;
}

/* It says that it can suspend, and has. */
static void suspend(void)
{
	struct vcpu_guest_context *context = &domain()->vcpu[0].context;
	uint64_t start_mfn = frame_at(context->user_regs.rsi);
	struct start_info *start = fake_hyp_frame(start_mfn);
	struct shared_info *shared = fake_hyp_frame(domain()->info.shared_info_frame);
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/control/feature-suspend", info.domid);
	store_write(vm.store, STORE_NO_TX, path, "1", 1);
	note_types(xen_cr3_to_pfn(context->ctrlreg[3]), 4);
	shared->arch.max_pfn = start->nr_pages;
	shared->arch.p2m_cr3 = context->ctrlreg[3];
	shared->arch.p2m_vaddr = start->mfn_list;
	start->store_mfn = pfn_of(start, start->store_mfn);
	start->console.domU.mfn = pfn_of(start, start->console.domU.mfn);
	context->user_regs.rdx = start_mfn;
	context->user_regs.rax = 0;
	fake_hyp_shutdown(info.domid, SHUTDOWN_suspend);
}

static bool runs(void)
{
	return domain() && !(domain()->info.flags & XEN_DOMINF_shutdown);
}

static int files(const char *where)
{
	char command[100];
	int n = -1;
	FILE *pipe;

	snprintf(command, sizeof(command), "ls -A %s 2>/dev/null | grep -c sav", where);
	pipe = popen(command, "r");
	assert_int_equal(fscanf(pipe, "%d", &n), 1);
	pclose(pipe);
	return n;
}

/* --- tests --------------------------------------------------------------------------------- */

static void a_guest_comes_back(void **state)
{
	struct vm_restored restored;
	const struct start_info *start;
	uint8_t uuid[16];

	(void)state;
	memcpy(uuid, info.uuid, sizeof(uuid));
	suspend();
	assert_int_equal(vm_save(&vm, &info, saved, &plainly, &err), 0);
	assert_int_equal(fake_hyp_domains(), 0);
	assert_int_equal(access(saved, F_OK), 0);
	assert_false(vm_is_at_work());
	assert_int_equal(vm_restore(&vm, saved, &as_it_was, &restored, &err), 0);
	assert_string_equal(restored.name, "web");
	assert_int_equal(access(saved, F_OK), 0);
	look();
	assert_memory_equal(info.uuid, uuid, sizeof(uuid));
	assert_int_equal(info.state, VM_RUNNING);
	assert_true(fake_store_introduced(info.domid));
	start = fake_hyp_frame(domain()->vcpu[0].context.user_regs.rdx);
	assert_int_equal(start->store_evtchn, 1);
	assert_true(fake_hyp_owns(info.domid, start->store_mfn));
	/* and can be saved again, though its kernel does not say so again */
	suspend();
	assert_int_equal(vm_save(&vm, &info, saved, &plainly, &err), 0);
	assert_int_equal(fake_hyp_domains(), 0);
}

static void a_checkpoint_lets_it_run_on(void **state)
{
	const struct vm_save_options options = { .checkpoint = true, .packing = STREAM_ZSTD,
						 .timeout_ms = 50 };
	struct vm_restored restored;

	(void)state;
	suspend();
	assert_int_equal(vm_save(&vm, &info, saved, &options, &err), 0);
	assert_true(runs());
	assert_int_equal(domain()->vcpu[0].context.user_regs.rax, 1);
	assert_int_equal(vm_restore(&vm, saved, &as_it_was, &restored, &err), -1);
	assert_int_equal(err.code, ERROR_EXISTS);
	assert_int_equal(fake_hyp_domains(), 1);
}

static void what_fails_leaves_it_running(void **state)
{
	char path[100];

	(void)state;
	suspend();
	domain()->vcpu[0].context.user_regs.rdx = 1;	/* no start_info */
	assert_int_equal(vm_save(&vm, &info, saved, &plainly, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	assert_non_null(strstr(err.text, "runs on"));
	assert_true(runs());
	assert_int_equal(domain()->vcpu[0].context.user_regs.rax, 1);
	assert_int_equal(access(saved, F_OK), -1);
	assert_int_equal(files(vm_run_dir), 0);
	snprintf(path, sizeof(path), "%s/nowhere/file", vm_state_dir);
	assert_int_equal(vm_save(&vm, &info, path, &plainly, &err), -1);
	assert_int_equal(err.code, ERROR_FILE);
	assert_int_equal(vm_save(&vm, &info, vm_state_dir, &plainly, &err), -1);
	assert_int_equal(err.code, ERROR_FILE);
	assert_true(runs());
}

static void a_guest_that_does_not_suspend_is_left_alone(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(vm_save(&vm, &info, saved, &plainly, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);	/* it has not said that it can */
	snprintf(path, sizeof(path), "/local/domain/%u/control/feature-suspend", info.domid);
	store_write(vm.store, STORE_NO_TX, path, "1", 1);
	assert_int_equal(vm_save(&vm, &info, saved, &plainly, &err), -1);
	assert_int_equal(err.code, ERROR_TIMEOUT);
	snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", info.domid);
	assert_string_equal(fake_store_value(path), "");	/* the request is taken back */
	assert_int_equal(access(saved, F_OK), -1);
	assert_true(runs());
	fake_hyp_shutdown(info.domid, SHUTDOWN_poweroff);
	assert_int_equal(vm_save(&vm, &info, saved, &plainly, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	info.state = VM_PAUSED;
	assert_int_equal(vm_save(&vm, &info, saved, &plainly, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	assert_int_equal(access(saved, F_OK), -1);
}

static void a_killed_saver_s_guest_goes_on(void **state)
{
	char marker[200], text[CONFIG_UUID_TEXT], temporary[100];
	struct vm_config other = { .name = "other" };
	uint32_t domid;
	int fd, watch;

	(void)state;
	config_format_uuid(info.uuid, text);
	snprintf(marker, sizeof(marker), "%s/%s.sav", vm_run_dir, text);
	snprintf(temporary, sizeof(temporary), "%s/file.half", vm_state_dir);
	suspend();
	look();
	close(open(temporary, O_WRONLY | O_CREAT, 0600));
	fd = open(marker, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, temporary, strlen(temporary)), (ssize_t)strlen(temporary));
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_true(vm_is_at_work());
	assert_true(vm_is_being_saved(&info));
	watch = vm_work_watch();
	assert_true(watch >= 0);
	assert_int_equal(vm_finish(&vm, &info, true, &domid, &err), VM_ACTION_PRESERVE);
	assert_false(runs());		/* it is being saved */
	assert_int_equal(access(temporary, F_OK), 0);
	while (vm_work_ended(watch))
		;
	assert_true(vm_is_being_saved(&info));
	assert_int_equal(vm_definition_write(&other, &err), 0);
	assert_false(vm_work_ended(watch));	/* neither the look nor another guest's file */
	close(fd);
	assert_true(vm_work_ended(watch));
	assert_false(vm_is_being_saved(&info));
	close(watch);
	assert_int_equal(vm_finish(&vm, &info, true, &domid, &err), VM_ACTION_PRESERVE);
	assert_true(runs());
	assert_int_equal(domain()->vcpu[0].context.user_regs.rax, 1);
	assert_int_equal(access(temporary, F_OK), -1);
	assert_false(vm_is_at_work());
	/* one that runs is not touched, whatever was believed of it */
	domain()->vcpu[0].context.user_regs.rax = 7;
	assert_int_equal(vm_finish(&vm, &info, true, &domid, &err), VM_ACTION_PRESERVE);
	assert_int_equal(domain()->vcpu[0].context.user_regs.rax, 7);
}

/* Else who supervises would look after it for ever. */
static void a_marker_without_its_process_goes(void **state)
{
	static const char uuid[] = "00000000-0000-4000-8000-000000000009";
	char marker[200];

	(void)state;
	for (int dump = 0; dump < 2; dump++) {
		snprintf(marker, sizeof(marker), "%s/%s%s", vm_run_dir, uuid,
			 dump ? DUMP_MARKER : SAVE_MARKER);
		int fd = file_lock(marker, false);
		assert_true(fd >= 0);
		assert_int_equal(vm_sweep(&vm, &err), 0);
		assert_true(vm_is_at_work());
		close(fd);
		assert_int_equal(vm_sweep(&vm, &err), 0);
		assert_false(vm_is_at_work());
	}
	/* nor if the saver died before the guest suspended */
	close(vm_mark(&info, SAVE_MARKER, "saved", &err));
	assert_true(vm_is_at_work());
	assert_int_equal(vm_sweep(&vm, &err), 0);
	assert_false(vm_is_at_work());
	assert_true(runs());
}

static void start_finds_a_managed_save(void **state)
{
	uint32_t domid;

	(void)state;
	assert_int_equal(vm_managedsave_remove("web", &err), -1);
	assert_int_equal(err.code, ERROR_NO_DOMAIN);
	suspend();
	assert_int_equal(vm_managedsave(&vm, &info, &plainly, &err), 0);
	assert_int_equal(fake_hyp_domains(), 0);
	assert_true(vm_managedsave_exists("web"));
	assert_int_equal(vm_managedsave_none("web", &err), -1);
	assert_int_equal(vm_start(&vm, "web", &as_it_was, &domid, &err), 0);
	assert_false(vm_managedsave_exists("web"));
	look();
	suspend();
	assert_int_equal(vm_managedsave(&vm, &info, &plainly, &err), 0);
	assert_int_equal(vm_managedsave_remove("web", &err), 0);
	assert_int_equal(vm_start(&vm, "web", &as_it_was, &domid, &err), -1);
}

static void a_restore_that_fails_leaves_nothing(void **state)
{
	struct vm_restored restored;
	int fd, rc = -1;

	(void)state;
	suspend();
	assert_int_equal(vm_save(&vm, &info, saved, &plainly, &err), 0);
	for (unsigned n = 1; rc; n++) {
		fake_hyp_fail_at(n);
		rc = vm_restore(&vm, saved, &as_it_was, &restored, &err);
		if (rc)
			assert_int_equal(fake_hyp_domains(), 0);
		assert_int_equal(fake_hyp_mapped(), 0);
		assert_true(n < 500);
	}
	fake_hyp_fail_at(0);
	look();
	assert_int_equal(vm_destroy(&vm, &info, &err), 0);
	fd = open(saved, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "damage", 6, 3000), 6);
	close(fd);
	assert_int_equal(vm_restore(&vm, saved, &as_it_was, &restored, &err), -1);
	assert_int_equal(err.code, ERROR_SAVE_FILE);
	assert_int_equal(fake_hyp_domains(), 0);
	assert_int_equal(vm_restore(&vm, vm_host_kernel, &as_it_was, &restored, &err), -1);
	assert_int_equal(err.code, ERROR_SAVE_FILE);
	assert_int_equal(vm_restore(&vm, vm_state_dir, &as_it_was, &restored, &err), -1);
	assert_int_equal(err.code, ERROR_FILE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
	const struct CMUnitTest tests[] = {
		TEST(a_guest_comes_back),
		TEST(a_checkpoint_lets_it_run_on),
		TEST(what_fails_leaves_it_running),
		TEST(a_guest_that_does_not_suspend_is_left_alone),
		TEST(a_killed_saver_s_guest_goes_on),
		TEST(a_marker_without_its_process_goes),
		TEST(start_finds_a_managed_save),
		TEST(a_restore_that_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, setup, vm_host_teardown);
}
