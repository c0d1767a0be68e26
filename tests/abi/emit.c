/* SPDX-License-Identifier: MIT */
/*
 * Prints every size, offset and number of the guest ABI, one line each. It is compiled twice, once
 * with our headers (-DOURS) and once with libxen-dev's; `make` compares what the two print.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef OURS
#include "ours.h"
#else
#define __XEN__			/* for the two errors that stay inside */
#include <xen/errno.h>
#undef __XEN__
#define __XEN_TOOLS__
#include <xen/xen.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/elfnote.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/blkif.h>
#include <xen/io/console.h>
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include "errno_theirs.h"
#endif

#define N(name)		printf("%s = %lld\n", #name, (long long)(name));
#define T(name)		printf("%s = %s\n", #name, name);
#define S(type)		printf("sizeof(%s) = %zu\n", #type, sizeof(type));
#define F(type, field)	printf("%s.%s at %zu size %zu\n", #type, #field, \
			       offsetof(type, field), sizeof(((type *)0)->field));
#define O(type, field)	printf("%s.%s at %zu\n", #type, #field, offsetof(type, field));

#define RING(name) \
	S(union name##_sring_entry) S(struct name##_sring) \
	F(struct name##_sring, req_prod) F(struct name##_sring, req_event) \
	F(struct name##_sring, rsp_prod) F(struct name##_sring, rsp_event) \
	F(struct name##_sring, pvt) O(struct name##_sring, ring)

int main(void)
{
#include "table.h"
	RING(blkif) RING(netif_tx) RING(netif_rx)
	return 0;
}
