/* What all kinds of mounts need: the
 * checks that depend on the destination, and the parts of steps that several
 * kinds have in common. */
#include "namespaces/mount/mount_entry.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "base/log.h"
#include "namespaces/mount/path_text.h"
#include "oci-spec/annotations.h"

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
mount_entry_type(const struct spec_mount *mount)
{
	if (mount->type && strcmp(mount->type, "cgroup") == 0)
		return "cgroup2";
	return mount->type;
}

int
mount_entry_parse(const struct rootfs_planner *planner, size_t index, struct mount_entry *entry)
{
	*entry = (struct mount_entry){ .m = &planner->s->mounts[index], .index = index };
	entry->property = arena_printf(planner->b->arena, "mounts[%zu]", index);
	entry->dest = path_clean(planner->b->arena, entry->m->destination);
	return mount_options_parse(planner->b->arena, entry->property, &entry->m->options, planner->err, &entry->o);
}

static bool
is_procfs_root(const char *path)
{
	struct statfs fs;
	struct stat st;

	return statfs(path, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC && stat(path, &st) == 0 && st.st_ino == 1;
}

int
mount_entry_check_proc(const struct rootfs_planner *planner, const struct mount_entry *entry, const char *bind_source)
{
	if (!path_is_in(entry->dest, "/proc"))
		return 0;
	if (strcmp(entry->dest, "/proc") != 0) {
		if (mount_is_listed(entry->dest, allowed_below_proc))
			return 0;
		return err_plain(planner->err,
				 "%s.destination: '%s' is inside /proc, where only a few files may be mounted over",
				 entry->property, entry->dest);
	}
	if (bind_source ? planner->o->sink || is_procfs_root(bind_source) : strcmp(entry->m->type, "proc") == 0)
		return 0;
	return err_plain(planner->err, "%s: on /proc only type \"proc\" (or a bind of one) may be mounted, not '%s'",
			 entry->property, bind_source ? bind_source : entry->m->type);
}

/* tmpcopyup is for the runtime, and an engine may have it in the options of every mount. */
int
mount_entry_check_kind(const struct rootfs_planner *planner, struct mount_entry *entry, bool bind, bool tmpfs)
{
	if (!bind && (entry->o.source_nofollow || entry->o.dest_nofollow))
		return err_plain(planner->err, "%s.options: '%s' is for bind mounts", entry->property,
				 entry->o.source_nofollow ? "src-nofollow" : "dest-nofollow");
	if (!bind && (entry->o.idmap || entry->m->uid_mappings.n))
		return err_plain(planner->err, "%s.%s: only a bind mount can be id-mapped", entry->property,
				 entry->o.idmap ? "options" : "uidMappings");
	if (!tmpfs && entry->o.copy_up)
		log_warning("%s.options: 'tmpcopyup' is ignored, it is for a new tmpfs", entry->property);
	entry->o.copy_up = entry->o.copy_up && tmpfs;
	return 0;
}

void
mount_entry_ignore_data(const struct rootfs_planner *planner, struct mount_entry *entry, const char *what)
{
	const char *list = "";

	for (size_t i = 0; i < entry->o.n_data; i++)
		list = arena_printf(planner->b->arena, "%s%s'%s'", list, i ? ", " : "", entry->o.data[i]);
	if (entry->o.n_data)
		log_warning("%s.options: %s %s ignored, %s has no options of a file system", entry->property, list,
			    entry->o.n_data == 1 ? "is" : "are", what);
	entry->o.n_data = 0;
}

uint32_t
mount_entry_propagation(const struct mount_entry *entry)
{
	return entry->o.n_propagation ? entry->o.propagation[0] : 0;
}

/* The slot of the last mount that a step makes at dest; 0: none does. */
static uint16_t
hold_mount_of(struct plan_builder *b, const char *dest)
{
	for (size_t i = b->n_steps; i-- > 0;) {
		const struct plan_step *step = &b->steps[i];
		plan_str at = step->kind == PLAN_MOUNT_FS     ? step->u.mount_fs.dest
			      : step->kind == PLAN_MOUNT_BIND ? step->u.mount_bind.dest
							      : 0;

		if (at && strcmp(b->blob + at, dest) == 0)
			return plan_hold(b, i);
	}
	return 0;
}

struct plan_remount *
mount_entry_add_remount(const struct rootfs_planner *planner, const struct mount_entry *entry)
{
	uint16_t held = hold_mount_of(planner->b, entry->dest);
	struct plan_step *st = plan_add(planner->b, PLAN_REMOUNT, "%s", entry->property);

	st->u.remount = (struct plan_remount){ .held = held };
	st->u.remount.dest = plan_string(planner->b, entry->dest);
	return &st->u.remount;
}

/* The kernel takes one propagation at a time; "slave" and "shared" need two. */
void
mount_entry_add_propagation(const struct rootfs_planner *planner, const struct mount_entry *entry, size_t from)
{
	for (size_t i = from; i < entry->o.n_propagation; i++)
		mount_entry_add_remount(planner, entry)->propagation = entry->o.propagation[i];
}

struct plan_strv
mount_entry_fs_options(const struct rootfs_planner *planner, const struct mount_entry *entry, bool with_superblock,
		       bool remount)
{
	size_t max = MOUNT_SB_COUNT + entry->o.n_data, n = 0;
	const char **v = arena_array(planner->b->arena, max, sizeof(*v));

	if (with_superblock)
		n = mount_options_superblock(&entry->o, remount, v);
	for (size_t i = 0; i < entry->o.n_data; i++)
		v[n++] = entry->o.data[i];
	return plan_strings(planner->b, v, n);
}

const char *
mount_label_option(const struct rootfs_planner *planner)
{
	static const char *const context_kinds[] = { "context", "fscontext", "defcontext", "rootcontext", NULL };
	const char *label = planner->s->linux_.mount_label, *kind;

	if (!label || !*label)
		return NULL;
	if (!planner->h->selinux) {
		log_debug("linux.mountLabel has no effect: the host has no SELinux");
		return NULL;
	}
	kind = annotation_get(&planner->s->annotations, ANNOTATION_MOUNT_CONTEXT);
	if (kind && !mount_is_listed(kind, context_kinds)) {
		log_warning("annotation %s: '%s' is not a kind of context", annotation_name(ANNOTATION_MOUNT_CONTEXT),
			    kind);
		kind = NULL;
	}
	return arena_printf(planner->b->arena, "%s=%s", kind ? kind : "context", label);
}
