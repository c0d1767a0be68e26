/* SPDX-License-Identifier: MIT */
/*
 * Paths of nodes. A canonical path is absolute, has no empty component and no trailing slash
 * ("/" alone excepted), only the characters that docs/misc/xenstore.txt allows, and at most
 * XENSTORE_ABS_PATH_MAX bytes. Everything below the requests works on canonical paths only.
 * Pure.
 */
#ifndef STORE_PATH_H
#define STORE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/io/xs_wire.h"

struct path {
	char text[XENSTORE_ABS_PATH_MAX + 1];
};

/* The home of a domain, "/local/domain/<domid>", into @path. Returns its length. */
size_t path_home(uint32_t domid, struct path *path);

/*
 * Makes @text, absolute or relative to the home of @domid, canonical. Returns 0, or -EINVAL:
 * not a path.
 */
int path_canonical(const char *text, uint32_t domid, struct path *path);

/* True for "@introduceDomain" and "@releaseDomain". */
bool path_is_special(const char *text);

/*
 * Steps through the components: *@at starts as the path, and is moved behind the component that
 * is returned with its length in *@len; NULL after the last.
 */
const char *path_next(const char **at, size_t *len);

/* Cuts the last component off. False: it was "/". */
bool path_parent(struct path *path);

/* Appends a component. False: too long, @path is unchanged. */
bool path_append(struct path *path, const char *name);

#endif
