/* SPDX-License-Identifier: MIT */
/* Who may do what with a node: the words that client and daemon share. Data only. */
#ifndef STORE_ACCESS_H
#define STORE_ACCESS_H

#include <stdint.h>

/* What a domain may do with a node (docs/misc/xenstore.txt, GET_PERMS). */
enum store_access {
	STORE_NONE = 0,
	STORE_READ = 1,
	STORE_WRITE = 2,
	STORE_BOTH = 3,
};

/*
 * One entry of a node's permission list. The first entry names the owner (who may do
 * everything), and its access is that of all domains without an entry of their own.
 */
struct store_perm {
	uint32_t domid;
	enum store_access access;
};

#endif
