/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for libicuuc.so.72 in the control domain: what Debian's libxml2 calls of ICU, with no
 * character set in it. No converter can be opened, so nothing else is ever called. libxml2 then has
 * its own sets (UTF-8, UTF-16, ISO-8859-1, ASCII) and refuses a document in another. It keeps 35 MB
 * of tables out of a memory of 256. The names and the error's number are ICU 72's
 * (unicode/ucnv.h; utypes.h: U_FILE_ACCESS_ERROR is 4).
 */
#include <stdlib.h>

#define NEVER_CALLED(name) void name(void); void name(void) { abort(); }

void *ucnv_open_72(const char *name, int *error);

void *ucnv_open_72(const char *name, int *error)
{
	(void)name;
	*error = 4;
	return NULL;
}

NEVER_CALLED(ucnv_close_72)
NEVER_CALLED(ucnv_convertEx_72)
NEVER_CALLED(ucnv_setToUCallBack_72)
NEVER_CALLED(ucnv_setFromUCallBack_72)
NEVER_CALLED(UCNV_TO_U_CALLBACK_STOP_72)
NEVER_CALLED(UCNV_FROM_U_CALLBACK_STOP_72)
