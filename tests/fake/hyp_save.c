/* SPDX-License-Identifier: MIT */
/* The part of the hypervisor in this process that saves and restores: see fake/hyp.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/sched.h"
#include "fake/hyp.h"

/* The domain and 0, or the error that the call ends with. */
static int find(uint32_t domid, struct fake_domain **domain)
{
	int rc = fake_hyp_fails();

	*domain = fake_hyp_domain(domid);
	return rc ? rc : *domain ? 0 : -ESRCH;
}

static int find_vcpu(uint32_t domid, uint32_t id, struct fake_vcpu **vcpu)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	if (!rc && id >= FAKE_VCPUS)
		rc = -ENOENT;
	if (!rc)
		*vcpu = &domain->vcpu[id];
	return rc;
}

int hyp_domain_resume(struct hyp *hyp, uint32_t domid)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	if (!rc)
		domain->info.flags &= ~(XEN_DOMINF_shutdown | XEN_DOMINF_shutdownmask
							      << XEN_DOMINF_shutdownshift);
	return rc;
}

int hyp_vcpu_get_context(struct hyp *hyp, uint32_t domid, uint32_t id,
			 struct vcpu_guest_context *context)
{
	struct fake_vcpu *vcpu;
	int rc = find_vcpu(domid, id, &vcpu);

	(void)hyp;
	if (!rc)
		*context = vcpu->context;
	return rc;
}

int hyp_vcpu_get_part(struct hyp *hyp, uint32_t domid, uint32_t id, enum hyp_vcpu_part part,
		      void **buf, size_t *size)
{
	struct fake_vcpu *vcpu;
	int rc = find_vcpu(domid, id, &vcpu);

	(void)hyp;
	if (rc)
		return rc;
	*size = vcpu->size[part];
	*buf = malloc(*size + 1);
	if (!*buf)
		return -ENOMEM;
	if (*size)
		memcpy(*buf, vcpu->part[part], *size);
	return 0;
}

int hyp_vcpu_set_part(struct hyp *hyp, uint32_t domid, uint32_t id, enum hyp_vcpu_part part,
		      const void *buf, size_t size)
{
	struct fake_vcpu *vcpu;
	int rc = find_vcpu(domid, id, &vcpu);

	(void)hyp;
	if (rc)
		return rc;
	free(vcpu->part[part]);
	vcpu->part[part] = malloc(size + 1);
	if (!vcpu->part[part])
		return -ENOMEM;
	memcpy(vcpu->part[part], buf, size);
	vcpu->size[part] = size;
	return 0;
}

int hyp_memory_types(struct hyp *hyp, uint32_t domid, uint64_t *frames, unsigned n)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	for (unsigned i = 0; i < n && !rc; i++)
		frames[i] = fake_hyp_owns(domid, frames[i]) ? *fake_hyp_type(frames[i])
							    : XEN_DOMCTL_PFINFO_XTAB;
	return n > HYP_TYPES_MAX ? -E2BIG : rc;
}

int hyp_memory_pin_all(struct hyp *hyp, uint32_t domid, const struct hyp_table *tables, size_t n)
{
	struct fake_domain *domain;
	int rc = find(domid, &domain);

	(void)hyp;
	for (size_t i = 0; i < n && !rc; i++) {
		if (!fake_hyp_owns(domid, tables[i].mfn) || fake_hyp_writable(tables[i].mfn))
			return -EINVAL;
		*fake_hyp_type(tables[i].mfn) =
			tables[i].level << XEN_DOMCTL_PFINFO_LTAB_SHIFT |
			XEN_DOMCTL_PFINFO_LPINTAB;
	}
	return rc;
}

int hyp_domctl(struct hyp *hyp, uint32_t cmd, struct xen_domctl *op)
{
	struct fake_domain *domain;
	int rc = find(op->domain, &domain);

	(void)hyp;
	if (rc)
		return rc;
	if (cmd == XEN_DOMCTL_gettscinfo)
		op->u.tsc_info = domain->tsc;
	else if (cmd == XEN_DOMCTL_settscinfo)
		domain->tsc = op->u.tsc_info;
	else
		return -ENOSYS;
	return 0;
}

int hyp_host_version(struct hyp *hyp, unsigned cmd, void *arg, size_t size)
{
	int rc = fake_hyp_fails();

	(void)hyp, (void)arg, (void)size;
	return rc ? rc : cmd == 0 ? 4 << 16 | 17 : -ENOSYS;
}
