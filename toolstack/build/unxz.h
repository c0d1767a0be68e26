/* SPDX-License-Identifier: MIT */
/*
 * Unpacks xz, which is what Debian's kernels are packed with, by liblzma: Busybox's own xz does not
 * know the filter for x86 code that they use. Keeps no state.
 */
#ifndef BUILD_UNXZ_H
#define BUILD_UNXZ_H

/* Unpack the one stream at in's position to out. 0 or -errno; -EBADMSG: the stream is damaged. */
int unxz(int in, int out);

#endif
