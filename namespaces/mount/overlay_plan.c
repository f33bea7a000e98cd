/* Plans overlays: as the root (a mount on "/" of type "overlay", or --layer and
 * --upper on the command line), and elsewhere.
 *
 * The plan holds plain paths, topmost first. The root's executor knows how to give
 * any number of them to any kernel; an overlay elsewhere is an ordinary mount, whose
 * layers are named one by one since Linux 6.8 ("lowerdir+") and must fit into one
 * page before.
 *
 * With --upper DIR the upper directory is DIR/upper and the work directory DIR/work:
 * the two must be on one file system, and the caller has one directory to remove.
 * The container's init makes all three when they are missing. */
#include <errno.h>
#include <limits.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "namespaces/mount/mount_idmap.h"
#include "namespaces/mount/overlay_stack.h"
#include "namespaces/mount/path_text.h"

/* ---- the root -------------------------------------------------------- */

/* root.path, when there is such a directory: createContainer hooks look for the
 * root file system there. Otherwise the overlay goes on top of "/". */
static plan_str
attach_point(const struct rootfs_planner *planner)
{
	const struct spec_root *root = planner->s->root;
	const char *path = root && root->path ? path_absolute(planner->b->arena, planner->o->bundle, root->path) : NULL;
	struct stat st;

	if (!path || stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	return plan_string(planner->b, path);
}

/* All that is neither a layer nor upper or work directory. */
static struct plan_strv
root_options(const struct rootfs_planner *planner, struct overlay_stack *stack)
{
	const char *label = mount_label_option(planner);

	/* trusted.overlay.* cannot be written in a user namespace, so whiteouts
	 * of directories would not work. */
	if (planner->o->in_userns && !overlay_list_has(&stack->rest, "userxattr"))
		overlay_push(planner, &stack->rest, "userxattr");
	if (label)
		overlay_push(planner, &stack->rest, label);
	for (size_t i = 0; i < stack->data.n; i++)
		overlay_push(planner, &stack->rest,
			     arena_printf(planner->b->arena, "datadir+=%s", stack->data.items[i]));
	return plan_strings(planner->b, stack->rest.items, stack->rest.n);
}

/* A layer with mapped ids is a mount, which the parent makes. The upper directory is the
 * container's own and stays as it is. Slot of the first, the others follow it; 0: none. */
static uint16_t
add_mapped_layers(const struct rootfs_planner *planner, const struct overlay_stack *stack, plan_str what)
{
	uint16_t first = 0;

	for (size_t i = 0; stack->idmap.mapped && i < stack->lower.n; i++) {
		uint16_t slot = plan_add_source(planner->b, stack->lower.items[i], /* recursive= */ false,
						/* nofollow= */ false, what);

		planner->b->sources[planner->b->n_sources - 1].idmap = stack->idmap;
		first = first ? first : slot;
	}
	return first;
}

static int
add_root(const struct rootfs_planner *planner, const char *property, struct overlay_stack *stack,
	 struct plan_attrs attrs, bool tmpfs)
{
	static const char *const tmpfs_options[] = { "mode=0755" };
	bool writable = stack->upper || tmpfs;
	struct plan_step *st;
	int r = overlay_stack_check(planner, property, stack);

	if (r == 0)
		r = overlay_stack_check_data(planner, property, stack);
	if (r < 0)
		return r;
	st = plan_add(planner->b, PLAN_ROOT_OVERLAY, "%s", property);
	/* Read-only comes last when mount points may have to be made in it. */
	if (writable)
		attrs.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	else
		attrs.set |= MOUNT_ATTR_RDONLY;
	st->u.root_overlay = (struct plan_root_overlay){
		.target = attach_point(planner),
		.lowerdirs = plan_strings(planner->b, stack->lower.items, stack->lower.n),
		.upperdir = plan_string(planner->b, stack->upper),
		.workdir = plan_string(planner->b, stack->work),
		.upper_tmpfs = tmpfs,
		.options = root_options(planner, stack),
		.attrs = attrs,
		.append = host_kernel_at_least(planner->h, 6, 8),
		.slot = add_mapped_layers(planner, stack, st->what),
	};
	if (tmpfs)
		st->u.root_overlay.tmpfs_options = plan_strings(planner->b, tmpfs_options, 1);
	return 0;
}

int
overlay_find_root(const struct rootfs_planner *planner, size_t *ret_index)
{
	size_t found = planner->s->n_mounts;

	for (size_t i = 0; i < planner->s->n_mounts; i++) {
		const struct spec_mount *m = &planner->s->mounts[i];

		if (!m->type || strcmp(m->type, "overlay") ||
		    strcmp(path_clean(planner->b->arena, m->destination), "/"))
			continue;
		if (found < planner->s->n_mounts)
			return err_plain(planner->err,
					 "mounts[%zu]: a second overlay on '/' (the first is mounts[%zu])", i, found);
		found = i;
	}
	if (found < planner->s->n_mounts && planner->o->layers)
		return err_plain(planner->err, "mounts[%zu]: an overlay on '/' cannot be used together with --layer",
				 found);
	*ret_index = found;
	return 0;
}

static int
check_root_options(const struct rootfs_planner *planner, const char *property, const struct mount_options *options)
{
	if (options->bind || options->remount || options->source_nofollow || options->dest_nofollow)
		return err_plain(planner->err, "%s.options: neither bind nor remount fits an overlay on '/'", property);
	if (options->copy_up)
		log_warning("%s.options: 'tmpcopyup' is ignored, it is for a new tmpfs", property);
	if (options->n_propagation)
		return err_plain(planner->err, "%s.options: the propagation of '/' is set by linux.rootfsPropagation",
				 property);
	return 0;
}

static int
plan_idmap(const struct rootfs_planner *planner, const char *property, const struct spec_mount *mount,
	   const struct mount_options *options, struct overlay_stack *stack)
{
	int r = mount_idmap_plan(planner, property, mount, options, &stack->idmap);

	if (r == 0 && stack->idmap.mapped && !host_kernel_at_least(planner->h, 5, 19))
		return err_plain(planner->err, "%s: overlay layers with mapped ids need Linux 5.19, this is %u.%u",
				 property, planner->h->kernel_major, planner->h->kernel_minor);
	return r;
}

int
overlay_plan_root(const struct rootfs_planner *planner, size_t index)
{
	const struct spec_mount *m = &planner->s->mounts[index];
	const char *property = arena_printf(planner->b->arena, "mounts[%zu]", index);
	const char *names[MOUNT_SB_COUNT];
	struct overlay_stack k = { 0 };
	struct mount_options o;
	size_t n;
	int r = mount_options_parse(planner->b->arena, property, &m->options, planner->err, &o);

	if (r == 0)
		r = check_root_options(planner, property, &o);
	if (r == 0)
		r = plan_idmap(planner, property, m, &o, &k);
	if (r == 0)
		r = overlay_stack_read(planner, property, &o, &k);
	if (r < 0)
		return r;
	o.sb_set &= ~(unsigned)MOUNT_SB_RDONLY;
	n = mount_options_superblock(&o, false, names);
	for (size_t i = 0; i < n; i++)
		overlay_push(planner, &k.rest, names[i]);
	o.attrs.set |= o.rec_attrs.set;
	o.attrs.clear |= o.rec_attrs.clear;
	return add_root(planner, property, &k, o.attrs, false);
}

int
overlay_root_is_readonly(const struct rootfs_planner *planner, size_t index, bool *ret)
{
	struct mount_options o;
	int r = mount_options_parse(planner->b->arena, arena_printf(planner->b->arena, "mounts[%zu]", index),
				    &planner->s->mounts[index].options, planner->err, &o);

	if (r == 0)
		*ret = (o.attrs.set | o.rec_attrs.set) & MOUNT_ATTR_RDONLY;
	return r;
}

int
overlay_plan_layers(const struct rootfs_planner *planner)
{
	const struct rootfs_layers *l = planner->o->layers;
	bool tmpfs = l->upper && strcmp(l->upper, "tmpfs") == 0;
	struct overlay_stack k = { 0 };
	char cwd[PATH_MAX];
	int r = 0;

	if (!getcwd(cwd, sizeof(cwd)))
		return err_set(planner->err, errno, "find the current directory");
	if (!l->n)
		return err_plain(planner->err, "--upper: needs at least one --layer");
	for (size_t i = l->n; i > 0; i--)
		overlay_push(planner, &k.lower, path_absolute(planner->b->arena, cwd, l->dirs[i - 1]));
	if (l->upper && !tmpfs) {
		const char *dir = path_absolute(planner->b->arena, cwd, l->upper);

		/* A missing one is made, with what goes into it. */
		r = overlay_check_directory(planner, "--upper", "directory", dir);
		if (r == -ENOENT)
			r = overlay_check_directory(
				planner, "--upper", "directory",
				path_clean(planner->b->arena, arena_printf(planner->b->arena, "%s/..", dir)));
		k.upper = arena_printf(planner->b->arena, "%s/upper", dir);
		k.work = arena_printf(planner->b->arena, "%s/work", dir);
	}
	return r < 0 ? r : add_root(planner, "--layer", &k, (struct plan_attrs){ 0 }, tmpfs);
}

/* ---- overlays elsewhere ---------------------------------------------- */

/* The other way round, for what the kernel unescapes itself. */
static const char *
escape(struct arena *a, const char *string)
{
	char *text = arena_alloc(a, strlen(string) * 2 + 1);
	size_t n = 0;

	for (; *string; string++) {
		if (strchr(":,\\", *string))
			text[n++] = '\\';
		text[n++] = *string;
	}
	return text;
}

int
overlay_expand_options(const struct rootfs_planner *planner, const char *property, struct mount_options *options)
{
	struct arena *a = planner->b->arena;
	struct overlay_stack k = { 0 };
	struct overlay_list out = { 0 };
	char *lower = NULL;
	bool append;
	int r = overlay_stack_read(planner, property, options, &k);

	if (r == 0)
		r = overlay_stack_check(planner, property, &k);
	if (r < 0)
		return r;
	append = overlay_stack_can_append(planner, &k);
	if ((r = overlay_stack_check_data(planner, property, &k)) < 0)
		return r;
	if (!append && (r = overlay_stack_check_page(planner, property, &k)) < 0)
		return r;
	for (size_t i = 0; i < k.lower.n; i++) {
		if (append)
			overlay_push(planner, &out, arena_printf(a, "lowerdir+=%s", k.lower.items[i]));
		else
			lower = arena_printf(a, "%s%s%s", lower ? lower : "lowerdir=", lower ? ":" : "",
					     escape(a, k.lower.items[i]));
	}
	if (lower)
		overlay_push(planner, &out, lower);
	for (size_t i = 0; i < k.data.n; i++)
		overlay_push(planner, &out, arena_printf(a, "datadir+=%s", k.data.items[i]));
	if (k.upper) {
		overlay_push(planner, &out, arena_printf(a, "upperdir=%s", escape(a, k.upper)));
		overlay_push(planner, &out, arena_printf(a, "workdir=%s", escape(a, k.work)));
	}
	if (planner->o->in_userns && !overlay_list_has(&k.rest, "userxattr"))
		overlay_push(planner, &out, "userxattr");
	for (size_t i = 0; i < k.rest.n; i++)
		overlay_push(planner, &out, k.rest.items[i]);
	options->data = out.items;
	options->n_data = out.n;
	return 0;
}
