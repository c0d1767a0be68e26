/* SPDX-License-Identifier: MIT */
/* The hypercall page, see page.h. */
#include "hypercall/page.h"
#include "abi/xen.h"
#include "lib/string.h"
#include "lib/types.h"

void hypercall_page_write(void *page)
{
	/* push rcx; push r11; mov $nr, eax; syscall; pop r11; pop rcx; ret */
	static const uint8_t call[] = { 0x51, 0x41, 0x53, 0xb8, 0,    0,    0,
					0,    0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3 };
	/* push rcx; push r11; push rax; mov $iret, eax; syscall: the lower part of struct
	 * iret_context, never returns */
	static const uint8_t iret[] = { 0x51, 0x41, 0x53, 0x50, 0xb8, __HYPERVISOR_iret,
					0,    0,    0,	  0x0f, 0x05 };

	memset(page, 0xcc, PAGE_SIZE);
	for (unsigned nr = 0; nr < PAGE_SIZE / 32; nr++) {
		uint8_t *entry = (uint8_t *)page + nr * 32;

		if (nr == __HYPERVISOR_iret) {
			memcpy(entry, iret, sizeof(iret));
			continue;
		}
		memcpy(entry, call, sizeof(call));
		entry[4] = (uint8_t)nr;
	}
}
