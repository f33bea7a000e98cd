/* The child's half: ids, working directory,
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
#include "libcontainer/process/credentials.h"

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
#include "base/process.h"
#include "namespaces/mount/rootfs.h"

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
static int
set_groups(struct plan_ctx *c, const struct plan_ids *ids)
{
	size_t n = ids->groups.len / sizeof(uint32_t);

	if (!ids->set_groups || (n == 0 && c->groups_denied) ||
	    syscall(CALL_SETGROUPS, n, c->plan->blob + ids->groups.off) == 0)
		return 0;
	if (errno == EINVAL)
		return err_set(c->err, EINVAL, "set %zu additional groups (is each mapped in the user namespace?)", n);
	return err_set(c->err, errno, "set %zu additional groups", n);
}

int
credentials_run_ids(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_ids *ids = &step->u.ids;
	mode_t mask = ids->has_umask ? (mode_t)ids->umask : 022;
	int r;

	if (process_set_umask(mask) < 0)
		return err_set(c->err, errno, "set the umask to %#o", mask);
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

/* ---- working directory -------------------------------------------------- */

/* A cwd that leads out of the root through a descriptor of the runtime
 * (CVE-2024-21626) makes the kernel's own getcwd answer "(unreachable)/…"; the C
 * library's hides that behind an error or a search, so it is asked directly. */
int
credentials_run_change_dir(struct plan_ctx *c, const struct plan_step *step)
{
	const char *path = plan_text(c->plan, step->u.dir.path);
	char now[PATH_MAX];

	if (chdir(path) < 0)
		return err_set(c->err, errno, "chdir to cwd '%s'", path);
	if (syscall(SYS_getcwd, now, sizeof(now)) < 0) {
		if (errno != ENAMETOOLONG && errno != ERANGE)
			return err_set(c->err, errno, "chdir to cwd '%s': it is outside the container's root", path);
		return err_set(c->err, errno, "chdir to cwd '%s'", path);
	}
	if (now[0] != '/')
		return err_plain(c->err, "chdir to cwd '%s': it is outside the container's root", path);
	return 0;
}

/* ---- capabilities ---------------------------------------------------- */

/* Who may not drop (EPERM) need not drop what is not there. 0: it is not; or -errno. */
static int
is_not_bounding(unsigned long cap)
{
	int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

	return has < 0 ? -errno : has ? -EPERM : 0;
}

/* Drops every capability that the kernel knows and set lacks, also one that is not there,
 * which takes one call and not two. EINVAL is the kernel's word
 * for one beyond its last, but not of those that are as old as the oldest kernel that
 * can run a container: everything else is an error, or a filter around the runtime
 * that knows no prctl would leave the program all of them. */
static int
drop_bounding(uint64_t set)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		int r;

		if (set & (uint64_t)1 << cap)
			continue;
		r = prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 ? -errno : 0;
		if (r == -EPERM)
			r = is_not_bounding(cap);
		if (r == -EINVAL && cap > HOST_OLDEST_LAST_CAP)
			break;
		if (r < 0)
			return r;
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
credentials_run_capabilities(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_capabilities *p = &step->u.capabilities;
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
credentials_drop_kept(struct plan_ctx *c)
{
	for (uint32_t i = 0; i < c->plan->n_steps; i++) {
		const struct plan_capabilities *p = &c->plan->steps[i].u.capabilities;
		int r;

		if (c->plan->steps[i].kind != PLAN_SET_CAPABILITIES || !p->keep_sys_admin)
			continue;
		r = set_capabilities(p->effective, p->permitted, p->inheritable);
		if (r < 0)
			return err_set(c->err, -r, "give up the capability that the filter needed");
	}
	return 0;
}

int
credentials_run_no_new_privileges(struct plan_ctx *c, const struct plan_step *step)
{
	(void)step;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(c->err, errno, "set no_new_privs");
	return 0;
}

/* ---- session keyring ------------------------------------------------- */

#define GROUP_AND_OTHERS 0x00003f3fu /* KEY_GRP_ALL | KEY_OTH_ALL of the kernel */

struct keyring {
	long id;
	uint32_t uid, permissions;
};

/* KEYCTL_DESCRIBE answers "keyring;UID;GID;PERMISSIONS;NAME", permissions in hex. */
static int
parse_keyring(const char *text, struct keyring *ret_ring)
{
	const char *uid = strchr(text, ';'), *gid = uid ? strchr(uid + 1, ';') : NULL,
		   *permissions = gid ? strchr(gid + 1, ';') : NULL;

	if (!permissions)
		return -EBADMSG;
	ret_ring->uid = (uint32_t)strtoul(uid + 1, NULL, 10);
	ret_ring->permissions = (uint32_t)strtoul(permissions + 1, NULL, 16);
	return 0;
}

/* Fills uid and permissions. 0 or -errno. */
static int
describe_keyring(struct keyring *ring)
{
	char text[512];
	long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, ring->id, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[(size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1] = '\0';
	return parse_keyring(text, ring);
}

/* Names of keyrings are for everybody: any user may have made one of this name that all may
 * join, and would have the keys that are put into it. A keyring made here belongs to this user
 * and is closed to all others. 1, 0, or -errno. */
static int
keyring_is_ours(struct keyring *ring)
{
	int r = describe_keyring(ring);

	/* Its owner may deny even this, or take it away meanwhile. */
	if (r == -EACCES || r == -EKEYREVOKED || r == -EKEYEXPIRED || r == -ENOKEY)
		return 0;
	return r < 0 ? r : ring->uid == geteuid() && !(ring->permissions & GROUP_AND_OTHERS);
}

/* The user's other processes may search the keyring, so that one started in the
 * container later can find it by its name and join. */
static int
let_user_search(struct plan_ctx *c, const struct keyring *ring)
{
	static const uint32_t user_search = 0x00080000; /* KEY_USR_SEARCH of the kernel */

	if (syscall(SYS_keyctl, KEYCTL_SETPERM, ring->id, ring->permissions | user_search) < 0)
		return err_set(c->err, errno, "set permissions of the session keyring");
	return 0;
}

/* SELinux: label of keys that are made from now on; "\n" goes back to the default. */
static int
label_new_keys(struct plan_ctx *c, const char *label)
{
	int r = proc_open(c);

	if (r < 0)
		return r;
	r = fd_write_file_at(c->fds[PLAN_FD_PROC], "thread-self/attr/keycreate", label);
	return r < 0 ? err_set(c->err, -r, "label the session keyring") : 0;
}

int
credentials_run_keyring(struct plan_ctx *c, const struct plan_step *step)
{
	const char *name = plan_text(c->plan, step->u.keyring.name), *label = plan_text(c->plan, step->u.keyring.label);
	bool labelled = label && label[0];
	struct keyring ring;
	int r = labelled ? label_new_keys(c, label) : 0;

	if (r < 0)
		return r;
	ring.id = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	if (ring.id < 0)
		return plan_answer(c, err_set(c->err, errno, "join the session keyring '%s'", name));
	r = keyring_is_ours(&ring);
	if (r == 0) {
		/* One without a name is new in any case. */
		ring.id = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
		r = ring.id < 0 ? -errno : describe_keyring(&ring);
	}
	if (r < 0)
		return err_set(c->err, -r, "look at the session keyring");
	r = let_user_search(c, &ring);
	return r == 0 && labelled ? label_new_keys(c, "\n") : r;
}
