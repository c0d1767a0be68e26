/* SPDX-License-Identifier: MIT */
/* See golden.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <stdlib.h>
#include <string.h>

#include "unit/support/golden.h"

enum { TEXT_MAX = 1 << 21 };

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

char *golden_read(const char *path, size_t *len)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, TEXT_MAX);

	if (!file)
		fail_msg("no %s", path);
	*len = fread(text, 1, TEXT_MAX - 1, file);
	fclose(file);
	return text;
}

void golden_warning(void *context, const char *text)
{
	fprintf(context, "warning: %s\n", text);
}

static void compare(const char *path, const char *got, size_t len)
{
	char golden[256];
	size_t wanted_len;

	snprintf(golden, sizeof(golden), "%.*s.out", (int)(strrchr(path, '.') - path), path);
	if (getenv("GOLDEN_WRITE")) {
		FILE *file = fopen(golden, "w");

		fwrite(got, 1, len, file);
		fclose(file);
		return;
	}
	char *wanted = golden_read(golden, &wanted_len);
	if (wanted_len != len || memcmp(wanted, got, len))
		fail_msg("%s:\n%s\n--- wanted:\n%s", path, got, wanted);
	free(wanted);
}

void golden_check(const char *pattern, size_t more,
		  void (*put)(FILE *out, const char *name, const char *text, size_t len))
{
	glob_t files;

	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	assert_true(files.gl_pathc > more);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		size_t len, got_len;
		char *got, *text = golden_read(path, &len);
		FILE *out = open_memstream(&got, &got_len);

		put(out, name_of(path), text, len);
		fclose(out);
		compare(path, got, got_len);
		free(got);
		free(text);
	}
	globfree(&files);
}

static void on_schema_error(void *context, const char *fmt, ...)
{
	(void)context;
	(void)fmt;
}

static bool schema_accepts(xmlRelaxNG *schema, const char *path)
{
	xmlDoc *doc = xmlReadFile(path, NULL, XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt(schema);
	bool accepts = false;

	xmlRelaxNGSetValidErrors(context, on_schema_error, on_schema_error, NULL);
	if (doc)
		accepts = !xmlRelaxNGValidateDoc(context, doc);
	xmlRelaxNGFreeValidCtxt(context);
	xmlFreeDoc(doc);
	return accepts;
}

void golden_schema(const char *schema, const char *const *patterns,
		   bool (*accepts)(const char *path), const char *beyond)
{
	xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(schema);
	xmlRelaxNG *rules = xmlRelaxNGParse(parser);
	glob_t files = { 0 };

	assert_non_null(rules);
	for (size_t i = 0; patterns[i]; i++)
		assert_int_equal(glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		char name[256];
		bool ours = accepts(path);

		snprintf(name, sizeof(name), "%s ", name_of(path));
		if (schema_accepts(rules, path) != (ours || strstr(beyond, name)))
			fail_msg("%s: the code %s it, the schema does not agree", path,
				 ours ? "accepts" : "refuses");
	}
	globfree(&files);
	xmlRelaxNGFree(rules);
	xmlRelaxNGFreeParserCtxt(parser);
}
