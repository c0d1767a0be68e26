/* SPDX-License-Identifier: MIT */
/*
 * Nodes of a domain, written in one transaction: between writer_run()'s start and end the first
 * error stops all that follow. Xen's docs/misc/xenstore-paths says which nodes there are.
 */
#ifndef VM_WRITER_H
#define VM_WRITER_H

#include <stdint.h>

struct store_client;

enum { WRITER_BASE = 88 };

struct writer {
	struct store_client *store;
	uint32_t tx;
	uint32_t domid;		/* whose nodes they are */
	char base[WRITER_BASE];	/* the folder that names are below */
	int rc;			/* 0, or the first error */
};

/* Who may do what with a node; its children inherit. */
enum writer_owner {
	OF_DOMAIN0,	/* Domain-0's, the domain may read */
	OF_GUEST,	/* the domain's, who may write */
	OF_FRONT_END,	/* the domain's, Domain-0 may read */
};

/*
 * Call write with a transaction, and again if another's came between. 0 or -errno: nothing is
 * written then.
 */
int writer_run(struct store_client *store, uint32_t domid,
	       void (*write)(struct writer *w, const void *context), const void *context);

void writer_base(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void writer_put(struct writer *w, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Make a node, "" for the folder itself. */
void writer_make(struct writer *w, const char *name, enum writer_owner owner);

#endif
