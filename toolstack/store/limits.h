/* SPDX-License-Identifier: MIT */
/*
 * What an unprivileged domain may take of the daemon's memory. The control domain has no
 * limits. What one guest can cost at most follows: nodes * (value + name) + watches * (path +
 * token) + event_bytes + transactions * tx_bytes + one message in each direction; and of all
 * together, history.
 *
 * What all domains cost together is bounded too, or hundreds of them at their limits would exhaust
 * the control domain's memory: above total, the limits are limits_scarce, enough for what a guest
 * needs; above twice total they are limits_full, which let nothing grow for long.
 */
#ifndef STORE_LIMITS_H
#define STORE_LIMITS_H

#include <stddef.h>

struct limits {
	unsigned int nodes;	   /* that it owns */
	unsigned int value;	   /* bytes in a node */
	unsigned int perms;	   /* entries in a permission list */
	unsigned int watches;	   /* that it has */
	unsigned int events; /* waiting for it to read them; beyond, a watch's events become one */
	unsigned int event_bytes;  /* of these */
	unsigned int transactions; /* open at a time */
	unsigned int tx_nodes;	   /* that one transaction reads and changes */
	unsigned int tx_bytes;	   /* of the paths and values of these */
	unsigned int tx_seconds;   /* after which a transaction can only end with EAGAIN */
	/*
	 * Bytes of nodes that only transactions see, the old ones and the new ones, all domains'
	 * together. Beyond, transactions are doomed (EAGAIN): first of who has most of them open,
	 * and the oldest first.
	 */
	unsigned int history;
	size_t total; /* bytes of everybody's nodes, watches, messages and transactions */
};

/* The values that the field is used to (docs/man/xenstored), where it has them. */
static const struct limits limits_default = {
	.nodes = 1000,
	.value = 2048,
	.perms = 5,
	.watches = 128,
	.events = 512,
	.event_bytes = 128 * 1024,
	.transactions = 10,
	.tx_nodes = 1024,
	.tx_bytes = 64 * 1024,
	.tx_seconds = 60,
	.history = 4 * 1024 * 1024,
	.total = 64 * 1024 * 1024,
};

/* A Linux guest owns some 15 nodes, and 10 for each device. */
static const struct limits limits_scarce = {
	.nodes = 128,
	.value = 256,
	.perms = 5,
	.watches = 32,
	.events = 64,
	.event_bytes = 16 * 1024,
	.transactions = 2,
	.tx_nodes = 256,
	.tx_bytes = 16 * 1024,
	.tx_seconds = 60,
};

/* No new nodes and watches; those that are there may say that a device is connected, or closed. */
static const struct limits limits_full = {
	.value = 64,
	.perms = 5,
	.events = 16,
	.event_bytes = 4 * 1024,
	.transactions = 1,
	.tx_nodes = 32,
	.tx_bytes = 2 * 1024,
	.tx_seconds = 60,
};

#endif
