/* SPDX-License-Identifier: MIT */
/* Waiting for the host's start: see await.h. */
#include "vm/await.h"

#include <stdbool.h>
#include <unistd.h>

#include "lib/error.h"

#define LOOK_MS 100

const char *vm_host_starting_file = "/run/enso/starting";
const char *vm_host_ready_file = "/run/enso/host-ready";

static bool is_ready(void)
{
	return access(vm_host_ready_file, F_OK) == 0 || access(vm_host_starting_file, F_OK);
}

int vm_await_host(unsigned int timeout_ms, void (*waiting)(void), struct error *err)
{
	if (is_ready())
		return 0;
	if (waiting)
		waiting();
	for (unsigned int waited = 0; waited < timeout_ms; waited += LOOK_MS) {
		usleep(LOOK_MS * 1000);
		if (is_ready())
			return 0;
	}
	return error_set(err, ERROR_TIMEOUT,
			 "this host has not finished its start within %u s: /var/log/hardware.log "
			 "tells how far it is; repeat this when %s is there",
			 timeout_ms / 1000, vm_host_ready_file);
}
