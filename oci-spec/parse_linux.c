/* Theory of operation: config-linux.md as tables (seccomp and resources have
 * files of their own), and the rules between the members of one object. Rules
 * that need two objects of the config are in check.c. */
#include <errno.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/stat.h>

#include "oci-spec/parse.h"

#define MAJOR_MAX 4095
#define MINOR_MAX 1048575

static bool
is_string(const struct json_value *value)
{
	return value && value->type == JSON_STRING && !value->broken;
}

/* ---- namespaces, id mappings, clocks --------------------------------- */

struct namespace_entry {
	uint32_t type;
	char *path;
};

static const struct field type_namespace_fields[] = {
	{ "type", field_enum, AT(namespace_entry, type), .flags = FIELD_REQUIRED, .type = &names_namespace },
	{ "path", field_string, AT(namespace_entry, path), .flags = FIELD_ABSOLUTE | FIELD_EMPTY_IS_ABSENT },
};
OBJECT_TYPE(type_namespace, namespace_entry, NULL);

/* What is not there, or closed, cannot be joined either: that is said then. */
static bool
is_no_path(int code)
{
	return code == -ENOENT || code == -ENOTDIR || code == -EACCES || code == -ELOOP || code == -ENAMETOOLONG;
}

static bool
is_own_namespace(struct parser *parser, const struct json_value *value, const struct namespace_entry *entry)
{
	int r = parser->joins && entry->path ? ns_is_own(entry->type, entry->path) : 0;

	if (r < 0 && !is_no_path(r))
		field_error_member(parser, value, "path", "cannot be looked at: %s", err_reason(-r));
	if (r <= 0)
		return false;
	/* All that is mounted for the container would be mounted on the host; and the kernel lets
	 * no process enter the user namespace that it is in. */
	if (entry->type == NS_MOUNT || entry->type == NS_USER)
		field_error_member(parser, value, "path", "is the %s namespace of the runtime itself",
				   ns_kinds[entry->type].word);
	return true;
}

static void
field_namespaces(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	struct spec_namespace *list = (void *)((char *)obj + field->offset);
	size_t errors = parser->issues->count[SPEC_ERROR];

	if (!field_expect_type(parser, value, JSON_ARRAY, "an array of objects")) {
		parser->namespaces_broken = true;
		return;
	}
	for (const struct json_value *e = value->first; e; e = e->next) {
		struct namespace_entry entry = { NS_COUNT, NULL };

		if (!field_expect_type(parser, e, JSON_OBJECT, "an object"))
			continue;
		field_parse_object(parser, &type_namespace, e, &entry);
		if (entry.type == NS_COUNT)
			continue;
		if (list[entry.type].listed)
			field_error_at(parser, e, "duplicate namespace \"%s\"", ns_kinds[entry.type].word);
		else
			list[entry.type] =
				(struct spec_namespace){ true, entry.path, is_own_namespace(parser, e, &entry) };
	}
	parser->namespaces_broken = parser->issues->count[SPEC_ERROR] > errors;
}

static const struct field type_id_mapping_fields[] = {
	{ "containerID", INT_AT(spec_id_mapping, container_id, 0, ID_MAX), .flags = FIELD_REQUIRED },
	{ "hostID", INT_AT(spec_id_mapping, host_id, 0, ID_MAX), .flags = FIELD_REQUIRED },
	{ "size", INT_AT(spec_id_mapping, size, 1, UINT32_MAX), .flags = FIELD_REQUIRED },
};
SHARED_OBJECT_TYPE(type_id_mapping, spec_id_mapping, NULL);

static void
check_offset(struct parser *parser, const struct json_value *value, void *obj)
{
	(void)parser, (void)value;
	((struct spec_time_offset *)obj)->set = true;
}

static const struct field type_offset_fields[] = {
	{ "secs", INT_AT(spec_time_offset, secs, INT64_MIN, INT64_MAX) },
	{ "nanosecs", INT_AT(spec_time_offset, nanosecs, 0, 999999999) },
};
OBJECT_TYPE(type_offset, spec_time_offset, check_offset);

struct time_offsets {
	bool set;
	struct spec_time_offset monotonic, boottime;
};
_Static_assert(sizeof(struct time_offsets) == sizeof(((struct spec_linux *)0)->time_offsets), "same layout");

static void
check_time_offsets(struct parser *parser, const struct json_value *value, void *obj)
{
	(void)parser;
	((struct time_offsets *)obj)->set = value->n > 0;
}

static const struct field type_time_offsets_fields[] = {
	{ "monotonic", field_object, AT(time_offsets, monotonic), .type = &type_offset },
	{ "boottime", field_object, AT(time_offsets, boottime), .type = &type_offset },
};
OBJECT_TYPE(type_time_offsets, time_offsets, check_time_offsets);

/* ---- devices --------------------------------------------------------- */

static mode_t
file_type(char type)
{
	return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

static void
field_node_type(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	if (!field_expect_type(parser, value, JSON_STRING, "a string") || value->broken)
		return;
	if (value->n != 1 || !strchr("cbup", value->text[0]))
		field_error_at(parser, value, "unknown device type %s, expected \"c\", \"b\", \"u\" or \"p\"",
			       json_quote(parser->arena, value->text));
	else
		*((char *)obj + field->offset) = value->text[0];
}

static void
check_device(struct parser *parser, const struct json_value *value, void *obj)
{
	struct spec_device *d = obj;

	if (!field_object_is_clean(parser))
		return;
	if (d->type != 'p' && !json_get(value, "major"))
		field_error_member(parser, value, "major", "required property is missing (device type \"%c\")",
				   d->type);
	if (d->type != 'p' && !json_get(value, "minor"))
		field_error_member(parser, value, "minor", "required property is missing (device type \"%c\")",
				   d->type);
	/* old callers write st_mode as it is, with the type in it */
	if ((d->file_mode.v & S_IFMT) == file_type(d->type))
		d->file_mode.v &= ~(uint32_t)S_IFMT;
	if (d->file_mode.v > 0777)
		field_error_member(parser, value, "fileMode",
				   "expected a decimal number from 0 to 511 (0777), found %s",
				   json_get(value, "fileMode")->text);
}

static const struct field type_device_fields[] = {
	{ "type", field_node_type, AT(spec_device, type), .flags = FIELD_REQUIRED },
	{ "path", field_string, AT(spec_device, path), .flags = FIELD_REQUIRED | FIELD_ABSOLUTE },
	{ "major", INT_AT(spec_device, major, 0, MAJOR_MAX) },
	{ "minor", INT_AT(spec_device, minor, 0, MINOR_MAX) },
	{ "fileMode", OPT_INT_AT(spec_device, file_mode, 0, UINT32_MAX) },
	{ "uid", OPT_INT_AT(spec_device, uid, 0, ID_MAX) },
	{ "gid", OPT_INT_AT(spec_device, gid, 0, ID_MAX) },
};
OBJECT_TYPE(type_device, spec_device, check_device);

/* ---- network devices ------------------------------------------------- */

/* The kernel's dev_valid_name(): 1 to 15 bytes, no '/', ':' or space, not a dot name. */
static void
check_interface_name(struct parser *parser, const struct json_value *value, const char *name, bool at_key)
{
	if (*name && strlen(name) < 16 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	    name[strcspn(name, "/: \t\n\v\f\r")] == '\0')
		return;
	if (at_key)
		field_error_key(parser, value, "%s cannot be the name of a network device",
				json_quote(parser->arena, name));
	else
		field_error_at(parser, value, "%s cannot be the name of a network device",
			       json_quote(parser->arena, name));
}

static void
check_net_device(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct spec_net_device *d = obj;

	check_interface_name(parser, value, d->host_name, true);
	if (d->name)
		check_interface_name(parser, json_get(value, "name"), d->name, false);
}

static const struct field type_net_device_fields[] = {
	{ "name", field_string, AT(spec_net_device, name), .flags = FIELD_EMPTY_IS_ABSENT },
};
OBJECT_TYPE(type_net_device, spec_net_device, check_net_device);

/* ---- Intel RDT, memory policy, personality --------------------------- */

static void
check_no_newline(struct parser *parser, const struct json_value *value)
{
	if (is_string(value) && strchr(value->text, '\n'))
		field_error_at(parser, value, "must not contain a newline");
}

static void
check_intel_rdt(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct json_value *clos = json_get(value, "closID"), *l3 = json_get(value, "l3CacheSchema");
	const struct json_value *bandwidth = json_get(value, "memBwSchema"), *schemata = json_get(value, "schemata");

	(void)obj;
	if (is_string(clos) && strcmp(clos->text, "/") != 0 &&
	    (strchr(clos->text, '/') || strcmp(clos->text, ".") == 0 || strcmp(clos->text, "..") == 0))
		field_error_at(parser, clos, "expected \"/\" or the name of a group, found %s",
			       json_quote(parser->arena, clos->text));
	check_no_newline(parser, l3);
	check_no_newline(parser, bandwidth);
	if (is_string(l3) && strncmp(l3->text, "L3:", 3) != 0)
		field_warn_at(parser, l3, "should begin with \"L3:\"");
	if (is_string(bandwidth) && strncmp(bandwidth->text, "MB:", 3) != 0)
		field_error_at(parser, bandwidth, "must begin with \"MB:\"");
	for (const struct json_value *e = schemata && schemata->type == JSON_ARRAY ? schemata->first : NULL; e;
	     e = e->next)
		check_no_newline(parser, e);
}

static const struct field type_intel_rdt_fields[] = {
	{ "closID", field_string, AT(spec_intel_rdt, clos_id), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "l3CacheSchema", field_string, AT(spec_intel_rdt, l3_cache_schema), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "memBwSchema", field_string, AT(spec_intel_rdt, mem_bw_schema), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "schemata", field_strings, STRINGS_AT(spec_intel_rdt, schemata) },
	{ "enableMonitoring", field_bool, AT(spec_intel_rdt, enable_monitoring) },
};
OBJECT_TYPE(type_intel_rdt, spec_intel_rdt, check_intel_rdt);

/* The rules of set_mempolicy(2). */
static void
check_memory_policy(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct spec_memory_policy *policy = obj;
	const char *mode = name_of(&names_mpol_mode, (uint64_t)policy->mode);
	const uint32_t both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
	bool has_nodes = policy->nodes != NULL;

	check_number_list(parser, json_get(value, "nodes"));
	if ((policy->flags & both) == both)
		field_error_member(parser, value, "flags",
				   "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
	if (!field_object_is_clean(parser))
		return;
	if (policy->mode == MPOL_DEFAULT || policy->mode == MPOL_LOCAL) {
		if (has_nodes)
			field_error_member(parser, value, "nodes", "%s takes no nodes", mode);
	} else if (policy->mode != MPOL_PREFERRED && !has_nodes) {
		field_error_member(parser, value, "nodes", "%s needs at least one node", mode);
	}
}

static const struct field type_memory_policy_fields[] = {
	{ "mode", field_enum, AT(spec_memory_policy, mode), .flags = FIELD_REQUIRED, .type = &names_mpol_mode },
	{ "nodes", field_string, AT(spec_memory_policy, nodes), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "flags", field_flags, AT(spec_memory_policy, flags), .size = sizeof(uint32_t), .type = &names_mpol_flag },
};
OBJECT_TYPE(type_memory_policy, spec_memory_policy, check_memory_policy);

struct personality {
	bool set;
	unsigned long domain;
};
_Static_assert(sizeof(struct personality) == sizeof(((struct spec_linux *)0)->personality), "same layout");

static void
check_personality(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct json_value *flags = json_get(value, "flags");

	if (flags && field_expect_type(parser, flags, JSON_ARRAY, "an array of strings") && flags->n > 0)
		field_error_at(parser, flags, "no personality flags are supported");
	((struct personality *)obj)->set = true;
}

/* Read by check_personality(): there is no flag yet. */
static void
field_personality_flags(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	(void)parser;
	(void)field;
	(void)value;
	(void)obj;
}

static const struct field type_personality_fields[] = {
	{ "domain", field_enum, AT(personality, domain), .flags = FIELD_REQUIRED, .size = sizeof(unsigned long),
	  .type = &names_personality },
	{ "flags", .parse = field_personality_flags },
};
OBJECT_TYPE(type_personality, personality, check_personality);

/* ---- linux ----------------------------------------------------------- */

static void
field_propagation(struct parser *parser, const struct field *field, const struct json_value *val, void *obj)
{
	struct spec_linux *l = obj;
	uint64_t value;

	if (val->type == JSON_STRING && val->n == 0)
		return;
	if (!field_expect_type(parser, val, JSON_STRING, "a string") || val->broken)
		return;
	if (!name_find(field->type, val->text, &value)) {
		field_error_at(parser, val, "%s", name_complaint(parser->arena, field->type, val->text));
		return;
	}
	l->rootfs_propagation = value & ~(uint64_t)NAMES_RECURSIVE;
	l->rootfs_propagation_rec = (value & NAMES_RECURSIVE) != 0;
}

/* The container's cgroup must stay below where the runtime is told to make it. */
static void
check_cgroups_path(struct parser *parser, const struct json_value *value, const char *path)
{
	while (path && *path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && memcmp(path, "..", 2) == 0) {
			field_error_member(parser, value, "cgroupsPath", "must not contain \"..\"");
			return;
		}
		path += n + (path[n] == '/');
	}
}

static void
check_linux(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct spec_linux *l = obj;

	check_id_mappings(parser, json_get(value, "uidMappings"), &l->uid_mappings);
	check_id_mappings(parser, json_get(value, "gidMappings"), &l->gid_mappings);
	check_cgroups_path(parser, value, l->cgroups_path);
}

static const struct field type_linux_fields[] = {
	{ "namespaces", field_namespaces, AT(spec_linux, namespaces) },
	{ "uidMappings", field_objects, STRINGS_AT(spec_linux, uid_mappings), .type = &type_id_mapping },
	{ "gidMappings", field_objects, STRINGS_AT(spec_linux, gid_mappings), .type = &type_id_mapping },
	{ "timeOffsets", field_object, AT(spec_linux, time_offsets), .type = &type_time_offsets },
	{ "devices", field_objects, LIST_AT(spec_linux, devices, n_devices), .type = &type_device },
	{ "netDevices", field_map, LIST_AT(spec_linux, net_devices, n_net_devices), .type = &type_net_device },
	{ "cgroupsPath", field_string, AT(spec_linux, cgroups_path), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "resources", field_pointer, AT(spec_linux, resources), .type = &type_resources },
	{ "rootfsPropagation", field_propagation, AT(spec_linux, rootfs_propagation), .type = &names_propagation },
	{ "seccomp", field_pointer, AT(spec_linux, seccomp), .type = &type_seccomp },
	{ "sysctl", field_pairs, STRINGS_AT(spec_linux, sysctl) },
	{ "maskedPaths", field_strings, STRINGS_AT(spec_linux, masked_paths), .flags = FIELD_ABSOLUTE },
	{ "readonlyPaths", field_strings, STRINGS_AT(spec_linux, readonly_paths), .flags = FIELD_ABSOLUTE },
	{ "mountLabel", field_string, AT(spec_linux, mount_label), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "intelRdt", field_pointer, AT(spec_linux, intel_rdt), .type = &type_intel_rdt },
	{ "memoryPolicy", field_pointer, AT(spec_linux, memory_policy), .type = &type_memory_policy },
	{ "personality", field_object, AT(spec_linux, personality), .type = &type_personality },
};
SHARED_OBJECT_TYPE(type_linux, spec_linux, check_linux);
