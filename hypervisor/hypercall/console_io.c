/* SPDX-License-Identifier: MIT */
/* console_io(cmd, count, buffer): the machine's console is the control domain's; others may write
 * to the log in small pieces. */
#include "abi/errno.h"
#include "abi/xen.h"
#include "console/console.h"
#include "console/log.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"

#define PIECE 128

static int64_t control_write(guest_ptr_t from, unsigned count)
{
	char buf[PIECE];

	for (unsigned done = 0; done < count; done += min(count - done, PIECE + 0u)) {
		unsigned n = min(count - done, PIECE + 0u);

		if (copy_from_guest(buf, guest_ptr_at(from, done, 1), n))
			return -EFAULT;
		console_write(buf, n);
	}
	return 0;
}

/* A guest's text, a line at a time, what can't be printed left out; guest_loglvl= and its rate
 * limit apply. */
static int64_t guest_write(const struct domain *d, guest_ptr_t from, unsigned count)
{
	char buf[PIECE], line[PIECE + 1];
	unsigned length = 0;

	for (unsigned done = 0; done < count; done += min(count - done, PIECE + 0u)) {
		unsigned n = min(count - done, PIECE + 0u);

		if (copy_from_guest(buf, guest_ptr_at(from, done, 1), n))
			return -EFAULT;
		for (unsigned i = 0; i < n; i++) {
			if (buf[i] >= ' ' && buf[i] < 127)
				line[length++] = buf[i];
			if (length && (buf[i] == '\n' || length == PIECE)) {
				line[length] = 0;
				log_guest(LOG_INFO, d->id, "%s", line);
				length = 0;
			}
		}
	}
	line[length] = 0;
	if (length)
		log_guest(LOG_INFO, d->id, "%s", line);
	return 0;
}

static int64_t control_read(guest_ptr_t to, unsigned count)
{
	char buf[PIECE];
	size_t n = console_read(buf, min(count, PIECE + 0u));

	return copy_to_guest(to, buf, n) ? -EFAULT : (int64_t)n;
}

int64_t hypercall_console_io(struct hypercall *c)
{
	const struct domain *d = c->vcpu->domain;
	guest_ptr_t buffer = { c->arg[2] };
	/* The ABI lets a call do less only for reads; one of more than this is nobody's honest
	 * text. */
	unsigned count = (unsigned)min(c->arg[1], 16384ull);

	switch ((int)c->arg[0]) {
	case CONSOLEIO_write:
		return d->privileged ? control_write(buffer, count) : guest_write(d, buffer, count);
	case CONSOLEIO_read:
		return d->privileged ? control_read(buffer, count) : -EPERM;
	default:
		return -ENOSYS;
	}
}
