/* Theory of operation: a controller belongs to one hierarchy at a time. Where it
 * is mounted as cgroup v1, as on hybrid hosts, cgroup v2 cannot offer it; the
 * user who asked for a limit is told so by controller_explain(). */
#include "cgroups/controllers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mountinfo.h"

static const struct {
	const char *name;
	const char *v1_name;
} controllers[CONTROLLER_COUNT] = {
	[CONTROLLER_CPUSET] = { "cpuset", "cpuset" },
	[CONTROLLER_CPU] = { "cpu", "cpu" },
	[CONTROLLER_IO] = { "io", "blkio" },
	[CONTROLLER_MEMORY] = { "memory", "memory" },
	[CONTROLLER_HUGETLB] = { "hugetlb", "hugetlb" },
	[CONTROLLER_PIDS] = { "pids", "pids" },
	[CONTROLLER_RDMA] = { "rdma", "rdma" },
	[CONTROLLER_MISC] = { "misc", "misc" },
	[CONTROLLER_DMEM] = { "dmem", "dmem" },
};

const char *
controller_name(enum controller controller)
{
	return controllers[controller].name;
}

static enum controller
find_controller(const char *name, size_t len)
{
	for (unsigned c = 1; c < CONTROLLER_COUNT; c++)
		if (strlen(controllers[c].name) == len && !memcmp(controllers[c].name, name, len))
			return (enum controller)c;
	return CONTROLLER_NONE;
}

enum controller
controller_of_file(const char *key)
{
	return find_controller(key, strcspn(key, "."));
}

int
controllers_read(int dirfd, const char *file, unsigned *ret_set)
{
	char text[512];
	unsigned set = 0;
	ssize_t n = fd_read_record_at(dirfd, file, text, sizeof(text));

	if (n < 0)
		return (int)n;
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, " ");
		enum controller c = find_controller(p, len);

		if (c != CONTROLLER_NONE)
			set |= CONTROLLER_BIT(c);
		p += len;
		p += strspn(p, " ");
	}
	*ret_set = set;
	return 0;
}

/* ---- where is it? ------------------------------------------------------ */

/* True when `name` is one of the comma-separated items of list. */
static bool
list_has(const char *list, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	while (len > 0) {
		const char *comma = memchr(list, ',', len);
		size_t item = comma ? (size_t)(comma - list) : len;

		if (item == name_len && !memcmp(list, name, item))
			return true;
		item += comma != NULL;
		list += item;
		len -= item;
	}
	return false;
}

/* The mount point of the v1 hierarchy of the controller called name. 1, 0, or -errno. */
static int
find_v1_mount(const char *name, char *buf, size_t size)
{
	auto_arena struct arena a = { 0 };
	struct mountinfo mounts;
	struct err ignored;
	int r = mountinfo_read(0, &a, &ignored, &mounts);

	if (r < 0)
		return r;
	for (size_t i = 0; i < mounts.n; i++) {
		const struct mountinfo_line *m = &mounts.lines[i];

		if (!strcmp(m->type, "cgroup") && list_has(m->options, strlen(m->options), name)) {
			snprintf(buf, size, "%s", m->point);
			return 1;
		}
	}
	return 0;
}

/* The line of the controller in /proc/cgroups: "memory 4 16 1". 1, 0, or -errno. */
static int
find_in_kernel(const char *name, unsigned *ret_hierarchy, bool *ret_enabled)
{
	char *text, *save = NULL;
	size_t len;
	int found = fd_read_file_at(AT_FDCWD, "/proc/cgroups", 65536, &text, &len);

	if (found < 0) /* none: a kernel without cgroup v1 */
		return found == -ENOENT ? 0 : found;
	for (char *line = strtok_r(text, "\n", &save); line && !found; line = strtok_r(NULL, "\n", &save)) {
		unsigned hierarchy, count, enabled;
		char entry[64];

		if (sscanf(line, "%63s %u %u %u", entry, &hierarchy, &count, &enabled) != 4 || strcmp(entry, name))
			continue;
		*ret_hierarchy = hierarchy;
		*ret_enabled = enabled != 0;
		found = 1;
	}
	free(text);
	return found;
}

const char *
controller_explain(enum controller controller, char *buf, size_t size)
{
	const char *name = controllers[controller].name;
	unsigned hierarchy = 0;
	bool enabled = false;
	char point[4096];
	int r = find_v1_mount(controllers[controller].v1_name, point, sizeof(point));
	bool has_mount = r > 0;

	if (r == 0)
		r = find_in_kernel(controllers[controller].v1_name, &hierarchy, &enabled);
	if (r < 0)
		snprintf(buf, size, "controller '%s' is not in cgroup v2 here (where it is cannot be read: %s)", name,
			 err_reason(-r));
	else if (has_mount)
		snprintf(buf, size, "controller '%s' is bound to cgroup v1 at '%s'", name, point);
	else if (r == 0)
		/* misc and dmem are not listed on every kernel that has them. */
		snprintf(buf, size, "controller '%s' is not offered by this kernel", name);
	else if (!enabled)
		snprintf(buf, size, "controller '%s' is switched off (cgroup_disable= on the kernel's command line)",
			 name);
	else if (hierarchy != 0)
		snprintf(buf, size, "controller '%s' is bound to a cgroup v1 hierarchy", name);
	else
		snprintf(buf, size, "controller '%s' is not delegated to the cgroups that can be seen here", name);
	return buf;
}
