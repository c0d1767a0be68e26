/* SPDX-License-Identifier: MIT */
/*
 * Errors as people and scripts see them: a stable code, which is the exit code of the enso command,
 * and one line that says what is wrong and what to do. The numbers are listed in enso(1) and never
 * change their meaning. No allocation, no lock; a struct error belongs to its caller.
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

enum error_code {
	ERROR_NONE = 0,
	ERROR_FAILED = 1,      /* something that has no code of its own */
	ERROR_USAGE = 2,       /* wrong arguments on the command line */
	ERROR_DEFINITION = 3,  /* the guest's XML: malformed, unsupported or contradictory */
	ERROR_KERNEL = 4,      /* kernel or initrd: missing, truncated, hostile, not for PV */
	ERROR_NO_MEMORY = 5,   /* the host (or this process) has no memory left for it */
	ERROR_EXISTS = 6,      /* name or uuid in use */
	ERROR_NO_DOMAIN = 7,   /* no such domain */
	ERROR_STATE = 8,       /* the domain is not in a state in which this is possible */
	ERROR_TIMEOUT = 9,     /* the guest or a daemon did not answer in time */
	ERROR_PERMISSION = 10, /* not root, or refused by the hypervisor */
	ERROR_NO_HOST = 11, /* not in the control domain of a hypervisor, or a device is missing */
	ERROR_STORE = 12,   /* the xenstore daemon cannot be reached, or refuses */
	ERROR_FILE = 13,    /* a file cannot be read or written: missing, full disk, ... */
	ERROR_HYPERCALL = 14, /* the hypervisor refused an operation that should work */
	ERROR_DEVICE = 15,    /* a disk or interface: what lies behind it, or its back end */
	ERROR_SAVE_FILE = 16, /* a save file that is truncated, damaged, or none */
	ERROR_NO_NETWORK = 17, /* no such network */
};

struct error {
	enum error_code code;
	char text[512];
};

/*
 * Record an error. An error that was recorded before is replaced. err may be NULL.
 * Always returns -1, so that "return error_set(...)" is the whole failure path.
 */
int error_set(struct error *err, enum error_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* -errno is what a file came to: "PATH: WHY". Always -1. */
int error_file(const char *path, int rc, struct error *err);

/* The text of a negative errno value, as -ENOMEM. Valid until the next call in this thread. */
const char *error_text(int negative_errno);

#endif
