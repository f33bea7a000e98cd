/* Theory of operation: the features document says what this build knows, not
 * what this host can do (features.md). Names come from the parser's tables, so
 * the document cannot promise a name that the parser refuses. */
#include "oci-spec/document_parts.h"
#include "oci-spec/documents.h"
#include "oci-spec/parse.h"

static void
put_table(struct json_out *j, const char *key, const struct name_table *table)
{
	json_out_key(j, key);
	json_out_open(j, '[');
	for (size_t i = 0; i < table->n; i++)
		json_out_string(j, table->names[i].name);
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
	for (unsigned i = 0; (name = name_of_capability(j->arena, i)); i++)
		json_out_string(j, name);
	json_out_close(j, ']');
}

/* Enabled is what the parser reads. */
static void
put_known(struct json_out *j, const char *key, const char *property)
{
	document_bool(j, key, parse_knows_property(property));
}

static void
put_enabled(struct json_out *j, const char *key, const char *property)
{
	document_open(j, key);
	put_known(j, "enabled", property);
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
	put_known(j, "rdma", "linux.resources.rdma");
	json_out_close(j, '}');
}

static void
put_seccomp(struct json_out *j, const struct features_lists *lists)
{
	document_open(j, "seccomp");
	put_known(j, "enabled", "linux.seccomp");
	put_table(j, "actions", &names_seccomp_action);
	put_table(j, "operators", &names_seccomp_op);
	document_list(j, "archs", lists->seccomp_archs);
	/* Each that is known is also passed to the kernel. */
	document_list(j, "knownFlags", lists->seccomp_flags);
	document_list(j, "supportedFlags", lists->seccomp_flags);
	json_out_close(j, '}');
}

static void
put_intel_rdt(struct json_out *j)
{
	document_open(j, "intelRdt");
	put_known(j, "enabled", "linux.intelRdt");
	put_known(j, "schemata", "linux.intelRdt.schemata");
	put_known(j, "monitoring", "linux.intelRdt.enableMonitoring");
	json_out_close(j, '}');
}

static void
put_memory_policy(struct json_out *j)
{
	if (!parse_knows_property("linux.memoryPolicy"))
		return;
	document_open(j, "memoryPolicy");
	put_table(j, "modes", &names_mpol_mode);
	put_table(j, "flags", &names_mpol_flag);
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
	put_enabled(j, "apparmor", "process.apparmorProfile");
	put_enabled(j, "selinux", "process.selinuxLabel");
	put_memory_policy(j);
	put_intel_rdt(j);
	document_open(j, "mountExtensions");
	put_enabled(j, "idmap", "mounts.uidMappings");
	json_out_close(j, '}');
	put_enabled(j, "netDevices", "linux.netDevices");
	json_out_close(j, '}');
}

char *
features_document(struct arena *a, const struct features_lists *lists)
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
