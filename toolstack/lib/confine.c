/* SPDX-License-Identifier: MIT */
/* Giving up privileges: see confine.h. */
#include "lib/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void confine_keep(const unsigned *kept, size_t n)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t keep = 0;

	for (size_t i = 0; i < n; i++)
		keep |= UINT64_C(1) << kept[i];
	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (!(keep >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	data[0].effective = data[0].permitted = (uint32_t)keep;
	data[1].effective = data[1].permitted = (uint32_t)(keep >> 32);
	syscall(SYS_capset, &header, data);
}

void confine_self(void)
{
	confine_keep(NULL, 0);
}

void confine_expendable(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "0", 1);
	close(fd);
}
