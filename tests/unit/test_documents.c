/* oci-spec/documents.h: the documents are JSON, and the parser of configs is
 * wholly content with the default config. */
#include <stdio.h>
#include <string.h>

#include "oci-spec/documents.h"
#include "oci-spec/json_text.h"
#include "oci-spec/parse.h"
#include "tests/unit/check.h"

static const struct json_value *
read_document(struct arena *a, const char *text)
{
	struct issues is;

	issues_init(&is, a, text, strlen(text));
	return json_parse(text, strlen(text), a, &is);
}

static void
test_default_config(bool rootless)
{
	auto_arena struct arena a = { 0 };
	char *text = document_default_config(&a, rootless, 1000, 1001);
	struct spec_report report;
	struct spec *s = NULL;

	CHECK(spec_parse("config.json", text, strlen(text), &a, &report, &s) == 0);
	for (size_t i = 0; i < report.n; i++)
		fprintf(stderr, "%s\n", spec_issue_format(&a, "config.json", &report.items[i]));
	CHECK(report.n == 0);
	if (!s) {
		failed = 1;
		return;
	}
	CHECK(strcmp(s->root->path, "rootfs") == 0 && s->root->readonly);
	CHECK(s->process->args.n == 1 && strcmp(s->process->args.items[0], "sh") == 0);
	CHECK(s->process->no_new_privileges && s->process->terminal);
	CHECK(s->n_mounts == 7);
	CHECK(s->linux_.namespaces[NS_USER].listed == rootless);
	CHECK(s->linux_.namespaces[NS_NETWORK].listed == !rootless);
	CHECK((s->linux_.resources == NULL) == rootless);
	if (rootless) {
		CHECK(s->linux_.uid_mappings.n == 1 && s->linux_.uid_mappings.items[0].host_id == 1000);
		CHECK(s->linux_.gid_mappings.n == 1 && s->linux_.gid_mappings.items[0].host_id == 1001);
	}
}

static void
test_state(void)
{
	auto_arena struct arena a = { 0 };
	char key_a[] = "a", one[] = "1", key_b[] = "b\n", no_utf8[] = "\xff";
	struct spec_pair pairs[] = { { key_a, one }, { key_b, no_utf8 } };
	struct spec_pairs annotations = { pairs, 2 };
	struct state_document s = { "box", "running", "/b", 42, &annotations };

	CHECK(strcmp(document_state(&a, &s, false),
		     "{\"ociVersion\":\"" OCI_VERSION
		     "\",\"id\":\"box\",\"status\":\"running\",\"pid\":42,\"bundle\":\"/b\","
		     "\"annotations\":{\"a\":\"1\",\"b\\n\":\"\xef\xbf\xbd\"}}") == 0);
	s = (struct state_document){ "box", "stopped", "/b", 0, NULL };
	CHECK(strcmp(document_state(&a, &s, true),
		     "{\n  \"ociVersion\": \"" OCI_VERSION "\",\n  \"id\": \"box\",\n  \"status\": \"stopped\",\n"
		     "  \"bundle\": \"/b\"\n}\n") == 0);
}

static void
test_features(void)
{
	auto_arena struct arena a = { 0 };
	const char *const some[] = { "ro", "rw", NULL };
	struct features_lists lists = {
		.mount_options = some, .seccomp_flags = some, .cgroup_v2 = true, .unsafe_annotations = some
	};
	const struct json_value *v = read_document(&a, features_document(&a, &lists)), *l = json_get(v, "linux");

	CHECK(v && strcmp(json_get(v, "ociVersionMax")->text, OCI_VERSION) == 0);
	CHECK(json_get(v, "hooks")->n == 6);
	CHECK(json_get(v, "mountOptions")->n == 2);
	CHECK(json_get(l, "namespaces")->n == NS_COUNT);
	CHECK(json_get(l, "capabilities")->n >= 41);
	CHECK(strcmp(json_get(l, "capabilities")->first->text, "CAP_CHOWN") == 0);
	CHECK(json_get(json_get(l, "seccomp"), "actions")->n == SPEC_ACT_COUNT);
	CHECK(json_get(json_get(l, "seccomp"), "supportedFlags")->n == 2);
	CHECK(json_get(json_get(l, "intelRdt"), "schemata")->boolean);
	CHECK(!json_get(json_get(l, "seccomp"), "archs"));
	CHECK(json_get(json_get(l, "cgroup"), "v2")->boolean);
	CHECK(json_get(json_get(l, "memoryPolicy"), "modes")->n == 7);
}

static void
test_known_properties(void)
{
	static const struct {
		const char *path;
		bool known;
	} rows[] = {
		{ "ociVersion", true },	       { "linux.intelRdt.schemata", true },
		{ "mounts.options", true },    { "linux.netDevices", true },
		{ "process.user.uid", true },  { "linux.resources.rdma", true },
		{ "linux.intelRdt.x", false }, { "linu", false },
		{ "linux.", false },	       { "", false },
		{ "hostname.x", false },       { "solaris", false },
		{ "mounts.option", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(parse_knows_property(rows[i].path) == rows[i].known);
}

int
main(void)
{
	test_known_properties();
	test_default_config(false);
	test_default_config(true);
	test_state();
	test_features();
	return failed;
}
