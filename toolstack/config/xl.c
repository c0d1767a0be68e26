/* SPDX-License-Identifier: MIT */
/* The text of an xl configuration as settings: see config/xl.h. */
#include "config/xl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 256 };

/* Where we are. */
struct scanner {
	struct importer *importer;
	const char *at, *end;
	unsigned int line;
};

static void describe(char *text, size_t size, const struct importer *importer, unsigned int line,
		     const char *fmt, va_list args)
{
	int len = snprintf(text, size, "%s:%u: ", importer->file, line);

	if (len > 0 && (size_t)len < size)
		vsnprintf(text + len, size - (size_t)len, fmt, args);
}

int import_refuse(struct importer *importer, unsigned int line, const char *fmt, ...)
{
	char text[sizeof(importer->err->text)];
	va_list args;

	va_start(args, fmt);
	describe(text, sizeof(text), importer, line, fmt, args);
	va_end(args);
	return error_set(importer->err, ERROR_DEFINITION, "%s", text);
}

int import_warn(struct importer *importer, unsigned int line, const char *fmt, ...)
{
	const struct config_options *options = importer->options;
	char text[sizeof(importer->err->text)];
	va_list args;

	va_start(args, fmt);
	describe(text, sizeof(text), importer, line, fmt, args);
	va_end(args);
	if (options && options->strict)
		return error_set(importer->err, ERROR_DEFINITION, "%s", text);
	if (options && options->warn)
		options->warn(options->context, text);
	return 0;
}

int import_no_memory(struct importer *importer)
{
	return error_set(importer->err, ERROR_NO_MEMORY, "no memory to read %s", importer->file);
}

int import_keep(struct importer *importer, char **slot, const char *text)
{
	free(*slot);
	*slot = strdup(text);
	return *slot ? 0 : import_no_memory(importer);
}

/* ---- the text ------------------------------------------------------------------------------- */

static int peek(const struct scanner *s)
{
	return s->at < s->end ? (unsigned char)*s->at : -1;
}

static int take(struct scanner *s)
{
	int c = peek(s);

	s->line += c == '\n';
	s->at += c >= 0;
	return c;
}

/* Over white space and comments; with @lines also over the ends of lines. */
static void skip(struct scanner *s, bool lines)
{
	for (;;) {
		int c = peek(s);

		if (c == '#')
			while (peek(s) >= 0 && peek(s) != '\n')
				take(s);
		else if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n'))
			take(s);
		else
			return;
	}
}

static int refuse_here(struct scanner *s, const char *wanted)
{
	int c = peek(s);

	if (c < 0 || c == '\n')
		return import_refuse(s->importer, s->line, "the line ends where %s should be",
				     wanted);
	if (c < ' ' || c > '~')
		return import_refuse(s->importer, s->line, "byte 0x%02x where %s should be", c,
				     wanted);
	return import_refuse(s->importer, s->line, "'%c' where %s should be; xl.cfg(5) has the "
						   "syntax", c, wanted);
}

static bool is_word(int c)
{
	return isalnum(c) || c == '_';
}

/* A word of letters, digits and marks; NULL if there is no memory. */
static char *take_word(struct scanner *s)
{
	const char *start = s->at;

	while (peek(s) >= 0 && is_word(peek(s)))
		take(s);
	return strndup(start, (size_t)(s->at - start));
}

static int take_text(struct scanner *s, struct xl_value *value)
{
	int quote = take(s);
	size_t len = 0;

	value->kind = XL_TEXT;
	value->text = malloc((size_t)(s->end - s->at) + 1);
	if (!value->text)
		return import_no_memory(s->importer);
	for (;;) {
		int c = peek(s);

		if (c < 0 || c == '\n')
			return import_refuse(s->importer, s->line, "a text ends without its %c",
					     quote);
		if (c < ' ' && c != '\t')
			return import_refuse(s->importer, s->line, "byte 0x%02x in a text", c);
		take(s);
		if (c == quote)
			break;
		if (c == '\\') {
			c = take(s);
			if (c != '\\' && c != '"' && c != '\'')
				return import_refuse(s->importer, s->line,
						     "\\ in a text stands before \\, ' or \" only");
		}
		value->text[len++] = (char)c;
	}
	value->text[len] = 0;
	return 0;
}

static int take_number(struct scanner *s, struct xl_value *value)
{
	value->kind = XL_NUMBER;
	value->text = take_word(s);
	return value->text ? 0 : import_no_memory(s->importer);
}

static int take_value(struct scanner *s, struct xl_value *value, bool in_list);

static int take_list(struct scanner *s, struct xl_value *value)
{
	value->kind = XL_LIST;
	take(s);
	for (;;) {
		skip(s, true);
		if (peek(s) == ']')
			break;
		if (value->count == ITEMS_MAX)
			return import_refuse(s->importer, s->line, "a list of more than %d",
					     ITEMS_MAX);
		struct xl_value *more = reallocarray(value->items, value->count + 1, sizeof(*more));
		if (!more)
			return import_no_memory(s->importer);
		value->items = more;
		struct xl_value *item = &more[value->count++];
		*item = (struct xl_value){ 0 };
		if (take_value(s, item, true))
			return -1;
		skip(s, true);
		if (peek(s) == ',')
			take(s);
		else if (peek(s) != ']')
			return refuse_here(s, "',' or ']'");
	}
	take(s);
	return 0;
}

static int take_value(struct scanner *s, struct xl_value *value, bool in_list)
{
	int c = peek(s);

	value->line = s->line;
	if (c == '"' || c == '\'')
		return take_text(s, value);
	if (c == '[' && !in_list)
		return take_list(s, value);
	if (c >= '0' && c <= '9')
		return take_number(s, value);
	return refuse_here(s, in_list ? "a number or a text" : "a number, a text or a list");
}

static int take_setting(struct scanner *s, struct xl_settings *settings)
{
	struct xl_setting *more =
		reallocarray(settings->list, settings->count + 1, sizeof(*more));

	if (!more)
		return import_no_memory(s->importer);
	settings->list = more;
	struct xl_setting *setting = &more[settings->count++];
	*setting = (struct xl_setting){ .key = NULL };
	if (!isalpha(peek(s)) && peek(s) != '_')
		return refuse_here(s, "the name of a setting");
	setting->key = take_word(s);
	if (!setting->key)
		return import_no_memory(s->importer);
	skip(s, false);
	if (peek(s) != '=')
		return refuse_here(s, "'='");
	take(s);
	skip(s, false);
	if (take_value(s, &setting->value, false))
		return -1;
	skip(s, false);
	if (peek(s) == ';')
		take(s);
	else if (peek(s) >= 0 && peek(s) != '\n')
		return refuse_here(s, "the end of the line");
	return 0;
}

int xl_read(struct importer *importer, const char *text, size_t len, struct xl_settings *settings)
{
	struct scanner s = { .importer = importer, .at = text, .end = text + len, .line = 1 };

	*settings = (struct xl_settings){ 0 };
	for (skip(&s, true); peek(&s) >= 0; skip(&s, true)) {
		if (take_setting(&s, settings)) {
			xl_free(settings);
			return -1;
		}
	}
	return 0;
}

void xl_free_value(struct xl_value *value)
{
	for (size_t i = 0; i < value->count; i++)
		free(value->items[i].text);
	free(value->items);
	free(value->text);
}

void xl_free(struct xl_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		free(settings->list[i].key);
		xl_free_value(&settings->list[i].value);
	}
	free(settings->list);
	*settings = (struct xl_settings){ 0 };
}

char *import_piece(char **text, char separator)
{
	char *piece = *text + strspn(*text, " \t");
	char *end = strchr(piece, separator);

	*text = end ? end + 1 : NULL;
	if (end)
		*end = 0;
	for (size_t len = strlen(piece); len && strchr(" \t", piece[len - 1]); len--)
		piece[len - 1] = 0;
	return piece;
}
