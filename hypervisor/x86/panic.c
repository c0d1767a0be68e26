/* SPDX-License-Identifier: MIT */
/*
 * A crash of ours: one CPU tells, the others stop. Prints why, registers, the stack by function
 * names (from the symbol table that the makefile links in), who was running, and the log's last
 * lines; then the machine reboots or halts.
 */
#include "x86/panic.h"

#include <stdarg.h>

#include "boot/boot.h"
#include "console/console.h"
#include "console/log.h"
#include "domain/domain.h"
#include "lib/assert.h"
#include "lib/printf.h"
#include "x86/apic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/machine.h"

#define LOG_LINES	12
#define LOG_HEADER	"\n(enso) ---- the end of the log, printed before or not ----\n"

struct symbol {
	uint32_t offset, name;		/* from IMAGE_VIRT; from symbol_names */
};

extern const uint32_t symbol_count;
extern const struct symbol symbol_table[];
extern const char symbol_names[];
extern char image_start[], image_text_end[];

static unsigned panicking;		/* CPU + 1 */

static const char *const trap_names[] = {
	"divide error", "debug", "NMI", "breakpoint", "overflow", "bounds", "invalid opcode",
	"no FPU", "double fault", "9", "invalid TSS", "segment not present", "stack fault",
	"general protection", "page fault", "15", "x87 error", "alignment", "machine check",
	"SIMD error",
};

/* The function that holds an address of our text, and how far in. */
static const char *symbol(uint64_t address, uint64_t *offset)
{
	uint64_t place = address - IMAGE_VIRT;
	uint32_t low = 0, high = symbol_count;

	if (address < (uint64_t)image_start || address >= (uint64_t)image_text_end || !high)
		return NULL;
	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (symbol_table[middle].offset <= place)
			low = middle;
		else
			high = middle;
	}
	*offset = place - symbol_table[low].offset;
	return symbol_names + symbol_table[low].name;
}

static void print_place(uint64_t address)
{
	uint64_t offset;
	const char *name = symbol(address, &offset);

	if (name)
		log_error("  %016lx %s+0x%lx", address, name, offset);
}

static bool on_stack(uint64_t address)
{
	uint64_t block = (uint64_t)this_cpu() & ~(uint64_t)(CPU_BLOCK_SIZE - 1);

	return !(address & 7) && address >= block && address < block + CPU_BLOCK_SIZE - 16;
}

/* Follow the frame pointers while they stay on this CPU's stacks and go up. */
static void print_stack(uint64_t rbp)
{
	for (unsigned i = 0; i < 32 && on_stack(rbp); i++) {
		const uint64_t *frame = (const uint64_t *)rbp;

		if (!frame[1])
			break;
		print_place(frame[1]);
		if (frame[0] <= rbp)
			break;
		rbp = frame[0];
	}
}

static void print_regs(const struct cpu_regs *r)
{
	log_error("rip %016lx cs %04lx rflags %08lx rsp %016lx ss %04lx", r->rip, r->cs, r->rflags,
		  r->rsp, r->ss);
	log_error("rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
	log_error("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp, r->r8);
	log_error("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11, r->r12);
	log_error("r13 %016lx r14 %016lx r15 %016lx", r->r13, r->r14, r->r15);
	log_error("cr0 %08lx cr2 %016lx cr3 %09lx cr4 %06lx", read_cr0(), read_cr2(), read_cr3(),
		  read_cr4());
}

static void print_running(void)
{
	const struct vcpu *v = this_cpu()->current;

	if (!v)
		log_error("CPU %u, starting up", machine_cpu());
	else if (v->domain->id == DOMID_IDLE)
		log_error("CPU %u, idle", machine_cpu());
	else
		log_error("CPU %u, running d%uv%u at rip %016lx", machine_cpu(), v->domain->id,
			  v->id, machine_guest_regs()->rip);
}

/*
 * First of all CPUs: go on. Another panics already: stop. We do, and it went wrong again: stop
 * at once.
 */
static void begin(void)
{
	unsigned nobody = 0;

	if (!__atomic_compare_exchange_n(&panicking, &nobody, machine_cpu() + 1, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		machine_halt();
	if (cpumask_test(&cpus_online, machine_cpu()))
		apic_send_nmi_others();
	console_bust();
	console_write(LOG_HEADER, sizeof(LOG_HEADER) - 1);
	log_print_last(LOG_LINES);
}

static _Noreturn void end(void)
{
	machine_end_after_crash();
}

void panic_stop_if_asked(void)
{
	if (__atomic_load_n(&panicking, __ATOMIC_RELAXED))
		machine_halt();
}

_Noreturn void panic_by_trap(const struct cpu_regs *regs, uint64_t cr2)
{
	uint64_t offset;

	begin();
	log_error("---- Enso crashed: %s, error code %04x, address %016lx ----",
		  regs->vector < ARRAY_SIZE(trap_names) ? trap_names[regs->vector] :
							  "unexpected exception",
		  regs->error_code, cr2);
	print_regs(regs);
	print_place(regs->rip);
	if (!symbol(regs->rip, &offset) && on_stack(regs->rsp))
		print_place(*(const uint64_t *)regs->rsp);	/* a wild call: who made it */
	print_stack(regs->rbp);
	print_running();
	end();
}

#define KEEP(reg)	asm volatile("mov %%" #reg ", %0" : "=m"(regs.reg))

_Noreturn void panic(const char *fmt, ...)
{
	struct cpu_regs regs = { .rip = (uint64_t)__builtin_return_address(0), .cs = SEL_CS,
				 .ss = SEL_DS };
	char text[256];
	va_list args;

	/* As far as the compiler has left them: what was looked at is often still there. */
	KEEP(rax); KEEP(rbx); KEEP(rcx); KEEP(rdx); KEEP(rsi); KEEP(rdi); KEEP(rbp); KEEP(rsp);
	KEEP(r8); KEEP(r9); KEEP(r10); KEEP(r11); KEEP(r12); KEEP(r13); KEEP(r14); KEEP(r15);
	asm volatile("pushfq; popq %0" : "=r"(regs.rflags));
	begin();
	va_start(args, fmt);
	format_args(text, sizeof(text), fmt, args);
	va_end(args);
	log_error("---- Enso crashed: %s ----", text);
	print_regs(&regs);
	print_stack((uint64_t)__builtin_frame_address(0));
	print_running();
	end();
}

_Noreturn void machine_end_after_crash(void)
{
	if (boot_info.options.noreboot) {
		log_error("halted (noreboot)");
		machine_halt();
	}
	log_error("rebooting in 5 seconds");
	for (uint64_t until = machine_now() + 5000000000ull; machine_now() < until;)
		cpu_pause();
	machine_reboot();
}

_Noreturn void machine_halt(void)
{
	for (;;)
		asm volatile("cli; hlt" : : : "memory");
}
