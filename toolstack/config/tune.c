/* SPDX-License-Identifier: MIT */
/*
 * How much a guest may run and where: <cputune>, <vcpu cpuset>, and sets of CPUs as text. See
 * reader.h and config.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"

/* libvirt's limits of global_period, microseconds. */
enum { PERIOD_MIN = 1000, PERIOD_MAX = 1000000, PERIOD_DEFAULT = 100000 };

/* ---- sets of CPUs ---- */

/* A number at *text, which moves behind it. 0 or -EINVAL. */
static int take_cpu(const char **text, unsigned int *cpu)
{
	size_t digits = strspn(*text, "0123456789");
	char *end;

	if (!digits || digits > 4)
		return -EINVAL;
	*cpu = (unsigned int)strtoul(*text, &end, 10);
	*text = end;
	return *cpu < CONFIG_CPUS_MAX ? 0 : -EINVAL;
}

/* One of "3", "0-3", "^3". */
static int take_range(const char **text, struct cpu_set *cpus)
{
	bool without = **text == '^';
	unsigned int first, last;

	*text += without;
	if (take_cpu(text, &first))
		return -EINVAL;
	last = first;
	if (!without && **text == '-') {
		++*text;
		if (take_cpu(text, &last) || last < first)
			return -EINVAL;
	}
	for (unsigned int cpu = first; cpu <= last; cpu++) {
		uint64_t bit = UINT64_C(1) << cpu % 64;

		if (without)
			cpus->bits[cpu / 64] &= ~bit;
		else
			cpus->bits[cpu / 64] |= bit;
	}
	return 0;
}

int config_parse_cpus(const char *text, struct cpu_set *cpus)
{
	static const struct cpu_set none;

	*cpus = none;
	for (;;) {
		if (take_range(&text, cpus))
			return -EINVAL;
		if (!*text)
			break;
		if (*text++ != ',')
			return -EINVAL;
	}
	return memcmp(cpus, &none, sizeof(none)) ? 0 : -EINVAL;
}

bool config_cpu_in(const struct cpu_set *cpus, unsigned int cpu)
{
	return cpu < CONFIG_CPUS_MAX && cpus->bits[cpu / 64] >> cpu % 64 & 1;
}

/* At most 256 ranges of 8 characters: it fits. */
void config_format_cpus(const struct cpu_set *cpus, char text[CONFIG_CPUSET_TEXT])
{
	size_t len = 0;

	text[0] = 0;
	for (unsigned int cpu = 0; cpu < CONFIG_CPUS_MAX; cpu++) {
		unsigned int last = cpu;

		if (!config_cpu_in(cpus, cpu))
			continue;
		while (config_cpu_in(cpus, last + 1))
			last++;
		len += (size_t)snprintf(text + len, CONFIG_CPUSET_TEXT - len,
					last == cpu ? "%s%u" : "%s%u-%u", len ? "," : "", cpu,
					last);
		cpu = last;
	}
}

/* ---- pins ---- */

const struct cpu_set *config_pin_of(const struct vm_config *cfg, unsigned int vcpu)
{
	for (unsigned int i = 0; i < cfg->n_pins; i++) {
		if (cfg->pins[i].vcpu == vcpu)
			return &cfg->pins[i].cpus;
	}
	return cfg->cpus;
}

int config_set_pin(struct vm_config *cfg, unsigned int vcpu, const struct cpu_set *cpus)
{
	unsigned int at = 0;
	struct vm_pin *more;

	while (at < cfg->n_pins && cfg->pins[at].vcpu < vcpu)
		at++;
	if (at < cfg->n_pins && cfg->pins[at].vcpu == vcpu) {
		if (cpus)
			cfg->pins[at].cpus = *cpus;
		else
			memmove(&cfg->pins[at], &cfg->pins[at + 1],
				(--cfg->n_pins - at) * sizeof(*cfg->pins));
		return 0;
	}
	if (!cpus)
		return 0;
	more = realloc(cfg->pins, (cfg->n_pins + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	cfg->pins = more;
	memmove(&more[at + 1], &more[at], (cfg->n_pins++ - at) * sizeof(*more));
	more[at] = (struct vm_pin){ vcpu, *cpus };
	return 0;
}

/* ---- handlers ---- */

static int get_cpus(struct reader *reader, const xmlNode *node, const char *text,
		    struct cpu_set *cpus)
{
	if (config_parse_cpus(text, cpus))
		return reader_refuse(reader, node,
				     "cpuset='%s' is not possible; possible: a list like 0-3,^2,7 "
				     "with at least one of the CPUs 0 to %d",
				     text, CONFIG_CPUS_MAX - 1);
	return 0;
}

int tune_cpuset(struct reader *reader, const xmlNode *node, const char *value)
{
	reader->cfg->cpus = malloc(sizeof(*reader->cfg->cpus));
	if (!reader->cfg->cpus)
		return reader_no_memory(reader);
	return get_cpus(reader, node, value, reader->cfg->cpus);
}

int tune_shares(struct reader *reader, xmlNode *node, const char *text)
{
	uint64_t number;

	if (value_number(text, 1, CONFIG_WEIGHT_MAX, &number))
		return reader_refuse(reader, node, "<shares> '%s' are not possible; possible: "
						   "1 to %d; others have 256",
				     text, CONFIG_WEIGHT_MAX);
	reader->cfg->weight = (unsigned int)number;
	return 0;
}

int tune_period(struct reader *reader, xmlNode *node, const char *text)
{
	uint64_t number;

	if (value_number(text, PERIOD_MIN, PERIOD_MAX, &number))
		return reader_refuse(reader, node,
				     "<global_period> '%s' is not possible; possible: %d to %d "
				     "microseconds",
				     text, PERIOD_MIN, PERIOD_MAX);
	reader->cap_period = (int64_t)number;
	return 0;
}

/* libvirt says "no limit" by any negative number. */
int tune_quota(struct reader *reader, xmlNode *node, const char *text)
{
	uint64_t number;

	if (text[0] == '-' && !value_number(text + 1, 1, INT64_MAX, &number))
		return 0;
	if (value_number(text, 1000, INT64_MAX / 100, &number))
		return reader_refuse(reader, node,
				     "<global_quota> '%s' is not possible; possible: 1000 "
				     "microseconds or more in each period, or -1: no limit",
				     text);
	reader->cap_quota = (int64_t)number;
	return 0;
}

/* tune_vcpupin() reads them together. */
static int read_later(struct reader *reader, const xmlNode *node, const char *value)
{
	(void)reader;
	(void)node;
	(void)value;
	return 0;
}

const struct attribute vcpupin_attributes[] = {
	{ "vcpu", .required = true, .handle = read_later },
	{ "cpuset", .required = true, .handle = read_later },
	{ 0 },
};

static int add_pin(struct reader *reader, const xmlNode *node, const char *vcpu, const char *cpuset)
{
	struct vm_config *cfg = reader->cfg;
	struct cpu_set cpus;
	uint64_t number;

	if (value_number(vcpu, 0, CONFIG_VCPUS_MAX - 1, &number))
		return reader_refuse(reader, node,
				     "vcpu='%s' of <vcpupin> is not possible; possible: 0 to %d",
				     vcpu, CONFIG_VCPUS_MAX - 1);
	for (unsigned int i = 0; i < cfg->n_pins; i++) {
		if (cfg->pins[i].vcpu == number)
			return reader_refuse(reader, node, "<vcpupin> for vCPU %s is given twice",
					     vcpu);
	}
	if (get_cpus(reader, node, cpuset, &cpus))
		return -1;
	if (config_set_pin(cfg, (unsigned int)number, &cpus))
		return reader_no_memory(reader);
	return 0;
}

int tune_vcpupin(struct reader *reader, xmlNode *node, const char *text)
{
	xmlChar *vcpu = xmlGetNoNsProp(node, BAD_CAST "vcpu");
	xmlChar *cpuset = xmlGetNoNsProp(node, BAD_CAST "cpuset");
	int rc = -1;

	(void)text;
	if (vcpu && cpuset)
		rc = add_pin(reader, node, (const char *)vcpu, (const char *)cpuset);
	else
		reader_no_memory(reader);
	xmlFree(vcpu);
	xmlFree(cpuset);
	return rc;
}

int tune_check(struct reader *reader, const xmlNode *root)
{
	int64_t period = reader->cap_period ? reader->cap_period : PERIOD_DEFAULT;
	int64_t percent = reader->cap_quota * 100 / period;
	const xmlNode *cputune = child_named(root, "cputune");
	struct vm_config *cfg = reader->cfg;

	if (reader->cap_quota &&
	    (reader->cap_quota * 100 % period || percent < 1 || percent > CONFIG_CAP_MAX))
		return reader_refuse(reader, child_named(cputune, "global_quota"),
				     "<global_quota> %lld of <global_period> %lld is not possible; "
				     "possible: whole percents of one CPU, 1 to %d",
				     (long long)reader->cap_quota, (long long)period,
				     CONFIG_CAP_MAX);
	cfg->cap = (unsigned int)percent;
	if (cfg->n_pins && cfg->pins[cfg->n_pins - 1].vcpu >= cfg->vcpus_max)
		return reader_refuse(reader, cputune,
				     "<vcpupin> names vCPU %u, and the guest has %u vCPUs",
				     cfg->pins[cfg->n_pins - 1].vcpu, cfg->vcpus_max);
	return 0;
}
