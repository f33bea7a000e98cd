/* Theory of operation: rules that tie two objects of a config together, mostly
 * "this needs that namespace". They run after everything was parsed, on the
 * struct; the tree is only asked for places. */
#include <stdlib.h>
#include <string.h>

#include "oci-spec/parse.h"

static bool
has_namespace(const struct spec *spec, enum ns_kind type)
{
	return spec->linux_.namespaces[type].listed && !spec->linux_.namespaces[type].is_own;
}

/* For messages about a namespace that is needed. */
static const char *
why_none(const struct spec *spec, enum ns_kind type)
{
	return spec->linux_.namespaces[type].is_own ? " (that of linux.namespaces is the runtime's own)" : "";
}

static const struct json_value *
linux_member(const struct json_value *config, const char *name)
{
	return json_get(json_get(config, "linux"), name);
}

/* ---- host and domain name -------------------------------------------- */

#define UTS_NAME_MAX 64 /* __NEW_UTS_LEN */

static void
check_uts_name(struct parser *parser, const struct json_value *config, const struct spec *spec, const char *property)
{
	const struct json_value *v = json_get(config, property);

	if (!v || v->type != JSON_STRING || v->n == 0 || v->broken)
		return;
	if (!has_namespace(spec, NS_UTS))
		field_error_at(parser, v,
			       "needs a namespace of type \"uts\", or it would change the name of the host%s",
			       why_none(spec, NS_UTS));
	else if (v->n > UTS_NAME_MAX)
		field_error_at(parser, v, "is %u bytes long, the kernel allows %d", v->n, UTS_NAME_MAX);
}

/* ---- user and time namespaces ---------------------------------------- */

static void
check_user_namespace(struct parser *parser, const struct json_value *config, const struct spec *spec)
{
	const struct json_value *uids = linux_member(config, "uidMappings");
	const struct json_value *gids = linux_member(config, "gidMappings");
	const struct spec_linux *l = &spec->linux_;

	if (!has_namespace(spec, NS_USER)) {
		if (l->uid_mappings.n > 0)
			field_error_at(parser, uids, "needs a namespace of type \"user\"");
		if (l->gid_mappings.n > 0)
			field_error_at(parser, gids, "needs a namespace of type \"user\"");
	} else if (!l->namespaces[NS_USER].path) {
		if (l->uid_mappings.n > 0 && !gids)
			field_error_at(parser, uids, "needs gidMappings too");
		if (l->gid_mappings.n > 0 && !uids)
			field_error_at(parser, gids, "needs uidMappings too");
	}
}

static void
check_time_namespace(struct parser *parser, const struct json_value *config, const struct spec *spec)
{
	const struct json_value *v = linux_member(config, "timeOffsets");

	if (!spec->linux_.time_offsets.set || !v)
		return;
	if (!has_namespace(spec, NS_TIME))
		field_error_at(parser, v, "needs a namespace of type \"time\"");
	else if (spec->linux_.namespaces[NS_TIME].path)
		field_error_at(parser, v,
			       "needs a new namespace of type \"time\", the clocks of a joined one cannot be set");
}

/* ---- mounts ---------------------------------------------------------- */

/* "idmap" or "ridmap", alone or with maps: then *ret_has_maps. */
static bool
asks_for_idmap(const struct spec_mount *mount, bool *ret_has_maps)
{
	bool found = false;

	for (size_t i = 0; i < mount->options.n; i++) {
		const char *name = mount->options.items[i] + (mount->options.items[i][0] == 'r');

		if (strncmp(name, "idmap", 5) != 0 || (name[5] != '\0' && name[5] != '='))
			continue;
		found = true;
		*ret_has_maps |= name[5] == '=' && name[6];
	}
	return found;
}

static void
check_mount(struct parser *parser, const struct json_value *value, const struct spec *spec,
	    const struct spec_mount *mount)
{
	bool has_maps = mount->uid_mappings.n > 0;
	bool idmap = asks_for_idmap(mount, &has_maps);

	if ((mount->uid_mappings.n > 0) != (mount->gid_mappings.n > 0))
		return; /* an error already */
	if (mount->uid_mappings.n > 0 && !idmap)
		field_note_at(parser, json_get(value, "uidMappings"),
			      "the options should contain \"idmap\" or \"ridmap\"");
	else if (!has_maps && idmap && !has_namespace(spec, NS_USER))
		field_error_member(
			parser, value, "options",
			"an id-mapped mount needs uidMappings and gidMappings, or a namespace of type \"user\"");
}

static void
check_mounts(struct parser *parser, const struct json_value *config, const struct spec *spec)
{
	const struct json_value *mounts = json_get(config, "mounts");
	size_t i = 0;

	if (!mounts || mounts->type != JSON_ARRAY)
		return;
	for (const struct json_value *e = mounts->first; e && i < spec->n_mounts; e = e->next)
		if (e->type == JSON_OBJECT)
			check_mount(parser, e, spec, &spec->mounts[i++]);
}

/* ---- network devices ------------------------------------------------- */

static const char *
name_inside(const struct spec_net_device *device)
{
	return device->name ? device->name : device->host_name;
}

struct net_name {
	const char *text;
	const struct json_value *member;
};

/* By name, then in the order of the file. */
static int
by_name(const void *left, const void *right)
{
	const struct net_name *x = left, *y = right;
	int r = strcmp(x->text, y->text);

	return r ? r : (x->member->offset > y->member->offset) - (x->member->offset < y->member->offset);
}

/* Of those with one name all but the first are errors. */
static void
check_net_names(struct parser *parser, struct net_name *names, size_t n)
{
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp(names[i].text, names[i - 1].text) == 0 && !strstr(names[i].text, "%d"))
			field_error_key(parser, names[i].member,
					"two network devices would be called %s in the container",
					json_quote(parser->arena, names[i].text));
}

static void
check_net_devices(struct parser *parser, const struct json_value *config, const struct spec *spec)
{
	const struct json_value *devices = linux_member(config, "netDevices"), *m;
	const struct spec_linux *l = &spec->linux_;
	struct net_name *names;
	size_t i = 0;

	if (!devices || l->n_net_devices == 0)
		return;
	if (!has_namespace(spec, NS_NETWORK)) {
		field_error_at(parser, devices, "needs a namespace of type \"network\"%s", why_none(spec, NS_NETWORK));
		return;
	}
	names = arena_array(parser->arena, l->n_net_devices, sizeof(*names));
	for (m = devices->first; m && i < l->n_net_devices; m = m->next) {
		if (m->type != JSON_OBJECT)
			continue;
		names[i] = (struct net_name){ name_inside(&l->net_devices[i]), m };
		i++;
	}
	check_net_names(parser, names, i);
}

/* A namespace list that could not be read would make every rule below it cry. */
static bool
namespaces_are_known(const struct parser *parser, const struct json_value *config)
{
	const struct json_value *l = json_get(config, "linux");

	return !parser->namespaces_broken && (!l || l->type == JSON_OBJECT);
}

void
check_config(struct parser *parser, const struct json_value *config, const struct spec *spec)
{
	const struct json_value *v = json_get(config, "linux");

	check_version(parser, json_get(config, "ociVersion"));
	v = v && v->type == JSON_OBJECT ? json_get(v, "seccomp") : NULL;
	if (v && v->type == JSON_OBJECT && spec->linux_.seccomp)
		parse_check_listener(parser, v, spec->linux_.seccomp);
	if (!namespaces_are_known(parser, config))
		return;
	check_uts_name(parser, config, spec, "hostname");
	check_uts_name(parser, config, spec, "domainname");
	check_user_namespace(parser, config, spec);
	check_time_namespace(parser, config, spec);
	check_mounts(parser, config, spec);
	check_net_devices(parser, config, spec);
	check_sysctls(parser, config, &spec->linux_);
}
