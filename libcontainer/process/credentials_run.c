/* Theory of operation: see credentials.h. The child's half: ids, working folder,
 * capabilities, session keyring. Nothing here allocates. All calls are the raw
 * system calls: the C library's setgroups and setresuid signal all threads, of
 * which there is one.
 *
 * The order of SET_IDS, CHANGE_DIR, SET_CAPABILITIES:
 *   - setresuid(2) to another id empties the effective set and, without
 *     PR_SET_KEEPCAPS, the permitted one. Kept, the effective set is put back, so
 *     that the following steps still may what root may.
 *   - chdir(2) then works if either the user or root may enter.
 *   - SET_CAPABILITIES drops from the bounding set while CAP_SETPCAP is there,
 *     then sets the three, then raises ambient ones, which must be in permitted
 *     and inheritable before. */
#include "libcontainer/credentials.h"

#include <errno.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/rootfs.h"

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT		 47
#define PR_CAP_AMBIENT_RAISE	 2
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

/* Old 32-bit machines have a first generation of calls with 16-bit ids. */
#ifdef SYS_setgroups32
#define CALL_SETGROUPS SYS_setgroups32
#define CALL_SETRESGID SYS_setresgid32
#define CALL_SETRESUID SYS_setresuid32
#else
#define CALL_SETGROUPS SYS_setgroups
#define CALL_SETRESGID SYS_setresgid
#define CALL_SETRESUID SYS_setresuid
#endif

/* ---- the three sets of capset(2) ------------------------------------- */

static int
set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
	};

	return capset(&head, data) < 0 ? -errno : 0;
}

/* Makes all that is permitted effective again. */
static int
restore_effective(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (capget(&head, data) < 0)
		return -errno;
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	return capset(&head, data) < 0 ? -errno : 0;
}

/* ---- ids ------------------------------------------------------------- */

/* A user namespace that was joined may deny setgroups(2): then the groups are
 * those of its owner, and not a step up. */
static bool
joined_userns(const struct plan *p)
{
	return (p->stage.n_joins > 0 && p->stage.joins[0].nstype == CLONE_NEWUSER) ||
	       (p->stage.enter_flags & CLONE_NEWUSER);
}

static int
set_groups(struct plan_ctx *c, const struct plan_ids *ids)
{
	size_t n = ids->groups.len / sizeof(uint32_t);

	if (!ids->set_groups || syscall(CALL_SETGROUPS, n, c->plan->blob + ids->groups.off) == 0)
		return 0;
	if (errno == EPERM && n == 0 && joined_userns(c->plan))
		return 0;
	if (errno == EINVAL)
		return err_set(c->err, EINVAL, "set %zu additional groups (is each mapped in the user namespace?)", n);
	return err_set(c->err, errno, "set %zu additional groups", n);
}

int
credentials_run_ids(struct plan_ctx *c, const struct plan_step *s)
{
	const struct plan_ids *ids = &s->u.ids;
	int r;

	if (ids->has_umask)
		umask((mode_t)ids->umask);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(c->err, errno, "keep capabilities across the change of uid");
	r = set_groups(c, ids);
	if (r < 0)
		return r;
	if (syscall(CALL_SETRESGID, ids->gid, ids->gid, ids->gid) < 0)
		return err_set(c->err, errno, "become gid %u%s", ids->gid,
			       errno == EINVAL ? " (not mapped in the user namespace)" : "");
	if (syscall(CALL_SETRESUID, ids->uid, ids->uid, ids->uid) < 0)
		return err_set(c->err, errno, "become uid %u%s", ids->uid,
			       errno == EINVAL ? " (not mapped in the user namespace)" : "");
	r = restore_effective();
	if (r < 0)
		return err_set(c->err, -r, "keep capabilities across the change of uid");
	return 0;
}

/* ---- working folder -------------------------------------------------- */

/* A cwd that leads out of the root through a descriptor of the runtime
 * (CVE-2024-21626) makes the kernel's own getcwd answer "(unreachable)/…"; the C
 * library's hides that behind an error or a search, so it is asked directly. */
int
credentials_run_change_dir(struct plan_ctx *c, const struct plan_step *s)
{
	const char *path = plan_text(c->plan, s->u.dir.path);
	char now[PATH_MAX];

	if (chdir(path) < 0)
		return err_set(c->err, errno, "chdir to cwd '%s'", path);
	if (syscall(SYS_getcwd, now, sizeof(now)) < 0) {
		if (errno != ENAMETOOLONG && errno != ERANGE)
			return err_set(c->err, errno, "chdir to cwd '%s': it is outside of the container's root", path);
		return err_set(c->err, errno, "chdir to cwd '%s'", path);
	}
	if (now[0] != '/')
		return err_plain(c->err, "chdir to cwd '%s': it is outside of the container's root", path);
	return 0;
}

/* ---- capabilities ---------------------------------------------------- */

/* Drops every capability that the kernel knows and set lacks. */
static int
drop_bounding(uint64_t set)
{
	for (cap_value_t cap = 0; cap < 64; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break; /* beyond the kernel's last */
		if (has && !(set & (uint64_t)1 << cap) && cap_drop_bound(cap) < 0)
			return -errno;
	}
	return 0;
}

static int
raise_ambient(uint64_t set)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (unsigned long cap = 0; cap < 64; cap++)
		if ((set & (uint64_t)1 << cap) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	return 0;
}

/* CAP_SYS_ADMIN that is kept for loading the filter is neither inheritable nor
 * ambient, nor added to the bounding set: execve computes the program's sets from
 * those, so that it never has it. */
int
credentials_run_capabilities(struct plan_ctx *c, const struct plan_step *s)
{
	const struct plan_capabilities *p = &s->u.capabilities;
	uint64_t keep = p->keep_sys_admin ? (uint64_t)1 << CAP_SYS_ADMIN : 0;
	int r = drop_bounding(p->bounding);

	if (r < 0)
		return err_set(c->err, -r, "drop from the bounding set of capabilities");
	r = set_capabilities(p->effective | keep, p->permitted | keep, p->inheritable);
	if (r < 0)
		return err_set(c->err, -r, "set capabilities: effective %#llx, permitted %#llx, inheritable %#llx",
			       (unsigned long long)(p->effective | keep), (unsigned long long)(p->permitted | keep),
			       (unsigned long long)p->inheritable);
	r = raise_ambient(p->ambient);
	if (r < 0)
		return err_set(c->err, -r, "set ambient capabilities %#llx", (unsigned long long)p->ambient);
	return 0;
}

int
credentials_run_no_new_privileges(struct plan_ctx *c, const struct plan_step *s)
{
	(void)s;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(c->err, errno, "set no_new_privs");
	return 0;
}

/* ---- session keyring ------------------------------------------------- */

/* KEYCTL_DESCRIBE answers "keyring;UID;GID;PERMISSIONS;NAME", permissions in hex. */
static int
parse_permissions(const char *text, uint32_t *ret_permissions)
{
	for (int i = 0; i < 3; i++) {
		text = strchr(text, ';');
		if (!text)
			return -EBADMSG;
		text++;
	}
	*ret_permissions = (uint32_t)strtoul(text, NULL, 16);
	return 0;
}

/* The user's other processes may search the keyring, so that one started in the
 * container later can find it by its name and join. */
static int
let_user_search(struct plan_ctx *c, long ring)
{
	static const uint32_t user_search = 0x00080000; /* KEY_USR_SEARCH of the kernel */
	uint32_t permissions;
	char text[512];
	long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, ring, text, sizeof(text) - 1);
	int r;

	if (n < 0)
		return err_set(c->err, errno, "describe the session keyring");
	text[(size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1] = '\0';
	r = parse_permissions(text, &permissions);
	if (r < 0)
		return err_set(c->err, -r, "describe the session keyring");
	if (syscall(SYS_keyctl, KEYCTL_SETPERM, ring, permissions | user_search) < 0)
		return err_set(c->err, errno, "set permissions of the session keyring");
	return 0;
}

/* SELinux: label of keys that are made from now on; "\n" goes back to the default. */
static int
label_new_keys(struct plan_ctx *c, const char *label)
{
	int r = rootfs_open_proc(c);

	if (r < 0)
		return r;
	r = fd_write_file_at(c->fds[PLAN_FD_PROC], "thread-self/attr/keycreate", label);
	return r < 0 ? err_set(c->err, -r, "label the session keyring") : 0;
}

int
credentials_run_keyring(struct plan_ctx *c, const struct plan_step *s)
{
	const char *name = plan_text(c->plan, s->u.keyring.name), *label = plan_text(c->plan, s->u.keyring.label);
	bool labelled = label && label[0];
	long ring;
	int r = labelled ? label_new_keys(c, label) : 0;

	if (r < 0)
		return r;
	ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	if (ring < 0)
		return err_set(c->err, errno, "join the session keyring '%s'", name);
	r = let_user_search(c, ring);
	return r == 0 && labelled ? label_new_keys(c, "\n") : r;
}
