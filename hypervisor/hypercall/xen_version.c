/* SPDX-License-Identifier: MIT */
/* xen_version(cmd, arg): who we are. cmd 0 is also how Linux asks for pending events: nothing may
 * come before it. */
#include "abi/errno.h"
#include "abi/version.h"
#include "abi/xen.h"
#include "domain/copy.h"
#include "domain/version.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"

#define FEATURES                                                                                   \
	(1u << XENFEAT_mmu_pt_update_preserve_ad | 1u << XENFEAT_gnttab_map_avail_bits |           \
	 1u << XENFEAT_pae_pgdir_above_4gb | 1u << XENFEAT_highmem_assist)

const char *host_command_line = "";

static int get_features(const struct domain *d, guest_ptr_t arg)
{
	struct xen_feature_info info;

	if (copy_from_guest(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.submap_idx)
		return -EINVAL;
	info.submap = FEATURES | (d->privileged ? 1u << XENFEAT_dom0 : 0);
	return copy_to_guest(arg, &info, sizeof(info));
}

/* Copy a string into a field of `size` bytes in the guest, zero-filled. */
static int put_string(guest_ptr_t arg, const char *s, size_t size)
{
	char field[1024] = "";

	memcpy(field, s, strlen(s));
	return copy_to_guest(arg, field, size);
}

static int compile_info(guest_ptr_t arg)
{
	struct xen_compile_info info = { .compiler = __VERSION__,
					 .compile_by = "enso",
					 .compile_domain = "enso",
					 .compile_date = "" };

	return copy_to_guest(arg, &info, sizeof(info));
}

int64_t hypercall_xen_version(struct hypercall *c)
{
	guest_ptr_t arg = { c->arg[1] };
	struct xen_platform_parameters parameters = { .virt_start = HYPERVISOR_VIRT_START };

	if (likely(c->arg[0] == XENVER_version))
		return ABI_VERSION_MAJOR << 16 | ABI_VERSION_MINOR;
	switch (c->arg[0]) {
	case XENVER_get_features:
		return get_features(c->vcpu->domain, arg);
	case XENVER_extraversion:
		return put_string(arg, ABI_EXTRAVERSION, sizeof(xen_extraversion_t));
	case XENVER_compile_info:
		return compile_info(arg);
	case XENVER_capabilities:
		return put_string(arg, "xen-3.0-x86_64", sizeof(xen_capabilities_info_t));
	case XENVER_changeset:
		return put_string(arg, "enso " ENSO_VERSION, sizeof(xen_changeset_info_t));
	case XENVER_platform_parameters:
		return copy_to_guest(arg, &parameters, sizeof(parameters));
	case XENVER_pagesize:
		return guest_ptr_null(arg) ? (int64_t)PAGE_SIZE : -EINVAL;
	case XENVER_guest_handle:
		return copy_to_guest(arg, c->vcpu->domain->handle, sizeof(xen_domain_handle_t));
	case XENVER_commandline:
		return put_string(arg, c->vcpu->domain->privileged ? host_command_line : "",
				  sizeof(xen_commandline_t));
	default:
		return -ENOSYS; /* no build id */
	}
}
