/* Plans overlays: as the root (a mount on "/" of type "overlay", or --layer and
 * --upper on the command line), and elsewhere.
 *
 * The plan holds plain paths, topmost first. The root's executor knows how to give
 * any number of them to any kernel; an overlay elsewhere is an ordinary mount, whose
 * layers are named one by one since Linux 6.8 ("lowerdir+") and must fit into one
 * page before.
 *
 * With --upper DIR the upper folder is DIR/upper and the work folder DIR/work:
 * the two must be on one file system, and the caller has one folder to remove.
 * The container's init makes all three when they are missing. */
#include <errno.h>
#include <limits.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "namespaces/mount_idmap.h"
#include "namespaces/overlay_stack.h"
#include "namespaces/path_text.h"

/* ---- the root -------------------------------------------------------- */

/* root.path, when there is such a folder: createContainer hooks look for the
 * root file system there. Otherwise the overlay goes on top of "/". */
static plan_str
attach_point(const struct rootfs_planner *p)
{
	const struct spec_root *root = p->s->root;
	const char *path = root && root->path ? path_absolute(p->b->arena, p->o->bundle, root->path) : NULL;
	struct stat st;

	if (!path || stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	return plan_string(p->b, path);
}

/* All that is neither a layer nor upper or work folder. */
static struct plan_strv
root_options(const struct rootfs_planner *p, struct overlay_stack *k)
{
	const char *label = mount_label_option(p);

	/* trusted.overlay.* cannot be written in a user namespace, so whiteouts
	 * of folders would not work. */
	if (p->o->in_userns && !overlay_list_has(&k->rest, "userxattr"))
		overlay_push(p, &k->rest, "userxattr");
	if (label)
		overlay_push(p, &k->rest, label);
	for (size_t i = 0; i < k->data.n; i++)
		overlay_push(p, &k->rest, arena_printf(p->b->arena, "datadir+=%s", k->data.items[i]));
	return plan_strings(p->b, k->rest.items, k->rest.n);
}

/* A layer with mapped ids is a mount, which the parent makes. The upper folder is the
 * container's own and stays as it is. Slot of the first, the others follow it; 0: none. */
static uint16_t
add_mapped_layers(const struct rootfs_planner *p, const struct overlay_stack *k, plan_str what)
{
	uint16_t first = 0;

	for (size_t i = 0; k->idmap.mapped && i < k->lower.n; i++) {
		uint16_t slot =
			plan_add_source(p->b, k->lower.items[i], /* recursive= */ false, /* nofollow= */ false, what);

		p->b->sources[p->b->n_sources - 1].idmap = k->idmap;
		first = first ? first : slot;
	}
	return first;
}

static int
add_root(const struct rootfs_planner *p, const char *property, struct overlay_stack *k, struct plan_attrs attrs,
	 bool tmpfs)
{
	static const char *const tmpfs_options[] = { "mode=0755" };
	bool writable = k->upper || tmpfs;
	struct plan_step *st;
	int r = overlay_stack_check(p, property, k);

	if (r == 0)
		r = overlay_stack_check_data(p, property, k);
	if (r < 0)
		return r;
	st = plan_add(p->b, PLAN_ROOT_OVERLAY, "%s", property);
	/* Read-only comes last when mount points may have to be made in it. */
	if (writable)
		attrs.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	else
		attrs.set |= MOUNT_ATTR_RDONLY;
	st->u.root_overlay = (struct plan_root_overlay){
		.target = attach_point(p),
		.lowerdirs = plan_strings(p->b, k->lower.items, k->lower.n),
		.upperdir = plan_string(p->b, k->upper),
		.workdir = plan_string(p->b, k->work),
		.upper_tmpfs = tmpfs,
		.options = root_options(p, k),
		.attrs = attrs,
		.append = host_kernel_at_least(p->h, 6, 8),
		.slot = add_mapped_layers(p, k, st->what),
	};
	if (tmpfs)
		st->u.root_overlay.tmpfs_options = plan_strings(p->b, tmpfs_options, 1);
	return 0;
}

int
overlay_find_root(const struct rootfs_planner *p, size_t *ret_index)
{
	size_t found = p->s->n_mounts;

	for (size_t i = 0; i < p->s->n_mounts; i++) {
		const struct spec_mount *m = &p->s->mounts[i];

		if (!m->type || strcmp(m->type, "overlay") || strcmp(path_clean(p->b->arena, m->destination), "/"))
			continue;
		if (found < p->s->n_mounts)
			return err_plain(p->err, "mounts[%zu]: a second overlay on '/' (the first is mounts[%zu])", i,
					 found);
		found = i;
	}
	if (found < p->s->n_mounts && p->o->layers)
		return err_plain(p->err, "mounts[%zu]: an overlay on '/' cannot be used together with --layer", found);
	*ret_index = found;
	return 0;
}

static int
check_root_options(const struct rootfs_planner *p, const char *property, const struct mount_options *o)
{
	if (o->bind || o->remount || o->copy_up || o->source_nofollow || o->dest_nofollow)
		return err_plain(p->err, "%s.options: neither bind nor remount nor tmpcopyup fits an overlay on '/'",
				 property);
	if (o->n_propagation)
		return err_plain(p->err, "%s.options: the propagation of '/' is set by linux.rootfsPropagation",
				 property);
	return 0;
}

static int
plan_idmap(const struct rootfs_planner *p, const char *property, const struct spec_mount *m,
	   const struct mount_options *o, struct overlay_stack *k)
{
	int r = mount_idmap_plan(p, property, m, o, &k->idmap);

	if (r == 0 && k->idmap.mapped && !host_kernel_at_least(p->h, 5, 19))
		return err_plain(p->err, "%s: overlay layers with mapped ids need Linux 5.19, this is %u.%u", property,
				 p->h->kernel_major, p->h->kernel_minor);
	return r;
}

int
overlay_plan_root(const struct rootfs_planner *p, size_t index)
{
	const struct spec_mount *m = &p->s->mounts[index];
	const char *property = arena_printf(p->b->arena, "mounts[%zu]", index);
	const char *names[MOUNT_SB_COUNT];
	struct overlay_stack k = { 0 };
	struct mount_options o;
	size_t n;
	int r = mount_options_parse(p->b->arena, property, "overlay", &m->options, p->err, &o);

	if (r == 0)
		r = check_root_options(p, property, &o);
	if (r == 0)
		r = plan_idmap(p, property, m, &o, &k);
	if (r == 0)
		r = overlay_stack_read(p, property, &o, &k);
	if (r < 0)
		return r;
	o.sb_set &= ~(unsigned)MOUNT_SB_RDONLY;
	n = mount_options_superblock(&o, false, names);
	for (size_t i = 0; i < n; i++)
		overlay_push(p, &k.rest, names[i]);
	o.attrs.set |= o.rec_attrs.set;
	o.attrs.clear |= o.rec_attrs.clear;
	return add_root(p, property, &k, o.attrs, false);
}

int
overlay_root_is_readonly(const struct rootfs_planner *p, size_t index, bool *ret)
{
	struct mount_options o;
	int r = mount_options_parse(p->b->arena, arena_printf(p->b->arena, "mounts[%zu]", index), "overlay",
				    &p->s->mounts[index].options, p->err, &o);

	if (r == 0)
		*ret = (o.attrs.set | o.rec_attrs.set) & MOUNT_ATTR_RDONLY;
	return r;
}

int
overlay_plan_layers(const struct rootfs_planner *p)
{
	const struct rootfs_layers *l = p->o->layers;
	bool tmpfs = l->upper && strcmp(l->upper, "tmpfs") == 0;
	struct overlay_stack k = { 0 };
	char cwd[PATH_MAX];
	int r = 0;

	if (!getcwd(cwd, sizeof(cwd)))
		return err_set(p->err, errno, "find the current folder");
	if (!l->n)
		return err_plain(p->err, "--upper: needs at least one --layer");
	for (size_t i = l->n; i > 0; i--)
		overlay_push(p, &k.lower, path_absolute(p->b->arena, cwd, l->dirs[i - 1]));
	if (l->upper && !tmpfs) {
		const char *dir = path_absolute(p->b->arena, cwd, l->upper);

		/* A missing one is made, with what goes into it. */
		r = overlay_check_folder(p, "--upper", "folder", dir);
		if (r == -ENOENT)
			r = overlay_check_folder(p, "--upper", "folder",
						 path_clean(p->b->arena, arena_printf(p->b->arena, "%s/..", dir)));
		k.upper = arena_printf(p->b->arena, "%s/upper", dir);
		k.work = arena_printf(p->b->arena, "%s/work", dir);
	}
	return r < 0 ? r : add_root(p, "--layer", &k, (struct plan_attrs){ 0 }, tmpfs);
}

/* ---- overlays elsewhere ---------------------------------------------- */

/* The other way round, for what the kernel unescapes itself. */
static const char *
escape(struct arena *a, const char *s)
{
	char *text = arena_alloc(a, strlen(s) * 2 + 1);
	size_t n = 0;

	for (; *s; s++) {
		if (strchr(":,\\", *s))
			text[n++] = '\\';
		text[n++] = *s;
	}
	return text;
}

int
overlay_expand_options(const struct rootfs_planner *p, const char *property, struct mount_options *o)
{
	struct arena *a = p->b->arena;
	struct overlay_stack k = { 0 };
	struct overlay_list out = { 0 };
	char *lower = NULL;
	bool append;
	int r = overlay_stack_read(p, property, o, &k);

	if (r == 0)
		r = overlay_stack_check(p, property, &k);
	if (r < 0)
		return r;
	append = overlay_stack_can_append(p, &k);
	if ((r = overlay_stack_check_data(p, property, &k)) < 0)
		return r;
	if (!append && (r = overlay_stack_check_page(p, property, &k)) < 0)
		return r;
	for (size_t i = 0; i < k.lower.n; i++) {
		if (append)
			overlay_push(p, &out, arena_printf(a, "lowerdir+=%s", k.lower.items[i]));
		else
			lower = arena_printf(a, "%s%s%s", lower ? lower : "lowerdir=", lower ? ":" : "",
					     escape(a, k.lower.items[i]));
	}
	if (lower)
		overlay_push(p, &out, lower);
	for (size_t i = 0; i < k.data.n; i++)
		overlay_push(p, &out, arena_printf(a, "datadir+=%s", k.data.items[i]));
	if (k.upper) {
		overlay_push(p, &out, arena_printf(a, "upperdir=%s", escape(a, k.upper)));
		overlay_push(p, &out, arena_printf(a, "workdir=%s", escape(a, k.work)));
	}
	if (p->o->in_userns && !overlay_list_has(&k.rest, "userxattr"))
		overlay_push(p, &out, "userxattr");
	for (size_t i = 0; i < k.rest.n; i++)
		overlay_push(p, &out, k.rest.items[i]);
	o->data = out.items;
	o->n_data = out.n;
	return 0;
}
