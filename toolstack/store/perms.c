/* SPDX-License-Identifier: MIT */
/* Permission lists: see perms.h. */
#include "store/perms.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char letters[] = "nrwb"; /* by enum store_access */

struct perms *perms_new(const struct store_perm *list, unsigned int count)
{
	struct perms *perms = malloc(sizeof(*perms) + count * sizeof(perms->list[0]));

	if (!perms)
		return NULL;
	assert(count >= 1);
	perms->refs = 1;
	perms->count = count;
	memcpy(perms->list, list, count * sizeof(list[0]));
	return perms;
}

struct perms *perms_get(struct perms *perms)
{
	perms->refs++;
	return perms;
}

void perms_put(struct perms *perms)
{
	if (perms && --perms->refs == 0)
		free(perms);
}

struct perms *perms_with_owner(const struct perms *perms, uint32_t domid)
{
	struct perms *copy = perms_new(perms->list, perms->count);

	if (copy)
		copy->list[0].domid = domid;
	return copy;
}

struct perms *perms_without(struct perms *perms, uint32_t domid)
{
	unsigned int found = 0;

	assert(perms->list[0].domid != domid);
	for (unsigned int i = 1; i < perms->count; i++)
		found += perms->list[i].domid == domid;
	if (!found)
		return perms_get(perms);
	struct perms *copy = perms_new(perms->list, perms->count);
	if (!copy)
		return NULL;
	copy->count = 0;
	for (unsigned int i = 0; i < perms->count; i++) {
		if (perms->list[i].domid != domid)
			copy->list[copy->count++] = perms->list[i];
	}
	return copy;
}

/* One entry: a letter and a domain id. */
static int perm_parse(const char *text, struct store_perm *perm)
{
	const char *letter = *text ? strchr(letters, *text) : NULL;
	uint64_t domid;

	if (!letter || wire_number(text + 1, PERMS_DOMID_END - 1, &domid))
		return -EINVAL;
	perm->domid = (uint32_t)domid;
	perm->access = (enum store_access)(letter - letters);
	return 0;
}

int perms_parse(struct wire_reader *reader, struct perms **out)
{
	struct store_perm list[PERMS_MAX];
	unsigned int count = 0;

	while (reader->left) {
		const char *text = wire_string(reader);
		if (!text || count == PERMS_MAX || perm_parse(text, &list[count++]))
			return -EINVAL;
	}
	if (!count)
		return -EINVAL;
	*out = perms_new(list, count);
	return *out ? 0 : -ENOMEM;
}

int perms_format(const struct perms *perms, struct wire_message *message)
{
	for (unsigned int i = 0; i < perms->count; i++) {
		const struct store_perm *perm = &perms->list[i];
		char text[16];
		snprintf(text, sizeof(text), "%c%u", letters[perm->access], perm->domid);
		int rc = wire_add_string(message, text);
		if (rc)
			return rc;
	}
	return 0;
}

/* The rights of one domain. */
static unsigned int rights_of(const struct perms *perms, uint32_t domid)
{
	if (perms->list[0].domid == domid)
		return STORE_BOTH;
	for (unsigned int i = 1; i < perms->count; i++) {
		if (perms->list[i].domid == domid)
			return perms->list[i].access;
	}
	return perms->list[0].access;
}

bool perms_allow(const struct perms *perms, const struct actor *actor, enum store_access access)
{
	if (actor->privileged)
		return true;
	unsigned int rights = rights_of(perms, actor->domid) | rights_of(perms, actor->target);
	return (rights & access) == access;
}

bool perms_owned(const struct perms *perms, const struct actor *actor)
{
	uint32_t owner = perms->list[0].domid;

	return actor->privileged || owner == actor->domid || owner == actor->target;
}
