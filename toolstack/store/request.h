/* SPDX-License-Identifier: MIT */
/*
 * Requests, one handler each: decode the payload, then do what it asks with the functions of
 * store.h. The table in request.c says which handler a request has, who may send it, and
 * whether it may be part of a transaction.
 */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "store/store.h"

struct request {
	struct store *store;
	struct connection *conn;
	struct transaction *tx;	    /* that it is part of, or NULL */
	struct wire_reader args;    /* what is left of the payload */
	struct wire_message *reply; /* its payload is the handler's; without any it becomes "OK" */
	struct effects effects;	    /* to be published after the reply */
	unsigned int specials;	    /* bit per STORE_SPECIAL_*: to be told after the reply */
};

/*
 * A handler returns 0 or -errno, which becomes an error reply. On an error it has changed
 * nothing.
 */
typedef int request_handler(struct request *request);

/* request_node.c */
request_handler request_read, request_directory, request_directory_part, request_get_perms;
request_handler request_write, request_mkdir, request_rm, request_set_perms;

/* request_watch.c: watches and transactions */
request_handler request_watch, request_unwatch, request_reset_watches;
request_handler request_transaction_start, request_transaction_end;

/* request_domain.c */
request_handler request_introduce, request_release, request_get_domain_path,
	request_is_domain_introduced;
request_handler request_resume, request_set_target, request_control;

#endif
