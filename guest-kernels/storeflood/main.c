/* SPDX-License-Identifier: MIT */
/*
 * A guest that does to the store daemon what it can: advisory class K. Its command line says what:
 *
 *	giant		a header that promises 4 GiB: it is told so, and served no more
 *	index		a ring whose indices make no sense: the same
 *	refused		what is not a guest's to ask; each has its error, and all goes on
 *	half		half a message, and nothing more
 *	spin		nothing at all, but busily
 *	writes		node after node, up to its quota, without end, as many requests as fit
 *	transactions	as many as it may have open, each as large as it may be, without end
 *	watches		as many as it may have, on nodes that it writes without end
 *	deaf		the same, but it never takes an event: its ring is full for good
 *
 * The last six print "flooding" and go on until they are destroyed (tests/e2e/storeflood looks
 * whether others suffer); the rest are tests with a result.
 */
#include "abi/errno.h"
#include "abi/io/xs_wire.h"
#include "abi/sched.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"
#include "test.h"

#define VALUE	2048		/* bytes of a node, and more than the ring holds */
#define PATIENCE 20000000	/* rounds of waiting before somebody else is to blame */

static volatile struct xenstore_domain_interface *store;
static evtchn_port_t port;
static unsigned int events;	/* watch events that came */
static bool deaf;
static char reply[XENSTORE_PAYLOAD_MAX + 1];

static void barrier(void)
{
	asm volatile("mfence" : : : "memory");
}

static void wait(unsigned int *patience)
{
	if (!--*patience)
		fail("the store daemon does not answer");
	event_send(port);
	hyp_sched_op(SCHEDOP_yield, NULL);
}

static void put(const void *data, size_t n)
{
	const char *from = data;
	unsigned int patience = PATIENCE;

	for (; n; n--) {
		while (store->req_prod - store->req_cons >= XENSTORE_RING_SIZE)
			wait(&patience);
		store->req[MASK_XENSTORE_IDX(store->req_prod)] = *from++;
		barrier();
		store->req_prod++;
	}
	event_send(port);
}

static void get(void *data, size_t n)
{
	char *to = data;
	unsigned int patience = PATIENCE;

	for (; n; n--) {
		while (store->rsp_prod == store->rsp_cons)
			wait(&patience);
		barrier();
		*to++ = store->rsp[MASK_XENSTORE_IDX(store->rsp_cons)];
		barrier();
		store->rsp_cons++;
	}
	event_send(port);
}

static void ask_only(uint32_t type, uint32_t tx, const char *payload, size_t len)
{
	struct xsd_sockmsg header = { .type = type, .req_id = 1, .tx_id = tx,
				      .len = (uint32_t)len };

	put(&header, sizeof(header));
	put(payload, len);
}

/* The next message that is no event, into reply: its type. */
static uint32_t answer(void)
{
	struct xsd_sockmsg header;

	for (;;) {
		get(&header, sizeof(header));
		if (header.len > XENSTORE_PAYLOAD_MAX)
			fail("a message longer than messages may be");
		get(reply, header.len);
		reply[header.len] = 0;
		if (header.type != XS_WATCH_EVENT)
			return header.type;
		events++;
	}
}

static uint32_t ask(uint32_t type, uint32_t tx, const char *payload, size_t len)
{
	ask_only(type, tx, payload, len);
	return answer();
}

#define ASK(type, tx, text)	ask(type, tx, text, sizeof(text))

static void check_error(uint32_t type, const char *error, const char *what)
{
	check(type == XS_ERROR && !strcmp(reply, error), "%s: %s (type %u, %s)", what, error, type,
	      type == XS_ERROR ? reply : "");
}

/* Digits of n, in three places. */
static void digits(char *to, unsigned int n)
{
	to[0] = (char)('0' + n / 100 % 10);
	to[1] = (char)('0' + n / 10 % 10);
	to[2] = (char)('0' + n % 10);
}

static uint32_t write_node(uint32_t tx, unsigned int n, size_t len)
{
	static char payload[16 + VALUE + 1] = "data/nXXX";

	digits(payload + 6, n);
	memset(payload + 10, 'a' + (int)(n % 26), len);
	return ask(XS_WRITE, tx, payload, 10 + len);
}

/* -- with a result -- */

static void refuses_to_serve(const char *what)
{
	unsigned int patience = PATIENCE;

	while (store->error == XENSTORE_ERROR_NONE && --patience)
		hyp_sched_op(SCHEDOP_yield, NULL);
	check(store->error != XENSTORE_ERROR_NONE, "%s: told that the ring is not served", what);
}

static void giant(void)
{
	struct xsd_sockmsg header = { .type = XS_WRITE, .len = 0xffffffff };

	check(ASK(XS_READ, 0, "name") == XS_READ, "the store answers");
	put(&header, sizeof(header));
	refuses_to_serve("a message of 4 GiB");
}

static void index(void)
{
	check(ASK(XS_READ, 0, "name") == XS_READ, "the store answers");
	store->req_prod = store->req_cons + XENSTORE_RING_SIZE + 1;
	event_send(port);
	refuses_to_serve("more bytes than the ring has");
}

static void refused(void)
{
	static char long_path[3100];

	check_error(ASK(XS_READ, 0, "/local/domain/0/secret"), "EACCES", "another's node");
	check_error(ASK(XS_WRITE, 0, "/tool/x\0y"), "EACCES", "writing outside its home");
	check_error(ASK(XS_RM, 0, "/"), "EACCES", "removing the root");
	check_error(ASK(XS_SET_PERMS, 0, "data\0n0"), "EPERM", "giving a node away");
	check_error(ASK(XS_INTRODUCE, 0, "1\0001\0001"), "EACCES", "introducing a domain");
	check_error(ASK(XS_RELEASE, 0, "0"), "EACCES", "releasing one");
	check_error(ASK(XS_SET_TARGET, 0, "0\0001"), "EACCES", "taking another's rights");
	check_error(ASK(XS_CONTROL, 0, "check"), "EACCES", "control");
	check_error(ASK(XS_TRANSACTION_END, 77, "T"), "ENOENT", "a transaction that is not open");
	check_error(ASK(12345, 0, ""), "ENOSYS", "a request that there is not");
	check_error(ask(XS_READ, 0, "name", 4), "EINVAL", "a path without its end");
	check_error(ASK(XS_READ, 0, "a//b"), "EINVAL", "an empty component");
	memset(long_path, 'p', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = 0;
	check_error(ask(XS_READ, 0, long_path, sizeof(long_path)), "EINVAL", "a path too long");
	check_error(ASK(XS_WRITE, 0, "\0"), "EINVAL", "no path at all");
	check_error(write_node(0, 0, VALUE + 1), "ENOSPC", "a value too large");
	check(ASK(XS_READ, 0, "name") == XS_READ, "and the store answers as ever");
}

/* -- without an end -- */

static void half(void)
{
	struct xsd_sockmsg header = { .type = XS_READ, .len = 100 };

	put(&header, sizeof(header) / 2);
	for (;;)
		hyp_sched_op(SCHEDOP_block, NULL);
}

/* To compare with: it takes its CPU, and nothing of the store. */
static void spin(void)
{
	for (;;)
		asm volatile("pause");
}

static void writes(void)
{
	char payload[] = "data/nXXX\0short";

	for (unsigned int n = 0;; n++) {
		write_node(0, n % 1000, VALUE);
		for (unsigned int i = 0; i < 8; i++) {
			digits(payload + 6, (n + i) % 1000);
			ask_only(XS_WRITE, 0, payload, sizeof(payload) - 1);
		}
		for (unsigned int i = 0; i < 8; i++)
			answer();
	}
}

static uint32_t number(const char *text)
{
	uint32_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	return value;
}

/* Each holds on to the tree as it was; between them the tree is written anew. */
static void transactions(void)
{
	uint32_t open[64] = { 0 }, n = 0;

	for (unsigned int round = 0;; round++) {
		if (ASK(XS_TRANSACTION_START, 0, "") == XS_TRANSACTION_START) {
			open[n++ % 64] = number(reply);
		} else {
			for (unsigned int i = 0; i < 64; i++)
				if (open[i])
					ASK(XS_TRANSACTION_END, open[i], i % 2 ? "T" : "F");
			memset(open, 0, sizeof(open));
			continue;
		}
		for (unsigned int i = 0; write_node(number(reply), i, VALUE) == XS_WRITE; i++)
			continue;
		for (unsigned int i = 0; i < 50; i++)
			write_node(0, (round * 50 + i) % 900, VALUE);
	}
}

static void watches(void)
{
	static char payload[] = "data\0tXXX";

	for (unsigned int n = 0; n < 1000; n++) {
		digits(payload + 6, n);
		if (ask(XS_WATCH, 0, payload, sizeof(payload)) != XS_WATCH)
			break;
	}
	if (deaf) {
		/* Its own events are in the way of every reply from now on. */
		for (unsigned int n = 0; n < 3; n++)
			ask_only(XS_RM, 0, "data/n000", sizeof("data/n000"));
		for (;;)
			event_send(port);
	}
	writes();
}

static void listen_to_nothing(void)
{
	deaf = true;
	watches();
}

static const struct {
	const char *name;
	bool endless;
	void (*run)(void);
} attacks[] = {
	{ "giant", false, giant },
	{ "index", false, index },
	{ "refused", false, refused },
	{ "half", true, half },
	{ "spin", true, spin },
	{ "writes", true, writes },
	{ "transactions", true, transactions },
	{ "watches", true, watches },
	{ "deaf", true, listen_to_nothing },
};

void test_main(void)
{
	if (kernel_is_dom0() || !start_info->store_mfn)
		skip("only a guest has a store ring");
	store = page_at(start_info->store_mfn);
	port = start_info->store_evtchn;
	for (unsigned int i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		size_t len = strlen(attacks[i].name);

		if (memcmp((const char *)start_info->cmd_line, attacks[i].name, len))
			continue;
		if (attacks[i].endless)
			print("flooding: %s\n", attacks[i].name);
		attacks[i].run();
		return;
	}
	fail("the command line names no attack");
}
