/* SPDX-License-Identifier: MIT */
/* See irq_hardware.h. */
#include "fake/irq_hardware.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/log.h"
#include "dev/acpi.h"
#include "irq/irq.h"
#include "lib/assert.h"
#include "lib/cpumask.h"
#include "mm/heap.h"
#include "x86/machine.h"

struct fake_line fake_line[FAKE_LINES];
struct fake_device fake_device[FAKE_DEVICES];
unsigned fake_cpu, fake_acks;
uint64_t fake_now;

static struct fake_line *serving;
static struct cpumask online;

void fake_irq_reset(void)
{
	memset(fake_line, 0, sizeof(fake_line));
	memset(fake_device, 0, sizeof(fake_device));
	fake_cpu = fake_acks = 0;
	fake_now = 1000000000;
	cpumask_set(&online, 0);
	cpumask_set(&online, 1);
	acpi.nr_cpus = 2;
}

static void deliver_to(unsigned cpu, unsigned vector)
{
	unsigned before = fake_cpu, acks = fake_acks;

	fake_cpu = cpu;
	irq_handle(vector);
	fake_cpu = before;
	if (fake_acks != acks + 1)
		panic("an interrupt was acknowledged %u times", fake_acks - acks);
}

unsigned fake_deliver(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FAKE_LINES; i++) {
		struct fake_line *l = &fake_line[i];

		while (l->level && l->asserted && !l->masked && !l->in_service && n < FAKE_STORM) {
			l->in_service = true;
			serving = l;
			deliver_to(l->cpu, l->vector);
			n++;
		}
	}
	return n;
}

unsigned fake_line_assert(unsigned gsi)
{
	struct fake_line *l = &fake_line[gsi];

	l->asserted = true;
	if (l->level)
		return fake_deliver();
	if (l->masked)
		return 0;	/* a masked edge is lost */
	deliver_to(l->cpu, l->vector);
	return 1;
}

void fake_line_release(unsigned gsi)
{
	fake_line[gsi].asserted = false;
}

/* The fake form of a message: address is the CPU, data the vector. */
void fake_arrive(const struct msi_message *message)
{
	deliver_to((unsigned)message->address, message->data);
}

void fake_send(unsigned device, unsigned i)
{
	struct fake_device *d = &fake_device[device];
	struct msi_message m = { d->message.address, d->message.data + i };

	if (d->disabled || i >= d->nr)
		return;
	if (d->masked & 1u << i)
		d->pending |= 1u << i;
	else
		fake_arrive(&m);
}

/* -- x86/machine_irq.h -- */

void machine_ioapic_init(void)
{
	for (unsigned i = 0; i < FAKE_LINES; i++)
		fake_line[i].masked = true;
}

unsigned machine_gsi_count(void)
{
	return FAKE_LINES;
}

/* Line 23 is a hole. */
bool machine_gsi_exists(unsigned gsi)
{
	return gsi < FAKE_LINES - 1;
}

void machine_gsi_route(unsigned gsi, unsigned cpu, uint8_t vector, bool level, bool active_low)
{
	fake_line[gsi].cpu = cpu;
	fake_line[gsi].vector = vector;
	fake_line[gsi].level = level;
	fake_line[gsi].active_low = active_low;
	fake_line[gsi].masked = true;
	if (fake_line[gsi].in_service)
		panic("line %u is routed elsewhere while it is served: it will be stuck", gsi);
}

void machine_gsi_mask(unsigned gsi, bool masked)
{
	fake_line[gsi].masked = masked;
}

struct msi_message machine_msi_message(unsigned cpu, uint8_t vector)
{
	return (struct msi_message){ cpu, vector };
}

bool machine_irq_reaches(unsigned cpu)
{
	return cpu < 2;
}

void machine_irq_ack(void)
{
	fake_acks++;
	if (serving)
		serving->in_service = false;
	serving = NULL;
}

/* -- dev/pci.h -- */

static struct fake_device *device_of(const struct pci_msi *m)
{
	return &fake_device[m->place.at.bus << 8 | m->place.at.devfn];
}

int pci_msi_find(struct pci_msi *m, const struct pci_msi_place *place, unsigned nr)
{
	*m = (struct pci_msi){ .place = *place };
	if ((place->at.bus << 8 | place->at.devfn) >= FAKE_DEVICES)
		return -ENODEV;
	m->maskable = !device_of(m)->unmaskable;
	return place->msix && nr > 1 ? -EINVAL : 0;
}

void pci_msi_write(const struct pci_msi *m, const struct msi_message *message, unsigned nr)
{
	struct fake_device *d = device_of(m);

	d->message = *message;
	d->nr = nr;
	d->disabled = false;
	d->masked = m->maskable ? ~0u : 0;
}

bool pci_msi_mask(const struct pci_msi *m, unsigned i, bool masked)
{
	struct fake_device *d = device_of(m);

	if (!m->maskable)
		return false;
	d->masked = (d->masked & ~(1u << i)) | (uint32_t)masked << i;
	return true;
}

void pci_msi_disable(const struct pci_msi *m)
{
	device_of(m)->disabled = true;
}

/* -- the rest -- */

struct acpi_info acpi;

struct acpi_override acpi_isa_irq(unsigned irq)
{
	return (struct acpi_override){ .irq = irq, .gsi = irq ? irq : 2 };
}

struct acpi_override acpi_gsi_default(unsigned gsi)
{
	return (struct acpi_override){ .gsi = gsi, .level = gsi > 15, .active_low = gsi > 15 };
}

unsigned machine_cpu(void)
{
	return fake_cpu;
}

const struct cpumask *machine_cpus_online(void)
{
	return &online;
}

uint64_t machine_now(void)
{
	return fake_now;
}

void machine_relax(void)
{
}

void *heap_alloc(size_t size)
{
	return calloc(1, size);
}

void heap_free(void *p)
{
	free(p);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

_Noreturn void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
