/* Theory of operation: the limits of a container that runs are changed all or none, as
 * runc does it. The kernel has no such thing for several files, so what they hold is read
 * first; when one of them is refused, those that have changed since are written again,
 * from the last to the first. Some depend on each other (a quota and its burst, idle and
 * the weight), and what is refused in the first round is tried in a second one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "cgroups/cgroup.h"
#include "cgroups/cgroup_resources.h"
#include "cgroups/settings.h"
#include "cgroups/systemd/systemd.h"

#define MAX_FILE ((size_t)64 * 1024)

struct earlier {
	const char *file;
	const char *text;	/* as it was read */
	const char *value;	/* what brings it back */
	const char *else_value; /* what does nearly so, where the kernel says ENOSPC; or NULL */
};

struct earlier_list {
	int dirfd;
	struct earlier *items;
	size_t n;
};

/* ---- before ------------------------------------------------------------ */

/* Without the newline at its end; NULL: it cannot be read. */
static const char *
read_text(int dirfd, const char *file, struct arena *a)
{
	char *data, *text;
	size_t len;

	if (fd_read_file_at(dirfd, file, MAX_FILE, &data, &len) < 0)
		return NULL;
	text = arena_strndup(a, data, len);
	free(data);
	len = strlen(text);
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return text;
}

static bool
has_device(const char *text, const char *device, size_t len)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (!strncmp(text, device, len) && text[len] == ' ')
			return true;
	return false;
}

/* These list only devices that have a limit: the others get back that they have none. */
static const char *
add_devices(const char *text, const struct setting *setting, const char *none, struct arena *a)
{
	const char *value = text;

	for (const char *line = setting->value; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, " \n");

		if (memchr(line, ':', len) && !has_device(value, line, len))
			value = arena_printf(a, "%s%s%.*s %s", value, *value ? "\n" : "", (int)len, line, none);
	}
	return value;
}

static const char *
value_for(const char *file, const char *text, const struct setting *setting, struct arena *a)
{
	static const struct {
		const char *file, *none;
	} per_device[] = {
		{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
		{ "io.weight", "default" },
		{ "io.bfq.weight", "default" },
	};

	/* "root invalid (…)" */
	if (!strcmp(file, SETTINGS_PARTITION))
		return arena_strndup(a, text, strcspn(text, " "));
	for (size_t i = 0; i < sizeof(per_device) / sizeof(per_device[0]); i++)
		if (!strcmp(file, per_device[i].file))
			return add_devices(text, setting, per_device[i].none, a);
	return text;
}

static void
remember(struct earlier_list *list, const char *file, const struct setting *setting, struct arena *a)
{
	const char *text;

	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->items[i].file, file))
			return;
	text = read_text(list->dirfd, file, a);
	if (!text)
		return;
	list->items[list->n] = (struct earlier){ file, text, value_for(file, text, setting, a), NULL };
	/* Empty stands for those of the parent, and is not taken back while there are processes. */
	if (!*text && !strncmp(file, "cpuset.", 7))
		list->items[list->n].else_value = read_text(list->dirfd, arena_printf(a, "%s.effective", file), a);
	list->n++;
}

static struct earlier_list
read_earlier(int dirfd, const struct settings *settings, struct arena *a)
{
	struct earlier_list list = { .dirfd = dirfd };

	if (dirfd < 0)
		return list;
	list.items = arena_array(a, 3 * settings->n + 1, sizeof(*list.items));
	for (size_t i = 0; i < settings->n; i++) {
		const struct setting *s = &settings->items[i];

		if (!s->file)
			continue;
		/* An idle cgroup has no weight, and forgets the one that it had. */
		if (!strcmp(s->file, "cpu.idle"))
			remember(&list, "cpu.weight", s, a);
		remember(&list, s->file, s, a);
		if (s->alt_file)
			remember(&list, s->alt_file, s, a);
	}
	return list;
}

/* ---- after a refusal --------------------------------------------------- */

/* 0, also when it holds the same as before; -errno. */
static int
put_one_back(int dirfd, const struct earlier *earlier)
{
	auto_arena struct arena a = { 0 };
	const char *now = read_text(dirfd, earlier->file, &a);
	int r = 0;

	if (!now || strcmp(now, earlier->text) != 0)
		r = cgroup_write_lines(dirfd, earlier->file, earlier->value);
	return r == -ENOSPC && earlier->else_value ? cgroup_write_lines(dirfd, earlier->file, earlier->else_value) : r;
}

static void
put_back(const struct earlier_list *list, const char *path)
{
	for (unsigned round = 0; round < 2; round++)
		for (size_t i = list->n; i-- > 0;) {
			int r = put_one_back(list->dirfd, &list->items[i]);

			if (r < 0 && round > 0)
				log_warning("put '%.300s' back into '%s' of cgroup '%s': %s", list->items[i].value,
					    list->items[i].file, path, err_reason(-r));
		}
}

/* What it knows it would write again. */
static void
tell_systemd(const struct cgroup *cg, const struct earlier_list *list, struct arena *a)
{
	struct settings told = { .arena = a, .items = arena_array(a, list->n + 1, sizeof(*told.items)) };
	char text[ERR_MSG_MAX + 128];
	struct err err;

	for (size_t i = list->n; i-- > 0;)
		told.items[told.n++] = (struct setting){ .file = list->items[i].file, .value = list->items[i].text };
	err_clear(&err);
	if (systemd_update(cg, &told, &err) < 0)
		log_warning("put the limits of before back: %s", err_format(&err, text, sizeof(text)));
}

int
cgroup_update(struct cgroup *cg, const struct spec *spec, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_close int scope_fd = -1;
	struct earlier_list own, scope;
	int r = cgroup_open_scope(cg, err, &scope_fd);

	if (r < 0)
		return r;
	own = read_earlier(cg->fd, cg->settings, &a);
	scope = read_earlier(scope_fd, cg->settings, &a);
	r = cgroup_apply(cg, spec, err);
	if (r >= 0)
		return r;
	if (cgroup_is_systemd(cg))
		tell_systemd(cg, &own, &a);
	put_back(&own, cg->path);
	put_back(&scope, cg->unit);
	return r;
}
