/* SPDX-License-Identifier: MIT */
/*
 * Included by the makefile before everything: nothing here is seen from outside, so no address
 * goes through a table.
 */
#pragma GCC visibility push(hidden)
