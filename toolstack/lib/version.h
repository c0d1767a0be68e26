/* SPDX-License-Identifier: MIT */
/* The version of Enso, as "enso version" tells it. */
#ifndef LIB_VERSION_H
#define LIB_VERSION_H

#define ENSO_VERSION "0.2"

#endif
