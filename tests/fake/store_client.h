/* SPDX-License-Identifier: MIT */
/*
 * A store in this process, in place of toolstack/store/client.c: nodes, their permissions,
 * transactions that can be forgotten, introduced domains. Watches never fire. Every call can be
 * made to fail. For one thread.
 */
#ifndef FAKE_STORE_CLIENT_H
#define FAKE_STORE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* Forget all. */
void fake_store_reset(void);

/*
 * The n-th call from now on (1 is the next) fails with -ENOSPC; 0: none does. Removing never fails.
 */
void fake_store_fail_at(unsigned n);
bool fake_store_failed(void);

/* The value of a node, NULL if there is none; how many there are; who may do what, as "n0,r1". */
const char *fake_store_value(const char *path);
size_t fake_store_count(void);
const char *fake_store_perms(const char *path);

/* Is the domain introduced? */
bool fake_store_introduced(unsigned domid);

#endif
