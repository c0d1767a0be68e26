/* SPDX-License-Identifier: MIT */
/*
 * The daemon is killed between any two instructions, hundreds of times, while a guest works: writes
 * in pieces, reads in pieces, has transactions and watches. Each time it is started again, from its
 * journal. The guest must not notice: every request is answered once, in order, with what a store
 * that was never killed would say; only a transaction that was open then ends with EAGAIN. In the
 * end every node is there.
 *
 * A life of the daemon is a process of its own (a copy of this one, from which it shares the rings
 * and nothing else): it runs at full speed, or from one system call to the next, and the last
 * stretch a single instruction at a time (ptrace), so that a kill is wherever it may be, and
 * repeatable.
 *
 * Links: toolstack/store/wire.c toolstack/store/path.c toolstack/store/perms.c
 * Links: toolstack/store/tree.c toolstack/store/change.c toolstack/store/watch.c
 * Links: toolstack/store/transaction.c toolstack/store/connection.c toolstack/store/record.c
 * Links: toolstack/store/store.c toolstack/store/domain.c toolstack/store/request.c
 * Links: toolstack/store/request_node.c toolstack/store/request_watch.c
 * Links: toolstack/store/request_domain.c toolstack/store/state.c toolstack/store/journal.c
 * Links: toolstack/store/rewrite.c toolstack/lib/file.c toolstack/store/budget.c
 * Links: toolstack/store/ring.c toolstack/store/conn_ring.c toolstack/store/conn_socket.c
 * Links: toolstack/store/server.c toolstack/lib/error.c
 * Links: tests/unit/toolstack/store/ring_guest.c tests/unit/toolstack/store/rings.c
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/server.h"
#include "unit/toolstack/store/ring_guest.h"
#include "unit/toolstack/store/rings.h"

#define LIVES	400
#define GUEST	1

static char dir[] = "/tmp/enso-kill-XXXXXX";
static unsigned int seed = 1;

static unsigned int below(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

/* ---- a life of the daemon ---- */

/* The events that the guests' sides would have sent. */
static void fire(void)
{
	for (unsigned int i = 0; i <= GUEST; i++) {
		if (rings_page[i].req_prod != rings_page[i].req_cons)
			rings_fire(i);
	}
}

/* Stops itself once it is up, and whenever it has nothing to do. */
static _Noreturn void live(void)
{
	static struct server server = { .listener = -1 };
	struct error err;

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	server.store = store_new(&ring_io, &server);
	if (!server.store || journal_open(&server.journal, dir))
		_exit(10);
	server.journal.slack = 0;	/* it is written anew all the time */
	int rc = journal_load(&server.journal, server.store);
	if (rc && rc != -ENOENT)
		_exit(11);
	if (ring_open(&server, &err) || ring_start(&server, &err))
		_exit(12);
	if (journal_rewrite(&server.journal, server.store))
		_exit(13);
	for (;;) {
		raise(SIGSTOP);
		for (unsigned int round = 0; round < 10; round++) {
			fire();
			ring_events(&server);
			ring_turns(&server);
			store_reap_domains(server.store);
		}
	}
}

/* Goes on by `request`; false if the daemon stopped itself meanwhile. */
static bool step(pid_t pid, int request)
{
	int status;

	assert_int_equal(ptrace(request, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSTOPPED(status))
		return WSTOPSIG(status) != SIGSTOP;
	fail_msg("the daemon ended by itself: status %#x", status);
	return false;
}

static pid_t start(void)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		live();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSTOPPED(status))
		fail_msg("the daemon does not start: status %#x", status);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_EXITKILL);
	return pid;
}

static void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/*
 * One life: a few rounds in full, then up to some point in the middle of the next. The guest goes
 * on while there is no daemon, and between any two of its instructions.
 */
static void one_life(struct ring_guest *guest)
{
	ring_guest_act(guest);
	pid_t pid = start();

	for (unsigned int rounds = below(below(4) ? 3 : 40); rounds; rounds--) {
		ring_guest_act(guest);
		step(pid, PTRACE_CONT);
	}
	ring_guest_act(guest);
	bool runs = true;
	for (unsigned int calls = below(12); calls && runs; calls--) {
		runs = step(pid, PTRACE_SYSCALL);
		if (!below(3))
			ring_guest_act(guest);
	}
	for (unsigned int n = below(3000); n && runs; n--) {
		runs = step(pid, PTRACE_SINGLESTEP);
		if (!below(200))
			ring_guest_act(guest);
	}
	end(pid);
	guest->lives++;
}

static int setup(void **state)
{
	int rc;

	(void)state;
	assert_non_null(mkdtemp(dir));
	rings_init();
	pid_t pid = fork();
	if (!pid)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? 1 : 0);
	waitpid(pid, &rc, 0);
	return 0;
}

static int teardown(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/state", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/state.new", dir);
	unlink(path);
	return rmdir(dir);
}

static void introduce_the_guest(void)
{
	struct ring_guest control;
	pid_t pid = start();

	ring_guest_init(&control, &rings_page[0], below);
	RING_GUEST_ASK(&control, XS_WRITE, "/local/domain/1\0home");
	RING_GUEST_ASK(&control, XS_SET_PERMS, "/local/domain/1\0n1");
	RING_GUEST_ASK(&control, XS_INTRODUCE, "1\0007\0009");
	while (ring_guest_busy(&control)) {
		ring_guest_act(&control);
		step(pid, PTRACE_CONT);
	}
	end(pid);
}

static void nobody_notices(void **state)
{
	struct ring_guest guest;

	(void)state;
	introduce_the_guest();
	ring_guest_init(&guest, &rings_page[GUEST], below);
	guest.endless = true;
	for (unsigned int i = 0; i < LIVES; i++)
		one_life(&guest);
	guest.endless = false;
	pid_t pid = start();
	for (unsigned int i = 0; ring_guest_busy(&guest); i++) {
		assert_true(i < 10000);
		ring_guest_act(&guest);
		step(pid, PTRACE_CONT);
	}
	end(pid);
	printf("%u requests, %u events, %u transactions, %u of them cut off\n", guest.answered,
	       guest.events, guest.commits, guest.cut_off);
	assert_true(guest.answered > LIVES);
	assert_true(guest.commits > 20 && guest.cut_off > 5 && guest.events > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_notices),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
