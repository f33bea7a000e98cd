/* Plans overlay layer stacks: as the root (a mount on "/" of type "overlay", or
 * --layer and --upper on the command line) and for overlays elsewhere.
 *
 * In a config the layers are one string: "lowerdir=TOP:…:BOTTOM", in which a
 * backslash takes the meaning from ':', ',' and '\', and "::" begins the layers
 * that only hold data. The plan holds plain paths, topmost first. The root's
 * executor knows how to give any number of them to any kernel; an overlay
 * elsewhere is an ordinary mount, whose layers are named one by one since Linux
 * 6.8 ("lowerdir+") and must fit into one page before, which is checked here.
 *
 * With --upper DIR the upper folder is DIR/upper and the work folder DIR/work:
 * the two must be on one file system, and the caller has one folder to remove.
 * The container's init makes all three when they are missing. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "namespaces/path_text.h"
#include "namespaces/rootfs_planner.h"

#define MAX_LAYERS 500	/* OVL_MAX_STACK of the kernel */
#define PAGE_ROOM  4095 /* options of mount(2): one page with its NUL */
#define MAX_VALUE  255	/* one value of fsconfig(2) */

struct list {
	const char **items;
	size_t n, cap;
};

/* An overlay's options, taken apart. */
struct stack {
	struct list lower, data; /* plain absolute paths, topmost first */
	const char *upper, *work;
	struct list rest; /* other options, as they are */
	bool one_string;  /* lowerdir= was used */
	bool one_by_one;  /* lowerdir+ or datadir+ was used */
};

static void
push(const struct rootfs_planner *p, struct list *l, const char *item)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;

		l->items = arena_grow(p->b->arena, l->items, l->cap * sizeof(*l->items), cap * sizeof(*l->items));
		l->cap = cap;
	}
	l->items[l->n++] = item;
}

/* ---- reading options ------------------------------------------------- */

/* Copies one path from *s up to a separator (or the end), without escapes, and
 * moves *s to what stopped it. */
static char *
unescape(struct arena *a, const char **s, char separator)
{
	char *path = arena_alloc(a, strlen(*s) + 1);
	size_t n = 0;

	for (; **s && **s != separator; (*s)++) {
		if (**s == '\\' && (*s)[1])
			(*s)++;
		path[n++] = **s;
	}
	path[n] = '\0';
	return path;
}

static const char *
plain_path(const struct rootfs_planner *p, const char *s)
{
	return path_absolute(p->b->arena, p->o->bundle, unescape(p->b->arena, &s, '\0'));
}

static int
split_lowerdir(const struct rootfs_planner *p, const char *property, const char *s, struct stack *k)
{
	struct list *to = &k->lower;

	k->one_string = true;
	while (*s) {
		const char *path = unescape(p->b->arena, &s, ':');

		if (!*path)
			return err_plain(p->err, "%s.options: lowerdir has an empty layer", property);
		push(p, to, path_absolute(p->b->arena, p->o->bundle, path));
		if (s[0] == ':' && s[1] == ':') {
			to = &k->data;
			s++;
		}
		if (s[0] == ':' && !*++s)
			return err_plain(p->err, "%s.options: lowerdir ends in ':'", property);
	}
	return 0;
}

/* The value when option is "key=value". */
static const char *
value_of(const char *option, const char *key)
{
	size_t n = strlen(key);

	return strncmp(option, key, n) == 0 && option[n] == '=' ? option + n + 1 : NULL;
}

static int
take_option(const struct rootfs_planner *p, const char *property, const char *option, struct stack *k)
{
	const char *v;

	if ((v = value_of(option, "lowerdir")))
		return split_lowerdir(p, property, v, k);
	if ((v = value_of(option, "lowerdir+"))) {
		/* Not escaped, as in the kernel. */
		push(p, &k->lower, path_absolute(p->b->arena, p->o->bundle, v));
		k->one_by_one = true;
	} else if ((v = value_of(option, "datadir+"))) {
		push(p, &k->data, path_absolute(p->b->arena, p->o->bundle, v));
		k->one_by_one = true;
	} else if ((v = value_of(option, "upperdir"))) {
		k->upper = plain_path(p, v);
	} else if ((v = value_of(option, "workdir"))) {
		k->work = plain_path(p, v);
	} else {
		push(p, &k->rest, option);
	}
	return 0;
}

static int
read_stack(const struct rootfs_planner *p, const char *property, const struct mount_options *o, struct stack *k)
{
	for (size_t i = 0; i < o->n_data; i++) {
		int r = take_option(p, property, o->data[i], k);

		if (r < 0)
			return r;
	}
	if (k->one_string && k->one_by_one)
		return err_plain(p->err, "%s.options: lowerdir cannot be mixed with lowerdir+ or datadir+", property);
	if (!k->lower.n)
		return err_plain(p->err, "%s.options: an overlay needs lowerdir", property);
	if (k->upper && !k->work)
		return err_plain(p->err,
				 "%s.options: upperdir needs a workdir (an empty folder on the same file system)",
				 property);
	if (k->work && !k->upper) {
		log_debug("%s.options: workdir without upperdir has no effect", property);
		k->work = NULL;
	}
	return 0;
}

/* ---- checks ---------------------------------------------------------- */

static int
check_folder(const struct rootfs_planner *p, const char *property, const char *role, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(p->err, errno, "%s: %s '%s'", property, role, path);
	if (!S_ISDIR(st.st_mode))
		return err_set(p->err, ENOTDIR, "%s: %s '%s'", property, role, path);
	return 0;
}

/* The kernel marks a work folder that was used with "volatile", and refuses it
 * with EINVAL from then on: after a crash the upper layer may be incomplete. */
static int
check_work(const struct rootfs_planner *p, const char *property, const char *work)
{
	const char *mark = arena_printf(p->b->arena, "%s/work/incompat/volatile", work);
	struct stat st;

	if (stat(mark, &st) < 0)
		return 0;
	return err_plain(
		p->err, "%s: the overlay was mounted with 'volatile' before; remove '%s' to use its upper folder again",
		property, mark);
}

static int
check_layers(const struct rootfs_planner *p, const char *property, const struct stack *k)
{
	int r = 0;

	if (k->lower.n + k->data.n > MAX_LAYERS)
		return err_plain(p->err, "%s: %zu layers, the kernel's limit is %d", property, k->lower.n + k->data.n,
				 MAX_LAYERS);
	if (p->o->in_userns && !host_kernel_at_least(p->h, 5, 11))
		return err_plain(p->err, "%s: an overlay in a user namespace needs Linux 5.11, this is %u.%u", property,
				 p->h->kernel_major, p->h->kernel_minor);
	for (size_t i = 0; r == 0 && i < k->lower.n; i++)
		r = check_folder(p, property, "overlay layer", k->lower.items[i]);
	for (size_t i = 0; r == 0 && i < k->data.n; i++)
		r = check_folder(p, property, "overlay data layer", k->data.items[i]);
	if (r == 0 && k->work)
		r = check_work(p, property, k->work);
	return r;
}

static bool
fits_value(const char *s)
{
	return !s || strlen(s) <= MAX_VALUE;
}

/* One by one, if the kernel can and each path is short enough. */
static bool
can_append(const struct rootfs_planner *p, const struct stack *k)
{
	if (!host_kernel_at_least(p->h, 6, 8) || !fits_value(k->upper) || !fits_value(k->work))
		return false;
	for (size_t i = 0; i < k->lower.n; i++)
		if (!fits_value(k->lower.items[i]))
			return false;
	for (size_t i = 0; i < k->data.n; i++)
		if (!fits_value(k->data.items[i]))
			return false;
	return true;
}

/* Length of a path in the options of mount(2), with its escapes. */
static size_t
escaped_length(const char *s)
{
	size_t n = 0;

	for (; s && *s; s++)
		n += strchr(":,\\", *s) ? 2 : 1;
	return n;
}

static int
check_data_layers(const struct rootfs_planner *p, const char *property, const struct stack *k)
{
	if (k->data.n && !host_kernel_at_least(p->h, 6, 8))
		return err_plain(p->err, "%s: data layers need Linux 6.8, this is %u.%u", property, p->h->kernel_major,
				 p->h->kernel_minor);
	for (size_t i = 0; i < k->data.n; i++)
		if (!fits_value(k->data.items[i]))
			return err_plain(p->err, "%s: the path of a data layer may have %d bytes at most: '%s'",
					 property, MAX_VALUE, k->data.items[i]);
	return 0;
}

static int
check_one_page(const struct rootfs_planner *p, const char *property, const struct stack *k)
{
	size_t n =
		strlen("lowerdir=,upperdir=,workdir=,userxattr") + escaped_length(k->upper) + escaped_length(k->work);

	for (size_t i = 0; i < k->lower.n; i++)
		n += escaped_length(k->lower.items[i]) + 1;
	for (size_t i = 0; i < k->rest.n; i++)
		n += strlen(k->rest.items[i]) + 1;
	if (n <= PAGE_ROOM)
		return 0;
	return err_plain(p->err,
			 "%s: %zu layers need %zu bytes of mount options, and Linux %u.%u takes %d (6.8 and newer take "
			 "layers one by one, with paths of at most %d bytes)",
			 property, k->lower.n, n, p->h->kernel_major, p->h->kernel_minor, PAGE_ROOM, MAX_VALUE);
}

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

static bool
has_option(const struct list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->items[i], name) == 0)
			return true;
	return false;
}

/* All that is neither a layer nor upper or work folder. */
static struct plan_strv
root_options(const struct rootfs_planner *p, struct stack *k)
{
	const char *label = mount_label_option(p);

	/* trusted.overlay.* cannot be written in a user namespace, so whiteouts
	 * of folders would not work. */
	if (p->o->in_userns && !has_option(&k->rest, "userxattr"))
		push(p, &k->rest, "userxattr");
	if (label)
		push(p, &k->rest, label);
	for (size_t i = 0; i < k->data.n; i++)
		push(p, &k->rest, arena_printf(p->b->arena, "datadir+=%s", k->data.items[i]));
	return plan_strings(p->b, k->rest.items, k->rest.n);
}

static int
add_root(const struct rootfs_planner *p, const char *property, struct stack *k, struct plan_attrs attrs, bool tmpfs)
{
	static const char *const tmpfs_options[] = { "mode=0755" };
	bool writable = k->upper || tmpfs;
	struct plan_step *st;
	int r = check_layers(p, property, k);

	if (r == 0)
		r = check_data_layers(p, property, k);
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
	if (o->bind || o->remount || o->copy_up || o->source_nofollow || o->dest_nofollow || o->idmap)
		return err_plain(p->err,
				 "%s.options: neither bind nor remount nor tmpcopyup nor idmap fits an overlay on '/'",
				 property);
	if (o->n_propagation)
		return err_plain(p->err, "%s.options: the propagation of '/' is set by linux.rootfsPropagation",
				 property);
	return 0;
}

int
overlay_plan_root(const struct rootfs_planner *p, size_t index)
{
	const char *property = arena_printf(p->b->arena, "mounts[%zu]", index);
	const char *names[2 * MOUNT_SB_COUNT];
	struct stack k = { 0 };
	struct mount_options o;
	size_t n;
	int r = mount_options_parse(p->b->arena, property, "overlay", &p->s->mounts[index].options, p->err, &o);

	if (r == 0)
		r = check_root_options(p, property, &o);
	if (r == 0)
		r = read_stack(p, property, &o, &k);
	if (r < 0)
		return r;
	o.sb_set &= ~(unsigned)MOUNT_SB_RDONLY;
	n = mount_options_superblock(&o, false, names);
	for (size_t i = 0; i < n; i++)
		push(p, &k.rest, names[i]);
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
	struct stack k = { 0 };
	char cwd[PATH_MAX];
	int r = 0;

	if (!getcwd(cwd, sizeof(cwd)))
		return err_set(p->err, errno, "find the current folder");
	if (!l->n)
		return err_plain(p->err, "--upper: needs at least one --layer");
	for (size_t i = l->n; i > 0; i--)
		push(p, &k.lower, path_absolute(p->b->arena, cwd, l->dirs[i - 1]));
	if (l->upper && !tmpfs) {
		const char *dir = path_absolute(p->b->arena, cwd, l->upper);

		/* A missing one is made, with what goes into it. */
		r = check_folder(p, "--upper", "folder", dir);
		if (r == -ENOENT)
			r = check_folder(p, "--upper", "folder",
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
	struct stack k = { 0 };
	struct list out = { 0 };
	char *lower = NULL;
	bool append;
	int r = read_stack(p, property, o, &k);

	if (r == 0)
		r = check_layers(p, property, &k);
	if (r < 0)
		return r;
	append = can_append(p, &k);
	if ((r = check_data_layers(p, property, &k)) < 0)
		return r;
	if (!append && (r = check_one_page(p, property, &k)) < 0)
		return r;
	for (size_t i = 0; i < k.lower.n; i++) {
		if (append)
			push(p, &out, arena_printf(a, "lowerdir+=%s", k.lower.items[i]));
		else
			lower = arena_printf(a, "%s%s%s", lower ? lower : "lowerdir=", lower ? ":" : "",
					     escape(a, k.lower.items[i]));
	}
	if (lower)
		push(p, &out, lower);
	for (size_t i = 0; i < k.data.n; i++)
		push(p, &out, arena_printf(a, "datadir+=%s", k.data.items[i]));
	if (k.upper) {
		push(p, &out, arena_printf(a, "upperdir=%s", escape(a, k.upper)));
		push(p, &out, arena_printf(a, "workdir=%s", escape(a, k.work)));
	}
	if (p->o->in_userns && !has_option(&k.rest, "userxattr"))
		push(p, &out, "userxattr");
	for (size_t i = 0; i < k.rest.n; i++)
		push(p, &out, k.rest.items[i]);
	o->data = out.items;
	o->n_data = out.n;
	return 0;
}
