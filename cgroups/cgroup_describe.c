/* Theory of operation: what cgroup_apply() would write, as lines for `knarr plan`,
 * made of the same list of settings and the same device rules. Touches nothing, and
 * asks for no controller: a plan may be made for another host. */
#include "cgroups/devices.h"
#include "cgroups/settings.h"

static const char *
describe_setting(struct arena *a, const struct setting *setting)
{
	const char *more = "";

	if (!setting->file)
		return arena_printf(a, "nothing, %s  # %s", setting->value, setting->property);
	if (setting->check_usage)
		more = arena_printf(a, " if-usage-is-at-most=%llu", setting->limit);
	if (setting->optional)
		more = arena_printf(a, "%s if-there", more);
	if (setting->alt_file)
		more = arena_printf(a, "%s else file=\"%s\" value=\"%s\"", more, setting->alt_file, setting->alt_value);
	return arena_printf(a, "write file=\"%s\" value=\"%s\"%s  # %s", setting->file, setting->value, more,
			    setting->property);
}

static const char *
describe_number(struct arena *a, int64_t number)
{
	return number == DEVICE_ANY ? "*" : arena_printf(a, "%lld", (long long)number);
}

static const char *
describe_rule(struct arena *a, const struct device_rule *rule)
{
	return arena_printf(a, "%s device %c %s:%s %s%s%s  # linux.resources.devices", rule->allow ? "allow" : "deny",
			    rule->type, describe_number(a, rule->major), describe_number(a, rule->minor),
			    rule->access & BPF_DEVCG_ACC_READ ? "r" : "", rule->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
			    rule->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

size_t
cgroup_describe(const struct cgroup *cg, const struct spec *spec, struct arena *a, const char ***ret_lines)
{
	const struct settings *list = cg->settings;
	struct device_rule *rules = NULL;
	size_t n_rules = cgroup_devices_rules(spec, a, &rules), n = 0;
	const char **lines = arena_array(a, list->n + n_rules + 1, sizeof(*lines));
	bool given = !cgroup_devices_are_default(spec);

	for (size_t i = 0; i < list->n; i++)
		lines[n++] = describe_setting(a, &list->items[i]);
	/* The same for most: one line. */
	if (!given)
		lines[n++] = "deny use of devices but the default ones  # linux.resources.devices";
	for (size_t i = 0; given && i < n_rules; i++)
		lines[n++] = describe_rule(a, &rules[i]);
	*ret_lines = lines;
	return n;
}
