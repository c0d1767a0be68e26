/* SPDX-License-Identifier: MIT */
/* A set of definitions from files and folders, as people keep them under version control. */
#ifndef CONFIG_SET_H
#define CONFIG_SET_H

#include "config/config.h"
#include "lib/error.h"

struct config_file {
	char *path;
	struct vm_config config;
};

struct config_set {
	struct config_file *files; /* no two have the same name or uuid */
	size_t count;
};

/*
 * Read the files that paths name: of a folder all NAME.xml in it (not of folders below, nor hidden
 * ones), in the order of their names; "-" is standard input. All files are read even if one is
 * wrong: every error but the last is given to complain, the last one is *err, and the result -1
 * with an empty set. No definition at all is an error, too. options may be NULL.
 */
int config_set_load(struct config_set *set, char *const *paths, size_t nr_paths,
		    const struct config_options *options,
		    void (*complain)(void *context, const struct error *err), void *context,
		    struct error *err);

void config_set_free(struct config_set *set);

#endif
