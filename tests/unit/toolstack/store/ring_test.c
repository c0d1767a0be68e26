/* SPDX-License-Identifier: MIT */
/*
 * Rings: a guest's requests and answers through the page, hostile indices, and the daemon
 * killed at every step in the middle: the guest must get each answer once, and no change may be
 * lost or made twice.
 *
 * Links: tests/unit/toolstack/store/harness.c toolstack/store/wire.c toolstack/store/path.c
 * Links: toolstack/store/perms.c toolstack/store/tree.c toolstack/store/change.c
 * Links: toolstack/store/watch.c toolstack/store/transaction.c toolstack/store/connection.c
 * Links: toolstack/store/record.c toolstack/store/store.c toolstack/store/domain.c
 * Links: toolstack/store/request.c toolstack/store/request_node.c
 * Links: toolstack/store/request_watch.c toolstack/store/request_domain.c
 * Links: toolstack/store/state.c toolstack/store/ring.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/ring.h"
#include "unit/toolstack/store/harness.h"

static struct xenstore_domain_interface page;

static void refuses_hostile_indices(void **state)
{
	static const uint32_t wrong[] = { 1025, 2048, 0x80000000, 0xfffffbff };
	struct connection conn;
	struct actor actor = { 1, 1, false };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memset(&page, 0, sizeof(page));
		connection_init(&conn, &actor);
		ring_adopt(&page, &conn);
		page.req_prod = wrong[i];
		assert_int_equal(ring_receive(&page, &conn), -EPROTO);
		assert_true(conn.broken);
		connection_init(&conn, &actor);
		page.rsp_cons = wrong[i]; /* ahead of us, or further behind than the ring is long */
		assert_int_equal(ring_send(&page, &conn), -EPROTO);
		assert_true(conn.broken);
	}
	/*
	 * The length is read once: what the guest changes later does not matter, what it says
	 * at first is checked.
	 */
	memset(&page, 0, sizeof(page));
	connection_init(&conn, &actor);
	struct xsd_sockmsg header = { .type = XS_READ, .len = 0xfffffff0 };
	memcpy(page.req, &header, sizeof(header));
	page.req_prod = sizeof(header);
	assert_int_equal(ring_receive(&page, &conn), -EPROTO);
	connection_drop_queues(&conn);
}

/* What the guest sends and expects. */
struct script {
	uint32_t type;
	const char *bytes;
	size_t len;
	const char *answer; /* NULL: any */
};

#define STEP(type, text, answer) { type, text, sizeof(text), answer }

static char long_write[2000], long_value[2000]; /* a node holds 2048 */

static struct script script[] = {
	STEP(XS_WATCH, "n\0tok", "OK"),
	STEP(XS_WRITE, "n", "OK"),
	{ XS_WRITE, long_write, sizeof(long_write), "OK" }, /* longer than the ring */
	{ XS_READ, "long", 5, long_value },
	STEP(XS_MKDIR, "n/m", "OK"),
	STEP(XS_RM, "n", "OK"),
	STEP(XS_READ, "n", "ENOENT"),
	STEP(XS_TRANSACTION_START, "", NULL),
	STEP(XS_UNWATCH, "n\0tok", "OK"),
	STEP(XS_DIRECTORY, "", "EINVAL"),
	STEP(XS_SET_PERMS, "long\0n1\0r2", "OK"),
	STEP(XS_GET_PERMS, "long", "n1"),
};
#define STEPS (sizeof(script) / sizeof(script[0]))

/* The guest: writes its requests into the ring as room allows, and takes what comes. */
struct guest {
	char out[20000], in[20000];
	size_t out_len, out_at, in_len;
};

static void guest_start(struct guest *guest)
{
	memset(guest, 0, sizeof(*guest));
	for (size_t i = 0; i < STEPS; i++) {
		struct xsd_sockmsg header = { .type = script[i].type, .req_id = (uint32_t)i + 1,
					      .len = (uint32_t)script[i].len };
		memcpy(guest->out + guest->out_len, &header, sizeof(header));
		memcpy(guest->out + guest->out_len + sizeof(header), script[i].bytes,
		       script[i].len);
		guest->out_len += sizeof(header) + script[i].len;
	}
}

static void guest_turn(struct guest *guest)
{
	while (guest->out_at < guest->out_len && page.req_prod - page.req_cons < XENSTORE_RING_SIZE)
		page.req[MASK_XENSTORE_IDX(page.req_prod++)] = guest->out[guest->out_at++];
	while (page.rsp_cons != page.rsp_prod)
		guest->in[guest->in_len++] = page.rsp[MASK_XENSTORE_IDX(page.rsp_cons++)];
}

/* Whether all answers are there, each once and in order, whatever events are between them. */
static bool guest_done(const struct guest *guest)
{
	size_t at = 0, answers = 0;

	while (guest->in_len - at >= sizeof(struct xsd_sockmsg)) {
		struct xsd_sockmsg header;
		memcpy(&header, guest->in + at, sizeof(header));
		assert_true(header.len <= XENSTORE_PAYLOAD_MAX);
		if (guest->in_len - at < sizeof(header) + header.len)
			break;
		at += sizeof(header);
		if (header.type == XS_WATCH_EVENT) {
			assert_memory_equal(guest->in + at + header.len - 4, "tok", 4);
		} else {
			assert_true(answers < STEPS);
			assert_int_equal(header.req_id, answers + 1);
			const char *wanted = script[answers].answer;
			if (wanted)
				assert_memory_equal(guest->in + at, wanted,
						    strlen(wanted) < header.len ? strlen(wanted)
										: header.len);
			answers++;
		}
		at += header.len;
	}
	return answers == STEPS;
}

/* The journal: what has reached the file. */
static struct record_buffer journal;
static unsigned int steps_left; /* until the daemon is killed */
static jmp_buf killed;

static void step(void)
{
	if (steps_left && !--steps_left)
		longjmp(killed, 1);
}

static void flush(struct harness *h)
{
	struct record_buffer *log = &h->store->log;
	size_t old = journal.len;

	step();
	if (!log->len)
		return;
	journal.len += RECORD_FRAME_HEAD + log->len;
	journal.bytes = realloc(journal.bytes, journal.len);
	record_frame_head(log->bytes, log->len, journal.bytes + old);
	memcpy(journal.bytes + old + RECORD_FRAME_HEAD, log->bytes, log->len);
	log->len = 0;
	step();
}

static void put_all(struct harness *h, struct connection *conn)
{
	do {
		if (ring_send_needs_log(conn)) {
			store_log_output(&h->store->log, conn);
			flush(h);
		}
		step();
	} while (ring_send(&page, conn) > 0 && conn->out);
	step();
}

/* A turn as conn_ring.c does it, with a chance to be killed between any two steps. */
static void daemon_turn(struct harness *h, struct connection *conn)
{
	put_all(h, conn);
	int taken = ring_receive(&page, conn);
	assert_true(taken >= 0);
	step();
	if (taken > 0 && !connection_has_request(conn)) {
		store_log_input(&h->store->log, conn);
		flush(h);
		ring_consume(&page, conn);
		step();
	}
	if (!connection_ready(conn))
		return;
	assert_int_equal(store_serve(h->store, conn), 0);
	flush(h);
	ring_consume(&page, conn);
	put_all(h, conn);
}

static void daemon_first_start(struct harness *h)
{
	struct connection *conn;

	harness_start(h);
	put(h, &h->control, 0, "/local/domain/1", "");
	ASK(h, &h->control, XS_SET_PERMS, 0, "/local/domain/1\0n1");
	conn = harness_guest(h, 1);
	ring_adopt(&page, conn);
	journal.len = 0;
	h->store->log.len = 0;
	store_dump(h->store, &journal);
}

static void daemon_restart(struct harness *h)
{
	size_t size;

	harness_stop(h);
	harness_start(h);
	assert_int_equal(store_replay(h->store, journal.bytes, journal.len, &size), 0);
	assert_int_equal(size, journal.len);
	assert_true(harness_check(h));
	store_find_domain(h->store, 1)->ring = NULL;
	ring_resume(&page, harness_guest(h, 1));
}

/* Runs all of the script, killing the daemon after @first steps and then every @again. */
static void run(unsigned int first, unsigned int again)
{
	static struct guest guest;
	static struct harness h;
	static volatile unsigned int turns;

	memset(&page, 0, sizeof(page));
	page.req_cons = page.req_prod = 0xfffffe00; /* indices wrap on the way */
	page.rsp_cons = page.rsp_prod = 0xffffff00;
	steps_left = 0;
	guest_start(&guest);
	daemon_first_start(&h);
	steps_left = first;
	turns = 0;
	if (setjmp(killed)) {
		steps_left = 0;
		daemon_restart(&h);
		steps_left = again;
	}
	while (!guest_done(&guest)) {
		assert_true(turns++ < 2000);
		guest_turn(&guest);
		daemon_turn(&h, harness_guest(&h, 1));
		guest_turn(&guest);
		store_tick(h.store, 0);
	}
	steps_left = 0;
	assert_int_equal(get(&h, &h.control, 0, "/local/domain/1/long"), 0);
	assert_memory_equal(h.reply, long_value, strlen(long_value));
	assert_true(harness_check(&h));
	harness_stop(&h);
}

static void serves_a_guest(void **state)
{
	(void)state;
	run(0, 0);
}

static void outlives_a_kill_at_every_step(void **state)
{
	(void)state;
	for (unsigned int first = 1; first < 200; first++)
		run(first, 0);
}

static void outlives_kills_again_and_again(void **state)
{
	(void)state;
	for (unsigned int again = 13; again < 60; again++)
		run(again, again);
}

/*
 * Linux writes a header, tells, and then writes the payload, of which it tells only if the header
 * was consumed: who leaves the header in the ring until the payload is there may wait for ever.
 */
static void a_header_alone_is_consumed(void **state)
{
	struct xsd_sockmsg header = { .type = XS_READ, .req_id = 1, .len = 5 };
	struct actor actor = { 1, 1, false };
	struct connection conn;

	(void)state;
	memset(&page, 0, sizeof(page));
	connection_init(&conn, &actor);
	ring_adopt(&page, &conn);
	memcpy(page.req, &header, sizeof(header));
	page.req_prod = 7;	/* not even all of it */
	assert_int_equal(ring_receive(&page, &conn), 7);
	assert_true(ring_consume(&page, &conn));
	assert_int_equal(page.req_cons, 7);
	page.req_prod = sizeof(header);
	assert_int_equal(ring_receive(&page, &conn), sizeof(header) - 7);
	assert_false(connection_has_request(&conn));
	assert_true(ring_consume(&page, &conn));
	assert_int_equal(page.req_cons, sizeof(header));
	memcpy(page.req + sizeof(header), "long", 5);
	page.req_prod += 5;
	assert_int_equal(ring_receive(&page, &conn), 5);
	assert_true(connection_has_request(&conn));
	connection_request_done(&conn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_alone_is_consumed),
		cmocka_unit_test(refuses_hostile_indices),
		cmocka_unit_test(serves_a_guest),
		cmocka_unit_test(outlives_a_kill_at_every_step),
		cmocka_unit_test(outlives_kills_again_and_again),
	};
	int rc;

	memset(long_value, 'v', sizeof(long_write) - 6);
	strcpy(long_write, "long");
	memset(long_write + 5, 'v', sizeof(long_write) - 5);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	free(journal.bytes);
	return rc;
}
