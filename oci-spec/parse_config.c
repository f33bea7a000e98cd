/* Theory of operation: the top of config.md as a table, and the public
 * functions that parse a text: JSON tree first, then struct spec, then the
 * rules between its parts, then the sorted report. */
#include <errno.h>
#include <string.h>

#include "oci-spec/annotations.h"
#include "oci-spec/parse.h"
#include "oci-spec/spec.h"

static const struct field type_root_fields[] = {
	{ "path", field_string, AT(spec_root, path), .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY },
	{ "readonly", field_bool, AT(spec_root, readonly) },
};
OBJECT_TYPE(type_root, spec_root, NULL);

static void
check_mount_mappings(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct spec_mount *m = obj;

	check_id_mappings(parser, json_get(value, "uidMappings"), &m->uid_mappings);
	check_id_mappings(parser, json_get(value, "gidMappings"), &m->gid_mappings);
	if (field_object_is_clean(parser) && (m->uid_mappings.n > 0) != (m->gid_mappings.n > 0))
		field_error_member(parser, value, m->uid_mappings.n > 0 ? "uidMappings" : "gidMappings",
				   "uidMappings and gidMappings go together");
}

static const struct field type_mount_fields[] = {
	{ "destination", field_string, AT(spec_mount, destination), .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY },
	{ "type", field_string, AT(spec_mount, type), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "source", field_string, AT(spec_mount, source), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "options", field_strings, STRINGS_AT(spec_mount, options) },
	{ "uidMappings", field_objects, STRINGS_AT(spec_mount, uid_mappings), .type = &type_id_mapping },
	{ "gidMappings", field_objects, STRINGS_AT(spec_mount, gid_mappings), .type = &type_id_mapping },
};
SHARED_OBJECT_TYPE(type_mount, spec_mount, check_mount_mappings);

static const struct field type_config_fields[] = {
	{ "ociVersion", field_string, AT(spec, oci_version), .flags = FIELD_REQUIRED },
	{ "root", field_pointer, AT(spec, root), .flags = FIELD_REQUIRED, .type = &type_root },
	{ "process", field_pointer, AT(spec, process), .type = &type_process },
	{ "hostname", field_string, AT(spec, hostname), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "domainname", field_string, AT(spec, domainname), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "mounts", field_objects, LIST_AT(spec, mounts, n_mounts), .type = &type_mount },
	{ "hooks", field_object, AT(spec, hooks), .type = &type_hooks },
	{ "annotations", field_pairs, STRINGS_AT(spec, annotations) },
	{ "linux", field_object, AT(spec, linux_), .type = &type_linux },
	{ "solaris", .parse = field_ignored },
	{ "windows", .parse = field_ignored },
	{ "vm", .parse = field_ignored },
	{ "zos", .parse = field_ignored },
	{ "freebsd", .parse = field_ignored },
};
OBJECT_TYPE(type_config, spec, NULL);

static const struct field *
find_field(const struct object_type *type, const char *name, size_t len)
{
	for (size_t i = 0; i < type->n_fields; i++)
		if (!strncmp(type->fields[i].name, name, len) && !type->fields[i].name[len])
			return &type->fields[i];
	return NULL;
}

bool
parse_knows_property(const char *path)
{
	const struct object_type *t = &type_config;

	for (;;) {
		size_t len = strcspn(path, ".");
		const struct field *f = find_field(t, path, len);

		if (!f || f->parse == field_ignored)
			return false;
		if (!path[len])
			return true;
		if (f->parse != field_object && f->parse != field_pointer && f->parse != field_objects)
			return false;
		t = f->type;
		path += len + 1;
	}
}

/* Text -> tree, when it is an object at all. The arena's copy of the text is
 * NUL-terminated, which the caller's need not be. */
static struct json_value *
parse_root(struct parser *parser, const char *text, size_t len)
{
	struct json_value *root = json_parse(text, len, parser->arena, parser->issues);

	return root && field_expect_type(parser, root, JSON_OBJECT, "an object") ? root : NULL;
}

/* What a value meant in the version that the config was written for. Version 1.3
 * made a pids.limit of 0 a limit; before, callers wrote it for "not given" (Podman
 * does for --pids-limit=-1) and every runtime took it so. */
static void
apply_older_meaning(struct spec *spec)
{
	struct spec_resources *r = spec->linux_.resources;

	if (check_version_is_before(spec->oci_version, 3) && r && r->pids_limit.set && r->pids_limit.v == 0)
		r->pids_limit.set = false;
}

/* The agent's socket by annotation, as configs had it before the specification. */
static void
apply_receiver(struct spec *spec)
{
	const char *path = annotation_get(&spec->annotations, ANNOTATION_SECCOMP_RECEIVER);
	struct spec_seccomp *seccomp = spec->linux_.seccomp;

	if (path && *path == '/' && seccomp && !seccomp->listener_path)
		seccomp->listener_path = (char *)path;
}

/* Copies no more than can be parsed: json_parse() refuses one byte too many. */
static char *
copy_text(struct arena *a, const char *json, size_t *len)
{
	if (*len > SPEC_MAX_SIZE)
		*len = SPEC_MAX_SIZE + 1;
	return arena_strndup(a, json, *len);
}

static int
parse_spec(const char *file, const char *json, size_t len, bool joins, struct arena *a, struct spec_report *report,
	   struct spec **ret_spec)
{
	char *text = copy_text(a, json, &len);
	struct issues issues;
	struct parser p = { .arena = a, .issues = &issues, .joins = joins };
	struct spec *s = arena_alloc(a, sizeof(*s));
	struct json_value *root;

	issues_init(&issues, a, text, len);
	root = parse_root(&p, text, len);
	if (root) {
		field_parse_object(&p, &type_config, root, s);
		apply_receiver(s);
		check_config(&p, root, s);
	}
	issues_report(&issues, report);
	if (report->n_errors > 0)
		return -EINVAL;
	apply_older_meaning(s);
	s->file = arena_strdup(a, file);
	s->json = text;
	s->json_len = len;
	*ret_spec = s;
	return 0;
}

int
spec_parse(const char *file, const char *json, size_t len, struct arena *a, struct spec_report *report,
	   struct spec **ret_spec)
{
	return parse_spec(file, json, len, /* joins= */ false, a, report, ret_spec);
}

int
spec_parse_new(const char *file, const char *json, size_t len, struct arena *a, struct spec_report *report,
	       struct spec **ret_spec)
{
	return parse_spec(file, json, len, /* joins= */ true, a, report, ret_spec);
}

static const struct field mounts_fields[] = {
	{ "mounts", field_objects, LIST_AT(spec, mounts, n_mounts), .flags = FIELD_REQUIRED, .type = &type_mount },
};
OBJECT_TYPE(mounts, spec, NULL);

int
spec_parse_mounts(const char *json, size_t len, struct arena *a, struct spec_report *report,
		  struct spec_mount **ret_mounts, size_t *ret_n)
{
	char *text = copy_text(a, json, &len);
	struct issues issues;
	struct parser p = { .arena = a, .issues = &issues };
	struct spec *s = arena_alloc(a, sizeof(*s));
	struct json_value *root;

	issues_init(&issues, a, text, len);
	root = json_parse(text, len, a, &issues);
	if (root && root->type == JSON_ARRAY)
		field_objects(&p, &mounts_fields[0], root, s);
	else if (root)
		field_parse_object(&p, &mounts, root, s);
	issues_report(&issues, report);
	if (report->n_errors > 0)
		return -EINVAL;
	*ret_mounts = s->mounts;
	*ret_n = s->n_mounts;
	return 0;
}

/* A text that is one object of the config alone. */
static int
parse_lone(const struct object_type *type, const char *json, size_t len, struct arena *a, struct spec_report *report,
	   void **ret_object)
{
	char *text = copy_text(a, json, &len);
	struct issues issues;
	struct parser p = { .arena = a, .issues = &issues };
	void *object = arena_alloc(a, type->size);
	struct json_value *root;

	issues_init(&issues, a, text, len);
	root = parse_root(&p, text, len);
	if (root)
		field_parse_object(&p, type, root, object);
	issues_report(&issues, report);
	if (report->n_errors > 0)
		return -EINVAL;
	*ret_object = object;
	return 0;
}

int
spec_parse_process(const char *json, size_t len, struct arena *a, struct spec_report *report,
		   struct spec_process **ret_process)
{
	void *object;
	int r = parse_lone(&type_process, json, len, a, report, &object);

	if (r == 0)
		*ret_process = object;
	return r;
}

int
spec_parse_resources(const char *json, size_t len, struct arena *a, struct spec_report *report,
		     struct spec_resources **ret_resources)
{
	void *object;
	int r = parse_lone(&type_resources, json, len, a, report, &object);

	if (r == 0)
		*ret_resources = object;
	return r;
}
