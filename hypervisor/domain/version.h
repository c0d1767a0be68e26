/* SPDX-License-Identifier: MIT */
/* The version of the guest ABI that we answer with (Debian 12's Xen), and our own. */
#ifndef DOMAIN_VERSION_H
#define DOMAIN_VERSION_H

#define ABI_VERSION_MAJOR	4
#define ABI_VERSION_MINOR	17
#define ENSO_VERSION		"0.1"
#define ABI_EXTRAVERSION	".0-enso-" ENSO_VERSION

#endif
