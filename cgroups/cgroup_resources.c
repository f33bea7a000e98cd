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
#include "cgroups/cgroup_resources.h"
#include "cgroups/keyed.h"
#include "cgroups/settings.h"
#include "cgroups/systemd/scope.h"
#include "cgroups/systemd/systemd.h"

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
check_setting(const struct setting *setting, unsigned available, struct err *err)
{
	char why[4400];

	if (!setting->file) {
		log_warning("%s is ignored: %s", setting->property, setting->value);
		return 0;
	}
	if (setting->needs == CONTROLLER_NONE || (available & CONTROLLER_BIT(setting->needs)))
		return 0;
	controller_explain(setting->needs, why, sizeof(why));
	if (setting->soft) {
		log_warning("%s is ignored: %s", setting->property, why);
		return 0;
	}
	err_plain(err, "%s: %s", setting->property, why);
	return -ENOTSUP;
}

int
cgroup_check(const struct cgroup *cg, struct err *err)
{
	auto_close int mountfd = -1;
	const struct settings *list = cg->settings;
	unsigned available = 0;
	int r;

	if (list->n == 0)
		return 0;
	if (!cg->path) {
		warn_ignored(list);
		return 0;
	}
	mountfd = open(cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mountfd < 0)
		return err_set(err, errno, "open '%s'", cg->mount);
	r = controllers_read(mountfd, "cgroup.controllers", &available);
	if (r < 0)
		return err_set(err, -r, "read '%s/cgroup.controllers'", cg->mount);
	for (size_t i = 0; i < list->n; i++)
		if ((r = check_setting(&list->items[i], available, err)) < 0)
			return r;
	return 0;
}

/* ---- writing ----------------------------------------------------------- */

int
cgroup_write_lines(int dirfd, const char *file, const char *value)
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
check_usage(const struct cgroup *cg, const struct setting *setting, struct err *err)
{
	char text[64];
	ssize_t n = fd_read_small_at(cg->fd, "memory.current", text, sizeof(text));

	if (n == -ENOENT)
		return 0; /* then memory.max is missing too, and that is reported */
	if (n < 0)
		return err_set(err, (int)-n, "%s: read 'memory.current' of cgroup '%s'", setting->property, cg->path);
	if (strtoull(text, NULL, 10) > setting->limit)
		return err_plain(err, "%s: %llu is less than the %s bytes that cgroup '%s' uses now", setting->property,
				 setting->limit, text, cg->path);
	return 0;
}

/* The kernel takes "root" and "isolated" always; when the CPUs cannot be had it
 * says in the file that the partition is invalid, and why. */
static int
check_partition(const struct cgroup *cg, const struct setting *setting, struct err *err)
{
	char text[512];
	ssize_t n = fd_read_small_at(cg->fd, setting->file, text, sizeof(text));

	if (n < 0)
		return err_set(err, (int)-n, "%s: read '%s' of cgroup '%s'", setting->property, setting->file,
			       cg->path);
	if (strstr(text, "invalid"))
		return err_plain(err, "%s: the kernel says of '%.100s' in cgroup '%s': %s", setting->property,
				 setting->value, cg->path, text);
	return 0;
}

/* Why the kernel says no more than "invalid argument" to a value that other files make
 * so. buf, or "". */
static const char *
explain_invalid(const struct cgroup *cg, const char *file, char *buf, size_t size)
{
	uint64_t number;
	char max[64];

	buf[0] = '\0';
	if (!strcmp(file, "cpu.weight") && keyed_read_number(cg->fd, "cpu.idle", &number) == 0 && number)
		snprintf(buf, size, " (cpu.idle is 1, and an idle cgroup has no weight)");
	else if (!strcmp(file, "cpu.max") && keyed_read_number(cg->fd, "cpu.max.burst", &number) == 0 && number)
		snprintf(buf, size, " (the quota may not be less than cpu.max.burst, %llu)",
			 (unsigned long long)number);
	else if (!strcmp(file, "cpu.max.burst") && fd_read_small_at(cg->fd, "cpu.max", max, sizeof(max)) > 0)
		snprintf(buf, size, " (it may not be more than the quota, cpu.max '%s')", max);
	return buf;
}

static int
write_setting(const struct cgroup *cg, const struct setting *setting, struct err *err)
{
	const char *file = setting->file, *value = setting->value;
	char why[192];
	int r;

	r = cgroup_write_lines(cg->fd, file, value);
	if (r == -ENOENT && setting->alt_file) {
		file = setting->alt_file;
		value = setting->alt_value;
		r = cgroup_write_lines(cg->fd, file, value);
	}
	if (r == -ENOENT && setting->optional) {
		log_debug("%s: cgroup '%s' has no file '%s'", setting->property, cg->path, file);
		return 0;
	}
	if (r == -ENOENT)
		return err_plain(err, "%s: cgroup '%s' has no file '%s%s%s'", setting->property, cg->path,
				 setting->file, setting->alt_file ? "' nor '" : "",
				 setting->alt_file ? setting->alt_file : "");
	if (r < 0)
		return err_set(err, -r, "%s: write '%.300s' to '%s' of cgroup '%s'%s", setting->property, value, file,
			       cg->path, r == -EINVAL ? explain_invalid(cg, file, why, sizeof(why)) : "");
	return strcmp(file, SETTINGS_PARTITION) == 0 ? check_partition(cg, setting, err) : 0;
}

/* A burst must not be above the quota, at no moment: a new quota that the burst of before
 * exceeds is written after the new burst. */
static int
write_quota(const struct cgroup *cg, const struct settings *list, const struct setting *quota, struct err *err)
{
	int r = write_setting(cg, quota, err);

	for (size_t i = 0; r == -EINVAL && i < list->n; i++) {
		const struct setting *s = &list->items[i];

		if (!s->file || strcmp(s->file, "cpu.max.burst") != 0)
			continue;
		if (cgroup_write_lines(cg->fd, s->file, s->value) < 0)
			return r;
		err_clear(err);
		return write_setting(cg, quota, err);
	}
	return r;
}

static int
write_settings(const struct cgroup *cg, const struct settings *list, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		const struct setting *s = &list->items[i];

		if (s->file)
			r = strcmp(s->file, "cpu.max") != 0 ? write_setting(cg, s, err) : write_quota(cg, list, s, err);
	}
	return r;
}

/* Weights, protection and bursts count where the scope competes with others. What
 * systemd knows it writes itself, but a moment later; the core files ("cgroup.freeze")
 * are the container's own. */
static int
write_scope(const struct cgroup *cg, const struct settings *list, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct settings others = { .arena = &a, .items = arena_array(&a, list->n + 1, sizeof(*others.items)) };
	auto_close int fd = -1;
	struct cgroup scope = *cg;
	int r = cgroup_open_scope(cg, err, &fd);

	scope.fd = fd;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].file && strncmp(list->items[i].file, "cgroup.", 7) != 0)
			others.items[others.n++] = list->items[i];
	return r < 0 || fd < 0 ? r : write_settings(&scope, &others, err);
}

/* What systemd is told of an update. That a cgroup is not idle, which it is not, would
 * cost the weight that systemd has for it. */
static int
tell_systemd(const struct cgroup *cg, const struct settings *list, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct settings told = { .arena = &a, .items = arena_array(&a, list->n + 1, sizeof(*told.items)) };
	uint64_t idle = 0;
	int r = keyed_read_number(cg->fd, "cpu.idle", &idle);

	if (r < 0 && r != -ENOENT)
		return err_set(err, -r, "read 'cpu.idle' of cgroup '%s'", cg->path);
	for (size_t i = 0; i < list->n; i++) {
		const struct setting *s = &list->items[i];

		if (idle || !s->file || strcmp(s->file, "cpu.idle") != 0 || strcmp(s->value, "0") != 0)
			told.items[told.n++] = *s;
	}
	return systemd_update(cg, &told, err);
}

int
cgroup_apply(struct cgroup *cg, const struct spec *spec, struct err *err)
{
	const struct settings *list = cg->settings;
	int r = 0;

	if (!cg->path || !spec->linux_.resources)
		return 0;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].check_usage && (r = check_usage(cg, &list->items[i], err)) < 0)
			return r;
	/* A new scope was started with them. */
	if (cgroup_is_systemd(cg) && cg->pid <= 0)
		r = tell_systemd(cg, list, err);
	if (r == 0)
		r = write_scope(cg, list, err);
	if (r == 0)
		r = write_settings(cg, list, err);
	return r;
}
