/* SPDX-License-Identifier: MIT */
/* From a received message to its reply: see request.h. */
#include "store/request.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	request_handler *handler;
	bool privileged; /* for the control domain only */
	bool in_tx;	 /* may be part of a transaction */
} table[XS_TYPE_COUNT] = {
	[XS_DIRECTORY] = { request_directory, .in_tx = true },
	[XS_DIRECTORY_PART] = { request_directory_part, .in_tx = true },
	[XS_READ] = { request_read, .in_tx = true },
	[XS_GET_PERMS] = { request_get_perms, .in_tx = true },
	[XS_WRITE] = { request_write, .in_tx = true },
	[XS_MKDIR] = { request_mkdir, .in_tx = true },
	[XS_RM] = { request_rm, .in_tx = true },
	[XS_SET_PERMS] = { request_set_perms, .in_tx = true },
	[XS_TRANSACTION_END] = { request_transaction_end, .in_tx = true },
	[XS_TRANSACTION_START] = { .handler = request_transaction_start },
	[XS_WATCH] = { .handler = request_watch },
	[XS_UNWATCH] = { .handler = request_unwatch },
	[XS_RESET_WATCHES] = { .handler = request_reset_watches },
	[XS_GET_DOMAIN_PATH] = { .handler = request_get_domain_path },
	[XS_IS_DOMAIN_INTRODUCED] = { .handler = request_is_domain_introduced },
	[XS_INTRODUCE] = { request_introduce, .privileged = true },
	[XS_RELEASE] = { request_release, .privileged = true },
	[XS_RESUME] = { request_resume, .privileged = true },
	[XS_SET_TARGET] = { request_set_target, .privileged = true },
	[XS_CONTROL] = { request_control, .privileged = true },
};

static int handle(struct request *request, const struct xsd_sockmsg *header)
{
	if (header->type >= XS_TYPE_COUNT || !table[header->type].handler)
		return -ENOSYS;
	if (table[header->type].privileged && !request->conn->actor.privileged)
		return -EACCES;
	if (header->tx_id && table[header->type].in_tx) {
		request->tx = store_find_tx(request->conn, header->tx_id);
		if (!request->tx)
			return -ENOENT;
	} else if (header->tx_id && header->type == XS_TRANSACTION_START) {
		return -EBUSY;
	}
	return table[header->type].handler(request);
}

/* The reply as it will be sent, in a message that is no larger than it must be. */
static struct message *finish(struct message *message, const struct xsd_sockmsg *header, int rc)
{
	struct wire_message *reply = (struct wire_message *)message->bytes;

	reply->header.type = rc ? XS_ERROR : header->type;
	reply->header.req_id = header->req_id;
	reply->header.tx_id = header->tx_id;
	if (rc) {
		reply->header.len = 0;
		wire_add_string(reply, wire_error_name(-rc));
	}
	return message_cut(message, sizeof(reply->header) + reply->header.len);
}

/* Requests whose empty success is an answer, not "OK". */
static bool answers(uint32_t type)
{
	return type == XS_READ || type == XS_DIRECTORY;
}

int store_serve(struct store *store, struct connection *conn)
{
	struct message *message = message_new(sizeof(struct wire_message));
	struct xsd_sockmsg header;
	struct request request;

	assert(connection_ready(conn));
	if (!message)
		return -ENOMEM;
	header = conn->in->header;
	memset(message->bytes, 0, sizeof(header));
	request = (struct request){
		.store = store,
		.conn = conn,
		.args = { conn->in->payload, header.len },
		.reply = (struct wire_message *)message->bytes,
	};
	effects_init(&request.effects);
	int rc = handle(&request, &header);
	if (!rc && !request.reply->header.len && !answers(header.type))
		wire_add_string(request.reply, "OK");
	connection_reply(conn, finish(message, &header, rc));
	connection_request_done(conn);
	if (conn->ring) {
		store_log_input(&store->log, conn);
		store_log_output(&store->log, conn);
	}
	store_publish(store, &request.effects);
	for (unsigned int i = 0; i < 2; i++) {
		if (request.specials & 1u << i)
			store_fire_special(store, i);
	}
	connection_settle(conn, &store->limits);
	store_limit_history(store);
	return 0;
}

void store_log_input(struct record_buffer *log, const struct connection *conn)
{
	record_begin(log, RECORD_INPUT);
	record_u32(log, conn->actor.domid);
	record_u32(log, conn->in_pos);
	record_bytes(log, conn->in, conn->in_len);
}

void store_log_output(struct record_buffer *log, const struct connection *conn)
{
	record_begin(log, RECORD_OUTPUT);
	record_u32(log, conn->actor.domid);
	record_u32(log, conn->out_pos);
	record_bytes(log, conn->out ? conn->out->bytes : "",
		     conn->out ? conn->out->len : 0);
}
