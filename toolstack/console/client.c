/* SPDX-License-Identifier: MIT */
/* The client's end of a console: see client.h. */
#include "console/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_MS 20

int console_connect(uint32_t domid, unsigned int patience_ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), CONSOLE_SOCKET_DIR "/%u", domid);
	for (unsigned int waited = 0;; waited += RETRY_MS) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return -errno;
		if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return fd;
		int rc = -errno;
		close(fd);
		if (waited >= patience_ms || (rc != -ENOENT && rc != -ECONNREFUSED))
			return rc;
		usleep(RETRY_MS * 1000);
	}
}
