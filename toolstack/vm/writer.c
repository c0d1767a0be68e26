/* SPDX-License-Identifier: MIT */
/* Nodes of a domain in one transaction: see writer.h. */
#include "vm/writer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/client.h"

enum { PATH = WRITER_BASE + 40, VALUE = 2048, ATTEMPTS = 50 };

void writer_base(struct writer *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(w->base, sizeof(w->base), fmt, args);
	va_end(args);
}

void writer_put(struct writer *w, const char *name, const char *fmt, ...)
{
	char path[PATH], value[VALUE];
	va_list args;
	int len;

	if (w->rc)
		return;
	snprintf(path, sizeof(path), "%s/%s", w->base, name);
	va_start(args, fmt);
	len = vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	w->rc = len < VALUE ? store_write(w->store, w->tx, path, value, (size_t)len) : -E2BIG;
}

void writer_make(struct writer *w, const char *name, enum writer_owner owner)
{
	const struct store_perm perms[][2] = {
		[OF_DOMAIN0] = { { 0, STORE_NONE }, { w->domid, STORE_READ } },
		[OF_GUEST] = { { w->domid, STORE_NONE } },
		[OF_FRONT_END] = { { w->domid, STORE_NONE }, { 0, STORE_READ } },
	};
	char path[PATH];

	if (w->rc)
		return;
	snprintf(path, sizeof(path), "%s%s%s", w->base, *name ? "/" : "", name);
	w->rc = store_mkdir(w->store, w->tx, path);
	if (!w->rc)
		w->rc = store_set_perms(w->store, w->tx, path, perms[owner],
					owner == OF_GUEST ? 1 : 2);
}

static int run_once(struct store_client *store, uint32_t domid,
		    void (*write)(struct writer *w, const void *context), const void *context)
{
	struct writer w = { .store = store, .domid = domid };
	int rc = store_tx_start(store, &w.tx);

	if (rc)
		return rc;
	write(&w, context);
	rc = store_tx_end(store, w.tx, w.rc == 0);
	return w.rc ? w.rc : rc;
}

int writer_run(struct store_client *store, uint32_t domid,
	       void (*write)(struct writer *w, const void *context), const void *context)
{
	int rc = -EAGAIN;

	for (int i = 0; i < ATTEMPTS && rc == -EAGAIN; i++)
		rc = run_once(store, domid, write, context);
	return rc;
}
