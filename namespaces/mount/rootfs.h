/* The container's file system: planned in the parent, made in the child.
 *
 * rootfs_plan_*() turn the spec into steps; memory comes from the arena of b.
 * rootfs_run_*() are the executors of those steps and allocate nothing. Every
 * container path is resolved with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
 * below PLAN_FD_ROOT. Both return 0, or -errno with err (c->err). */
#ifndef KNARR_NAMESPACES_MOUNT_ROOTFS_H
#define KNARR_NAMESPACES_MOUNT_ROOTFS_H

#include "base/host.h"
#include "oci-spec/spec.h"
#include "plan/plan.h"

/* What `knarr run --layer/--upper` add to a config. */
struct rootfs_layers {
	const char *const *dirs; /* bottom first, as given on the command line */
	size_t n;
	const char *upper; /* NULL: none; "tmpfs"; or a directory (made when missing) for "upper" and "work" */
};

struct rootfs_options {
	const char *bundle;		    /* absolute path */
	const struct rootfs_layers *layers; /* NULL: none */
	bool no_pivot;			    /* move the root instead of pivot_root(2): --no-pivot */
	bool parent_opens;		    /* sources are opened by the privileged parent (user namespace) */
	bool in_userns;			    /* the container runs in a user namespace other than the initial one */
	bool new_cgroupns;		    /* mounts of cgroup2 show the container's cgroup as their root */
	const char *cgroup;		    /* absolute path of the container's cgroup directory; NULL: none */
	bool has_terminal;		    /* there is a /dev/console to be made */
	/* Not NULL: the config is only checked. The sink is given the errors of each mount, and
	 * whether sources and layers exist is not looked at. */
	struct err_sink *sink;
};

/* config.md#root, #mounts, config-linux.md#devices. Propagation, root (bind or
 * overlay), mounts, cwd, /dev, links: all that comes before the createRuntime hooks.
 * Errors name the property. */
int rootfs_plan_mounts(struct plan_builder *b, const struct spec *spec, const struct host *host,
		       const struct rootfs_options *options, struct err *err);

/* config-linux.md#masked-paths, #readonly-paths, #rootfs-mount-propagation. Masked and
 * read-only paths, read-only root, pivot, root propagation: all that comes after the
 * createContainer hooks. */
int rootfs_plan_finish(struct plan_builder *b, const struct spec *spec, const struct host *host,
		       const struct rootfs_options *options, struct err *err);

/* For a container that runs: the mounts of spec, and nothing else of it. Binds and
 * tmpfs below "/" only: other file systems show parts of whatever namespaces the process
 * is in that mounts them. */
int mount_plan_more(struct plan_builder *b, const struct spec *spec, const struct host *host,
		    const struct rootfs_options *options, struct err *err);

/* The opposite: takes away what is mounted on the destinations of spec->mounts, the last first. */
int mount_plan_fewer(struct plan_builder *b, const struct spec *spec, struct err *err);

/* Propagation of "/" (mount_namespaces(7)): of the new namespace's mounts at first, of
 * the container's root at last. */
int root_run_propagation(struct plan_ctx *c, const struct plan_step *step);

/* The root, which becomes PLAN_FD_ROOT: a bind of root.path, or a stack of layers. */
int root_run_bind(struct plan_ctx *c, const struct plan_step *step);
int overlay_run_root(struct plan_ctx *c, const struct plan_step *step);

/* mounts[]; the first two make mount points that are missing. */
int mount_run_fs(struct plan_ctx *c, const struct plan_step *step);
int mount_run_bind(struct plan_ctx *c, const struct plan_step *step);
int mount_run_remount(struct plan_ctx *c, const struct plan_step *step);

/* Takes away the mount on a path; PLAN_FD_PROC: the directory of the process's own
 * descriptors in a procfs that can be trusted. */
int mount_run_unmount(struct plan_ctx *c, const struct plan_step *step);

/* Directories, device nodes and links, with the parents that are missing. */
int device_run_make_dir(struct plan_ctx *c, const struct plan_step *step);
int device_run_make(struct plan_ctx *c, const struct plan_step *step);
int device_run_bind(struct plan_ctx *c, const struct plan_step *step);
int device_run_make_symlink(struct plan_ctx *c, const struct plan_step *step);

/* linux.maskedPaths and linux.readonlyPaths; -ENOENT or -ENOTDIR: there is none. */
int mask_run_path(struct plan_ctx *c, const struct plan_step *step);
int mask_run_readonly_path(struct plan_ctx *c, const struct plan_step *step);

/* root.readonly: the attribute of the root's mount. */
int root_run_readonly(struct plan_ctx *c, const struct plan_step *step);

/* Makes PLAN_FD_ROOT the root of the process: pivot_root(2), or a way without it. */
int root_run_pivot(struct plan_ctx *c, const struct plan_step *step);

/* linux.sysctl: writes through a private procfs (PLAN_FD_PROC, mounted on first use). */
int proc_run_write_sysctl(struct plan_ctx *c, const struct plan_step *step);

/* Mounts a private procfs of the present pid namespace, detached, into PLAN_FD_PROC if
 * that is empty, and checks that it is procfs. */
int proc_open(struct plan_ctx *c);

#endif
