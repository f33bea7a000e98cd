/* Plans mounts of new file systems: mounts[] with a type, among them cgroup2.
 *
 * A step makes a superblock (fsopen, fsconfig) and attaches it. Flags of a
 * superblock that other containers or the host use as well are left alone. SELinux
 * labels are an option of the file system, so they are added here.
 *
 * In a user namespace the kernel refuses some file systems, and whether it does
 * depends on namespaces that do not exist yet; those steps get an alternate
 * that binds the host's own mount. */
#include "namespaces/mount/mount_entry.h"

#include <linux/mount.h>
#include <string.h>

#include "base/log.h"
#include "namespaces/mount/path_text.h"

/* File systems that label their own files or refuse a context. */
static const char *const no_context[] = { "proc", "sysfs", "cgroup", "cgroup2", "mqueue", NULL };

static void
add_label(const struct rootfs_planner *planner, struct mount_entry *entry, const char *type)
{
	const char *context = mount_is_listed(type, no_context) ? NULL : mount_label_option(planner);
	const char **data;

	if (!context)
		return;
	for (size_t i = 0; i < entry->o.n_data; i++)
		if (strncmp(entry->o.data[i], "context=", 8) == 0)
			return;
	data = arena_grow(planner->b->arena, entry->o.data, entry->o.n_data * sizeof(*data),
			  (entry->o.n_data + 1) * sizeof(*data));
	data[entry->o.n_data++] = context;
	entry->o.data = data;
}

/* A bind of a directory of the host, as a step or as an alternate of one. */
static struct plan_mount_bind
host_bind(const struct rootfs_planner *planner, const struct mount_entry *entry, const char *source, bool read_only)
{
	struct plan_mount_bind m = {
		.dest = plan_string(planner->b, entry->dest),
		.source = plan_string(planner->b, source),
		.recursive = true,
		.source_is_dir = true,
		.dest_nofollow = true,
		.attrs = entry->o.attrs,
		.rec_attrs = entry->o.rec_attrs,
		.propagation = mount_entry_propagation(entry),
	};

	m.rec_attrs.set |= entry->o.attrs.set & ~(uint64_t)MOUNT_ATTR__ATIME;
	if (read_only) {
		m.attrs.set |= MOUNT_ATTR_RDONLY;
		m.attrs.clear &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		m.rec_attrs.set |= MOUNT_ATTR_RDONLY;
	}
	m.rec_attrs.clear &= ~m.rec_attrs.set | MOUNT_ATTR__ATIME;
	return m;
}

static void
add_host_bind_alternate(const struct rootfs_planner *planner, const struct mount_entry *entry, uint32_t errnos,
			const char *source, bool read_only)
{
	struct plan_step alt = { .kind = PLAN_MOUNT_BIND, .what = planner->b->steps[planner->b->n_steps - 1].what };

	alt.u.mount_bind = host_bind(planner, entry, source, read_only);
	plan_alternate(planner->b, errnos, &alt);
}

/* True when path is a directory below dest, as a mount point must be that is to be made
 * there, and not one of the files of a cgroup, which all have a dot in their names. */
static bool
is_new_below(const char *path, const char *dest)
{
	const char *name;

	if (strcmp(path, dest) == 0 || !path_is_in(path, dest))
		return false;
	name = path + strlen(dest) + 1;
	return !memchr(name, '.', strcspn(name, "/"));
}

/* A hybrid host has cgroup2 beside the hierarchies of v1, below one directory. A container
 * that is given one of those there (/sys/fs/cgroup/systemd, by Podman for systemd) gets
 * the same picture: cgroup2 itself has no place for a mount point. */
static bool
is_hybrid(const struct rootfs_planner *planner, size_t index, const char *dest)
{
	const char *type = mount_entry_type(&planner->s->mounts[index]), *own = planner->h->cgroup_mount;

	if (!type || strcmp(type, "cgroup2") != 0 || !own || strcmp(own, dest) == 0 || !path_is_in(own, dest))
		return false;
	for (size_t i = index + 1; i < planner->s->n_mounts; i++)
		if (is_new_below(path_clean(planner->b->arena, planner->s->mounts[i].destination), dest))
			return true;
	return false;
}

/* An earlier step may not be mounted read-only when files are still to be made
 * in it: /dev and every tmpfs are made read-only at the end, unless something
 * else covers them by then. */
static bool
may_be_late_readonly(const struct rootfs_planner *planner, size_t index, const char *dest)
{
	const char *type = planner->s->mounts[index].type;

	return type && (strcmp(type, "tmpfs") == 0 || strcmp(dest, "/dev") == 0 || is_hybrid(planner, index, dest));
}

static bool
is_late_readonly(const struct rootfs_planner *planner, const struct mount_entry *entry)
{
	if (!may_be_late_readonly(planner, entry->index, entry->dest))
		return false;
	if (entry->o.bind || entry->o.remount || !(entry->o.attrs.set & MOUNT_ATTR_RDONLY))
		return false;
	for (size_t i = entry->index + 1; i < planner->s->n_mounts; i++)
		if (strcmp(path_clean(planner->b->arena, planner->s->mounts[i].destination), entry->dest) == 0)
			return false;
	return true;
}

static void
add_new_fs(const struct rootfs_planner *planner, struct mount_entry *entry, const char *type)
{
	const char *source = entry->m->source && *entry->m->source ? entry->m->source : type;
	bool own_superblock = !mount_type_shares_superblock(type);
	struct plan_step *st;

	if (is_late_readonly(planner, entry)) {
		entry->o.attrs.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		entry->o.sb_set &= ~(unsigned)MOUNT_SB_RDONLY;
	}
	add_label(planner, entry, type);
	st = plan_add(planner->b, PLAN_MOUNT_FS, "%s", entry->property);
	st->u.mount_fs = (struct plan_mount_fs){
		.dest = plan_string(planner->b, entry->dest),
		.type = plan_string(planner->b, type),
		.source = plan_string(planner->b, source),
		.options = mount_entry_fs_options(planner, entry, own_superblock, false),
		.attrs = entry->o.attrs,
		.rec_attrs = entry->o.rec_attrs,
		.propagation = mount_entry_propagation(entry),
		.copy_up = entry->o.copy_up,
	};
}

/* ---- alternates of a user namespace ----------------------------------- */

/* The kernel refuses a second procfs with more in it than the one around us, but
 * the host's processes do not replace those of a new pid namespace. */
static void
add_proc_alternate(const struct rootfs_planner *planner, const struct mount_entry *entry)
{
	if (!planner->s->linux_.namespaces[NS_PID].listed)
		add_host_bind_alternate(planner, entry, PLAN_EPERM, "/proc", false);
}

/* Without a network namespace of its own. Read-only with all that is mounted
 * below, or the cgroup tree of the user would be writable (CVE-2023-25809). */
static void
add_sysfs_alternate(const struct rootfs_planner *planner, const struct mount_entry *entry)
{
	add_host_bind_alternate(planner, entry, PLAN_EPERM, "/sys", true);
}

/* With an IPC namespace of its own the host's queues are not what was asked for. */
static void
add_mqueue_alternate(const struct rootfs_planner *planner, const struct mount_entry *entry)
{
	if (!planner->s->linux_.namespaces[NS_IPC].listed)
		add_host_bind_alternate(planner, entry, PLAN_EPERM, "/dev/mqueue", false);
}

/* gid=5 (tty) is in most configs, and EINVAL where the namespace maps no gid 5;
 * then devpts takes the group of whoever opens a terminal. */
static void
add_devpts_alternate(const struct rootfs_planner *planner, const struct mount_entry *entry)
{
	struct plan_step alt = planner->b->steps[planner->b->n_steps - 1];
	struct mount_entry other = *entry;

	other.o.data = arena_array(planner->b->arena, entry->o.n_data + 1, sizeof(*other.o.data));
	other.o.n_data = 0;
	for (size_t i = 0; i < entry->o.n_data; i++)
		if (strncmp(entry->o.data[i], "gid=", 4) != 0)
			other.o.data[other.o.n_data++] = entry->o.data[i];
	if (other.o.n_data == entry->o.n_data)
		return;
	alt.u.mount_fs.options = mount_entry_fs_options(planner, &other, true, false);
	plan_alternate(planner->b, PLAN_EINVAL, &alt);
}

/* What to do in a user namespace when the kernel refuses. */
static const struct {
	const char *type;
	void (*add)(const struct rootfs_planner *p, const struct mount_entry *e);
} alternates[] = {
	{ "proc", add_proc_alternate },
	{ "sysfs", add_sysfs_alternate },
	{ "mqueue", add_mqueue_alternate },
	{ "devpts", add_devpts_alternate },
};

int
mount_plan_fs(const struct rootfs_planner *planner, struct mount_entry *entry)
{
	const char *type = mount_entry_type(entry->m);
	int r = mount_entry_check_proc(planner, entry, NULL);

	if (r == 0)
		r = mount_entry_check_kind(planner, entry, false, strcmp(type, "tmpfs") == 0);
	if (r == 0 && strcmp(type, "overlay") == 0)
		r = overlay_expand_options(planner, entry->property, &entry->o);
	if (r < 0)
		return r;
	add_new_fs(planner, entry, type);
	for (size_t i = 0; planner->o->in_userns && i < sizeof(alternates) / sizeof(alternates[0]); i++)
		if (strcmp(type, alternates[i].type) == 0)
			alternates[i].add(planner, entry);
	mount_entry_add_propagation(planner, entry, 1);
	return 0;
}

/* ---- cgroup ---------------------------------------------------------- */

static int
bind_host_cgroup(const struct rootfs_planner *planner, const struct mount_entry *entry)
{
	struct plan_step *st;

	if (!planner->h->cgroup_mount)
		return err_plain(planner->err,
				 "%s: the host has no cgroup2 file system to show (mount one, or request a "
				 "cgroup namespace)",
				 entry->property);
	/* Of a user namespace: the tree is that of the user outside
	 * (CVE-2023-25809). */
	if (planner->o->in_userns && (entry->o.attrs.clear & MOUNT_ATTR_RDONLY))
		log_warning("%s: without a cgroup namespace of its own, a user namespace gets cgroup2 read-only",
			    entry->property);
	st = plan_add(planner->b, PLAN_MOUNT_BIND, "%s", entry->property);
	st->u.mount_bind = host_bind(planner, entry, planner->h->cgroup_mount, planner->o->in_userns);
	return 0;
}

/* The directory that holds cgroup2 and others; cgroup2 itself goes to where the host has it. */
static void
add_hybrid_directory(const struct rootfs_planner *planner, struct mount_entry *entry)
{
	static const char *const data[] = { "mode=755" };
	struct mount_entry directory = *entry;

	directory.o = (struct mount_options){ .attrs.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
					      .data = (const char **)data,
					      .n_data = 1 };
	add_new_fs(planner, &directory, "tmpfs");
	entry->dest = planner->h->cgroup_mount;
}

/* Type "cgroup" means cgroup2. In a cgroup namespace it is mounted anew and
 * shows the container's part. Without one the result of a new mount would be the
 * host's whole tree, so that is bound: mounting it waits for the kernel's
 * grace periods, binding does not. */
int
mount_plan_cgroup(const struct rootfs_planner *planner, struct mount_entry *entry)
{
	const char *own = planner->o->cgroup ? planner->o->cgroup : planner->h->cgroup_mount;
	int r = mount_entry_check_kind(planner, entry, false, false);

	if (r == 0)
		r = mount_entry_check_proc(planner, entry, NULL);
	if (r < 0)
		return r;
	if (is_hybrid(planner, entry->index, entry->dest))
		add_hybrid_directory(planner, entry);
	if (!planner->o->new_cgroupns) {
		r = bind_host_cgroup(planner, entry);
		if (r < 0)
			return r;
	} else {
		add_new_fs(planner, entry, "cgroup2");
		if (planner->o->in_userns && own)
			add_host_bind_alternate(planner, entry, PLAN_EPERM | PLAN_EBUSY, own, !planner->o->cgroup);
	}
	mount_entry_add_propagation(planner, entry, 1);
	return 0;
}

/* ---- read-only at the end --------------------------------------------- */

int
mount_plan_late_readonly(const struct rootfs_planner *planner)
{
	for (size_t i = 0; i < planner->s->n_mounts; i++) {
		const struct spec_mount *m = &planner->s->mounts[i];
		struct mount_entry e;
		int r;

		if (!may_be_late_readonly(planner, i, path_clean(planner->b->arena, m->destination)))
			continue;
		r = mount_entry_parse(planner, i, &e);
		if (r < 0)
			return r;
		if (!is_late_readonly(planner, &e))
			continue;
		mount_entry_add_remount(planner, &e)->attrs.set = MOUNT_ATTR_RDONLY;
	}
	return 0;
}
