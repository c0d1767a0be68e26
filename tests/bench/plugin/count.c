// SPDX-License-Identifier: MIT
/*
 * A plugin for QEMU's emulator that counts what runs between the benchmark's two marks
 * (program/measure.c): instructions by who executes them, and those that real CPUs are slow at.
 * At each end mark it writes one line to the file out=FILE,
 *
 *	USER KERNEL HYPERVISOR CR3 REGISTERS TLB RETURNS
 *
 * the last four only where they take effect: executed by the hypervisor, or with kernel=on (no
 * hypervisor) by the kernel. One CPU only. Instructions are told by their bytes when they are
 * translated, so counting costs an addition each.
 *
 * With profile=FILE that file gets, at each end mark, a line "ADDRESS COUNT" for each of Enso's
 * instructions that ran since the begin, and an empty line.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "qemu_api.h"

enum count { USER, KERNEL, HYPERVISOR, CR3, REGISTERS, TLB, RETURNS, COUNTS };

static uint64_t count[COUNTS], begun[COUNTS];
static bool kernel_is_lowest;
static FILE *out;

/* Enso's image (ARCHITECTURE.md, addresses), and where its instructions are counted one by one. */
#define IMAGE		0xffff82d080200000ull
#define IMAGE_BYTES	(1 << 20)

static uint64_t profile[IMAGE_BYTES], profile_begun[IMAGE_BYTES];
static FILE *profile_out;

int qemu_plugin_version = QEMU_API_VERSION;

static void on_begin(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	memcpy(begun, count, sizeof(begun));
	if (profile_out)
		memcpy(profile_begun, profile, sizeof(profile));
}

static void write_profile(void)
{
	for (uint64_t i = 0; i < IMAGE_BYTES; i++)
		if (profile[i] != profile_begun[i])
			fprintf(profile_out, "%llx %llu\n", (unsigned long long)(IMAGE + i),
				(unsigned long long)(profile[i] - profile_begun[i]));
	fputc('\n', profile_out);
	fflush(profile_out);
}

static void on_end(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	for (int i = 0; i < COUNTS; i++)
		fprintf(out, "%s%llu", i ? " " : "", (unsigned long long)(count[i] - begun[i]));
	fputc('\n', out);
	fflush(out);
	if (profile_out)
		write_profile();
}

/*
 * The x86-64 canonical halves: the upper one's first 8 TiB are the hypervisor's in the PV ABI,
 * and nobody's without one.
 */
static enum count whose(uint64_t address)
{
	if (address < 0x800000000000)
		return USER;
	return address < 0xffff880000000000 ? HYPERVISOR : KERNEL;
}

/* What two-byte opcode 0f `op` with the bytes behind it is; COUNTS when nothing that is counted. */
static enum count classify_0f(uint8_t op, uint8_t modrm, bool rex_r)
{
	int reg = modrm >> 3 & 7;
	bool memory = modrm >> 6 != 3;

	switch (op) {
	case 0x00:	/* lldt, ltr */
		return reg == 2 || reg == 3 ? REGISTERS : COUNTS;
	case 0x01:	/* lgdt, lidt, invlpg; swapgs */
		if (memory)
			return reg == 7 ? TLB : reg == 2 || reg == 3 ? REGISTERS : COUNTS;
		return modrm == 0xf8 ? REGISTERS : COUNTS;
	case 0x07:	/* sysret */
		return RETURNS;
	case 0x22:	/* mov to a control register */
		return reg == 3 && !rex_r ? CR3 : REGISTERS;
	case 0x06:	/* clts */
	case 0x23:	/* mov to a debug register */
	case 0x30:	/* wrmsr */
		return REGISTERS;
	default:
		return COUNTS;
	}
}

static enum count classify(const uint8_t *bytes, size_t size)
{
	bool rex_r = false;
	size_t i = 0;

	while (i < size && (bytes[i] == 0x66 || bytes[i] == 0xf2 || bytes[i] == 0xf3))
		i++;
	if (i < size && (bytes[i] & 0xf0) == 0x40)
		rex_r = bytes[i++] & 4;
	if (i < size && bytes[i] == 0xcf)
		return RETURNS;
	if (i + 2 > size || bytes[i] != 0x0f)
		return COUNTS;
	if (i + 4 <= size && bytes[i + 1] == 0x38 && bytes[i + 2] == 0x82)	/* invpcid */
		return TLB;
	return classify_0f(bytes[i + 1], i + 2 < size ? bytes[i + 2] : 0, rex_r);
}

static void add_one(struct qemu_plugin_insn *insn, uint64_t *counter)
{
	qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, counter, 1);
}

static void call_at(struct qemu_plugin_insn *insn, qemu_plugin_insn_cb cb)
{
	qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	static const uint8_t begin[] = { 0x0f, 0x1f, 0x80, 0x01, 0x42, 0x53, 0x4e };
	static const uint8_t end[] = { 0x0f, 0x1f, 0x80, 0x02, 0x42, 0x53, 0x4e };

	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		size_t size = qemu_plugin_insn_size(insn);
		const void *bytes = qemu_plugin_insn_data(insn);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		enum count who = whose(address);
		enum count what = classify(bytes, size);

		add_one(insn, &count[who]);
		if (profile_out && address >= IMAGE && address < IMAGE + IMAGE_BYTES)
			add_one(insn, &profile[address - IMAGE]);
		if (what != COUNTS && who == (kernel_is_lowest ? KERNEL : HYPERVISOR))
			add_one(insn, &count[what]);
		if (size == sizeof(begin) && !memcmp(bytes, begin, size))
			call_at(insn, on_begin);
		if (size == sizeof(end) && !memcmp(bytes, end, size))
			call_at(insn, on_end);
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		if (!strncmp(argv[i], "profile=", 8))
			profile_out = fopen(argv[i] + 8, "w");
		kernel_is_lowest |= !strcmp(argv[i], "kernel=on");
	}
	if (!out) {
		fputs("count: wants out=FILE, which can be written\n", stderr);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
