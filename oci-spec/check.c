/* Theory of operation: rules that tie two objects of a config together, mostly
 * "this needs that namespace". They run after everything was parsed, on the
 * struct; the tree is only asked for places. */
#include <string.h>

#include "oci-spec/parse.h"

static bool
has_namespace(const struct spec *s, enum spec_ns_type type)
{
	return s->linux_.namespaces[type].listed;
}

static const struct json_value *
linux_member(const struct json_value *config, const char *name)
{
	return json_get(json_get(config, "linux"), name);
}

/* ---- host and domain name -------------------------------------------- */

#define UTS_NAME_MAX 64 /* __NEW_UTS_LEN */

static void
check_uts_name(struct parser *p, const struct json_value *config, const struct spec *s, const char *property)
{
	const struct json_value *v = json_get(config, property);

	if (!v || v->type != JSON_STRING || v->n == 0 || v->broken)
		return;
	if (!has_namespace(s, SPEC_NS_UTS))
		error_at(p, v, "needs a namespace of type \"uts\", or it would change the name of the host");
	else if (v->n > UTS_NAME_MAX)
		error_at(p, v, "is %u bytes long, the kernel allows %d", v->n, UTS_NAME_MAX);
}

/* ---- user and time namespaces ---------------------------------------- */

static void
check_user_namespace(struct parser *p, const struct json_value *config, const struct spec *s)
{
	const struct json_value *uids = linux_member(config, "uidMappings");
	const struct json_value *gids = linux_member(config, "gidMappings");
	const struct spec_linux *l = &s->linux_;

	if (!has_namespace(s, SPEC_NS_USER)) {
		if (l->uid_mappings.n > 0)
			error_at(p, uids, "needs a namespace of type \"user\"");
		if (l->gid_mappings.n > 0)
			error_at(p, gids, "needs a namespace of type \"user\"");
	} else if (!l->namespaces[SPEC_NS_USER].path) {
		if (l->uid_mappings.n > 0 && !gids)
			error_at(p, uids, "needs gidMappings too");
		if (l->gid_mappings.n > 0 && !uids)
			error_at(p, gids, "needs uidMappings too");
	}
}

static void
check_time_namespace(struct parser *p, const struct json_value *config, const struct spec *s)
{
	const struct json_value *v = linux_member(config, "timeOffsets");

	if (!s->linux_.time_offsets.set || !v)
		return;
	if (!has_namespace(s, SPEC_NS_TIME))
		error_at(p, v, "needs a namespace of type \"time\"");
	else if (s->linux_.namespaces[SPEC_NS_TIME].path)
		error_at(p, v, "needs a new namespace of type \"time\", the clocks of a joined one cannot be set");
}

/* ---- mounts ---------------------------------------------------------- */

static void
check_mount(struct parser *p, const struct json_value *v, const struct spec *s, const struct spec_mount *m)
{
	bool idmap = spec_strings_have(&m->options, "idmap") || spec_strings_have(&m->options, "ridmap");

	if ((m->uid_mappings.n > 0) != (m->gid_mappings.n > 0))
		error_member(p, v, m->uid_mappings.n > 0 ? "uidMappings" : "gidMappings",
			     "uidMappings and gidMappings go together");
	else if (m->uid_mappings.n > 0 && !idmap)
		note_at(p, json_get(v, "uidMappings"), "the options should contain \"idmap\" or \"ridmap\"");
	else if (m->uid_mappings.n == 0 && idmap && !has_namespace(s, SPEC_NS_USER))
		error_member(p, v, "options",
			     "an id-mapped mount needs uidMappings and gidMappings, or a namespace of type \"user\"");
}

static void
check_mounts(struct parser *p, const struct json_value *config, const struct spec *s)
{
	const struct json_value *mounts = json_get(config, "mounts");
	size_t i = 0;

	if (!mounts || mounts->type != JSON_ARRAY)
		return;
	for (const struct json_value *e = mounts->first; e && i < s->n_mounts; e = e->next)
		if (e->type == JSON_OBJECT)
			check_mount(p, e, s, &s->mounts[i++]);
}

/* ---- network devices ------------------------------------------------- */

static const char *
name_inside(const struct spec_net_device *d)
{
	return d->name ? d->name : d->host_name;
}

static void
check_net_devices(struct parser *p, const struct json_value *config, const struct spec *s)
{
	const struct json_value *devices = linux_member(config, "netDevices"), *m;
	const struct spec_linux *l = &s->linux_;
	size_t i = 0;

	if (!devices || l->n_net_devices == 0)
		return;
	if (!has_namespace(s, SPEC_NS_NETWORK)) {
		error_at(p, devices, "needs a namespace of type \"network\"");
		return;
	}
	for (m = devices->first; m && i < l->n_net_devices; m = m->next) {
		if (m->type != JSON_OBJECT)
			continue;
		for (size_t j = 0; j < i; j++)
			if (!strstr(name_inside(&l->net_devices[i]), "%d") &&
			    strcmp(name_inside(&l->net_devices[i]), name_inside(&l->net_devices[j])) == 0) {
				error_key(p, m, "two network devices would be called %s in the container",
					  json_quote(p->arena, name_inside(&l->net_devices[i])));
				break;
			}
		i++;
	}
}

/* A namespace list that could not be read would make every rule below it cry. */
static bool
namespaces_are_known(const struct parser *p, const struct json_value *config)
{
	const struct json_value *l = json_get(config, "linux");

	return !p->namespaces_broken && (!l || l->type == JSON_OBJECT);
}

void
check_config(struct parser *p, const struct json_value *config, const struct spec *s)
{
	const struct json_value *v = json_get(config, "linux");

	check_version(p, json_get(config, "ociVersion"));
	v = v && v->type == JSON_OBJECT ? json_get(v, "seccomp") : NULL;
	if (v && v->type == JSON_OBJECT && s->linux_.seccomp)
		check_listener(p, v, s->linux_.seccomp);
	if (!namespaces_are_known(p, config))
		return;
	check_uts_name(p, config, s, "hostname");
	check_uts_name(p, config, s, "domainname");
	check_user_namespace(p, config, s);
	check_time_namespace(p, config, s);
	check_mounts(p, config, s);
	check_net_devices(p, config, s);
	check_sysctls(p, config, &s->linux_);
}
