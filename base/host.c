/* Theory of operation: every run of knarr pays for host_probe(), so it asks the
 * kernel once per fact and reads four small files of procfs at most. Nothing
 * is cached between runs: a cache would be one more thing that can be wrong.
 *
 * The cgroup2 mount is looked for in mountinfo and not assumed: hybrid hosts
 * have it in /sys/fs/cgroup/unified, containers may have it anywhere, and it
 * may show a subtree only. mountinfo also lists mounts that others cover, so
 * the one that is chosen is asked for its file system type. */
#include "base/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"

#define MAX_MOUNTINFO ((size_t)16 * 1024 * 1024)

/* ---- mountinfo --------------------------------------------------------- */

/* The nth (from 0) blank-separated field of a line that ends in '\n' or NUL. */
static const char *
line_field(const char *line, unsigned nth, size_t *ret_len)
{
	while (nth-- > 0) {
		line += strcspn(line, " \n");
		if (*line != ' ')
			return NULL;
		line++;
	}
	*ret_len = strcspn(line, " \n");
	return line;
}

/* mountinfo writes blank, tab, newline and backslash as \ooo. */
static char *
unescape(struct arena *a, const char *s, size_t len)
{
	char *out = arena_strndup(a, s, len), *w = out;

	for (size_t i = 0; i < len; i++, w++) {
		if (s[i] == '\\' && i + 3 < len) {
			*w = (char)((s[i + 1] - '0') << 6 | (s[i + 2] - '0') << 3 | (s[i + 3] - '0'));
			i += 3;
		} else {
			*w = s[i];
		}
	}
	*w = '\0';
	return out;
}

/* File system type: the field after the lone "-". */
static bool
line_is_cgroup2(const char *line)
{
	static const char mark[] = " - cgroup2 ";
	const char *end = line + strcspn(line, "\n");
	const char *p = memmem(line, (size_t)(end - line), " - ", 3);

	return p && (size_t)(end - p) >= sizeof(mark) - 1 && !memcmp(p, mark, sizeof(mark) - 1);
}

static unsigned
mount_rank(const char *point)
{
	if (!strcmp(point, "/sys/fs/cgroup"))
		return 0;
	return strcmp(point, "/sys/fs/cgroup/unified") ? 2 : 1;
}

size_t
host_find_cgroup_mounts(struct arena *a, const char *mountinfo, struct host_cgroup_mount *ret_mounts)
{
	struct host_cgroup_mount found[HOST_CGROUP_MOUNTS] = { 0 };
	size_t n = 0;

	for (const char *line = mountinfo, *next; *line; line = next) {
		size_t root_len = 0, point_len = 0;
		const char *root = line_field(line, 3, &root_len), *point = line_field(line, 4, &point_len);
		bool is_cgroup2 = line_is_cgroup2(line);

		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (!root || !point || *root != '/' || *point != '/')
			continue;
		for (unsigned i = 0; i < HOST_CGROUP_MOUNTS; i++)
			if (found[i].point && strlen(found[i].point) == point_len &&
			    !memcmp(found[i].point, point, point_len))
				found[i].point = NULL; /* covered by this line's mount */
		if (is_cgroup2) {
			struct host_cgroup_mount m = { unescape(a, point, point_len), unescape(a, root, root_len) };
			unsigned rank = mount_rank(m.point);

			if (!found[rank].point)
				found[rank] = m;
		}
	}
	for (unsigned i = 0; i < HOST_CGROUP_MOUNTS; i++)
		if (found[i].point)
			ret_mounts[n++] = found[i];
	return n;
}

/* ---- cgroups ----------------------------------------------------------- */

const char *
host_cgroup_below(const char *own, const char *root)
{
	size_t len = strlen(root);

	/* Outside of the cgroup namespace: "/../x". No such path can be walked. */
	if (!strncmp(own, "/..", 3) && (own[3] == '/' || !own[3]))
		return "/";
	if (len > 0 && root[len - 1] == '/')
		len--;
	if (strncmp(own, root, len) || (own[len] && own[len] != '/'))
		return "/";
	return own[len] ? own + len : "/";
}

/* The path in the line "0::PATH" of /proc/self/cgroup; "/" when there is none. */
static char *
own_cgroup(struct arena *a, const char *text)
{
	static const char deleted[] = " (deleted)";
	const char *line = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");
	size_t len, tail = sizeof(deleted) - 1;

	if (!line)
		return arena_strdup(a, "/");
	line = strchr(line, '/');
	if (!line)
		return arena_strdup(a, "/");
	len = strcspn(line, "\n");
	if (len > tail && !memcmp(line + len - tail, deleted, tail))
		len -= tail;
	return arena_strndup(a, line, len);
}

/* Making a cgroup beside one's own and moving a process there takes write access
 * to the parent folder and, as the common ancestor, to its cgroup.procs. */
static bool
may_make_cgroups(struct arena *a, const struct host *h)
{
	int parent_len = (int)(strrchr(h->cgroup_own, '/') - h->cgroup_own);
	char *dir = arena_printf(a, "%s%.*s", h->cgroup_mount, parent_len, h->cgroup_own);

	return !faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) &&
	       !faccessat(AT_FDCWD, arena_printf(a, "%s/cgroup.procs", dir), W_OK, AT_EACCESS);
}

static int
probe_cgroups(struct arena *a, struct err *err, struct host *h)
{
	struct host_cgroup_mount mounts[HOST_CGROUP_MOUNTS];
	char *text, *own;
	size_t len, n;
	int r = fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", MAX_MOUNTINFO, &text, &len);

	if (r < 0)
		return err_set(err, -r, "read '/proc/self/mountinfo'");
	n = host_find_cgroup_mounts(a, text, mounts);
	free(text);

	r = fd_read_file_at(AT_FDCWD, "/proc/self/cgroup", MAX_MOUNTINFO, &text, &len);
	if (r == -ENOENT) /* a kernel without cgroups */
		return 0;
	if (r < 0)
		return err_set(err, -r, "read '/proc/self/cgroup'");
	own = own_cgroup(a, text);
	free(text);

	for (size_t i = 0; i < n; i++) {
		struct statfs fs;

		if (statfs(mounts[i].point, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
			continue;
		h->cgroup_mount = mounts[i].point;
		h->cgroup_own = host_cgroup_below(own, mounts[i].root);
		h->cgroup_writable = may_make_cgroups(a, h);
		break;
	}
	return 0;
}

/* ---- the rest ---------------------------------------------------------- */

bool
host_in_userns(void)
{
	unsigned long inside, outside, count;
	char text[256];

	/* No such file: a kernel without user namespaces. Too long: a map of many parts. */
	ssize_t n = fd_read_small_at(AT_FDCWD, "/proc/self/uid_map", text, sizeof(text));

	if (n == -ENOENT)
		return false;
	return n < 0 || sscanf(text, "%lu %lu %lu", &inside, &outside, &count) != 3 || inside || outside ||
	       count != UINT32_MAX;
}

static unsigned
probe_last_cap(void)
{
	unsigned last = CAP_LAST_CAP;

	while (last > 0 && prctl(PR_CAPBSET_READ, (unsigned long)last, 0, 0, 0) < 0)
		last--;
	while (last < 63 && prctl(PR_CAPBSET_READ, (unsigned long)last + 1, 0, 0, 0) >= 0)
		last++;
	return last;
}

static int
probe_capabilities(struct err *err, struct host *h)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, sets) < 0)
		return err_set(err, errno, "ask for the runtime's capabilities");
	h->capabilities = (uint64_t)sets[1].permitted << 32 | sets[0].permitted;
	h->privileged = (sets[0].effective >> CAP_SYS_ADMIN) & 1;
	h->last_cap = probe_last_cap();
	return 0;
}

static int
probe_kernel(struct err *err, struct host *h)
{
	struct utsname u;

	if (uname(&u) < 0)
		return err_set(err, errno, "ask for the kernel's version");
	if (sscanf(u.release, "%u.%u", &h->kernel_major, &h->kernel_minor) != 2)
		return err_plain(err, "the kernel's version '%s' has no number", u.release);
	return 0;
}

/* AppArmor may be compiled in and off; SELinux has its file system only while on. */
static void
probe_security_modules(struct host *h)
{
	struct statfs fs;
	char text[8];

	h->apparmor = fd_read_small_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text, sizeof(text)) > 0 &&
		      text[0] == 'Y';
	h->selinux = statfs("/sys/fs/selinux", &fs) == 0 && (uint32_t)fs.f_type == SELINUX_MAGIC;
}

int
host_probe(struct arena *a, struct err *err, struct host *ret_host)
{
	struct host h;
	int r = host_probe_process(err, &h);

	if (r == 0)
		r = probe_cgroups(a, err, &h);
	if (r == 0)
		*ret_host = h;
	return r;
}

int
host_probe_process(struct err *err, struct host *ret_host)
{
	struct host h = { .euid = geteuid(), .egid = getegid(), .cgroup_own = "/" };
	int r;

	if ((r = probe_kernel(err, &h)) < 0 || (r = probe_capabilities(err, &h)) < 0)
		return r;
	h.in_userns = host_in_userns();
	probe_security_modules(&h);
	h.kcore = access("/proc/kcore", F_OK) == 0;
	*ret_host = h;
	return 0;
}

void
host_reference(bool root, struct host *ret_host)
{
	*ret_host = (struct host){
		.euid = root ? 0 : 1000,
		.egid = root ? 0 : 1000,
		.privileged = root,
		.kernel_major = 6,
		.kernel_minor = 18,
		.cgroup_mount = "/sys/fs/cgroup",
		.cgroup_own = "/",
		.cgroup_writable = root,
		.capabilities = root ? (1ULL << 41) - 1 : 0,
		.last_cap = 40,
		.apparmor = true,
		.selinux = true,
		.kcore = true,
	};
}

bool
host_kernel_at_least(const struct host *h, unsigned major, unsigned minor)
{
	return h->kernel_major > major || (h->kernel_major == major && h->kernel_minor >= minor);
}
