/* Theory of operation: the features document says what this build knows, not
 * what this host can do (features.md). Names come from the parser's tables, so
 * the document cannot promise a name that the parser refuses. */
#include "oci-spec/document_parts.h"
#include "oci-spec/documents.h"
#include "oci-spec/parse.h"

static void
put_table(struct json_out *j, const char *key, const struct name_table *t)
{
	json_out_key(j, key);
	json_out_open(j, '[');
	for (size_t i = 0; i < t->n; i++)
		json_out_string(j, t->names[i].name);
	json_out_close(j, ']');
}

static void
put_hooks(struct json_out *j)
{
	json_out_key(j, "hooks");
	json_out_open(j, '[');
	for (size_t i = 0; i < type_hooks.n_fields; i++)
		json_out_string(j, type_hooks.fields[i].name);
	json_out_close(j, ']');
}

static void
put_capabilities(struct json_out *j)
{
	const char *name;

	json_out_key(j, "capabilities");
	json_out_open(j, '[');
	for (unsigned i = 0; (name = capability_name(j->arena, i)); i++)
		json_out_string(j, name);
	json_out_close(j, ']');
}

static void
put_enabled(struct json_out *j, const char *key, bool enabled)
{
	document_open(j, key);
	document_bool(j, "enabled", enabled);
	json_out_close(j, '}');
}

static void
put_cgroup(struct json_out *j, const struct features_lists *lists)
{
	document_open(j, "cgroup");
	document_bool(j, "v1", lists->cgroup_v1);
	document_bool(j, "v2", lists->cgroup_v2);
	document_bool(j, "systemd", lists->cgroup_systemd);
	document_bool(j, "systemdUser", lists->cgroup_systemd_user);
	document_bool(j, "rdma", lists->cgroup_rdma);
	json_out_close(j, '}');
}

static void
put_seccomp(struct json_out *j, const struct features_lists *lists)
{
	document_open(j, "seccomp");
	document_bool(j, "enabled", lists->seccomp);
	document_list(j, "actions", lists->seccomp_actions);
	document_list(j, "operators", lists->seccomp_operators);
	document_list(j, "archs", lists->seccomp_archs);
	document_list(j, "knownFlags", lists->seccomp_known_flags);
	document_list(j, "supportedFlags", lists->seccomp_supported_flags);
	json_out_close(j, '}');
}

static void
put_intel_rdt(struct json_out *j, bool enabled)
{
	document_open(j, "intelRdt");
	document_bool(j, "enabled", enabled);
	document_bool(j, "schemata", enabled);
	document_bool(j, "monitoring", enabled);
	json_out_close(j, '}');
}

static void
put_linux(struct json_out *j, const struct features_lists *lists)
{
	document_open(j, "linux");
	put_table(j, "namespaces", &names_namespace);
	put_capabilities(j);
	put_cgroup(j, lists);
	put_seccomp(j, lists);
	put_enabled(j, "apparmor", lists->apparmor);
	put_enabled(j, "selinux", lists->selinux);
	if (lists->memory_policy) {
		document_open(j, "memoryPolicy");
		put_table(j, "modes", &names_mpol_mode);
		put_table(j, "flags", &names_mpol_flag);
		json_out_close(j, '}');
	}
	put_intel_rdt(j, lists->intel_rdt);
	document_open(j, "mountExtensions");
	put_enabled(j, "idmap", lists->idmap_mounts);
	json_out_close(j, '}');
	put_enabled(j, "netDevices", lists->net_devices);
	json_out_close(j, '}');
}

char *
document_features(struct arena *a, const struct features_lists *lists)
{
	struct json_out j;

	json_out_init(&j, a, /* pretty= */ true);
	json_out_open(&j, '{');
	json_out_member(&j, "ociVersionMin", OCI_VERSION_MIN);
	json_out_member(&j, "ociVersionMax", OCI_VERSION);
	put_hooks(&j);
	document_list(&j, "mountOptions", lists->mount_options);
	put_linux(&j, lists);
	if (lists->annotations) {
		document_open(&j, "annotations");
		for (size_t i = 0; i < lists->annotations->n; i++)
			json_out_member(&j, lists->annotations->items[i].key, lists->annotations->items[i].value);
		json_out_close(&j, '}');
	}
	document_list(&j, "potentiallyUnsafeConfigAnnotations", lists->unsafe_annotations);
	json_out_close(&j, '}');
	return document_end(&j);
}
