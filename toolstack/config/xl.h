/* SPDX-License-Identifier: MIT */
/*
 * Inside config/: configurations of xl and xm (xl.cfg(5)). xl_read() makes a list of settings of
 * the text; import.c looks each of them up in a table and refuses what it does not find, as the
 * reader of XML does. A setting is KEY = VALUE; a value a number, a text in quotes or a list.
 * (Those of xm that are programs in Python are refused where they are more than that.)
 */
#ifndef CONFIG_XL_H
#define CONFIG_XL_H

#include "config/config.h"
#include "lib/error.h"

enum xl_kind { XL_NUMBER, XL_TEXT, XL_LIST };

struct xl_value {
	enum xl_kind kind;
	unsigned int line;
	char *text;		/* of a number as it was written; NULL for a list */
	struct xl_value *items; /* of a list: numbers and texts */
	size_t count;
};

struct xl_setting {
	char *key;
	struct xl_value value;
};

struct xl_settings {
	struct xl_setting *list;
	size_t count;
};

/* What is being imported. */
struct importer {
	const char *file;
	const struct config_options *options;
	struct vm_config *cfg;
	struct error *err;
};

/* Reads @len bytes at @text. Returns 0, or -1 with the error "file:line: ..." set. */
int xl_read(struct importer *importer, const char *text, size_t len, struct xl_settings *settings);
void xl_free(struct xl_settings *settings);
void xl_free_value(struct xl_value *value);

/* Sets the error "file:line: ..." (ERROR_DEFINITION). Returns -1. */
int import_refuse(struct importer *importer, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Tells a warning, or refuses when reading strictly. */
int import_warn(struct importer *importer, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int import_no_memory(struct importer *importer);
/* Keeps a copy of @text in *@slot, in place of what was there. */
int import_keep(struct importer *importer, char **slot, const char *text);

/* One disk, one network interface, as their text says. They are added to the guest. */
int import_disk(struct importer *importer, const struct xl_value *value);
int import_vif(struct importer *importer, const struct xl_value *value);

/*
 * The next piece of a text up to @separator, without white space around: *@text moves behind the
 * separator, or becomes NULL after the last one. The text is cut up by it.
 */
char *import_piece(char **text, char separator);

#endif
