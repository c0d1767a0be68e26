/* SPDX-License-Identifier: MIT */
/* Paths of nodes: see path.h. */
#include "store/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool char_allowed(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-/_@", c));
}

size_t path_home(uint32_t domid, struct path *path)
{
	return (size_t)snprintf(path->text, sizeof(path->text), "/local/domain/%u", domid);
}

int path_canonical(const char *text, uint32_t domid, struct path *path)
{
	size_t len = strlen(text), home = 0;

	if (!len || (text[0] != '/' && len > XENSTORE_REL_PATH_MAX))
		return -EINVAL;
	if (text[0] != '/') {
		home = path_home(domid, path);
		path->text[home++] = '/';
	}
	if (home + len > XENSTORE_ABS_PATH_MAX)
		return -EINVAL;
	if (len > 1 && text[len - 1] == '/')
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (!char_allowed(text[i]) || (text[i] == '/' && text[i + 1] == '/'))
			return -EINVAL;
	}
	memcpy(path->text + home, text, len + 1);
	return 0;
}

bool path_is_special(const char *text)
{
	return !strcmp(text, "@introduceDomain") || !strcmp(text, "@releaseDomain");
}

const char *path_next(const char **at, size_t *len)
{
	const char *name = *at;

	while (*name == '/')
		name++;
	if (!*name)
		return NULL;
	*len = strcspn(name, "/");
	*at = name + *len;
	return name;
}

bool path_parent(struct path *path)
{
	char *slash = strrchr(path->text, '/');

	if (!slash || !path->text[1])
		return false;
	slash[slash == path->text] = 0;
	return true;
}

bool path_append(struct path *path, const char *name)
{
	size_t len = strlen(path->text), add = strlen(name);

	if (len == 1)
		len = 0;
	if (len + 1 + add > XENSTORE_ABS_PATH_MAX)
		return false;
	path->text[len] = '/';
	memcpy(path->text + len + 1, name, add + 1);
	return true;
}
