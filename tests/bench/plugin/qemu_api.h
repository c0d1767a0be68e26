/* SPDX-License-Identifier: MIT */
/*
 * What count.c uses of QEMU's plugin interface, version 1 (QEMU 4.2 and later), after its
 * documentation (docs/devel/tcg-plugins): Debian packages the emulator without the header.
 */
#ifndef QEMU_API_H
#define QEMU_API_H

#include <stddef.h>
#include <stdint.h>

enum { QEMU_API_VERSION = 1 };
enum { QEMU_PLUGIN_INLINE_ADD_U64 = 0 };
enum { QEMU_PLUGIN_CB_NO_REGS = 0 };

struct qemu_plugin_tb;		/* a block that is translated once and then executed often */
struct qemu_plugin_insn;

typedef void (*qemu_plugin_tb_cb)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_insn_cb)(unsigned int cpu, void *data);

/* What a plugin exports: the version it is written for, and what QEMU calls once it is loaded. */
extern int qemu_plugin_version __attribute__((visibility("default")));
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
	__attribute__((visibility("default")));

/* Called with each block when it is translated. */
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, qemu_plugin_tb_cb cb);
/* Before each execution of insn: call cb, or add imm to *counter. */
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_plugin_insn_cb cb,
					    int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op,
						void *counter, uint64_t imm);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#endif
