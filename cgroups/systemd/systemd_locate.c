/* Theory of operation: the path of a scope is known from names (systemd_names.c), but for the cgroup
 * of the manager itself. Mostly it can be seen without asking anybody: the system's manager has moved itself
 * to "init.scope" below it, as process 1; and the user's lives in the unit that the system's has for
 * it. Whatever else is seen, or cannot be, the manager is asked. Where systemd did put the init is compared
 * at the end in any case. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc_text.h"
#include "cgroups/systemd/systemd_bus.h"

#define MAX_PROC_FILE ((size_t)1024 * 1024)

static const char init_scope[] = "/init.scope";

/* ---- what can be seen --------------------------------------------------- */

/* The path in /proc/PID/cgroup, in a; NULL: it is not to be had, with -errno. */
static int
read_cgroup(const char *pid, struct arena *a, const char **ret_path)
{
	const char *found;
	size_t len;
	char *data;
	int r = fd_read_file_at(AT_FDCWD, arena_printf(a, "/proc/%s/cgroup", pid), MAX_PROC_FILE, &data, &len);

	if (r < 0)
		return r;
	found = proc_cgroup(data, &len);
	*ret_path = arena_strndup(a, found ? found : "", found ? len : 0);
	free(data);
	return 0;
}

/* The cgroup of the system's manager, "" if that is the root; NULL: not known. */
static const char *
see_system(struct arena *a)
{
	size_t tail = sizeof(init_scope) - 1, len;
	const char *path = "";

	/* Maybe /proc does not show the processes of others: the manager is asked. */
	if (read_cgroup("1", a, &path) < 0)
		return NULL;
	len = strlen(path);
	if (len < tail || strcmp(path + len - tail, init_scope) != 0 || strstr(path, "/../"))
		return NULL;
	return arena_strndup(a, path, len - tail);
}

/* As the system sees it, which may have other numbers for the users of this namespace. */
static bool
own_uid(uint32_t *ret_uid)
{
	char *data;
	size_t len;
	bool found;

	if (fd_read_file_at(AT_FDCWD, "/proc/self/uid_map", MAX_PROC_FILE, &data, &len) < 0)
		return false;
	found = proc_map_id(data, geteuid(), ret_uid);
	free(data);
	return found;
}

/* As see_system(), of the user's manager; there is one where its init.scope is this user's. */
static const char *
see_user(const char *mount, const char *system, struct arena *a)
{
	const char *path;
	uint32_t uid = 0;
	struct stat st;

	if (!own_uid(&uid))
		return NULL;
	path = arena_printf(a, "%s/user.slice/user-%u.slice/user@%u.service", system, uid, uid);
	if (stat(arena_printf(a, "%s%s%s", mount, path, init_scope), &st) < 0 || st.st_uid != geteuid())
		return NULL;
	return path;
}

/* ---- what is asked ------------------------------------------------------ */

static int
ask(const struct cgroup *cg, struct arena *a, struct err *err, const char **ret_path)
{
	static const struct systemd_method get = { "org.freedesktop.systemd1",
						   "/org/freedesktop/systemd1",
						   "org.freedesktop.DBus.Properties",
						   "Get",
						   "ss",
						   "v" };
	static const char what[] = "ask for the manager's own cgroup";
	struct systemd_writer *arguments;
	struct systemd_message reply;
	struct systemd_bus b;
	const char *text = "";
	int r = systemd_bus_open(cg->user_manager, SYSTEMD_TIMEOUT_MS, err, &b);

	if (r < 0)
		return r;
	arguments = systemd_bus_method(&b, &get);
	systemd_write_text(arguments, "org.freedesktop.systemd1.Manager");
	systemd_write_text(arguments, "ControlGroup");
	r = systemd_bus_call(&b, what, err, NULL, &reply);
	if (r == 0) {
		bool is_text = !strcmp(systemd_read_variant(&reply.body), "s");

		if (is_text)
			text = systemd_read_text(&reply.body);
		if (!is_text || reply.body.bad || (*text && *text != '/'))
			r = systemd_bus_unexpected(what, err);
		*ret_path = arena_strdup(a, !strcmp(text, "/") ? "" : text);
	}
	systemd_bus_close(&b);
	return r;
}

/* ---- all ---------------------------------------------------------------- */

int
systemd_locate(struct cgroup *cg, struct arena *a, struct err *err)
{
	const char *own = see_system(a);
	int r = 0;

	if (own && cg->user_manager)
		own = see_user(cg->mount, own, a);
	if (!own)
		r = ask(cg, a, err, &own);
	if (r == 0)
		cg->path = arena_printf(a, "%s%s", own, cg->below_manager);
	return r;
}

int
systemd_check_place(const struct cgroup *cg, struct arena *a, struct err *err)
{
	const char *scope = systemd_scope_path(cg, a), *found = "";
	char pid[16];
	size_t len, n = strlen(scope);
	int r;

	snprintf(pid, sizeof(pid), "%d", (int)cg->pid);
	r = read_cgroup(pid, a, &found);
	if (r == -ENOENT || r == -ESRCH)
		return err_plain(err, "the container's init exited while systemd created its scope");
	if (r < 0)
		return err_set(err, -r, "read '/proc/%s/cgroup'", pid);
	len = strlen(found);
	/* A mount of cgroup2 may show a part of the tree only. */
	if (len >= n && !strcmp(found + len - n, scope))
		return 0;
	return err_plain(err, "systemd put the container's init into cgroup '%s' instead of '%s'", found, scope);
}
