/* SPDX-License-Identifier: MIT */
/*
 * Port I/O, one instruction at a time. The control domain's reaches the machine's ports; another
 * guest's meets a machine with no devices (reads are all ones, writes are lost), as Linux looks for
 * some before it knows where it runs.
 */
#include "dev/pci.h"
#include "dev/serial.h"
#include "domain/copy.h"
#include "trap/emulate.h"
#include "x86/machine.h"

/* A repeated one works in batches of this many elements; the guest then runs the same instruction
 * again. */
#define BATCH 512

/* Every port for a guest without devices; PIC, PIT and the serial lines that we drive for the
 * control domain. */
static bool port_hidden(const struct domain *d, uint16_t port)
{
	static const struct {
		uint16_t first, last;
	} ours[] = {
		{ 0x20, 0x21 },
		{ 0xa0, 0xa1 }, /* PICs: masked for good */
		{ 0x40, 0x43 }, /* PIT: read for calibration only at boot */
	};

	if (!d->privileged)
		return true;
	for (unsigned i = 0; i < ARRAY_SIZE(ours); i++)
		if (port >= ours[i].first && port <= ours[i].last)
			return true;
	return serial_owns_port(port);
}

/* Guest kernel mode needs IOPL 1 or more, user mode 3 (PHYSDEVOP_set_iopl). */
static bool may_use_ports(const struct vcpu *v)
{
	return v->iopl >= (v->machine.kernel_mode ? 1 : 3);
}

static uint32_t port_read(const struct domain *d, uint16_t port, unsigned bytes)
{
	uint32_t value;

	if (port_hidden(d, port))
		return 0xffffffff;
	return pci_port_in(port, bytes, &value) ? value : machine_port_in(port, bytes);
}

static void port_write(const struct domain *d, uint16_t port, unsigned bytes, uint32_t value)
{
	if (!port_hidden(d, port) && !pci_port_out(port, bytes, value))
		machine_port_out(port, bytes, value);
}

/* ins and outs: move up to BATCH elements; a fault on the guest's memory becomes its page fault. */
static enum emulated string_io(struct vcpu *v, struct cpu_regs *regs, struct insn *in,
			       unsigned bytes, bool input)
{
	uint64_t *pointer = input ? &regs->rdi : &regs->rsi;
	int64_t step = regs->rflags & RFLAGS_DF ? -(int64_t)bytes : (int64_t)bytes;
	uint64_t left = in->rep ? regs->rcx : 1;
	unsigned i;

	if (in->segment || in->address32)
		return EMULATE_REFUSED;
	for (i = 0; i < BATCH && left; i++, left--) {
		uint32_t value = 0;
		guest_ptr_t p = { *pointer };

		if (!input && copy_from_guest(&value, p, bytes))
			goto fault;
		if (input)
			value = port_read(v->domain, (uint16_t)regs->rdx, bytes);
		else
			port_write(v->domain, (uint16_t)regs->rdx, bytes, value);
		if (input && copy_to_guest(p, &value, bytes))
			goto fault;
		*pointer += step;
		if (in->rep)
			regs->rcx--;
	}
	if (!left)
		regs->rip += in->length;
	return EMULATE_DONE;
fault:
	v->event.info->arch.cr2 = *pointer;
	trap_inject(v, regs, 14, input ? 2 : 0);
	return EMULATE_FAULT;
}

enum emulated emulate_port(struct vcpu *v, struct cpu_regs *regs, struct insn *in)
{
	unsigned bytes = in->opcode & 1 ? (in->operand16 ? 2 : 4) : 1;
	bool input = !(in->opcode & 2);
	uint16_t port = (uint16_t)regs->rdx;
	uint64_t immediate;

	if (!may_use_ports(v))
		return EMULATE_REFUSED;
	if (in->opcode >= 0x6c && in->opcode <= 0x6f)
		return string_io(v, regs, in, bytes, input);
	if (in->opcode < 0xe8) {
		if (!decode_immediate(in, 1, &immediate))
			return EMULATE_REFUSED;
		port = (uint8_t)immediate;
	}
	if (input) {
		uint32_t value = port_read(v->domain, port, bytes);

		/* A 32-bit result clears the upper half, a narrower one leaves the rest alone. */
		regs->rax = bytes == 4 ? value
				       : (regs->rax & ~((1ull << bytes * 8) - 1)) |
						 (value & ((1u << bytes * 8) - 1));
	} else {
		port_write(v->domain, port, bytes, (uint32_t)regs->rax);
	}
	regs->rip += in->length;
	return EMULATE_DONE;
}
