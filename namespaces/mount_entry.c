/* Theory of operation: see mount_entry.h. What all kinds of mounts need: the
 * checks that depend on the destination, and the parts of steps that several
 * kinds have in common. */
#include "namespaces/mount_entry.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "namespaces/path_text.h"

/* One superblock for all mounts (or all of one namespace): its flags are not
 * this container's to choose. Without this, "ro" on sysfs would stick to the
 * network namespace that a pod shares. */
static const char *const shared_superblocks[] = { "sysfs",	 "cgroup",    "cgroup2",  "mqueue",
						  "devtmpfs",	 "debugfs",   "tracefs",  "securityfs",
						  "pstore",	 "efivarfs",  "configfs", "fusectl",
						  "binfmt_misc", "selinuxfs", "smackfs",  NULL };

/* Files that a FUSE helper (lxcfs) may provide; anything else below /proc could
 * fake what the runtime and programs trust (CVE-2019-16884, CVE-2019-19921). */
static const char *const allowed_below_proc[] = { "/proc/cpuinfo",
						  "/proc/diskstats",
						  "/proc/meminfo",
						  "/proc/stat",
						  "/proc/swaps",
						  "/proc/uptime",
						  "/proc/loadavg",
						  "/proc/slabinfo",
						  "/proc/net/dev",
						  "/proc/sys/kernel/ns_last_pid",
						  "/proc/sys/crypto/fips_enabled",
						  NULL };

bool
mount_type_shares_superblock(const char *type)
{
	return mount_is_listed(type, shared_superblocks);
}

const char *
mount_entry_type(const struct spec_mount *m)
{
	if (m->type && strcmp(m->type, "cgroup") == 0)
		return "cgroup2";
	return m->type;
}

int
mount_entry_parse(const struct rootfs_planner *p, size_t index, struct mount_entry *e)
{
	*e = (struct mount_entry){ .m = &p->s->mounts[index], .index = index };
	e->property = arena_printf(p->b->arena, "mounts[%zu]", index);
	e->dest = path_clean(p->b->arena, e->m->destination);
	return mount_options_parse(p->b->arena, e->property, mount_entry_type(e->m), &e->m->options, p->err, &e->o);
}

static bool
is_procfs_root(const char *path)
{
	struct statfs fs;
	struct stat st;

	return statfs(path, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC && stat(path, &st) == 0 && st.st_ino == 1;
}

int
mount_entry_check_proc(const struct rootfs_planner *p, const struct mount_entry *e, const char *bind_source)
{
	if (!path_is_in(e->dest, "/proc"))
		return 0;
	if (strcmp(e->dest, "/proc") != 0) {
		if (mount_is_listed(e->dest, allowed_below_proc))
			return 0;
		return err_plain(p->err,
				 "%s.destination: '%s' is inside /proc, where only a few files may be mounted over",
				 e->property, e->dest);
	}
	if (bind_source ? is_procfs_root(bind_source) : strcmp(e->m->type, "proc") == 0)
		return 0;
	return err_plain(p->err, "%s: on /proc only type \"proc\" (or a bind of one) may be mounted, not '%s'",
			 e->property, bind_source ? bind_source : e->m->type);
}

/* Options that only make sense on binds, or only on tmpfs. */
int
mount_entry_check_kind(const struct rootfs_planner *p, const struct mount_entry *e, bool bind, bool tmpfs)
{
	if (!bind && (e->o.source_nofollow || e->o.dest_nofollow))
		return err_plain(p->err, "%s.options: '%s' is for bind mounts", e->property,
				 e->o.source_nofollow ? "src-nofollow" : "dest-nofollow");
	if (!bind && (e->o.idmap || e->m->uid_mappings.n))
		return err_plain(p->err, "%s.%s: only a bind mount can be id-mapped", e->property,
				 e->o.idmap ? "options" : "uidMappings");
	if (!tmpfs && e->o.copy_up)
		return err_plain(p->err, "%s.options: 'tmpcopyup' is for type \"tmpfs\"", e->property);
	return 0;
}

uint32_t
mount_entry_propagation(const struct mount_entry *e)
{
	return e->o.n_propagation ? e->o.propagation[0] : 0;
}

/* The kernel takes one propagation at a time; "slave" and "shared" need two. */
void
mount_entry_add_propagation(const struct rootfs_planner *p, const struct mount_entry *e, size_t from)
{
	for (size_t i = from; i < e->o.n_propagation; i++) {
		struct plan_step *st = plan_add(p->b, PLAN_REMOUNT, "%s", e->property);

		st->u.remount.dest = plan_string(p->b, e->dest);
		st->u.remount.propagation = e->o.propagation[i];
	}
}

struct plan_strv
mount_entry_fs_options(const struct rootfs_planner *p, const struct mount_entry *e, bool with_superblock, bool remount)
{
	size_t max = MOUNT_SB_COUNT + e->o.n_data, n = 0;
	const char **v = arena_array(p->b->arena, max, sizeof(*v));

	if (with_superblock)
		n = mount_options_superblock(&e->o, remount, v);
	for (size_t i = 0; i < e->o.n_data; i++)
		v[n++] = e->o.data[i];
	return plan_strings(p->b, v, n);
}
