/* SPDX-License-Identifier: MIT */
/* hvm_op numbers. PV guests have no HVM parameters; tools ask for one to learn that. */
#ifndef ABI_HVM_PARAMS_H
#define ABI_HVM_PARAMS_H

#include "abi/types.h"

#define HVMOP_set_param		0
#define HVMOP_get_param		1

#define HVM_PARAM_STORE_PFN	1
#define HVM_PARAM_STORE_EVTCHN	2
#define HVM_PARAM_CONSOLE_PFN	17
#define HVM_PARAM_CONSOLE_EVTCHN 18

struct xen_hvm_param {
	domid_t domid;
	uint16_t pad;
	uint32_t index;
	uint64_t value;
};

#endif
