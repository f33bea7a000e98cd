/* Theory of operation: what cgroup_apply() would write, as lines for `knarr plan`,
 * made of the same list of settings and the same device rules. Touches nothing, and
 * asks for no controller: a plan may be made for another host. */
#include "cgroups/devices.h"
#include "cgroups/settings.h"

static const char *
describe_setting(struct arena *a, const struct setting *s)
{
	const char *more = "";

	if (!s->file)
		return arena_printf(a, "nothing, %s  # %s", s->value, s->property);
	if (s->check_usage)
		more = arena_printf(a, " if-usage-is-at-most=%llu", s->limit);
	if (s->optional)
		more = arena_printf(a, "%s if-there", more);
	if (s->alt_file)
		more = arena_printf(a, "%s else file=\"%s\" value=\"%s\"", more, s->alt_file, s->alt_value);
	return arena_printf(a, "write file=\"%s\" value=\"%s\"%s  # %s", s->file, s->value, more, s->property);
}

static const char *
describe_number(struct arena *a, int64_t n)
{
	return n == DEVICE_ANY ? "*" : arena_printf(a, "%lld", (long long)n);
}

static const char *
describe_rule(struct arena *a, const struct device_rule *r)
{
	return arena_printf(a, "%s device %c %s:%s %s%s%s  # linux.resources.devices", r->allow ? "allow" : "deny",
			    r->type, describe_number(a, r->major), describe_number(a, r->minor),
			    r->access & BPF_DEVCG_ACC_READ ? "r" : "", r->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
			    r->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

int
cgroup_describe(const struct spec *s, struct arena *a, struct err *err, const char ***ret_lines, size_t *ret_n)
{
	struct settings list = { .arena = a };
	struct device_rule *rules = NULL;
	int r = settings_compile(&list, s->linux_.resources, err);
	size_t n_rules, n = 0;
	const char **lines;

	if (r < 0)
		return r;
	n_rules = devices_rules(s, a, &rules);
	lines = arena_array(a, list.n + n_rules + 1, sizeof(*lines));
	for (size_t i = 0; i < list.n; i++)
		lines[n++] = describe_setting(a, &list.items[i]);
	for (size_t i = 0; i < n_rules; i++)
		lines[n++] = describe_rule(a, &rules[i]);
	*ret_lines = lines;
	*ret_n = n;
	return 0;
}
