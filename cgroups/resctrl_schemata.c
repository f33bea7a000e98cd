/* Theory of operation: a line names a resource and its domains, which are caches by
 * their number: "L3:0=7f0;1=1f", "MB:0=20;1=70". The kernel shows the lines with
 * blanks before them, all domains, and bit masks in its own width, so a line of
 * the config is compared number by number. */
#include "cgroups/resctrl_schemata.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *
resctrl_schema_line(const struct spec_intel_rdt *rdt, size_t n, const char **ret_property)
{
	const struct {
		const char *text, *property;
	} single[] = {
		{ rdt->l3_cache_schema, "linux.intelRdt.l3CacheSchema" },
		{ rdt->mem_bw_schema, "linux.intelRdt.memBwSchema" },
	};

	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		if (!single[i].text)
			continue;
		if (n-- == 0) {
			*ret_property = single[i].property;
			return single[i].text;
		}
	}
	*ret_property = "linux.intelRdt.schemata";
	return n < rdt->schemata.n ? rdt->schemata.items[n] : NULL;
}

/* Shares of bandwidth are decimal, masks of caches hexadecimal. */
static int
base_of(const char *name, size_t len)
{
	bool bandwidth = (len == 2 && !memcmp(name, "MB", 2)) || (len == 4 && !memcmp(name, "SMBA", 4));

	return bandwidth ? 10 : 16;
}

/* The next "DOMAIN=VALUE" of a list that ends with its line. False: there is none,
 * or it is not such a pair, which *ret_bad says. */
static bool
next_pair(const char **text, int base, unsigned long *ret_domain, unsigned long long *ret_value, bool *ret_bad)
{
	char *end;

	*text += strspn(*text, " \t;");
	*ret_bad = false;
	if (!**text || **text == '\n')
		return false;
	*ret_bad = true;
	*ret_domain = strtoul(*text, &end, 10);
	if (end == *text || *end != '=')
		return false;
	*text = end + 1;
	*ret_value = strtoull(*text, &end, base);
	if (end == *text || !strchr("; \t\n", *end))
		return false;
	*text = end;
	*ret_bad = false;
	return true;
}

/* What follows "NAME:" in the text; NULL: no such line. */
static const char *
find_resource(const char *text, const char *name, size_t len)
{
	for (const char *line = text; *line; line += *line == '\n') {
		line += strspn(line, " \t");
		if (!strncmp(line, name, len) && line[len] == ':')
			return line + len + 1;
		line += strcspn(line, "\n");
	}
	return NULL;
}

static bool
has_pair(const char *list, int base, unsigned long domain, unsigned long long value)
{
	unsigned long d;
	unsigned long long v;
	bool bad;

	while (next_pair(&list, base, &d, &v, &bad))
		if (d == domain)
			return v == value;
	return false;
}

static bool
line_matches(const char *line, const char *text)
{
	size_t len = strcspn(line, ":");
	int base = base_of(line, len);
	const char *list = find_resource(text, line, len), *p = line + len;
	unsigned long domain;
	unsigned long long value;
	bool bad;

	if (!list || *p != ':')
		return false;
	p++;
	while (next_pair(&p, base, &domain, &value, &bad))
		if (!has_pair(list, base, domain, value))
			return false;
	return !bad;
}

int
resctrl_schemata_compare(const struct spec_intel_rdt *rdt, const char *text, const char *group, struct err *err)
{
	const char *property, *line;

	for (size_t n = 0; (line = resctrl_schema_line(rdt, n, &property)); n++)
		if (!line_matches(line, text))
			return err_plain(err,
					 "%s: '%s' is not what the group '%s', which exists already, has in its "
					 "schemata",
					 property, line, group);
	return 0;
}
