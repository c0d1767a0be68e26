/* SPDX-License-Identifier: MIT */
/*
 * The control domain's kernel in this process, in place of toolstack/host: loop devices, links,
 * bridges, and back ends that appear at once. Every call that can fail can be made to. For one
 * thread.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include "host/host.h"

/* Forget all. */
void fake_host_reset(void);

/* The n-th call that can fail from now on (1 is the next) fails with -ENOMEM; 0: none does. */
void fake_host_fail_at(unsigned n);
bool fake_host_failed(void);

/* There is a file, or a block device, of size bytes. */
void fake_host_file(const char *path, uint64_t size, bool block);
/* There is a link, and what bridge it is on (NULL: none); a bridge is on "-". */
void fake_host_link(const char *name, const char *bridge);
/* Back ends do not come. */
void fake_host_no_back_ends(void);

/* What programs were called, a line each, and what they read. */
const char *fake_host_calls(void);

/* Does the process of a qcow2 image live? */
bool fake_host_image_lives(void);

/* How many block devices are held open here, and the bridge that a link is on. */
unsigned fake_host_open(void);
const char *fake_host_bridge_of(const char *link);

#endif
