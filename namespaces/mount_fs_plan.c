/* Plans mounts of new file systems: mounts[] with a type, among them cgroup2.
 *
 * A step makes a superblock (fsopen, fsconfig) and attaches it. Flags of a
 * superblock that other containers or the host use as well are left alone. SELinux
 * labels are an option of the file system, so they are added here.
 *
 * In a user namespace the kernel refuses some file systems, and whether it does
 * depends on namespaces that do not exist yet; those steps get an alternate
 * that binds the host's own mount. */
#include "namespaces/mount_entry.h"

#include <linux/mount.h>
#include <string.h>

#include "base/log.h"
#include "namespaces/path_text.h"
#include "oci-spec/annotations.h"

/* File systems that label their own files or refuse a context. */
static const char *const no_context[] = { "proc", "sysfs", "cgroup", "cgroup2", "mqueue", NULL };

const char *
mount_label_option(const struct rootfs_planner *p)
{
	static const char *const context_kinds[] = { "context", "fscontext", "defcontext", "rootcontext", NULL };
	const char *label = p->s->linux_.mount_label, *kind;

	if (!label || !*label)
		return NULL;
	if (!p->h->selinux) {
		log_debug("linux.mountLabel has no effect: the host has no SELinux");
		return NULL;
	}
	kind = annotation_get(&p->s->annotations, ANNOTATION_MOUNT_CONTEXT);
	if (kind && !mount_is_listed(kind, context_kinds)) {
		log_warning("annotation " ANNOTATION_MOUNT_CONTEXT ": '%s' is no kind of context", kind);
		kind = NULL;
	}
	return arena_printf(p->b->arena, "%s=%s", kind ? kind : "context", label);
}

static void
add_label(const struct rootfs_planner *p, struct mount_entry *e, const char *type)
{
	const char *context = mount_is_listed(type, no_context) ? NULL : mount_label_option(p);
	const char **data;

	if (!context)
		return;
	for (size_t i = 0; i < e->o.n_data; i++)
		if (strncmp(e->o.data[i], "context=", 8) == 0)
			return;
	data = arena_grow(p->b->arena, e->o.data, e->o.n_data * sizeof(*data), (e->o.n_data + 1) * sizeof(*data));
	data[e->o.n_data++] = context;
	e->o.data = data;
}

/* A bind of a folder of the host, as a step or as an alternate of one. */
static struct plan_mount_bind
host_bind(const struct rootfs_planner *p, const struct mount_entry *e, const char *source, bool read_only)
{
	struct plan_mount_bind m = {
		.dest = plan_string(p->b, e->dest),
		.source = plan_string(p->b, source),
		.recursive = true,
		.source_is_dir = true,
		.dest_nofollow = true,
		.attrs = e->o.attrs,
		.rec_attrs = e->o.rec_attrs,
		.propagation = mount_entry_propagation(e),
	};

	m.rec_attrs.set |= e->o.attrs.set & ~(uint64_t)MOUNT_ATTR__ATIME;
	if (read_only) {
		m.attrs.set |= MOUNT_ATTR_RDONLY;
		m.attrs.clear &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		m.rec_attrs.set |= MOUNT_ATTR_RDONLY;
	}
	m.rec_attrs.clear &= ~m.rec_attrs.set | MOUNT_ATTR__ATIME;
	return m;
}

static void
add_host_bind_alternate(const struct rootfs_planner *p, const struct mount_entry *e, uint32_t errnos,
			const char *source, bool read_only)
{
	struct plan_step alt = { .kind = PLAN_MOUNT_BIND, .what = p->b->steps[p->b->n_steps - 1].what };

	alt.u.mount_bind = host_bind(p, e, source, read_only);
	plan_alternate(p->b, errnos, &alt);
}

/* An earlier step may not be mounted read-only when files are still to be made
 * in it: /dev and every tmpfs are made read-only at the end, unless something
 * else covers them by then. */
static bool
may_be_late_readonly(const struct spec_mount *m, const char *dest)
{
	return m->type && (strcmp(m->type, "tmpfs") == 0 || strcmp(dest, "/dev") == 0);
}

static bool
is_late_readonly(const struct rootfs_planner *p, const struct mount_entry *e)
{
	if (!may_be_late_readonly(e->m, e->dest))
		return false;
	if (e->o.bind || e->o.remount || !(e->o.attrs.set & MOUNT_ATTR_RDONLY))
		return false;
	for (size_t i = e->index + 1; i < p->s->n_mounts; i++)
		if (strcmp(path_clean(p->b->arena, p->s->mounts[i].destination), e->dest) == 0)
			return false;
	return true;
}

static void
add_new_fs(const struct rootfs_planner *p, struct mount_entry *e, const char *type)
{
	const char *source = e->m->source && *e->m->source ? e->m->source : type;
	bool own_superblock = !mount_type_shares_superblock(type);
	struct plan_step *st;

	if (is_late_readonly(p, e)) {
		e->o.attrs.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		e->o.sb_set &= ~(unsigned)MOUNT_SB_RDONLY;
	}
	add_label(p, e, type);
	st = plan_add(p->b, PLAN_MOUNT_FS, "%s", e->property);
	st->u.mount_fs = (struct plan_mount_fs){
		.dest = plan_string(p->b, e->dest),
		.type = plan_string(p->b, type),
		.source = plan_string(p->b, source),
		.options = mount_entry_fs_options(p, e, own_superblock, false),
		.attrs = e->o.attrs,
		.rec_attrs = e->o.rec_attrs,
		.propagation = mount_entry_propagation(e),
		.copy_up = e->o.copy_up,
	};
}

/* ---- alternates of a user namespace ----------------------------------- */

/* The kernel refuses a second procfs with more in it than the one around us, but
 * the host's processes are no replacement for those of a new pid namespace. */
static void
add_proc_alternate(const struct rootfs_planner *p, const struct mount_entry *e)
{
	if (!p->s->linux_.namespaces[SPEC_NS_PID].listed)
		add_host_bind_alternate(p, e, PLAN_EPERM, "/proc", false);
}

/* Without a network namespace of its own. Read-only with all that is mounted
 * below, or the cgroup tree of the user would be writable (CVE-2023-25809). */
static void
add_sysfs_alternate(const struct rootfs_planner *p, const struct mount_entry *e)
{
	add_host_bind_alternate(p, e, PLAN_EPERM, "/sys", true);
}

static void
add_mqueue_alternate(const struct rootfs_planner *p, const struct mount_entry *e)
{
	add_host_bind_alternate(p, e, PLAN_EPERM, "/dev/mqueue", false);
}

/* gid=5 (tty) is in most configs, and EINVAL where the namespace maps no gid 5;
 * then devpts takes the group of whoever opens a terminal. */
static void
add_devpts_alternate(const struct rootfs_planner *p, const struct mount_entry *e)
{
	struct plan_step alt = p->b->steps[p->b->n_steps - 1];
	struct mount_entry other = *e;

	other.o.data = arena_array(p->b->arena, e->o.n_data + 1, sizeof(*other.o.data));
	other.o.n_data = 0;
	for (size_t i = 0; i < e->o.n_data; i++)
		if (strncmp(e->o.data[i], "gid=", 4) != 0)
			other.o.data[other.o.n_data++] = e->o.data[i];
	if (other.o.n_data == e->o.n_data)
		return;
	alt.u.mount_fs.options = mount_entry_fs_options(p, &other, true, false);
	plan_alternate(p->b, PLAN_EINVAL, &alt);
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
mount_plan_fs(const struct rootfs_planner *p, struct mount_entry *e)
{
	const char *type = mount_entry_type(e->m);
	int r = mount_entry_check_proc(p, e, NULL);

	if (r == 0)
		r = mount_entry_check_kind(p, e, false, strcmp(type, "tmpfs") == 0);
	if (r == 0 && strcmp(type, "overlay") == 0)
		r = overlay_expand_options(p, e->property, &e->o);
	if (r < 0)
		return r;
	add_new_fs(p, e, type);
	for (size_t i = 0; p->o->in_userns && i < sizeof(alternates) / sizeof(alternates[0]); i++)
		if (strcmp(type, alternates[i].type) == 0)
			alternates[i].add(p, e);
	mount_entry_add_propagation(p, e, 1);
	return 0;
}

/* ---- cgroup ---------------------------------------------------------- */

static int
bind_host_cgroup(const struct rootfs_planner *p, const struct mount_entry *e)
{
	struct plan_step *st;

	if (!p->h->cgroup_mount)
		return err_plain(p->err,
				 "%s: the host has no cgroup2 file system to show (mount one, or ask for a "
				 "cgroup namespace)",
				 e->property);
	/* Of a user namespace: the tree is that of the user outside
	 * (CVE-2023-25809). */
	if (p->o->in_userns && (e->o.attrs.clear & MOUNT_ATTR_RDONLY))
		log_warning("%s: without a cgroup namespace of its own, a user namespace gets cgroup2 read-only",
			    e->property);
	st = plan_add(p->b, PLAN_MOUNT_BIND, "%s", e->property);
	st->u.mount_bind = host_bind(p, e, p->h->cgroup_mount, p->o->in_userns);
	return 0;
}

/* Type "cgroup" means cgroup2. In a cgroup namespace it is mounted anew and
 * shows the container's part. Without one the result of a new mount would be the
 * host's whole tree, so that is bound: mounting it waits for the kernel's
 * grace periods, binding does not. */
int
mount_plan_cgroup(const struct rootfs_planner *p, struct mount_entry *e)
{
	const char *own = p->o->cgroup ? p->o->cgroup : p->h->cgroup_mount;
	int r = mount_entry_check_kind(p, e, false, false);

	if (r == 0)
		r = mount_entry_check_proc(p, e, NULL);
	if (r < 0)
		return r;
	if (!p->o->new_cgroupns) {
		r = bind_host_cgroup(p, e);
		if (r < 0)
			return r;
	} else {
		add_new_fs(p, e, "cgroup2");
		if (p->o->in_userns && own)
			add_host_bind_alternate(p, e, PLAN_EPERM | PLAN_EBUSY, own, !p->o->cgroup);
	}
	mount_entry_add_propagation(p, e, 1);
	return 0;
}

/* ---- read-only at the end --------------------------------------------- */

int
mount_plan_late_readonly(const struct rootfs_planner *p)
{
	for (size_t i = 0; i < p->s->n_mounts; i++) {
		const struct spec_mount *m = &p->s->mounts[i];
		struct plan_step *st;
		struct mount_entry e;
		int r;

		if (!may_be_late_readonly(m, path_clean(p->b->arena, m->destination)))
			continue;
		r = mount_entry_parse(p, i, &e);
		if (r < 0)
			return r;
		if (!is_late_readonly(p, &e))
			continue;
		st = plan_add(p->b, PLAN_REMOUNT, "%s", e.property);
		st->u.remount.dest = plan_string(p->b, e.dest);
		st->u.remount.attrs.set = MOUNT_ATTR_RDONLY;
	}
	return 0;
}
