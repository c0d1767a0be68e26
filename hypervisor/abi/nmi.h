/* SPDX-License-Identifier: MIT */
/* nmi_op(cmd, arg), and the reasons in arch_shared_info.nmi_reason. */
#ifndef ABI_NMI_H
#define ABI_NMI_H

#define XEN_NMIREASON_io_error		(1UL << 0)
#define XEN_NMIREASON_pci_serr		(1UL << 1)
#define XEN_NMIREASON_unknown		(1UL << 2)

#define XENNMI_register_callback	0
#define XENNMI_unregister_callback	1

struct xennmi_callback {
	unsigned long handler_address;
	unsigned long pad;
};

#endif
