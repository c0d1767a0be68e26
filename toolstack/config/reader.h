/* SPDX-License-Identifier: MIT */
/*
 * Inside config/: the reader of domain XML. What we support is a table of elements
 * (elements.c); the walker (parse.c) looks every element, attribute and piece of text up in it
 * and refuses what it does not find. So support for something new is a row and a handler, and
 * nothing can be ignored by omission.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include <libxml/tree.h>
#include <stdio.h>

#include "config/config.h"
#include "lib/error.h"

/* What an element may have. */
enum {
	ELEMENT_ONCE = 1,     /* at most one of it in its parent */
	ELEMENT_REQUIRED = 2, /* and at least one */
	ELEMENT_TEXT = 4,     /* has text, given to the handler */
	ELEMENT_OPAQUE = 8,   /* whatever is in it is the handler's */
	ELEMENT_WARN = 16,    /* accepted without effect, with all that is in it; says so */
	ELEMENT_STRIP = 32,   /* white space around the text has no meaning */
};

struct network_config;
struct element;

struct reader {
	const char *file;
	const struct config_options *options;
	const struct element *table; /* parents before children */
	unsigned int rows;
	/* Called when all was read: what must fit together. */
	int (*check)(struct reader *reader, const xmlNode *root);
	struct vm_config *cfg;	     /* what is filled: one of these */
	struct network_config *net;
	struct error *err;
	unsigned int
		*seen; /* per row of the table: how many of it in the parent that is being read */
	int64_t cap_quota, cap_period; /* of <cputune>, in microseconds; 0: not given */
};

/* A value that is allowed for an attribute, or a handler for any. */
struct attribute {
	const char *name;
	bool required;
	bool warn;	   /* accepted without effect; says so */
	const char *value; /* the one that is supported, or NULL: the handler's */
	int (*handle)(struct reader *reader, const xmlNode *node, const char *value);
};

struct element {
	const char *path; /* "domain/os/type" */
	unsigned int flags;
	const struct attribute *attributes; /* up to one without a name, or NULL: none */
	/* Called after the attributes with the element's text, or "". May be NULL. */
	int (*handle)(struct reader *reader, xmlNode *node, const char *text);
	const char *remark; /* of ELEMENT_WARN: why it has no effect */
};

/* The table of the domain XML, and how many rows it has. */
extern const struct element elements[];
extern const unsigned int n_elements;

/* Devices in the table: disk.c and interface.c. */
extern const struct attribute disk_attributes[], disk_driver_attributes[], disk_source_attributes[],
	disk_target_attributes[], interface_attributes[], interface_source_attributes[],
	interface_mac_attributes[], interface_target_attributes[], interface_model_attributes[],
	interface_outbound_attributes[];
int disk_start(struct reader *reader, xmlNode *node, const char *text);
int disk_readonly(struct reader *reader, xmlNode *node, const char *text);
int disk_shareable(struct reader *reader, xmlNode *node, const char *text);
int interface_start(struct reader *reader, xmlNode *node, const char *text);
/* What must fit together in each of them, and between them. */
int disks_check(struct reader *reader, const xmlNode *root);
int interfaces_check(struct reader *reader, const xmlNode *root);

/* ---- boot.c: what the guest starts with ---- */
int boot_bootloader(struct reader *reader, xmlNode *node, const char *text);
int boot_bootloader_args(struct reader *reader, xmlNode *node, const char *text);
int boot_check(struct reader *reader, const xmlNode *root);

/* Keeps a copy of @text in *@slot. Returns 0 or -1 with the error set. */
int reader_keep(struct reader *reader, char **slot, const char *text);

/* What every description has: a name, kept in *@slot, and a uuid. Returns 0 or -1. */
int reader_name(struct reader *reader, const xmlNode *node, const char *text, char **slot);
int reader_uuid(struct reader *reader, const xmlNode *node, const char *text, uint8_t uuid[16],
		bool *has);

/*
 * The place of @text among @words, which end with NULL; others are refused, with the words that are
 * possible. Returns 0 or -1.
 */
int reader_word(struct reader *reader, const xmlNode *node, const char *attribute, const char *text,
		const char *const *words, unsigned int *which);

/* A handler of attributes whose element reads them. */
int attribute_is_read_later(struct reader *reader, const xmlNode *node, const char *value);

/* The element @name of the root, for the line of a message; NULL if there is none. */
const xmlNode *child_named(const xmlNode *root, const char *name);

/* The @index-th device @name in <devices>, for the line of a message. */
const xmlNode *device_node(const xmlNode *root, const char *name, unsigned int index);

int elements_check(struct reader *reader, const xmlNode *root);

/* Sets the error "file:line: ..." (ERROR_DEFINITION). Returns -1. */
int reader_refuse(struct reader *reader, const xmlNode *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Sets the error ERROR_NO_MEMORY. Returns -1. */
int reader_no_memory(struct reader *reader);

/* Tells a warning, or refuses when reading strictly. Returns 0 or -1. */
int reader_warn(struct reader *reader, const xmlNode *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Reads @len bytes of XML at @text by the reader's table. Returns 0 or -1. */
int reader_parse(struct reader *reader, const char *text, size_t len);

/* ---- tune.c: <cputune>, and <vcpu>'s cpuset; handlers for the table ---- */

extern const struct attribute vcpupin_attributes[];
int tune_cpuset(struct reader *reader, const xmlNode *node, const char *value);
int tune_shares(struct reader *reader, xmlNode *node, const char *text);
int tune_period(struct reader *reader, xmlNode *node, const char *text);
int tune_quota(struct reader *reader, xmlNode *node, const char *text);
int tune_vcpupin(struct reader *reader, xmlNode *node, const char *text);
/* What must fit together: quota and period, pins and vCPUs. Returns 0 or -1. */
int tune_check(struct reader *reader, const xmlNode *root);

/* ---- dump.c: what put() writes of @config, as text to be freed. 0 or -ENOMEM ---- */
int dump_text(void (*put)(FILE *out, const void *config), const void *config, char **text,
	      size_t *len);

/* ---- values.c: texts as values; pure ---- */

/*
 * An amount of memory in @unit (libvirt's: b, bytes, KB, k, KiB, ...; NULL: KiB), rounded up to
 * KiB. 0 or -EINVAL.
 */
int value_memory(const char *text, const char *unit, uint64_t *kib);

/* A decimal number from @min to @max. 0 or -EINVAL. */
int value_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/* A guest's name: 1 to CONFIG_NAME_MAX of [A-Za-z0-9._+:@-], first a letter or digit. */
bool value_is_name(const char *text);

/* Whether it is an absolute path of one line. */
bool value_is_path(const char *text);

/* A network link's name: 1 to 15 of [A-Za-z0-9._-], first a letter or digit. */
bool value_is_link(const char *text);

/* Whether it has no control characters. */
bool value_is_line(const char *text);

/* An action by its word. 0 or -EINVAL. */
int value_action(const char *text, enum vm_action *action);

#endif
