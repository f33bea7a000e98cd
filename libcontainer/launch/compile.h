/* Compiling: spec + host facts → plan. Pure but for reading what the host says
 * about itself (capabilities, LSMs, subuid) and the existence of bind sources. */
#ifndef KNARR_LIBCONTAINER_LAUNCH_COMPILE_H
#define KNARR_LIBCONTAINER_LAUNCH_COMPILE_H

#include "base/host.h"
#include "libcontainer/seccomp/seccomp.h"
#include "namespaces/mount/rootfs.h"
#include "oci-spec/spec.h"
#include "plan/plan.h"

struct compile_options {
	const char *id;
	struct rootfs_options rootfs; /* bundle, layers, no_pivot, cgroup are the caller's to set */
	bool is_create;		      /* wait for `start` before the program */
	bool no_new_keyring;
	bool has_cgroup;	/* the init is made in the container's own */
	unsigned keep_fds;	/* --preserve-fds plus LISTEN_FDS */
	unsigned listen_fds;	/* LISTEN_FDS of the caller; 0: none */
	const char *notify_dir; /* directory of the notify socket, to be mounted; NULL: none */
	const char *subid_dir;	/* "/etc"; NULL: do not look (reference host) */
};

/* Compiles the plan of a container's init (create and run) into b. Errors name
 * the property. 0 or -errno. */
int compile_init(struct plan_builder *b, const struct spec *spec, const struct host *host,
		 struct compile_options *options, struct err *err);

/* Compiles the plan of a process that enters a running container (exec) into b. spec:
 * the config that the container was made from, with spec->process (never NULL) the
 * one to run. Of options count id, no_new_keyring, has_cgroup and keep_fds.
 * enter_flags: CLONE_NEW* of the container's namespaces that are not the runtime's
 * own; deny_setgroups: its user namespace does. 0 or -errno. */
int compile_exec(struct plan_builder *b, const struct spec *spec, const struct host *host,
		 const struct compile_options *options, uint64_t enter_flags, bool deny_setgroups, struct err *err);

#endif
