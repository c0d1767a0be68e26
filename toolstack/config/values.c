/* SPDX-License-Identifier: MIT */
/*
 * Texts of the XML as values, and uuids: see reader.h and config.h. Pure, but for the random
 * numbers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "config/reader.h"

/* libvirt's units (formatdomain, memory allocation), in any case: bytes in one. */
static const struct {
	const char *name;
	uint64_t bytes;
} units[] = {
	{ "b", 1 },		    { "byte", 1 },	  { "bytes", 1 },
	{ "KB", 1000 },		    { "k", 1024 },	  { "KiB", 1024 },
	{ "MB", 1000000 },	    { "M", 1 << 20 },	  { "MiB", 1 << 20 },
	{ "GB", 1000000000 },	    { "G", 1 << 30 },	  { "GiB", 1 << 30 },
	{ "TB", 1000000000000 },    { "T", 1ull << 40 },  { "TiB", 1ull << 40 },
	{ "PB", 1000000000000000 }, { "P", 1ull << 50 },  { "PiB", 1ull << 50 },
	{ "EB", 1000000000000000000 }, { "E", 1ull << 60 }, { "EiB", 1ull << 60 },
};

static const char *const actions[] = {
	[VM_ACTION_DESTROY] = "destroy",
	[VM_ACTION_RESTART] = "restart",
	[VM_ACTION_PRESERVE] = "preserve",
	[VM_ACTION_COREDUMP_DESTROY] = "coredump-destroy",
	[VM_ACTION_COREDUMP_RESTART] = "coredump-restart",
};

int value_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
			return -EINVAL;
	}
	if (number < min || number > max)
		return -EINVAL;
	*value = number;
	return 0;
}

int value_memory(const char *text, const char *unit, uint64_t *kib)
{
	uint64_t number, bytes = 0;

	if (!unit)
		unit = "KiB";
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && !bytes; i++) {
		if (!strcasecmp(unit, units[i].name))
			bytes = units[i].bytes;
	}
	if (!bytes || value_number(text, 0, UINT64_MAX, &number))
		return -EINVAL;
	if (__builtin_mul_overflow(number, bytes, &bytes) || bytes > UINT64_MAX - 1023)
		return -EINVAL;
	*kib = (bytes + 1023) / 1024;
	return 0;
}

int config_parse_memory(const char *text, uint64_t *kib)
{
	size_t digits = strspn(text, "0123456789");
	char number[24];

	if (!digits || digits >= sizeof(number) || !text[digits])
		return -EINVAL;
	memcpy(number, text, digits);
	number[digits] = 0;
	if (value_memory(number, text + digits, kib) || *kib < CONFIG_MEMORY_MIN_KIB ||
	    *kib > CONFIG_MEMORY_MAX_KIB)
		return -EINVAL;
	*kib = (*kib + 3) & ~UINT64_C(3);
	return 0;
}

bool value_is_line(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 127)
			return false;
	}
	return true;
}

static bool is_word(const char *text, size_t max, const char *others)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(text);

	if (!len || len > max || !strchr(letters, text[0]))
		return false;
	while (*text && (strchr(letters, *text) || strchr(others, *text)))
		text++;
	return !*text;
}

bool config_is_name(const char *text)
{
	return value_is_name(text);
}

bool config_is_link(const char *text)
{
	return value_is_link(text);
}

bool value_is_name(const char *text)
{
	return is_word(text, CONFIG_NAME_MAX, "._+:@-");
}

bool value_is_link(const char *text)
{
	return is_word(text, 15, "._-");
}

bool value_is_path(const char *text)
{
	return text[0] == '/' && text[1] && value_is_line(text);
}

int value_action(const char *text, enum vm_action *action)
{
	for (unsigned int i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (!strcmp(text, actions[i])) {
			*action = (enum vm_action)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *config_action_name(enum vm_action action)
{
	return actions[action];
}

int config_make_uuid(uint8_t uuid[16])
{
	if (getrandom(uuid, 16, 0) != 16)
		return -errno;
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	return 0;
}

void config_format_uuid(const uint8_t uuid[16], char text[CONFIG_UUID_TEXT])
{
	for (unsigned int i = 0; i < 16; i++) {
		bool hyphen = i == 4 || i == 6 || i == 8 || i == 10;
		text += sprintf(text, "%s%02x", hyphen ? "-" : "", uuid[i]);
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int config_parse_uuid(const char *text, uint8_t uuid[16])
{
	for (unsigned int i = 0; i < 16; i++) {
		if (i && *text == '-')
			text++;
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return -EINVAL;
		uuid[i] = (uint8_t)(high * 16 + low);
		text += 2;
	}
	return *text ? -EINVAL : 0;
}
