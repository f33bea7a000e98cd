/* Plans the container's root file system: what comes in which order.
 *
 * The order is the contract. First the host's mounts become slaves, so that
 * nothing made here is ever seen outside. Then the root itself, then mounts[]
 * as listed, then files in them. Paths are masked and made read-only after the
 * createContainer hooks, which may still need them, and before the old root is
 * left, so that the program never sees them bare. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "namespaces/path_text.h"
#include "namespaces/rootfs_planner.h"

/* Without a mount namespace everything would be mounted on the host. */
static int
check_mount_namespace(const struct rootfs_planner *p)
{
	const struct spec_linux *l = &p->s->linux_;
	const struct {
		bool asked;
		const char *property;
	} needs[] = {
		{ p->s->n_mounts, "mounts" },
		{ p->o->layers, "--layer" },
		{ l->masked_paths.n, "linux.maskedPaths" },
		{ l->readonly_paths.n, "linux.readonlyPaths" },
		{ l->rootfs_propagation != SPEC_PROP_UNSET, "linux.rootfsPropagation" },
		{ p->s->root && p->s->root->readonly, "root.readonly" },
		{ p->o->in_userns && l->n_devices, "linux.devices" },
		{ p->o->has_terminal, "process.terminal" },
	};

	if (rootfs_has_mount_namespace(p))
		return 0;
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].asked)
			return err_plain(p->err,
					 "linux.namespaces: %s needs a mount namespace, which the config does not list",
					 needs[i].property);
	return 0;
}

static void
add_propagation(const struct rootfs_planner *p, uint32_t flags)
{
	plan_add(p->b, PLAN_SET_PROPAGATION, "linux.rootfsPropagation")->u.propagation.flags = flags;
}

/* "private" and "unbindable" cut all ties at once. "shared" waits: as long as
 * the old root is there, its mounts may only receive. */
static void
plan_first_propagation(const struct rootfs_planner *p)
{
	switch (p->s->linux_.rootfs_propagation) {
	case SPEC_PROP_PRIVATE:
	case SPEC_PROP_UNBINDABLE:
		add_propagation(p, MS_PRIVATE | MS_REC);
		break;
	default:
		add_propagation(p, MS_SLAVE | MS_REC);
	}
}

static void
plan_last_propagation(const struct rootfs_planner *p)
{
	switch (p->s->linux_.rootfs_propagation) {
	case SPEC_PROP_SHARED:
		add_propagation(p, MS_SHARED);
		break;
	case SPEC_PROP_UNBINDABLE:
		add_propagation(p, MS_UNBINDABLE);
		break;
	default:
		break;
	}
}

static int
plan_root_folder(const struct rootfs_planner *p)
{
	const struct spec_root *root = p->s->root;
	struct plan_step *step;
	const char *path;
	struct stat st;

	if (!root || !root->path || !*root->path)
		return err_plain(p->err, "root.path: required");
	path = path_absolute(p->b->arena, p->o->bundle, root->path);
	if (stat(path, &st) < 0)
		return err_set(p->err, errno, "root.path: '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(p->err, ENOTDIR, "root.path: '%s'", path);
	step = plan_add(p->b, PLAN_ROOT_BIND, "root.path");
	step->u.root_bind.path = plan_string(p->b, path);
	step->u.root_bind.open_only = !rootfs_has_mount_namespace(p);
	if (p->o->parent_opens && rootfs_has_mount_namespace(p))
		step->u.root_bind.slot = plan_add_source(p->b, path, true, false, step->what);
	return 0;
}

static int
plan_root(const struct rootfs_planner *p, size_t overlay)
{
	if (p->o->layers)
		return overlay_plan_layers(p);
	if (overlay < p->s->n_mounts)
		return overlay_plan_root(p, overlay);
	return plan_root_folder(p);
}

static int
plan_listed_mounts(const struct rootfs_planner *p, size_t overlay)
{
	for (size_t i = 0; i < p->s->n_mounts; i++) {
		int r = i == overlay ? 0 : mount_plan(p, i);

		if (r < 0)
			return r;
	}
	return 0;
}

/* As the other runtimes do: images often lack the folder. */
static void
plan_cwd(const struct rootfs_planner *p)
{
	const char *cwd = p->s->process ? p->s->process->cwd : NULL;
	struct plan_step *st;

	if (!cwd)
		return;
	cwd = path_clean(p->b->arena, cwd);
	if (strcmp(cwd, "/") == 0)
		return;
	st = plan_add(p->b, PLAN_MAKE_DIR, "process.cwd");
	st->u.make_dir.path = plan_string(p->b, cwd);
	st->u.make_dir.mode = 0755;
	st->on_error = PLAN_SKIP;
	st->errnos = PLAN_EROFS;
}

int
rootfs_plan_mounts(struct plan_builder *b, const struct spec *s, const struct host *h, const struct rootfs_options *o,
		   struct err *err)
{
	const struct rootfs_planner p = { .b = b, .s = s, .h = h, .o = o, .err = err };
	size_t overlay;
	int r;

	if ((r = check_mount_namespace(&p)) < 0)
		return r;
	if ((r = overlay_find_root(&p, &overlay)) < 0)
		return r;
	if (rootfs_has_mount_namespace(&p))
		plan_first_propagation(&p);
	if ((r = plan_root(&p, overlay)) < 0)
		return r;
	if ((r = plan_listed_mounts(&p, overlay)) < 0)
		return r;
	plan_cwd(&p);
	return device_plan(&p);
}

/* ---- after the createContainer hooks --------------------------------- */

static int
plan_paths(const struct rootfs_planner *p, enum plan_kind kind, const char *property, const struct spec_strings *paths)
{
	for (size_t i = 0; i < paths->n; i++) {
		struct plan_step *st;

		if (paths->items[i][0] != '/')
			return err_plain(p->err, "%s[%zu]: '%s' is not an absolute path", property, i, paths->items[i]);
		st = plan_add(p->b, kind, "%s[%zu]", property, i);
		st->u.path.path = plan_string(p->b, path_clean(p->b->arena, paths->items[i]));
		/* Lists are made for all kernels: what is not there needs no cover. */
		st->on_error = PLAN_SKIP;
		st->errnos = PLAN_ENOENT | PLAN_ENOTDIR;
	}
	return 0;
}

static int
plan_readonly_root(const struct rootfs_planner *p)
{
	bool overlay_ro = false;
	size_t overlay;
	int r = overlay_find_root(p, &overlay);

	if (r == 0 && overlay < p->s->n_mounts)
		r = overlay_root_is_readonly(p, overlay, &overlay_ro);
	if (r < 0)
		return r;
	if (p->s->root && p->s->root->readonly)
		plan_add(p->b, PLAN_ROOT_READONLY, "root.readonly");
	else if (overlay_ro)
		plan_add(p->b, PLAN_ROOT_READONLY, "mounts[%zu]", overlay);
	return 0;
}

static void
plan_change_of_root(const struct rootfs_planner *p)
{
	enum plan_pivot_how how = PLAN_BY_PIVOT;

	if (!rootfs_has_mount_namespace(p))
		how = PLAN_BY_CHROOT;
	else if (p->o->no_pivot)
		how = PLAN_BY_MOVE;
	plan_add(p->b, PLAN_PIVOT_ROOT, "root")->u.pivot.how = (uint8_t)how;
}

int
rootfs_plan_finish(struct plan_builder *b, const struct spec *s, const struct host *h, const struct rootfs_options *o,
		   struct err *err)
{
	const struct rootfs_planner p = { .b = b, .s = s, .h = h, .o = o, .err = err };
	int r;

	if ((r = mount_plan_late_readonly(&p)) < 0)
		return r;
	/* Read-only before masked: a mask inside a read-only path stays on top. */
	if ((r = plan_paths(&p, PLAN_READONLY_PATH, "linux.readonlyPaths", &s->linux_.readonly_paths)) < 0)
		return r;
	if ((r = plan_paths(&p, PLAN_MASK_PATH, "linux.maskedPaths", &s->linux_.masked_paths)) < 0)
		return r;
	if ((r = plan_readonly_root(&p)) < 0)
		return r;
	plan_change_of_root(&p);
	if (rootfs_has_mount_namespace(&p))
		plan_last_propagation(&p);
	return 0;
}
