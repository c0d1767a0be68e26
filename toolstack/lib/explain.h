/* SPDX-License-Identifier: MIT */
/* What the codes of error.h mean to a person: a name, the causes there can be, what to do. */
#ifndef LIB_EXPLAIN_H
#define LIB_EXPLAIN_H

#include <stddef.h>

#include "lib/error.h"

struct explanation {
	enum error_code code;
	const char *name;	/* as stable as the number */
	const char *summary;	/* what it is, in a few words */
	const char *cause;
	const char *remedy;
};

/* All codes, by number. */
extern const struct explanation explanations[];
extern const size_t nr_explanations;

/* The one called text: "8", "E8" or "state". NULL if there is none. */
const struct explanation *explain_find(const char *text);

/* The stable name of a code, "unknown" if it has none. */
const char *explain_name(enum error_code code);

#endif
