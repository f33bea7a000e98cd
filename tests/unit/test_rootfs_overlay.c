/* Overlay stacks as the root: one layer and hundreds, every kind of upper,
 * both ways of naming layers, odd names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/rootfs_case.h"

/* ---- overlay ------------------------------------------------------- */

static struct {
	unsigned n_layers;
	const char *dir;   /* layers are at dir/0, dir/1, …, topmost first */
	const char *upper; /* NULL: none; "tmpfs"; or a directory below base */
	bool append, on_top, userxattr;
} o;

static void
build_overlay(struct plan_builder *b)
{
	const char *items[512];
	struct plan_root_overlay v = { .append = o.append };

	for (unsigned i = 0; i < o.n_layers; i++)
		items[i] = arena_strdup(b->arena, at("%s/%u", o.dir, i));
	v.lowerdirs = plan_strings(b, items, o.n_layers);
	v.target = o.on_top ? 0 : plan_string(b, at("rootfs"));
	v.options = options(b, o.userxattr ? "userxattr" : "");
	if (o.upper && strcmp(o.upper, "tmpfs") == 0) {
		v.upper_tmpfs = true;
		v.tmpfs_options = options(b, "size=1m");
	} else if (o.upper) {
		v.upperdir = plan_string(b, at("%s", o.upper));
		v.workdir = plan_string(b, at("%s.work", o.upper));
	}
	plan_add(b, PLAN_ROOT_OVERLAY, "root")->u.root_overlay = v;
	add_fs(b, "proc", "/proc", "", PLAIN);
	add_bind(b, at("volume"), "/made/by/mount", true);
	add_pivot(b, PLAN_BY_PIVOT);
}

static void
check_overlay(struct plan_ctx *c)
{
	char last[32];
	int fd;

	(void)c;
	snprintf(last, sizeof(last), "/only%u", o.n_layers - 1);
	CHECK(has_text("/who", "0") && exists("/only0") && exists(last));
	CHECK(has_text("/made/by/mount/file", "volume"));
	CHECK(o.n_layers < 2 || !exists("/gone"));
	CHECK(count_mounts(" / / ") == 1 && count_mounts(" - overlay ") == 1);
	CHECK(mode_of("/") == 0751);
	fd = open("/written", O_WRONLY | O_CREAT, 0644);
	CHECK(o.upper ? fd >= 0 : fd < 0 && errno == EROFS);
	fd_close(fd);
	if (o.upper)
		CHECK(unlink("/only0") == 0 && mkdir("/only0", 0755) == 0 && chmod("/who", 0600) == 0);
}

static void
make_layers(const char *dir, unsigned n)
{
	sh("mkdir -p '%s' && cd '%s' && for i in $(seq 0 %u); do mkdir -m 751 $i && mkdir -p $i/proc $i/made/by/mount "
	   "&& "
	   "printf $i >$i/who && :>$i/only$i; done",
	   dir, dir, n - 1);
	if (n > 1)
		sh(":>'%s/%u/gone'; mknod '%s/0/gone' c 0 0", dir, n - 1, dir);
}

static bool
kernel_at_least(unsigned want_major, unsigned want_minor)
{
	struct utsname u;
	unsigned major, minor;

	return uname(&u) == 0 && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major > want_major || (major == want_major && minor >= want_minor));
}

/* Layers one by one. */
static bool
can_append(void)
{
	return kernel_at_least(6, 8);
}

/* The user.* attributes that an overlay in a user namespace marks its upper
 * layer with. */
static bool
tmpfs_has_user_xattrs(void)
{
	return kernel_at_least(6, 6);
}

static void
overlay_variants(bool user)
{
	static const char *const dirs[] = { "plain", "odd:na\\me, x" };

	for (unsigned i = 0; i < 16; i++) {
		o.n_layers = i & 1 ? 1 : 3;
		o.append = i & 2 && can_append();
		o.on_top = i & 4;
		o.dir = dirs[i >> 3];
		o.userxattr = user;
		o.upper = NULL;
		run_case(o.append ? "overlay" : "overlay, one page", user, build_overlay, NULL, check_overlay);
		o.upper = "tmpfs";
		if (!user || tmpfs_has_user_xattrs())
			run_case("overlay, tmpfs upper", user, build_overlay, NULL, check_overlay);
		o.upper = "store/upper";
		sh("rm -rf store && mkdir store && chown %d:%d store", user ? USER : 0, user ? USER : 0);
		run_case("overlay, upper", user, build_overlay, NULL, check_overlay);
		CHECK(exists(at("store/upper/written")) && mode_of(at("store/upper")) == 0751);
	}
}

/* The only layer is the directory that the root is attached to. */
static void
build_layer_is_target(struct plan_builder *b)
{
	const char *layer = at("rootfs");
	struct plan_root_overlay v = { .append = o.append, .lowerdirs = plan_strings(b, &layer, 1) };

	v.target = plan_string(b, layer);
	v.upper_tmpfs = o.upper;
	plan_add(b, PLAN_ROOT_OVERLAY, "root")->u.root_overlay = v;
	add_pivot(b, PLAN_BY_PIVOT);
}

static void
check_layer_is_target(struct plan_ctx *c)
{
	(void)c;
	CHECK(has_text("/marker", "rootfs"));
}

static void
test_layer_is_target(void)
{
	name_case("layer is target");
	make_rootfs("rootfs");
	for (unsigned i = 0; i < 4; i++) {
		o.append = i & 1 && can_append();
		o.upper = i & 2 ? "tmpfs" : NULL;
		run_case("layer is target", false, build_layer_is_target, NULL, check_layer_is_target);
	}
	sh("rm -r rootfs");
}

static void
test_overlay(void)
{
	char deep[600];

	name_case("overlay");
	make_rootfs("rootfs");
	make_layers("plain", 3);
	make_layers("odd:na\\me, x", 3);
	overlay_variants(false);
	sh("chown -R %d:%d plain odd* rootfs", USER, USER);
	overlay_variants(true);

	memset(deep, 'd', sizeof(deep));
	deep[200] = deep[400] = '/';
	deep[sizeof(deep) - 1] = '\0';
	o.dir = deep;
	o.upper = "tmpfs";
	make_layers(deep, 300);
	sh("chown -R %d:%d d*", USER, USER);
	for (unsigned i = 0; i < 8; i++) {
		o.append = i & 1 && can_append();
		o.userxattr = i & 2;
		o.n_layers = i & 4 ? 300 : 128;
		if (!o.userxattr || tmpfs_has_user_xattrs())
			run_case("overlay of many layers", i & 2, build_overlay, NULL, check_overlay);
	}
	sh("rm -r plain odd* d* rootfs store");
}

static void
run(void)
{
	test_layer_is_target();
	test_overlay();
}

int
main(void)
{
	return rootfs_cases(run);
}
