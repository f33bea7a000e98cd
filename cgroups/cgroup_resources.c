/* Theory of operation: settings.c turns linux.resources into a list of writes.
 * cgroup_check() compares the list with what the hierarchy offers before
 * anything is made; cgroup_apply() carries it out, in order, and then sets the
 * device rules. A file that is missing although its controller is there belongs
 * to a newer kernel or another configuration: the alternate is taken, or an
 * optional line is left out, or it is an error that names the file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cgroups/cgroup.h"
#include "cgroups/devices.h"
#include "cgroups/scope.h"
#include "cgroups/settings.h"
#include "cgroups/systemd.h"

/* ---- before ------------------------------------------------------------ */

/* The container has no cgroup: cgroup_resolve() saw to it that nothing which
 * must be there is lost; say what else is. */
static void
warn_ignored(const struct settings *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].soft)
			log_warning("%s is ignored: the container has no cgroup of its own", list->items[i].property);
}

static int
check_setting(const struct setting *s, unsigned available, struct err *err)
{
	char why[4400];

	if (!s->file) {
		log_warning("%s is ignored: %s", s->property, s->value);
		return 0;
	}
	if (s->needs == CONTROLLER_NONE || (available & CONTROLLER_BIT(s->needs)))
		return 0;
	controller_explain(s->needs, why, sizeof(why));
	if (s->soft) {
		log_warning("%s is ignored: %s", s->property, why);
		return 0;
	}
	err_plain(err, "%s: %s", s->property, why);
	return -ENOTSUP;
}

int
cgroup_check(const struct cgroup *cg, const struct spec *s, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_close int mountfd = -1;
	struct settings list = { .arena = &a };
	unsigned available = 0;
	int r = settings_compile(&list, s->linux_.resources, err);

	if (r < 0 || list.n == 0)
		return r;
	if (!cg->path) {
		warn_ignored(&list);
		return 0;
	}
	mountfd = open(cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mountfd < 0)
		return err_set(err, errno, "open '%s'", cg->mount);
	r = controllers_read(mountfd, "cgroup.controllers", &available);
	if (r < 0)
		return err_set(err, -r, "read '%s/cgroup.controllers'", cg->mount);
	for (size_t i = 0; i < list.n; i++)
		if ((r = check_setting(&list.items[i], available, err)) < 0)
			return r;
	return 0;
}

/* ---- writing ----------------------------------------------------------- */

/* One write(2) per line: io.max, rdma.max and their kin take one device each. */
static int
write_lines(int dirfd, const char *file, const char *value)
{
	auto_close int fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);

	if (fd < 0)
		return -errno;
	do {
		size_t len = strcspn(value, "\n");
		/* An empty line still has to reach the kernel: it clears cpuset.cpus. */
		ssize_t n = len ? write(fd, value, len) : write(fd, "\n", 1);

		if (n < 0)
			return -errno;
		value += len;
		value += *value == '\n';
	} while (*value);
	return 0;
}

/* The kernel would take a limit below the usage and call the OOM killer. */
static int
check_usage(const struct cgroup *cg, const struct setting *s, struct err *err)
{
	char text[64];
	ssize_t n = fd_read_small_at(cg->fd, "memory.current", text, sizeof(text));

	if (n == -ENOENT)
		return 0; /* then memory.max is missing too, and that is reported */
	if (n < 0)
		return err_set(err, (int)-n, "%s: read 'memory.current' of cgroup '%s'", s->property, cg->path);
	if (strtoull(text, NULL, 10) > s->limit)
		return err_plain(err, "%s: %llu is less than the %s bytes that cgroup '%s' uses now", s->property,
				 s->limit, text, cg->path);
	return 0;
}

/* The kernel takes "root" and "isolated" always; when the processors cannot be had it
 * says in the file that the partition is invalid, and why. */
static int
check_partition(const struct cgroup *cg, const struct setting *s, struct err *err)
{
	char text[512];
	ssize_t n = fd_read_small_at(cg->fd, s->file, text, sizeof(text));

	if (n < 0)
		return err_set(err, (int)-n, "%s: read '%s' of cgroup '%s'", s->property, s->file, cg->path);
	if (strstr(text, "invalid"))
		return err_plain(err, "%s: the kernel says of '%.100s' in cgroup '%s': %s", s->property, s->value,
				 cg->path, text);
	return 0;
}

static int
write_setting(const struct cgroup *cg, const struct setting *s, struct err *err)
{
	const char *file = s->file, *value = s->value;
	int r;

	r = write_lines(cg->fd, file, value);
	if (r == -ENOENT && s->alt_file) {
		file = s->alt_file;
		value = s->alt_value;
		r = write_lines(cg->fd, file, value);
	}
	if (r == -ENOENT && s->optional) {
		log_debug("%s: cgroup '%s' has no file '%s'", s->property, cg->path, file);
		return 0;
	}
	if (r == -ENOENT)
		return err_plain(err, "%s: cgroup '%s' has no file '%s%s%s'", s->property, cg->path, s->file,
				 s->alt_file ? "' nor '" : "", s->alt_file ? s->alt_file : "");
	if (r < 0)
		return err_set(err, -r, "%s: write '%.300s' to '%s' of cgroup '%s'", s->property, value, file,
			       cg->path);
	return strcmp(file, SETTINGS_PARTITION) == 0 ? check_partition(cg, s, err) : 0;
}

static int
write_settings(const struct cgroup *cg, const struct settings *list, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++)
		if (list->items[i].file)
			r = write_setting(cg, &list->items[i], err);
	return r;
}

/* Weights, protection and bursts count where the scope competes with others. What
 * systemd knows it writes itself, but a moment later; the core files ("cgroup.freeze")
 * are the container's own. */
static int
write_scope(const struct cgroup *cg, const struct settings *list, struct err *err)
{
	auto_close int fd = -1;
	struct cgroup scope = *cg;
	int r = cgroup_open_scope(cg, err, &fd);

	scope.fd = fd;
	for (size_t i = 0; r == 0 && fd >= 0 && i < list->n; i++)
		if (list->items[i].file && strncmp(list->items[i].file, "cgroup.", 7) != 0)
			r = write_setting(&scope, &list->items[i], err);
	return r;
}

int
cgroup_apply(struct cgroup *cg, const struct spec *s, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct settings list = { .arena = &a };
	int r;

	if (!cg->path || !s->linux_.resources)
		return 0;
	r = settings_compile(&list, s->linux_.resources, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n; i++)
		if (list.items[i].check_usage && (r = check_usage(cg, &list.items[i], err)) < 0)
			return r;
	/* A new scope was started with them. */
	if (cg->unit && cg->pid <= 0)
		r = systemd_update(cg, &list, err);
	if (r == 0)
		r = write_scope(cg, &list, err);
	if (r == 0)
		r = write_settings(cg, &list, err);
	return r < 0 ? r : devices_apply(cg, s, err);
}
