/* The container's file system: planned in the parent, made in the child.
 *
 * rootfs_plan_*() turn the spec into steps; memory comes from the arena of b.
 * rootfs_run_*() are the executors of those steps and allocate nothing. Every
 * container path is resolved with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
 * below PLAN_FD_ROOT. Both return 0, or -errno with err (c->err). */
#ifndef KNARR_NAMESPACES_ROOTFS_H
#define KNARR_NAMESPACES_ROOTFS_H

#include "base/host.h"
#include "base/plan.h"
#include "oci-spec/spec.h"

/* What `knarr run --layer/--upper` add to a config. */
struct rootfs_layers {
	const char *const *dirs; /* bottom first, as given on the command line */
	size_t n;
	const char *upper; /* NULL: none; "tmpfs"; or a folder (made when missing) for "upper" and "work" */
};

struct rootfs_options {
	const char *bundle;		    /* absolute path */
	const struct rootfs_layers *layers; /* NULL: none */
	bool no_pivot;			    /* move the root instead of pivot_root(2): --no-pivot */
	bool parent_opens;		    /* sources are opened by the privileged parent (user namespace) */
	bool in_userns;			    /* the container runs in a user namespace other than the initial one */
	bool new_cgroupns;		    /* mounts of cgroup2 show the container's cgroup as their root */
	const char *cgroup;		    /* absolute path of the container's cgroup folder; NULL: none */
	bool has_terminal;		    /* there is a /dev/console to be made */
};

/* config.md#root, #mounts, config-linux.md#devices. Propagation, root (bind or
 * overlay), mounts, cwd, /dev, links: all that comes before the createRuntime hooks.
 * Errors name the property. */
int rootfs_plan_mounts(struct plan_builder *b, const struct spec *s, const struct host *h,
		       const struct rootfs_options *o, struct err *err);

/* config-linux.md#masked-paths, #readonly-paths, #rootfs-mount-propagation. Masked and
 * read-only paths, read-only root, pivot, root propagation: all that comes after the
 * createContainer hooks. */
int rootfs_plan_finish(struct plan_builder *b, const struct spec *s, const struct host *h,
		       const struct rootfs_options *o, struct err *err);

/* For a container that runs: the mounts of s, and nothing else of it. Binds and
 * tmpfs below "/" only: other file systems show parts of whatever namespaces the process
 * is in that mounts them. */
int rootfs_plan_more_mounts(struct plan_builder *b, const struct spec *s, const struct host *h,
			    const struct rootfs_options *o, struct err *err);

/* The opposite: takes away what is mounted on the destinations of s->mounts, the last first. */
int rootfs_plan_fewer_mounts(struct plan_builder *b, const struct spec *s, struct err *err);

/* Propagation of "/" (mount_namespaces(7)): of the new namespace's mounts at first, of
 * the container's root at last. */
int rootfs_run_propagation(struct plan_ctx *c, const struct plan_step *s);

/* The root, which becomes PLAN_FD_ROOT: a bind of root.path, or a stack of layers. */
int rootfs_run_root_bind(struct plan_ctx *c, const struct plan_step *s);
int rootfs_run_root_overlay(struct plan_ctx *c, const struct plan_step *s);

/* mounts[]; the first two make mount points that are missing. */
int rootfs_run_mount_fs(struct plan_ctx *c, const struct plan_step *s);
int rootfs_run_mount_bind(struct plan_ctx *c, const struct plan_step *s);
int rootfs_run_remount(struct plan_ctx *c, const struct plan_step *s);

/* Takes away the mount on a path; PLAN_FD_PROC: the folder of the process's own
 * descriptors in a procfs that can be trusted. */
int rootfs_run_unmount(struct plan_ctx *c, const struct plan_step *s);

/* Folders, device nodes and links, with the parents that are missing. */
int rootfs_run_make_dir(struct plan_ctx *c, const struct plan_step *s);
int rootfs_run_make_device(struct plan_ctx *c, const struct plan_step *s);
int rootfs_run_bind_device(struct plan_ctx *c, const struct plan_step *s);
int rootfs_run_make_symlink(struct plan_ctx *c, const struct plan_step *s);

/* linux.maskedPaths and linux.readonlyPaths; -ENOENT or -ENOTDIR: there is none. */
int rootfs_run_mask_path(struct plan_ctx *c, const struct plan_step *s);
int rootfs_run_readonly_path(struct plan_ctx *c, const struct plan_step *s);

/* root.readonly: the attribute of the root's mount. */
int rootfs_run_root_readonly(struct plan_ctx *c, const struct plan_step *s);

/* Makes PLAN_FD_ROOT the root of the process: pivot_root(2), or a way without it. */
int rootfs_run_pivot_root(struct plan_ctx *c, const struct plan_step *s);

/* linux.sysctl: writes through a private procfs (PLAN_FD_PROC, mounted on first use). */
int rootfs_run_write_sysctl(struct plan_ctx *c, const struct plan_step *s);

/* Mounts a private procfs of the present pid namespace, detached, into PLAN_FD_PROC if
 * that is empty, and checks that it is procfs. */
int rootfs_open_proc(struct plan_ctx *c);

#endif
