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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/access.h"
#include "base/fd.h"
#include "base/mountinfo.h"
#include "base/proc_text.h"

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

static char *
unescape(struct arena *a, const char *text, size_t len)
{
	char *path = arena_strndup(a, text, len);

	mountinfo_unescape(path);
	return path;
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

/* From the text of /proc/self/cgroup; "/" when it has none. */
static char *
own_cgroup(struct arena *a, const char *text)
{
	static const char deleted[] = " (deleted)";
	size_t len, tail = sizeof(deleted) - 1;
	const char *path = proc_cgroup(text, &len);

	if (!path)
		return arena_strdup(a, "/");
	if (len > tail && !memcmp(path + len - tail, deleted, tail))
		len -= tail;
	return arena_strndup(a, path, len);
}

/* Making a cgroup beside one's own and moving a process there takes write access
 * to the parent directory and, as the common ancestor, to its cgroup.procs. */
static int
may_make_cgroups(struct arena *a, struct err *err, struct host *host)
{
	int parent_len = (int)(strrchr(host->cgroup_own, '/') - host->cgroup_own);
	char *dir = arena_printf(a, "%s%.*s", host->cgroup_mount, parent_len, host->cgroup_own);
	int r = access_check(AT_FDCWD, dir, W_OK | X_OK);

	if (r == 0)
		r = access_check(AT_FDCWD, arena_printf(a, "%s/cgroup.procs", dir), W_OK);
	host->cgroup_writable = r == 0;
	host->cgroup_read_only = r == -EROFS;
	if (r == 0 || r == -EACCES || r == -EPERM || r == -EROFS || r == -ENOENT)
		return 0;
	return err_set(err, -r, "ask whether cgroups can be made in '%s'", dir);
}

/* One that is not there any more, or that another mount covers, is none. */
static int
choose_mount(struct arena *a, const struct host_cgroup_mount *mounts, size_t n, const char *own, struct err *err,
	     struct host *host)
{
	for (size_t i = 0; i < n; i++) {
		const char *point = mounts[i].point;
		struct statfs fs;

		if (statfs(point, &fs) == 0) {
			if (fs.f_type != CGROUP2_SUPER_MAGIC)
				continue;
			host->cgroup_mount = point;
			host->cgroup_denied = NULL;
			host->cgroup_own = host_cgroup_below(own, mounts[i].root);
			return may_make_cgroups(a, err, host);
		}
		if (errno == EACCES && !host->cgroup_denied)
			host->cgroup_denied = point;
		if (errno != EACCES && errno != ENOENT && errno != ENOTDIR)
			return err_set(err, errno, "look at the cgroup2 file system on '%s'", point);
	}
	return 0;
}

static int
probe_cgroups(struct arena *a, struct err *err, struct host *host)
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
	return choose_mount(a, mounts, n, own, err, host);
}

/* ---- the rest ---------------------------------------------------------- */

/* The first user namespace has this inode number on every kernel (PROC_USER_INIT_INO). Its
 * id map is not sign of it: systemd 260 makes user namespaces that map all ids to themselves. */
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDU

bool
host_in_userns(void)
{
	struct stat st;

	if (stat("/proc/self/ns/user", &st) < 0)
		return errno != ENOENT; /* a kernel without user namespaces */
	return st.st_ino != INITIAL_USER_NAMESPACE;
}

/* EINVAL is the kernel's word for a capability beyond its last, but not for those that every
 * kernel has that can run a container. 1, 0, or -errno. */
static int
knows_capability(unsigned cap)
{
	if (prctl(PR_CAPBSET_READ, (unsigned long)cap, 0, 0, 0) >= 0)
		return 1;
	return errno == EINVAL && cap > HOST_OLDEST_LAST_CAP ? 0 : -errno;
}

static int
probe_last_cap(struct err *err, unsigned *ret_last)
{
	unsigned last = CAP_LAST_CAP;
	int r;

	while ((r = knows_capability(last)) == 0)
		last--;
	while (r > 0 && last < 63 && (r = knows_capability(last + 1)) > 0)
		last++;
	if (r < 0)
		return err_set(err, -r, "ask for the kernel's last capability");
	*ret_last = last;
	return 0;
}

static int
probe_capabilities(struct err *err, struct host *host)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, sets) < 0)
		return err_set(err, errno, "read the runtime's capabilities");
	host->capabilities = (uint64_t)sets[1].permitted << 32 | sets[0].permitted;
	host->privileged = (sets[0].effective >> CAP_SYS_ADMIN) & 1;
	return probe_last_cap(err, &host->last_cap);
}

static int
probe_kernel(struct err *err, struct host *host)
{
	struct utsname u;

	if (uname(&u) < 0)
		return err_set(err, errno, "read the kernel version");
	if (sscanf(u.release, "%u.%u", &host->kernel_major, &host->kernel_minor) != 2)
		return err_plain(err, "the kernel's version '%s' has no number", u.release);
	return 0;
}

static bool
is_absent(int code)
{
	return code == ENOENT || code == ENOTDIR || code == EACCES;
}

/* AppArmor may be compiled in and off; SELinux has its file system only while on. */
static int
probe_security_modules(struct err *err, struct host *host)
{
	static const char apparmor[] = "/sys/module/apparmor/parameters/enabled", selinux[] = "/sys/fs/selinux";
	struct statfs fs;
	char text[8];
	ssize_t n = fd_read_small_at(AT_FDCWD, apparmor, text, sizeof(text));

	if (n < 0 && !is_absent((int)-n))
		return err_set(err, (int)-n, "read '%s'", apparmor);
	host->apparmor = n > 0 && text[0] == 'Y';
	if (statfs(selinux, &fs) == 0)
		host->selinux = (uint32_t)fs.f_type == SELINUX_MAGIC;
	else if (!is_absent(errno))
		return err_set(err, errno, "look whether there is a '%s'", selinux);
	return 0;
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
	if ((r = probe_security_modules(err, &h)) < 0)
		return r;
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
host_kernel_at_least(const struct host *host, unsigned major, unsigned minor)
{
	return host->kernel_major > major || (host->kernel_major == major && host->kernel_minor >= minor);
}
