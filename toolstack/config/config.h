/* SPDX-License-Identifier: MIT */
/*
 * What a person says of a guest: libvirt's domain XML (<domain type='xen'>, the PV subset of
 * enso-xml(5)) read into a struct vm_config, and written from one.
 *
 * Invariant: a struct vm_config that config_parse() has filled is complete and within the
 * limits below; what the XML said and we don't support was refused, with file:line, its name
 * and what is possible. Nothing is ignored in silence: what is harmless and without effect is a
 * warning. No locks, no globals, no network, no entities.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Limits. The command line's is MAX_GUEST_CMDLINE of the ABI's struct start_info, less its NUL. */
enum {
	CONFIG_NAME_MAX = 63,
	CONFIG_CMDLINE_MAX = 1023,
	CONFIG_VCPUS_MAX = 512,
	CONFIG_MEMORY_MIN_KIB = 1024,
	CONFIG_TEXT_MAX = 1 << 20, /* bytes of XML */
	CONFIG_UUID_TEXT = 37,	   /* a uuid as text, with its NUL */
};
#define CONFIG_MEMORY_MAX_KIB (UINT64_C(16) << 30) /* 16 TiB */

/* What happens when the guest powers off, reboots or crashes. */
enum vm_action {
	VM_ACTION_DESTROY,  /* free everything */
	VM_ACTION_RESTART,  /* destroy, then create it again from its definition */
	VM_ACTION_PRESERVE, /* keep the dead domain, to be looked at */
};

/* A guest. Strings are malloc'd; NULL where the XML said nothing. */
struct vm_config {
	char *name;	     /* fit for a file name, see value_is_name() */
	bool has_uuid;	     /* false: whoever creates the guest calls config_make_uuid() */
	uint8_t uuid[16];    /* in the order in which it is printed */
	char *title;	     /* one line for people */
	char *description;
	char *metadata;	     /* <metadata>...</metadata> as written, without meaning for us */

	uint64_t memory_kib;	     /* most that it may ever have, KiB, a multiple of 4 */
	uint64_t current_memory_kib; /* what it starts with, KiB, a multiple of 4, <= memory_kib */
	unsigned int vcpus_max;	     /* 1..CONFIG_VCPUS_MAX */
	unsigned int vcpus;	     /* online at the start, 1..vcpus_max */

	char *kernel;  /* absolute path, never NULL */
	char *initrd;  /* absolute path */
	char *cmdline; /* at most CONFIG_CMDLINE_MAX bytes */

	enum vm_action on_poweroff; /* default: destroy */
	enum vm_action on_reboot;   /* default: restart */
	enum vm_action on_crash;    /* default: destroy */
};

/* How to read. All zero is a good start: warnings are dropped then. */
struct config_options {
	bool strict; /* a warning is an error */
	/* Called with each warning, "file:line: text" without a newline. */
	void (*warn)(void *context, const char *text);
	void *context;
};

/*
 * Reads @len bytes of XML at @text into @cfg; @file names them in messages. Returns 0, or -1
 * with *@err set and @cfg empty (config_free() is allowed, not needed). @options may be NULL.
 */
int config_parse(struct vm_config *cfg, const char *text, size_t len, const char *file,
		 const struct config_options *options, struct error *err);

/* The same for the file @path; "-" is standard input. */
int config_load(struct vm_config *cfg, const char *path, const struct config_options *options,
		struct error *err);

/*
 * Writes @cfg as XML that config_parse() reads to an equal one: *@text is malloc'd, *@len bytes
 * and a NUL. Returns 0 or -ENOMEM.
 */
int config_dump(const struct vm_config *cfg, char **text, size_t *len);

/* Frees what @cfg holds and leaves it all zero. */
void config_free(struct vm_config *cfg);

/* Makes a random (version 4) uuid. Returns 0 or -errno. */
int config_make_uuid(uint8_t uuid[16]);

/* Prints @uuid as 8-4-4-4-12 hexadecimal digits into @text. */
void config_format_uuid(const uint8_t uuid[16], char text[CONFIG_UUID_TEXT]);

/*
 * Reads a uuid as people write it: 32 hexadecimal digits, hyphens between bytes allowed.
 * Returns 0 or -EINVAL.
 */
int config_parse_uuid(const char *text, uint8_t uuid[16]);

/* Whether it is a guest's name: 1 to CONFIG_NAME_MAX of [A-Za-z0-9._+:@-], first no mark. */
bool config_is_name(const char *text);

/* The XML's word for an action: "destroy", "restart", "preserve". */
const char *config_action_name(enum vm_action action);

#endif
