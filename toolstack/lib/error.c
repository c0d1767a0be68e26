/* SPDX-License-Identifier: MIT */
/* Errors: see error.h. */
#include "lib/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -1;
	/* The arguments may point into the text that is being replaced. */
	char text[sizeof(err->text)];
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* One line, and no terminal escapes from a guest's or a file's text. */
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	}
	memcpy(err->text, text, sizeof(text));
	err->code = code;
	return -1;
}

int error_file(const char *path, int rc, struct error *err)
{
	return error_set(err, rc == -EACCES || rc == -EPERM ? ERROR_PERMISSION : ERROR_FILE,
			 "%s: %s", path, error_text(rc));
}

const char *error_text(int negative_errno)
{
	return strerror(-negative_errno);
}
