/* The steps that rootfs_plan_mounts() and rootfs_plan_finish() make of a
 * config, as plan_print() shows them, and each error of the planner. Needs no
 * root: nothing is mounted. "$B" stands for the bundle in what is compared. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "namespaces/mount/rootfs.h"
#include "tests/unit/check.h"
#include "tests/unit/rootfs_plan_cases.h"

static char bundle[] = "/tmp/test_rootfs_plan.XXXXXX";

/* ---- from a config to text ------------------------------------------- */

/* All "$B" become the bundle (or back). */
static char *
replace(struct arena *a, const char *text, const char *from, const char *to)
{
	char *out = arena_strdup(a, "");
	const char *at;

	for (; (at = strstr(text, from)); text = at + strlen(from))
		out = arena_printf(a, "%s%.*s%s", out, (int)(at - text), text, to);
	return arena_printf(a, "%s%s", out, text);
}

static struct spec *
parse(struct arena *a, const char *body, unsigned flags)
{
	const char *ns = arena_printf(
		a, "[%s%s%s%s]", flags & NO_MOUNTNS ? "{\"type\":\"uts\"}" : "{\"type\":\"mount\"}",
		flags & (USERNS | ORDINARY) ? ",{\"type\":\"user\"}" : "",
		flags & CGROUPNS ? ",{\"type\":\"cgroup\"}" : "", flags & PIDNS ? ",{\"type\":\"pid\"}" : "");
	char *json = arena_printf(a, "{\"ociVersion\":\"1.2.0\",%s}", body);
	struct spec_report report;
	struct spec *s = NULL;

	json = replace(a, replace(a, json, "$B", bundle), "$NS", ns);
	if (spec_parse("config.json", json, strlen(json), a, &report, &s) < 0)
		for (size_t i = 0; i < report.n; i++)
			CHECK(false, "%s in %s", spec_issue_format(a, "config.json", &report.items[i]), json);
	return s;
}

static void
fill_options(struct host *h, struct rootfs_options *o, struct rootfs_layers *l, unsigned flags)
{
	static const char *const dirs[] = { "l1", "/tmp" };

	host_reference(!(flags & ORDINARY), h);
	if (flags & (OLD_KERNEL | ANCIENT_KERNEL)) {
		h->kernel_major = flags & OLD_KERNEL ? 6 : 5;
		h->kernel_minor = flags & OLD_KERNEL ? 1 : 10;
	}
	h->selinux = flags & SELINUX;
	if (flags & NO_CGROUP2)
		h->cgroup_mount = NULL;
	if (flags & HYBRID)
		h->cgroup_mount = "/sys/fs/cgroup/unified";
	*l = (struct rootfs_layers){ .dirs = dirs, .n = flags & NO_LAYER ? 0 : 2 };
	if (flags & (UPPER_DIR | BAD_UPPER))
		l->upper = flags & UPPER_DIR ? "up" : "nowhere/at/all";
	if (flags & UPPER_TMPFS)
		l->upper = "tmpfs";
	*o = (struct rootfs_options){
		.bundle = bundle,
		.layers = flags & (LAYERS | NO_LAYER) ? l : NULL,
		.no_pivot = flags & NO_PIVOT,
		.parent_opens = flags & USERNS,
		.in_userns = flags & (USERNS | ORDINARY),
		.new_cgroupns = flags & CGROUPNS,
		.cgroup = flags & OWN_CGROUP ? "/sys/fs/cgroup/knarr/c1" : NULL,
		.has_terminal = flags & TERMINAL,
	};
}

/* The plan as text, or "!message". */
static char *
plan_as_text(struct arena *a, const char *body, unsigned flags)
{
	struct plan_builder b;
	struct rootfs_layers layers;
	struct rootfs_options o;
	struct host h;
	struct plan *p = NULL;
	struct err e = { 0 };
	struct spec *s = parse(a, body, flags);
	char *text = NULL, *copy, line[ERR_MSG_MAX + 100];
	size_t size;
	FILE *f;

	if (!s)
		return arena_strdup(a, "");
	fill_options(&h, &o, &layers, flags);
	plan_begin(&b, a);
	if (rootfs_plan_mounts(&b, s, &h, &o, &e) < 0 || rootfs_plan_finish(&b, s, &h, &o, &e) < 0 ||
	    plan_seal(&b, &e, &p) < 0)
		return replace(a, arena_printf(a, "!%s", err_format(&e, line, sizeof(line))), bundle, "$B");
	f = open_memstream(&text, &size);
	plan_print(p, f);
	fclose(f);
	plan_free(p);
	copy = replace(a, text, bundle, "$B");
	free(text);
	return copy;
}

/* ---- expectations ---------------------------------------------------- */

static void
check(const struct want *w, size_t row)
{
	auto_arena struct arena a = { 0 };
	char *text = plan_as_text(&a, w->body, w->flags);

	for (size_t i = 0; i < 6 && w->lines[i]; i++) {
		const char *line = w->lines[i];

		if (line[0] == '-')
			CHECK(!strstr(text, line + 1), "row %zu: '%s' is in\n%s", row, line + 1, text);
		else if (line[0] == '!')
			CHECK(text[0] == '!' && strstr(text, line + 1), "row %zu: no error '%s' but\n%s", row, line + 1,
			      text);
		else
			CHECK(strstr(text, line), "row %zu: '%s' is not in\n%s", row, line, text);
	}
}

/* ---- many layers ----------------------------------------------------- */

/* n times the same long directory. */
static char *
layer_list(struct arena *a, size_t n, const char *dir)
{
	size_t len = strlen(dir);
	char *text = arena_alloc(a, n * (len + 1) + 1), *at = text;

	for (size_t i = 0; i < n; i++) {
		if (i)
			*at++ = ':';
		memcpy(at, dir, len);
		at += len;
	}
	return text;
}

static void
check_layers(size_t n, const char *dest, unsigned flags, const char *want)
{
	auto_arena struct arena a = { 0 };
	char *list = layer_list(&a, n, arena_printf(&a, "%s/dir", bundle));
	char *body = arena_printf(
		&a, "%s,\"mounts\":[{\"destination\":\"%s\",\"type\":\"overlay\",\"options\":[\"lowerdir=%s\"]}],%s",
		ROOT, dest, list, NS);
	char *text = plan_as_text(&a, body, flags);

	CHECK(strstr(text, want), "%zu layers on %s: no '%s' in\n%.300s", n, dest, want, text);
}

static const char *const directories[] = { "rootfs",
					   "dir",
					   "up",
					   "work",
					   "l1",
					   "a:b",
					   "c,d",
					   "e\\f",
					   "vol",
					   "vol/work",
					   "vol/work/incompat",
					   "vol/work/incompat/volatile" };

static void
make_bundle(void)
{
	int fd;

	if (!mkdtemp(bundle) || chdir(bundle) < 0)
		exit(99);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (mkdir(directories[i], 0755) < 0)
			exit(99);
	fd = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || symlink("dir", "link") < 0)
		exit(99);
	close(fd);
}

static void
remove_bundle(void)
{
	for (size_t i = sizeof(directories) / sizeof(directories[0]); i > 0; i--)
		rmdir(directories[i - 1]);
	unlink("file");
	unlink("link");
	if (chdir("/") < 0 || rmdir(bundle) < 0)
		printf("%s was not removed\n", bundle);
}

int
main(void)
{
	make_bundle();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check(&good[i], i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(&bad[i], 1000 + i);
	check_layers(500, "/", 0, "one-by-one");
	check_layers(500, "/", OLD_KERNEL, "root overlay");
	check_layers(501, "/", 0, "!mounts[0]: 501 layers, the kernel's limit is 500");
	check_layers(500, "/o", 0, "lowerdir+=");
	check_layers(50, "/o", OLD_KERNEL, "lowerdir=");
	check_layers(200, "/o", OLD_KERNEL, "bytes of mount options, and Linux 6.1 takes 4095");
	remove_bundle();
	return failed;
}
