/* Fuzzes the parser of config.json: text -> JSON tree -> struct spec -> rules.
 * A text that begins with a tab is taken as a lone process, with a carriage return as lone
 * resources, which are compiled and merged into a config, and with a line end as lone mounts.
 * Checks that the result and the report agree, and that places lie inside the text. See README.md. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "cgroups/settings.h"
#include "cgroups/systemd/systemd.h"
#include "oci-spec/config_edit.h"

/* With a user namespace, which mounts may need. */
static const char base[] =
	"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"linux\":{\"namespaces\":[{\"type\":\"user\"}],"
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],\"resources\":"
	"{\"memory\":{\"limit\":4096},\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}]}}}";

static void
check_report(const struct spec_report *report, size_t len, struct arena *a)
{
	if (report->n > SPEC_MAX_ISSUES || (report->n_errors > 0 && report->n == 0))
		abort();
	for (size_t i = 0; i < report->n; i++) {
		const struct spec_issue *issue = &report->items[i];

		if (issue->line == 0 || issue->column == 0 || issue->line > len + 1 || issue->column > len + 1)
			abort();
		if (i > 0 && issue[-1].line > issue->line)
			abort();
		if (strlen(spec_issue_format(a, "f", issue)) < 8)
			abort();
	}
}

/* A config stays one when it is changed. */
static void
check_edited(const char *json, struct arena *a)
{
	struct spec_report report;
	struct spec *s = NULL;

	FUZZ_MUST(!json || spec_parse("f", json, strlen(json), a, &report, &s) == 0);
}

static void
use_resources(const struct spec_resources *resources, struct arena *a)
{
	struct settings list = { .arena = a };
	struct systemd_properties properties = { .arena = a };
	struct err err;

	err_clear(&err);
	if (settings_compile(&list, resources, &err) < 0) {
		FUZZ_MUST(err.msg[0]);
		return;
	}
	for (size_t i = 0; i < list.n; i++)
		FUZZ_MUST(list.items[i].property && list.items[i].value &&
			  (!list.items[i].file || !strchr(list.items[i].file, '/')));
	systemd_properties_from_settings(&properties, &list, &err);
	check_edited(config_edit_resources(a, base, sizeof(base) - 1, resources, NULL), a);
}

/* True: it is one. */
static bool
parse(const char *text, size_t size, struct arena *a, struct spec_report *report)
{
	struct spec_resources *resources = NULL;
	struct spec_process *process = NULL;
	struct spec_mount *mounts = NULL;
	struct spec *s = NULL;
	size_t n = 0;
	bool ok;

	switch (text[0]) {
	case '\t':
		ok = spec_parse_process(text, size, a, report, &process) == 0;
		FUZZ_MUST(ok == (process != NULL));
		break;
	case '\r':
		ok = spec_parse_resources(text, size, a, report, &resources) == 0;
		FUZZ_MUST(ok == (resources != NULL));
		if (ok)
			use_resources(resources, a);
		break;
	case '\n':
		ok = spec_parse_mounts(text, size, a, report, &mounts, &n) == 0;
		if (ok)
			check_edited(config_edit_mounts(a, base, sizeof(base) - 1, mounts, n, true), a);
		break;
	default:
		ok = spec_parse("f", text, size, a, report, &s) == 0;
		FUZZ_MUST(ok == (s != NULL));
		FUZZ_MUST(!s || (s->root && s->root->path && s->oci_version && s->json_len == size));
	}
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	struct spec_report report;

	if (size == 0)
		return 0;
	FUZZ_MUST(parse((const char *)data, size, &a, &report) == (report.n_errors == 0));
	check_report(&report, size, &a);
	return 0;
}

FUZZ_MAIN("spec", SPEC_MAX_SIZE + 2)
