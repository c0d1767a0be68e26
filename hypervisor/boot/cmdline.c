/* SPDX-License-Identifier: MIT */
/*
 * The command line: words, each "name" or "name=value"; one row of the table per name. Boot CPU
 * only.
 */
#include "boot/cmdline.h"

#include "console/log.h"
#include "lib/string.h"

#define WORD_MAX	256

/*
 * Does `text` start with `word`, and does the word end there? Then *rest is what follows it and
 * a comma.
 */
static bool take_word(const char **text, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*text, word, n) || ((*text)[n] && (*text)[n] != ',' && (*text)[n] != '/'))
		return false;
	*text += n;
	return true;
}

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 32;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 99;
}

static bool take_number(const char **text, uint64_t *value)
{
	const char *p = *text;
	unsigned base = 10;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	*value = 0;
	for (const char *start = p;; p++) {
		unsigned digit = digit_value(*p);

		if (digit >= base) {
			*text = p;
			return p != start;
		}
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit, value))
			return false;
	}
}

/* A size with its unit; without one it is in KiB, as the field has it. */
static bool take_size(const char **text, uint64_t *bytes)
{
	static const char units[] = "bkmgt";
	const char *unit;

	if (!take_number(text, bytes))
		return false;
	unit = **text ? strchr(units, **text | 32) : NULL;
	if (unit)
		++*text;
	return !__builtin_mul_overflow(*bytes, 1ull << 10 * (unit ? unit - units : 1), bytes);
}

/* ---- one function per option: false if the value makes no sense ---- */

static bool opt_console(struct boot_options *o, const char *v)
{
	o->console_com[0] = o->console_com[1] = o->console_vga = false;
	for (;; v++) {
		if (take_word(&v, "com1"))
			o->console_com[0] = true;
		else if (take_word(&v, "com2"))
			o->console_com[1] = true;
		else if (take_word(&v, "vga"))
			o->console_vga = true;
		else if (!take_word(&v, "none"))
			return false;
		if (*v != ',')
			return !*v;
	}
}

static bool serial(struct serial_options *s, const char *v)
{
	uint64_t n;

	if (take_word(&v, "auto"))
		s->baud = 0;
	else if (take_number(&v, &n) && n && n <= 115200 && 115200 % n == 0)
		s->baud = (uint32_t)n;
	else
		return false;
	if (!*v)
		return true;
	if (v[0] != ',' || v[1] < '5' || v[1] > '8' || !v[2] || !strchr("noems", v[2]) ||
	    (v[3] != '1' && v[3] != '2'))
		return false;
	s->bits = (uint8_t)(v[1] - '0');
	s->parity = v[2];
	s->stop = (uint8_t)(v[3] - '0');
	v += 4;
	if (!*v)
		return true;
	if (*v++ != ',' || !take_number(&v, &n) || n > 0xfff8)
		return false;
	s->port = (uint16_t)n;
	return !*v || *v == ',';
}

static bool opt_com1(struct boot_options *o, const char *v)
{
	return serial(&o->com[0], v);
}

static bool opt_com2(struct boot_options *o, const char *v)
{
	return serial(&o->com[1], v);
}

static bool opt_vga(struct boot_options *o, const char *v)
{
	/*
	 * GRUB sets the mode; what is left for us is whether to go on writing when dom0 has the
	 * screen.
	 */
	o->vga_keep = strlen(v) >= 4 && !strcmp(v + strlen(v) - 4, "keep");
	return true;
}

static bool opt_dom0_mem(struct boot_options *o, const char *v)
{
	for (;; v++) {
		uint64_t *to = &o->dom0_mem;

		if (!strncmp(v, "min:", 4)) {
			to = &o->dom0_mem_min;
			v += 4;
		} else if (!strncmp(v, "max:", 4)) {
			to = &o->dom0_mem_max;
			v += 4;
		}
		if (!take_size(&v, to))
			return false;
		if (*v != ',')
			return !*v;
	}
}

static bool number_to(unsigned *to, const char *v)
{
	uint64_t n;

	if (!take_number(&v, &n) || *v || n > 0xffff)
		return false;
	*to = (unsigned)n;
	return true;
}

static bool opt_dom0_max_vcpus(struct boot_options *o, const char *v)
{
	return number_to(&o->dom0_max_vcpus, v);
}

static bool opt_maxcpus(struct boot_options *o, const char *v)
{
	return number_to(&o->max_cpus, v);
}

/* LEVEL or LEVEL/LEVEL (what is printed always / at a limited rate: we limit guests always). */
static bool level(int *to, const char *v)
{
	static const struct {
		const char *name;
		int level;
	} names[] = {
		{ "none", -1 },
		{ "error", LOG_ERROR },
		{ "warning", LOG_WARNING },
		{ "info", LOG_INFO },
		{ "debug", LOG_DEBUG },
		{ "all", LOG_DEBUG },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (take_word(&v, names[i].name)) {
			*to = names[i].level;
			return !*v || *v == '/';
		}
	}
	return false;
}

static bool opt_loglvl(struct boot_options *o, const char *v)
{
	return level(&o->loglvl, v);
}

static bool opt_guest_loglvl(struct boot_options *o, const char *v)
{
	return level(&o->guest_loglvl, v);
}

/* Options that are on or off: name, no-name, name=yes|no|on|off|true|false|1|0. */
static const struct {
	const char *name;
	size_t offset;
} switches[] = {
	{ "noreboot", offsetof(struct boot_options, noreboot) },
	{ "smap", offsetof(struct boot_options, smap) },
	{ "smep", offsetof(struct boot_options, smep) },
	{ "x2apic", offsetof(struct boot_options, x2apic) },
	{ "tsc-deadline", offsetof(struct boot_options, tsc_deadline) },
	{ "erms-check", offsetof(struct boot_options, erms_check) },
	{ "lock-check", offsetof(struct boot_options, lock_check) },
};

static const struct {
	const char *name;
	bool (*read)(struct boot_options *o, const char *value);
} options[] = {
	{ "console", opt_console },
	{ "com1", opt_com1 },
	{ "com2", opt_com2 },
	{ "vga", opt_vga },
	{ "dom0_mem", opt_dom0_mem },
	{ "dom0_max_vcpus", opt_dom0_max_vcpus },
	{ "maxcpus", opt_maxcpus },
	{ "loglvl", opt_loglvl },
	{ "guest_loglvl", opt_guest_loglvl },
};

static bool truth(const char *v, bool *value)
{
	static const char *const yes[] = { "", "1", "yes", "on", "true", "enable" };
	static const char *const no[] = { "0", "no", "off", "false", "disable" };

	for (unsigned i = 0; i < ARRAY_SIZE(yes); i++)
		if (!strcmp(v, yes[i]))
			return *value = true;
	*value = false;
	for (unsigned i = 0; i < ARRAY_SIZE(no); i++)
		if (!strcmp(v, no[i]))
			return true;
	return false;
}

static const char *read_switch(struct boot_options *o, const char *name, const char *value)
{
	for (unsigned i = 0; i < ARRAY_SIZE(switches); i++) {
		bool *to = (bool *)((char *)o + switches[i].offset), on;
		bool inverse = !strncmp(name, "no-", 3) && !strcmp(name + 3, switches[i].name);

		if (!inverse && strcmp(name, switches[i].name))
			continue;
		if (!truth(value, &on))
			return "not understood";
		*to = on != inverse;
		return NULL;
	}
	return "unknown option";
}

/* One word; NULL or what is wrong with it. */
static const char *read_option(struct boot_options *o, char *word)
{
	char *value = strchr(word, '=');

	if (!strcmp(word, "nosmp")) {
		o->max_cpus = 1;
		return NULL;
	}
	if (value)
		*value++ = '\0';
	else
		value = word + strlen(word);
	for (unsigned i = 0; i < ARRAY_SIZE(options); i++)
		if (!strcmp(word, options[i].name))
			return options[i].read(o, value) ? NULL : "not understood";
	return read_switch(o, word, value);
}

void cmdline_defaults(struct boot_options *o)
{
	*o = (struct boot_options){
		.console_com = { true }, .console_vga = true,
		.com = { { 115200, 0x3f8, 8, 1, 'n' }, { 115200, 0x2f8, 8, 1, 'n' } },
		.loglvl = LOG_INFO, .guest_loglvl = LOG_WARNING,
		.smap = true, .smep = true, .x2apic = true, .tsc_deadline = true,
		.erms_check = true,
	};
}

void cmdline_parse(struct boot_options *o, const char *line,
		   void (*complain)(const char *what, const char *option))
{
	char word[WORD_MAX];

	for (;;) {
		const char *wrong = "too long";
		size_t n = 0;

		while (*line == ' ' || *line == '\t')
			line++;
		if (!*line)
			return;
		for (; *line && *line != ' ' && *line != '\t'; line++)
			if (n < sizeof(word))
				word[n++] = *line;
		if (n < sizeof(word)) {
			word[n] = '\0';
			wrong = read_option(o, word);
		}
		word[min(n, sizeof(word) - 1)] = '\0';
		if (wrong)
			complain(wrong, word);
	}
}
