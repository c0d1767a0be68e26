/* SPDX-License-Identifier: MIT */
/* A new guest, from its kernel and initrd: see vm_create() in vm/vm.h. */
#include "vm/internal.h"

/* What build_domain() needs beside the domain. */
struct source {
	struct image image;
	struct pv_plan plan;
	const struct vm_create_options *options;
};

static int build(void *context, struct vm *vm, uint32_t domid, const struct build_request *ports,
		 struct build_result *pages, struct error *err)
{
	const struct source *source = context;

	return build_domain(vm->hyp, domid, &source->image, &source->plan, ports, pages,
			    source->options->progress, source->options->context, err);
}

static int open_source(struct image *image, const struct vm_config *config, struct error *err)
{
	return image_open(image, config->kernel ? config->kernel : CONFIG_PVGRUB, config->initrd,
			  err);
}

int vm_prepare(const struct vm_config *config, struct error *err)
{
	struct image image;
	int rc;

	if (open_source(&image, config, err))
		return -1;
	rc = image_read(&image, err);
	image_close(&image);
	return rc;
}

void vm_prepare_host(void)
{
	hyp_grant_prepare();
}

int vm_create(struct vm *vm, struct vm_config *config, const struct vm_create_options *options,
	      uint32_t *domid, struct error *err)
{
	struct source source = { .options = options };
	const struct vm_filler filler = { .fill = build, .context = &source };
	struct error unheard;
	int rc;

	if (!err)
		err = &unheard;
	if (open_source(&source.image, config, err))
		return -1;
	rc = build_plan(&source.plan, &source.image, config->current_memory_kib, err);
	if (rc)
		error_set(err, err->code, "%s: %s", config->name, err->text);
	else
		rc = vm_make(vm, config, &filler, options->paused, domid, err);
	image_close(&source.image);
	return rc;
}
