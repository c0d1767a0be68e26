/* SPDX-License-Identifier: MIT */
/*
 * Multicalls: order, results, errors that don't stop the rest, long lists, and calls that don't
 * belong in one.
 */
#include "abi/sched.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "test.h"
#include "trap.h"

#define TEST_VA		0x10000000000UL

static struct multicall_entry calls[512];

static void order(void)
{
	char *a = page_alloc(), *b = page_alloc();
	uint64_t *l1;

	page_map(TEST_VA, page_entry(a, PTE_RW));
	l1 = page_walk(TEST_VA, 1);
	for (unsigned int i = 0; i < 100; i++)
		calls[i] = (struct multicall_entry){
			.op = __HYPERVISOR_update_va_mapping, .result = 77,
			.args = { TEST_VA, page_entry(i & 1 ? b : a, PTE_RW), UVMF_INVLPG },
		};
	check_eq(hyp_multicall(calls, 100), 0, "100 calls");
	for (unsigned int i = 0; i < 100; i++)
		if (calls[i].result)
			check_eq((int64_t)calls[i].result, 0, "result of call %u", i);
	check((*(volatile uint64_t *)l1 & PTE_FRAME) >> PAGE_SHIFT == page_mfn(b),
	      "the last one counts");
	check(calls[99].args[0] == TEST_VA && calls[99].op == __HYPERVISOR_update_va_mapping,
	      "arguments stay");
}

static void errors(void)
{
	char *a = page_alloc();

	calls[0] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	calls[1] = (struct multicall_entry){ .op = 63 };
	calls[2] = (struct multicall_entry){ .op = ~0UL };
	calls[3] = (struct multicall_entry){ .op = 1UL << 32 };
	calls[4] = (struct multicall_entry){
		.op = __HYPERVISOR_update_va_mapping, .args = { 0x800000000000, 0, 0 },
	};
	calls[5] = (struct multicall_entry){
		.op = __HYPERVISOR_update_va_mapping, .args = { TEST_VA, page_entry(a, PTE_RO),
								UVMF_INVLPG },
	};
	check_eq(hyp_multicall(calls, 6), 0, "six calls, four bad");
	check((long)calls[0].result >= 4 << 16, "the first has its result");
	check_eq((int64_t)calls[1].result, -ENOSYS, "no such call");
	check_eq((int64_t)calls[2].result, -ENOSYS, "nor this");
	check_eq((int64_t)calls[3].result, -ENOSYS, "nor this");
	check((long)calls[4].result < 0, "a refused one");
	check_eq((int64_t)calls[5].result, 0, "the one after them is done");
	check_eq(hyp_multicall(calls, 0), 0, "no calls");
}

static void nesting(void)
{
	calls[1] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .result = 77 };
	calls[0] = (struct multicall_entry){
		.op = __HYPERVISOR_multicall, .args = { (unsigned long)&calls[1], 1 },
	};
	check_eq(hyp_multicall(calls, 1), 0, "a multicall in a multicall");
	check((long)calls[0].result < 0, "is refused: %ld", (long)calls[0].result);
	check_eq((int64_t)calls[1].result, 77, "its call is not made");
	calls[0].args[0] = (unsigned long)calls;
	check_eq(hyp_multicall(calls, 1), 0, "one in itself");
	check((long)calls[0].result < 0, "is refused: %ld", (long)calls[0].result);
}

static void long_lists(void)
{
	struct multicall_entry *last;
	char *pages = (char *)TEST_VA;
	long result;

	for (unsigned int i = 0; i < 512; i++)
		calls[i] = (struct multicall_entry){ .op = __HYPERVISOR_sched_op, .result = 77,
						     .args = { SCHEDOP_yield } };
	check_eq(hyp_multicall(calls, 512), 0, "512 yields");
	check(calls[0].result == 0 && calls[511].result == 0, "all made");
	/* An entry across the end of what is mapped: those before it are made, then it ends. */
	page_map(TEST_VA, page_entry(page_alloc(), PTE_RW));
	page_set(TEST_VA + PAGE_SIZE, 0);
	last = (struct multicall_entry *)(pages + PAGE_SIZE - 32 - sizeof(*calls));
	*last = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	result = hyp_multicall(last, 2);
	check(result == -EFAULT, "a list that ends in nowhere: %ld", result);
	result = hyp_multicall(last, 0x7fffffff);
	check(result == -EFAULT, "one of 2^31 - 1 calls: %ld", result);
	result = hyp_multicall(last, ~0u);
	check(result == -EFAULT || result == -EINVAL, "one of 2^32 - 1 calls: %ld", result);
	check((long)last->result > 0, "the first call was made");
	page_set(TEST_VA, page_entry(page_alloc(), PTE_RO));
	result = hyp_multicall((void *)TEST_VA, 1);
	check(result == -EFAULT, "a list that can't be written: %ld", result);
}

static void events(void)
{
	evtchn_port_t port = event_bind_ipi(0);
	struct evtchn_send send = { .port = port };

	event_unmask(port);
	event_enable();
	for (unsigned int i = 0; i < 3; i++)
		calls[i] = (struct multicall_entry){
			.op = __HYPERVISOR_event_channel_op, .args = { EVTCHNOP_send,
								       (unsigned long)&send },
		};
	check_eq(hyp_multicall(calls, 3), 0, "three sends to ourselves");
	check(event_count(port) >= 1, "arrive");
	event_disable();
	event_close(port);
}

/*
 * XSA-213: an iret among the calls changes what the hypervisor returns to while it still walks the
 * list. It may take effect or be refused; both end at the label.
 */
static void iret(void)
{
	struct iret_context c = { .cs = FLAT_KERNEL_CS & ~3, .ss = FLAT_KERNEL_SS, .rflags = 2 };
	struct multicall_entry *list = calls;
	unsigned long nr = 3;

	calls[0] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	calls[1] = (struct multicall_entry){ .op = __HYPERVISOR_iret };
	calls[2] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	asm volatile("mov %%rsp, %%rbx\n"
		     "lea 1f(%%rip), %%rax\n"
		     "mov %%rax, %c[rip](%[c])\n"
		     "mov %%rsp, %c[rsp](%[c])\n"
		     "mov %[c], %%rsp\n"
		     "mov %[multicall], %%eax\n"
		     "syscall\n"
		     "1: mov %%rbx, %%rsp\n"
		     : "+D"(list), "+S"(nr)
		     : [c] "r"(&c), [rip] "i"(offsetof(struct iret_context, rip)),
		       [rsp] "i"(offsetof(struct iret_context, rsp)),
			       [multicall] "i"(__HYPERVISOR_multicall)
		     : "rax", "rbx", "rcx", "rdx", "r8", "r10", "r11", "memory");
	check(true, "an iret among the calls comes back: results %lx %lx %lx", calls[0].result,
	      calls[1].result,
	      calls[2].result);
}

void test_main(void)
{
	order();
	errors();
	nesting();
	long_lists();
	events();
	iret();
}
