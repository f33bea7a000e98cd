/* Theory of operation: see overlay_stack.h. Nothing is mounted and nothing is added to
 * the plan here: the options are taken apart, and what the kernel would refuse with a
 * bare EINVAL is refused with its reason. */
#include "namespaces/overlay_stack.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "namespaces/path_text.h"

#define MAX_LAYERS 500	/* OVL_MAX_STACK of the kernel */
#define PAGE_ROOM  4095 /* options of mount(2): one page with its NUL */
#define MAX_VALUE  255	/* one value of fsconfig(2) */

void
overlay_push(const struct rootfs_planner *p, struct overlay_list *l, const char *item)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;

		l->items = arena_grow(p->b->arena, l->items, l->cap * sizeof(*l->items), cap * sizeof(*l->items));
		l->cap = cap;
	}
	l->items[l->n++] = item;
}

bool
overlay_list_has(const struct overlay_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->items[i], name) == 0)
			return true;
	return false;
}

/* ---- reading options -------------------------------------------------- */

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
split_lowerdir(const struct rootfs_planner *p, const char *property, const char *s, struct overlay_stack *k)
{
	struct overlay_list *to = &k->lower;

	k->one_string = true;
	while (*s) {
		const char *path = unescape(p->b->arena, &s, ':');

		if (!*path)
			return err_plain(p->err, "%s.options: lowerdir has an empty layer", property);
		overlay_push(p, to, path_absolute(p->b->arena, p->o->bundle, path));
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
take_option(const struct rootfs_planner *p, const char *property, const char *option, struct overlay_stack *k)
{
	const char *v;

	if ((v = value_of(option, "lowerdir")))
		return split_lowerdir(p, property, v, k);
	if ((v = value_of(option, "lowerdir+"))) {
		/* Not escaped, as in the kernel. */
		overlay_push(p, &k->lower, path_absolute(p->b->arena, p->o->bundle, v));
		k->one_by_one = true;
	} else if ((v = value_of(option, "datadir+"))) {
		overlay_push(p, &k->data, path_absolute(p->b->arena, p->o->bundle, v));
		k->one_by_one = true;
	} else if ((v = value_of(option, "upperdir"))) {
		k->upper = plain_path(p, v);
	} else if ((v = value_of(option, "workdir"))) {
		k->work = plain_path(p, v);
	} else {
		overlay_push(p, &k->rest, option);
	}
	return 0;
}

int
overlay_stack_read(const struct rootfs_planner *p, const char *property, const struct mount_options *o,
		   struct overlay_stack *k)
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

/* ---- checks ----------------------------------------------------------- */

int
overlay_check_folder(const struct rootfs_planner *p, const char *property, const char *role, const char *path)
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

int
overlay_stack_check(const struct rootfs_planner *p, const char *property, const struct overlay_stack *k)
{
	int r = 0;

	if (k->lower.n + k->data.n > MAX_LAYERS)
		return err_plain(p->err, "%s: %zu layers, the kernel's limit is %d", property, k->lower.n + k->data.n,
				 MAX_LAYERS);
	if (p->o->in_userns && !host_kernel_at_least(p->h, 5, 11))
		return err_plain(p->err, "%s: an overlay in a user namespace needs Linux 5.11, this is %u.%u", property,
				 p->h->kernel_major, p->h->kernel_minor);
	for (size_t i = 0; r == 0 && i < k->lower.n; i++)
		r = overlay_check_folder(p, property, "overlay layer", k->lower.items[i]);
	for (size_t i = 0; r == 0 && i < k->data.n; i++)
		r = overlay_check_folder(p, property, "overlay data layer", k->data.items[i]);
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
bool
overlay_stack_can_append(const struct rootfs_planner *p, const struct overlay_stack *k)
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

int
overlay_stack_check_data(const struct rootfs_planner *p, const char *property, const struct overlay_stack *k)
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

int
overlay_stack_check_page(const struct rootfs_planner *p, const char *property, const struct overlay_stack *k)
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
