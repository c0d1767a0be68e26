/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the journal's file, framed as they are or with frames made around them: refused
 * or read, but the store that comes out is consistent.
 *
 * Links: tests/unit/toolstack/store/harness.c toolstack/store/wire.c toolstack/store/path.c
 * Links: toolstack/store/perms.c toolstack/store/tree.c toolstack/store/change.c
 * Links: toolstack/store/watch.c toolstack/store/transaction.c toolstack/store/connection.c
 * Links: toolstack/store/record.c toolstack/store/store.c toolstack/store/domain.c
 * Links: toolstack/store/request.c toolstack/store/request_node.c toolstack/store/request_watch.c
 * Links: toolstack/store/request_domain.c toolstack/store/state.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unit/toolstack/store/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct harness h;
	size_t used;

	harness_start(&h);
	store_replay(h.store, (const char *)data, size, &used);
	if (size) {
		char *framed = malloc(size + RECORD_FRAME_HEAD);
		record_frame_head((const char *)data, size, framed);
		memcpy(framed + RECORD_FRAME_HEAD, data, size);
		store_replay(h.store, framed, size + RECORD_FRAME_HEAD, &used);
		free(framed);
	}
	if (!harness_check(&h))
		abort();
	harness_stop(&h);
	return 0;
}
