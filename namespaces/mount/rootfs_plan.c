/* Plans the container's root file system: what comes in which order.
 *
 * The order is the contract. First the host's mounts become slaves, so that
 * nothing made here is ever seen outside. Then the root itself, then mounts[]
 * as listed, then files in them. Paths are masked and made read-only after the
 * createContainer hooks, which may still need them, and before the old root is
 * left, so that the program never sees them bare. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "namespaces/mount/path_text.h"
#include "namespaces/mount/rootfs_planner.h"

/* Without a mount namespace everything would be mounted on the host. */
static int
check_mount_namespace(const struct rootfs_planner *planner)
{
	const struct spec_linux *l = &planner->s->linux_;
	const struct {
		bool asked;
		const char *property;
	} needs[] = {
		{ planner->s->n_mounts, "mounts" },
		{ planner->o->layers, "--layer" },
		{ l->masked_paths.n, "linux.maskedPaths" },
		{ l->readonly_paths.n, "linux.readonlyPaths" },
		{ l->rootfs_propagation != SPEC_PROP_UNSET, "linux.rootfsPropagation" },
		{ planner->s->root && planner->s->root->readonly, "root.readonly" },
		{ planner->o->in_userns && l->n_devices, "linux.devices" },
		{ planner->o->has_terminal, "process.terminal" },
	};

	if (rootfs_has_mount_namespace(planner))
		return 0;
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].asked)
			return err_plain(planner->err,
					 "linux.namespaces: %s needs a mount namespace, which the config does not list",
					 needs[i].property);
	return 0;
}

static void
add_propagation(const struct rootfs_planner *planner, uint32_t flags)
{
	plan_add(planner->b, PLAN_SET_PROPAGATION, "linux.rootfsPropagation")->u.propagation.flags = flags;
}

/* "private" and "unbindable" cut all ties at once. "shared" waits: as long as
 * the old root is there, its mounts may only receive. */
static void
plan_first_propagation(const struct rootfs_planner *planner)
{
	switch (planner->s->linux_.rootfs_propagation) {
	case SPEC_PROP_PRIVATE:
	case SPEC_PROP_UNBINDABLE:
		add_propagation(planner, MS_PRIVATE | MS_REC);
		break;
	default:
		add_propagation(planner, MS_SLAVE | MS_REC);
	}
}

static void
plan_last_propagation(const struct rootfs_planner *planner)
{
	switch (planner->s->linux_.rootfs_propagation) {
	case SPEC_PROP_SHARED:
		add_propagation(planner, MS_SHARED);
		break;
	case SPEC_PROP_UNBINDABLE:
		add_propagation(planner, MS_UNBINDABLE);
		break;
	default:
		break;
	}
}

static int
plan_root_directory(const struct rootfs_planner *planner)
{
	const struct spec_root *root = planner->s->root;
	struct plan_step *step;
	const char *path;
	struct stat st;

	if (!root || !root->path || !*root->path)
		return err_plain(planner->err, "root.path: required");
	path = path_absolute(planner->b->arena, planner->o->bundle, root->path);
	if (planner->o->sink)
		return 0;
	if (stat(path, &st) < 0)
		return err_set(planner->err, errno, "root.path: '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(planner->err, ENOTDIR, "root.path: '%s'", path);
	step = plan_add(planner->b, PLAN_ROOT_BIND, "root.path");
	step->u.root_bind.path = plan_string(planner->b, path);
	step->u.root_bind.open_only = !rootfs_has_mount_namespace(planner);
	if (planner->o->parent_opens && rootfs_has_mount_namespace(planner))
		step->u.root_bind.slot = plan_add_source(planner->b, path, true, false, step->what);
	return 0;
}

static int
plan_root(const struct rootfs_planner *planner, size_t overlay)
{
	if (planner->o->layers)
		return overlay_plan_layers(planner);
	if (overlay < planner->s->n_mounts)
		return overlay_plan_root(planner, overlay);
	return plan_root_directory(planner);
}

static int
plan_listed_mounts(const struct rootfs_planner *planner, size_t overlay)
{
	for (size_t i = 0; i < planner->s->n_mounts; i++) {
		int r = i == overlay ? 0 : err_hand_over(planner->o->sink, planner->err, mount_plan(planner, i));

		if (r < 0)
			return r;
	}
	return 0;
}

/* As the other runtimes do: images often lack the directory. */
static void
plan_cwd(const struct rootfs_planner *planner)
{
	const char *cwd = planner->s->process ? planner->s->process->cwd : NULL;
	struct plan_step *st;

	if (!cwd)
		return;
	cwd = path_clean(planner->b->arena, cwd);
	if (strcmp(cwd, "/") == 0)
		return;
	st = plan_add(planner->b, PLAN_MAKE_DIR, "process.cwd");
	st->u.make_dir.path = plan_string(planner->b, cwd);
	st->u.make_dir.mode = 0755;
	st->on_error = PLAN_SKIP;
	st->errnos = PLAN_EROFS;
}

int
rootfs_plan_mounts(struct plan_builder *b, const struct spec *spec, const struct host *host,
		   const struct rootfs_options *options, struct err *err)
{
	const struct rootfs_planner p = { .b = b, .s = spec, .h = host, .o = options, .err = err };
	size_t overlay;
	int r;

	if ((r = check_mount_namespace(&p)) < 0)
		return r;
	if ((r = overlay_find_root(&p, &overlay)) < 0)
		return r;
	if (rootfs_has_mount_namespace(&p))
		plan_first_propagation(&p);
	if ((r = err_hand_over(options->sink, err, plan_root(&p, overlay))) < 0)
		return r;
	if ((r = plan_listed_mounts(&p, overlay)) < 0)
		return r;
	plan_cwd(&p);
	return device_plan(&p);
}

/* ---- after the createContainer hooks --------------------------------- */

struct listed_path {
	const char *path; /* clean */
	size_t index;
};

static int
by_path(const void *left, const void *right)
{
	const struct listed_path *x = left, *y = right;
	int r = strcmp(x->path, y->path);

	return r ? r : x->index < y->index ? -1 : x->index > y->index;
}

/* Which of the paths are there for the first time: lists are merged from several, and one
 * mount on a path is enough. */
static const bool *
find_first_ones(const struct rootfs_planner *planner, const struct spec_strings *paths)
{
	struct listed_path *sorted = arena_array(planner->b->arena, paths->n, sizeof(*sorted));
	bool *first = arena_array(planner->b->arena, paths->n, sizeof(*first));

	for (size_t i = 0; i < paths->n; i++)
		sorted[i] = (struct listed_path){ path_clean(planner->b->arena, paths->items[i]), i };
	qsort(sorted, paths->n, sizeof(*sorted), by_path);
	for (size_t i = 0; i < paths->n; i++)
		first[sorted[i].index] = i == 0 || strcmp(sorted[i - 1].path, sorted[i].path) != 0;
	return first;
}

static int
plan_paths(const struct rootfs_planner *planner, enum plan_kind kind, const char *property,
	   const struct spec_strings *paths)
{
	const bool *first = paths->n ? find_first_ones(planner, paths) : NULL;

	for (size_t i = 0; i < paths->n; i++) {
		struct plan_step *st;

		if (paths->items[i][0] != '/')
			return err_plain(planner->err, "%s[%zu]: '%s' is not an absolute path", property, i,
					 paths->items[i]);
		if (!first[i])
			continue;
		st = plan_add(planner->b, kind, "%s[%zu]", property, i);
		st->u.path.path = plan_string(planner->b, path_clean(planner->b->arena, paths->items[i]));
		/* Lists are made for all kernels: what is not there needs no cover. */
		st->on_error = PLAN_SKIP;
		st->errnos = PLAN_ENOENT | PLAN_ENOTDIR;
	}
	return 0;
}

static int
plan_readonly_root(const struct rootfs_planner *planner)
{
	bool overlay_ro = false;
	size_t overlay;
	int r = overlay_find_root(planner, &overlay);

	if (r == 0 && overlay < planner->s->n_mounts)
		r = overlay_root_is_readonly(planner, overlay, &overlay_ro);
	if (r < 0)
		return r;
	if (planner->s->root && planner->s->root->readonly)
		plan_add(planner->b, PLAN_ROOT_READONLY, "root.readonly");
	else if (overlay_ro)
		plan_add(planner->b, PLAN_ROOT_READONLY, "mounts[%zu]", overlay);
	return 0;
}

static void
plan_change_of_root(const struct rootfs_planner *planner)
{
	enum plan_pivot_how how = PLAN_BY_PIVOT;

	if (!rootfs_has_mount_namespace(planner))
		how = PLAN_BY_CHROOT;
	else if (planner->o->no_pivot)
		how = PLAN_BY_MOVE;
	plan_add(planner->b, PLAN_PIVOT_ROOT, "root")->u.pivot.how = (uint8_t)how;
}

int
rootfs_plan_finish(struct plan_builder *b, const struct spec *spec, const struct host *host,
		   const struct rootfs_options *options, struct err *err)
{
	const struct rootfs_planner p = { .b = b, .s = spec, .h = host, .o = options, .err = err };
	int r;

	if ((r = mount_plan_late_readonly(&p)) < 0)
		return r;
	/* Read-only before masked: a mask inside a read-only path stays on top. */
	if ((r = plan_paths(&p, PLAN_READONLY_PATH, "linux.readonlyPaths", &spec->linux_.readonly_paths)) < 0)
		return r;
	if ((r = plan_paths(&p, PLAN_MASK_PATH, "linux.maskedPaths", &spec->linux_.masked_paths)) < 0)
		return r;
	if ((r = plan_readonly_root(&p)) < 0)
		return r;
	plan_change_of_root(&p);
	if (rootfs_has_mount_namespace(&p))
		plan_last_propagation(&p);
	return 0;
}
