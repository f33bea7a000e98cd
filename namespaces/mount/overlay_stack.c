/* Nothing is mounted and nothing is added to
 * the plan here: the options are taken apart, and what the kernel would refuse with a
 * bare EINVAL is refused with its reason. */
#include "namespaces/mount/overlay_stack.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "namespaces/mount/path_text.h"

#define MAX_LAYERS 500	/* OVL_MAX_STACK of the kernel */
#define PAGE_ROOM  4095 /* options of mount(2): one page with its NUL */
#define MAX_VALUE  255	/* one value of fsconfig(2) */

void
overlay_push(const struct rootfs_planner *planner, struct overlay_list *list, const char *item)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 16;

		list->items = arena_grow(planner->b->arena, list->items, list->cap * sizeof(*list->items),
					 cap * sizeof(*list->items));
		list->cap = cap;
	}
	list->items[list->n++] = item;
}

bool
overlay_list_has(const struct overlay_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], name) == 0)
			return true;
	return false;
}

/* ---- reading options -------------------------------------------------- */

/* Copies one path from *s up to a separator (or the end), without escapes, and
 * moves *s to what stopped it. */
static char *
unescape(struct arena *a, const char **text, char separator)
{
	char *path = arena_alloc(a, strlen(*text) + 1);
	size_t n = 0;

	for (; **text && **text != separator; (*text)++) {
		if (**text == '\\' && (*text)[1])
			(*text)++;
		path[n++] = **text;
	}
	path[n] = '\0';
	return path;
}

static const char *
plain_path(const struct rootfs_planner *planner, const char *text)
{
	return path_absolute(planner->b->arena, planner->o->bundle, unescape(planner->b->arena, &text, '\0'));
}

static int
split_lowerdir(const struct rootfs_planner *planner, const char *property, const char *text,
	       struct overlay_stack *stack)
{
	struct overlay_list *to = &stack->lower;

	stack->one_string = true;
	while (*text) {
		const char *path = unescape(planner->b->arena, &text, ':');

		if (!*path)
			return err_plain(planner->err, "%s.options: lowerdir has an empty layer", property);
		overlay_push(planner, to, path_absolute(planner->b->arena, planner->o->bundle, path));
		if (text[0] == ':' && text[1] == ':') {
			to = &stack->data;
			text++;
		}
		if (text[0] == ':' && !*++text)
			return err_plain(planner->err, "%s.options: lowerdir ends in ':'", property);
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
take_option(const struct rootfs_planner *planner, const char *property, const char *option, struct overlay_stack *stack)
{
	const char *v;

	if ((v = value_of(option, "lowerdir")))
		return split_lowerdir(planner, property, v, stack);
	if ((v = value_of(option, "lowerdir+"))) {
		/* Not escaped, as in the kernel. */
		overlay_push(planner, &stack->lower, path_absolute(planner->b->arena, planner->o->bundle, v));
		stack->one_by_one = true;
	} else if ((v = value_of(option, "datadir+"))) {
		overlay_push(planner, &stack->data, path_absolute(planner->b->arena, planner->o->bundle, v));
		stack->one_by_one = true;
	} else if ((v = value_of(option, "upperdir"))) {
		stack->upper = plain_path(planner, v);
	} else if ((v = value_of(option, "workdir"))) {
		stack->work = plain_path(planner, v);
	} else {
		overlay_push(planner, &stack->rest, option);
	}
	return 0;
}

int
overlay_stack_read(const struct rootfs_planner *planner, const char *property, const struct mount_options *options,
		   struct overlay_stack *stack)
{
	for (size_t i = 0; i < options->n_data; i++) {
		int r = take_option(planner, property, options->data[i], stack);

		if (r < 0)
			return r;
	}
	if (stack->one_string && stack->one_by_one)
		return err_plain(planner->err, "%s.options: lowerdir cannot be mixed with lowerdir+ or datadir+",
				 property);
	if (!stack->lower.n)
		return err_plain(planner->err, "%s.options: an overlay needs lowerdir", property);
	if (stack->upper && !stack->work)
		return err_plain(planner->err,
				 "%s.options: upperdir needs a workdir (an empty directory on the same file system)",
				 property);
	if (stack->work && !stack->upper) {
		log_debug("%s.options: workdir without upperdir has no effect", property);
		stack->work = NULL;
	}
	return 0;
}

/* ---- checks ----------------------------------------------------------- */

int
overlay_check_directory(const struct rootfs_planner *planner, const char *property, const char *role, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(planner->err, errno, "%s: %s '%s'", property, role, path);
	if (!S_ISDIR(st.st_mode))
		return err_set(planner->err, ENOTDIR, "%s: %s '%s'", property, role, path);
	return 0;
}

/* The kernel marks a work directory that was used with "volatile", and refuses it
 * with EINVAL from then on: after a crash the upper layer may be incomplete. */
static int
check_work(const struct rootfs_planner *planner, const char *property, const char *work)
{
	const char *mark = arena_printf(planner->b->arena, "%s/work/incompat/volatile", work);
	struct stat st;

	if (stat(mark, &st) < 0)
		return 0;
	return err_plain(
		planner->err,
		"%s: the overlay was mounted with 'volatile' before; remove '%s' to use its upper directory again",
		property, mark);
}

int
overlay_stack_check(const struct rootfs_planner *planner, const char *property, const struct overlay_stack *stack)
{
	int r = 0;

	if (stack->lower.n + stack->data.n > MAX_LAYERS)
		return err_plain(planner->err, "%s: %zu layers, the kernel's limit is %d", property,
				 stack->lower.n + stack->data.n, MAX_LAYERS);
	if (planner->o->in_userns && !host_kernel_at_least(planner->h, 5, 11))
		return err_plain(planner->err, "%s: an overlay in a user namespace needs Linux 5.11, this is %u.%u",
				 property, planner->h->kernel_major, planner->h->kernel_minor);
	if (planner->o->sink)
		return 0;
	for (size_t i = 0; r == 0 && i < stack->lower.n; i++)
		r = overlay_check_directory(planner, property, "overlay layer", stack->lower.items[i]);
	for (size_t i = 0; r == 0 && i < stack->data.n; i++)
		r = overlay_check_directory(planner, property, "overlay data layer", stack->data.items[i]);
	if (r == 0 && stack->work)
		r = check_work(planner, property, stack->work);
	return r;
}

static bool
fits_value(const char *text)
{
	return !text || strlen(text) <= MAX_VALUE;
}

/* One by one, if the kernel can and each path is short enough. */
bool
overlay_stack_can_append(const struct rootfs_planner *planner, const struct overlay_stack *stack)
{
	if (!host_kernel_at_least(planner->h, 6, 8) || !fits_value(stack->upper) || !fits_value(stack->work))
		return false;
	for (size_t i = 0; i < stack->lower.n; i++)
		if (!fits_value(stack->lower.items[i]))
			return false;
	for (size_t i = 0; i < stack->data.n; i++)
		if (!fits_value(stack->data.items[i]))
			return false;
	return true;
}

/* Length of a path in the options of mount(2), with its escapes. */
static size_t
escaped_length(const char *text)
{
	size_t n = 0;

	for (; text && *text; text++)
		n += strchr(":,\\", *text) ? 2 : 1;
	return n;
}

int
overlay_stack_check_data(const struct rootfs_planner *planner, const char *property, const struct overlay_stack *stack)
{
	if (stack->data.n && !host_kernel_at_least(planner->h, 6, 8))
		return err_plain(planner->err, "%s: data layers need Linux 6.8, this is %u.%u", property,
				 planner->h->kernel_major, planner->h->kernel_minor);
	for (size_t i = 0; i < stack->data.n; i++)
		if (!fits_value(stack->data.items[i]))
			return err_plain(planner->err, "%s: the path of a data layer may have %d bytes at most: '%s'",
					 property, MAX_VALUE, stack->data.items[i]);
	return 0;
}

int
overlay_stack_check_page(const struct rootfs_planner *planner, const char *property, const struct overlay_stack *stack)
{
	size_t n = strlen("lowerdir=,upperdir=,workdir=,userxattr") + escaped_length(stack->upper) +
		   escaped_length(stack->work);

	for (size_t i = 0; i < stack->lower.n; i++)
		n += escaped_length(stack->lower.items[i]) + 1;
	for (size_t i = 0; i < stack->rest.n; i++)
		n += strlen(stack->rest.items[i]) + 1;
	if (n <= PAGE_ROOM)
		return 0;
	return err_plain(planner->err,
			 "%s: %zu layers need %zu bytes of mount options, and Linux %u.%u takes %d (6.8 and newer take "
			 "layers one by one, with paths of at most %d bytes)",
			 property, stack->lower.n, n, planner->h->kernel_major, planner->h->kernel_minor, PAGE_ROOM,
			 MAX_VALUE);
}
