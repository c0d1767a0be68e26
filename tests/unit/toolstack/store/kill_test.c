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
 * Links: toolstack/store/ring.c toolstack/store/conn_ring.c toolstack/store/conn_socket.c
 * Links: toolstack/store/server.c toolstack/lib/error.c
 * Links: tests/unit/toolstack/store/ring_guest.c
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/server.h"
#include "unit/toolstack/store/ring_guest.h"

#define LIVES	400
#define GUEST	5

static char dir[] = "/tmp/enso-kill-XXXXXX";
static struct xenstore_domain_interface *pages; /* [0] the control domain's, [1] the guest's */
static unsigned int seed = 1;

static unsigned int below(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

/* ---- the hypervisor: two pages that outlive the daemon ---- */

int hyp_open(struct hyp **hyp, struct error *err)
{
	(void)err;
	*hyp = (struct hyp *)pages;
	return 0;
}

int hyp_evtchn_open(void)
{
	return 1000;
}

int hyp_grant_open(void)
{
	return 1001;
}

int hyp_evtchn_bind_virq(int fd, uint32_t virq)
{
	(void)fd;
	(void)virq;
	return 1;
}

int hyp_evtchn_bind_interdomain(int fd, uint32_t domid, uint32_t port)
{
	(void)fd;
	(void)port;
	return (int)domid + 2;
}

int hyp_evtchn_unbind(int fd, uint32_t port)
{
	(void)fd;
	(void)port;
	return 0;
}

int hyp_evtchn_notify(int fd, uint32_t port)
{
	(void)fd;
	(void)port;
	return 0;
}

int hyp_evtchn_unmask(int fd, uint32_t port)
{
	return hyp_evtchn_unbind(fd, port);
}

static unsigned int fired; /* a bit for each page */

int hyp_evtchn_next(int fd)
{
	(void)fd;
	for (unsigned int i = 0; i < 2; i++) {
		if (fired & 1u << i) {
			fired &= ~(1u << i);
			return i ? GUEST + 2 : 2;
		}
	}
	return -EAGAIN;
}

int hyp_store_page(void **va, uint32_t *port)
{
	*va = &pages[0];
	*port = 1;
	return 0;
}

int hyp_grant_map(int fd, uint32_t domid, const uint32_t *refs, unsigned n, void **va)
{
	(void)fd;
	(void)refs;
	(void)n;
	*va = &pages[1];
	return domid == GUEST ? 0 : -ESRCH;
}

int hyp_grant_unmap(int fd, void *va, unsigned n)
{
	(void)fd;
	(void)va;
	(void)n;
	return 0;
}

int hyp_foreign_map(struct hyp *hyp, uint32_t domid, int prot, const uint64_t *mfns, unsigned n,
		    void **va)
{
	(void)hyp;
	(void)domid;
	(void)prot;
	(void)mfns;
	(void)n;
	(void)va;
	return -ESRCH;
}

void hyp_unmap(void *va, unsigned n)
{
	(void)va;
	(void)n;
}

int hyp_domain_info(struct hyp *hyp, uint32_t domid, struct xen_domctl_getdomaininfo *info)
{
	(void)hyp;
	(void)domid;
	memset(info, 0, sizeof(*info));
	return 0;
}

/* ---- a life of the daemon ---- */

/* The events that the guests' sides would have sent. */
static void fire(void)
{
	for (unsigned int i = 0; i < 2; i++)
		fired |= (pages[i].req_prod != pages[i].req_cons) << i;
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
	pages = mmap(NULL, 2 * sizeof(*pages), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
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

	ring_guest_init(&control, &pages[0], below);
	RING_GUEST_ASK(&control, XS_WRITE, "/local/domain/5\0home");
	RING_GUEST_ASK(&control, XS_SET_PERMS, "/local/domain/5\0n5");
	RING_GUEST_ASK(&control, XS_INTRODUCE, "5\0007\0009");
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
	ring_guest_init(&guest, &pages[1], below);
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
