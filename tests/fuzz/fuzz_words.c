/* Fuzzes the parsers of words: what single strings of a config, of annotations and of the command
 * line mean. See fuzz.h and README.md. */
#include "tests/fuzz/fuzz.h"

#include <linux/mount.h>
#include <signal.h>
#include <string.h>

#include "base/size_text.h"
#include "cgroups/systemd/systemd.h"
#include "libcontainer/process/attributes.h"
#include "namespaces/mount/mount_idmap.h"
#include "runtime/duration.h"
#include "runtime/number.h"
#include "runtime/options.h"
#include "runtime/signal_name.h"

#define MAX_WORDS 16

/* The lines of text, at most MAX_WORDS. */
static size_t
split(char *text, char **words)
{
	size_t n = 0;

	while (*text && n < MAX_WORDS)
		words[n++] = fuzz_line(&text);
	return n;
}

/* ---- mounts ---------------------------------------------------------------- */

/* Each line is an option. */
static void
fuzz_mount_options(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	const char *names[MOUNT_SB_COUNT];
	struct mount_options o;
	char *words[MAX_WORDS];
	struct spec_strings list = { words, split(text, words) };
	struct err err;

	err_clear(&err);
	if (mount_options_parse(&a, "mounts[0]", &list, &err, &o) < 0) {
		FUZZ_MUST(err.msg[0]);
		return;
	}
	FUZZ_MUST(!(o.attrs.set & o.attrs.clear & ~(uint64_t)MOUNT_ATTR__ATIME) && !(o.sb_set & o.sb_clear));
	FUZZ_MUST(o.n_propagation <= MOUNT_MAX_PROPAGATION && o.n_data <= len);
	FUZZ_MUST(mount_options_superblock(&o, true, names) <= MOUNT_SB_COUNT);
	mount_options_name_all_flags(&o, o.bind, true);
}

static void
check_maps(const struct spec_id_mappings *maps)
{
	FUZZ_MUST(maps->n > 0);
	for (size_t i = 0; i < maps->n; i++) {
		const struct spec_id_mapping *m = &maps->items[i];

		FUZZ_MUST(m->size > 0 && (uint64_t)m->container_id + m->size <= UINT32_MAX &&
			  (uint64_t)m->host_id + m->size <= UINT32_MAX);
	}
}

static void
fuzz_idmap(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	struct spec_id_mapping own[] = { { 0, 100000, 65536 }, { 70000, 5, 1 } };
	struct spec spec = { .linux_ = { .uid_mappings = { own, 2 }, .gid_mappings = { own, 2 } } };
	struct plan_builder b;
	struct err err;
	struct rootfs_planner planner = { .b = &b, .s = &spec, .err = &err };
	struct spec_id_mappings uids, gids;

	(void)len;
	plan_begin(&b, &a);
	if (mount_idmap_parse_option(&planner, "mounts[0]", text, &uids, &gids) < 0)
		return;
	check_maps(&uids);
	check_maps(&gids);
}

/* ---- cgroups --------------------------------------------------------------- */

static void
fuzz_list(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	unsigned long *mask;
	struct err err;
	uint32_t bits;

	(void)len;
	if (attributes_parse_list(&a, "linux.memoryPolicy.nodes", text, &err, &mask, &bits) == 0)
		FUZZ_MUST(bits > 0 && mask[(bits - 1) / (8 * sizeof(*mask))] != 0);
}

/* First line: the end of an annotation's name; then its value. */
static void
fuzz_annotation(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	struct systemd_properties properties = { .arena = &a };
	struct spec_pair pair = { arena_printf(&a, "org.systemd.property.%s", fuzz_line(&text)), text };
	struct spec spec = { .annotations = { &pair, 1 } };
	struct err err;

	(void)len;
	err_clear(&err);
	if (systemd_properties_from_annotations(&properties, &spec, &err) == 0)
		FUZZ_MUST(properties.n == 1 && properties.items[0].value.type[0]);
	else
		FUZZ_MUST(err.msg[0]);
}

/* Lines: linux.cgroupsPath, the id, the name of the directory in the scope. */
static void
fuzz_cgroup_path(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	char *path = fuzz_line(&text), *id = fuzz_line(&text);
	struct spec_pair pair = { (char *)"run.oci.systemd.subgroup", text };
	struct spec spec = { .linux_ = { .cgroups_path = path }, .annotations = { &pair, *text ? 1 : 0 } };
	struct systemd_names names;
	struct cgroup cg;
	struct host host;
	struct err err;

	(void)len;
	host_reference(true, &host);
	if (systemd_resolve_names(&spec, *id ? id : "c1", false, &a, &err, &names) == 0)
		FUZZ_MUST(names.path[0] == '/' && !strstr(names.path, "/../") && !strchr(names.path, '\n'));
	if (cgroup_resolve(&host, CGROUP_CGROUPFS, &spec, "c1", &a, &err, &cg) == 0)
		FUZZ_MUST(cg.path && cg.path[0] == '/' && !strstr(cg.path, "/../") && !strstr(cg.path, "//") &&
			  !strchr(cg.path, '\n'));
}

static void
fuzz_sysctl(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	const char *path = spec_sysctl_path(&a, text);

	if (path)
		FUZZ_MUST(strlen(path) <= len && path[0] != '/' && !strstr(path, "/../") &&
			  strncmp(path, "../", 3) != 0);
}

/* ---- the command line ------------------------------------------------------- */

static void
fuzz_numbers(char *text, size_t len)
{
	int64_t value = 0;
	uint32_t id = 0;

	if (duration_parse(text, &value) == 0)
		FUZZ_MUST(value >= 1 && value <= INT64_C(24) * 24 * 3600 * 1000);
	if (number_parse(text, -1, INT64_MAX, true, &value) == 0)
		FUZZ_MUST(value >= -1);
	if (number_parse(text, 0, 1000, false, &value) == 0)
		FUZZ_MUST(value >= 0 && value <= 1000);
	if (number_parse_id(text, len, &id))
		FUZZ_MUST(id < UINT32_MAX);
}

static void
fuzz_signal(char *text, size_t len)
{
	struct err err;
	int number;

	(void)len;
	if (signal_from_name(text, &err, &number) == 0)
		FUZZ_MUST(number >= 0 && number <= SIGRTMAX);
	else
		FUZZ_MUST(strlen(err.msg) > 0);
}

struct values {
	bool flag;
	const char *text, *choice;
	unsigned number;
	struct option_list list;
};

/* Each line is an argument. */
static void
fuzz_options(char *text, size_t len)
{
	static const struct option_row rows[] = {
		{ "flag", 'f', OPTION_FLAG, NULL, offsetof(struct values, flag), "is set" },
		{ "text", 't', OPTION_TEXT, "WORD", offsetof(struct values, text), "is a word" },
		{ "format", 0, OPTION_CHOICE, "text|json", offsetof(struct values, choice), "is one of two" },
		{ "number", 'n', OPTION_NUMBER, "N", offsetof(struct values, number), "is a number" },
		{ "env", 'e', OPTION_LIST, "WORD", offsetof(struct values, list), "are words" },
		{ "old", 0, OPTION_REFUSED, "WORD", 0, "refused: it is old" },
		{ 0 },
	};
	auto_arena struct arena a = { 0 };
	struct values v = { 0 };
	const struct option_set set = { rows, &v, "knarr help" };
	char *words[MAX_WORDS];
	size_t n = split(text, words);
	struct option_list operands;
	struct err err;

	(void)len;
	if (options_parse(&set, 1, (const char *const *)words, n, 2, &a, &err, &operands) < 0) {
		FUZZ_MUST(strlen(err.msg) > 0);
		return;
	}
	FUZZ_MUST(operands.n + v.list.n <= n && v.number <= INT32_MAX);
	FUZZ_MUST(!v.choice || !strcmp(v.choice, "text") || !strcmp(v.choice, "json"));
}

static const struct fuzz_parser parsers[] = {
	{ 'm', fuzz_mount_options }, { 'i', fuzz_idmap },	{ 'l', fuzz_list },
	{ 'a', fuzz_annotation },    { 'c', fuzz_cgroup_path }, { 'y', fuzz_sysctl },
	{ 'n', fuzz_numbers },	     { 's', fuzz_signal },	{ 'o', fuzz_options },
};

FUZZ_TARGET(parsers, "words")
