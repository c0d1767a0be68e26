/* SPDX-License-Identifier: MIT */
/* Guests in a loop: see daemon/restarts.h. */
#include "daemon/restarts.h"

#include <string.h>

static struct restart *find(struct restarts *restarts, const uint8_t uuid[16])
{
	for (size_t i = 0; i < restarts->count; i++) {
		if (!memcmp(restarts->guest[i].uuid, uuid, 16))
			return &restarts->guest[i];
	}
	return NULL;
}

bool restarts_is_loop(struct restarts *restarts, const uint8_t uuid[16], long now_ms)
{
	const struct restart *guest = find(restarts, uuid);

	return guest && guest->quick >= RESTARTS_PATIENCE &&
	       now_ms - guest->at_ms < RESTARTS_QUICK_MS;
}

/* A place for one more: a new one, or that of the guest that restarted longest ago. */
static struct restart *make_place(struct restarts *restarts)
{
	struct restart *oldest = &restarts->guest[0];

	if (restarts->count < RESTARTS_MAX)
		return &restarts->guest[restarts->count++];
	for (size_t i = 1; i < restarts->count; i++) {
		if (restarts->guest[i].at_ms < oldest->at_ms)
			oldest = &restarts->guest[i];
	}
	return oldest;
}

void restarts_note(struct restarts *restarts, const uint8_t uuid[16], long now_ms)
{
	struct restart *guest = find(restarts, uuid);

	if (!guest) {
		guest = make_place(restarts);
		memcpy(guest->uuid, uuid, 16);
		guest->quick = 0;
	} else if (now_ms - guest->at_ms < RESTARTS_QUICK_MS) {
		guest->quick++;
	} else {
		guest->quick = 0;
	}
	guest->at_ms = now_ms;
}
