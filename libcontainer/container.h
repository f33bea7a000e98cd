/* What the commands call: one function per operation of runtime.md#operations, and for
 * those that it does not have. Each returns 0, or -errno with err. */
#ifndef KNARR_LIBCONTAINER_CONTAINER_H
#define KNARR_LIBCONTAINER_CONTAINER_H

#include <signal.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/host.h"
#include "cgroups/cgroup.h"
#include "libcontainer/state/state.h"
#include "namespaces/mount/rootfs.h"
#include "oci-spec/spec.h"
#include "plan/plan.h"

/* Global options that matter below the command line. */
struct container_env {
	const char *root; /* state root, absolute */
	enum cgroup_manager cgroup_manager;
	bool allow_annotations; /* those that reach the host as well, though root runs this */
	struct arena *arena;
	const struct state_root *open_root; /* for container_state(), which opens it itself where this is NULL */
	/* The cgroup of the container that is deleted, if this process has it open and so knows it
	 * without its mark, which it may no longer read (restrain_self()); NULL: it has not. */
	const struct cgroup *open_cgroup;
};

struct container_create_options {
	const char *id;
	const char *bundle;	    /* directory; made absolute by the library */
	const char *config;	    /* NULL: config.json in the bundle */
	const char *pid_file;	    /* NULL: none */
	const char *console_socket; /* NULL: none */
	const char *pidfd_socket;   /* is sent the pidfd of the init; NULL: none */
	unsigned preserve_fds;	    /* 3 … 3+n-1 stay open in the program */
	bool no_pivot, no_new_keyring;
	bool detach, keep;		    /* run only */
	const struct rootfs_layers *layers; /* NULL: none */
	struct spec_report *report;	    /* filled by the library (memory: env->arena); NULL: not wanted */
	struct err_sink *sink;		    /* container_check() alone: see rootfs_options */
};

/* create: everything but the program. On failure nothing is left. */
int container_create(const struct container_env *env, const struct container_create_options *options, struct err *err);

/* run: create and start in one. In the foreground it waits, relays terminal and
 * signals, deletes (unless keep), and sets *ret_exit to the program's status
 * (128+N for a signal). */
int container_run(const struct container_env *env, const struct container_create_options *options, struct err *err,
		  int *ret_exit);

struct container_exec_options {
	const char *id;
	const char *process; /* file with a process object, "-": standard input; NULL: the config's, with args */
	const char *const *args;
	size_t n_args; /* 0 only with process */
	/* What is given changes or adds to the process. */
	const char *cwd;
	const char *const *env;
	size_t n_env;
	struct opt_u32 uid, gid;
	const uint32_t *gids; /* additional groups */
	size_t n_gids;
	uint64_t capabilities; /* added to bounding, effective, permitted; bit n: capability n */
	const char *selinux_label, *apparmor_profile;
	bool terminal, no_new_privileges;
	const char *cgroup; /* path below the container's cgroup, which must exist; NULL: where its init is */
	const char *pid_file, *console_socket, *pidfd_socket;
	unsigned preserve_fds;
	bool detach, ignore_paused;
	struct spec_report *report; /* of the file process; memory: env->arena; never NULL */
};

/* exec: another process in a container. In the foreground it relays terminal and
 * signals and sets *ret_exit to the program's status. A container that has ended,
 * before or meanwhile: -ESRCH with the text "container not running". */
int container_exec(const struct container_env *env, const struct container_exec_options *options, struct err *err,
		   int *ret_exit);

/* Runs the program of a created container, with its startContainer and poststart
 * hooks; one that fails ends and removes the container (runtime.md#lifecycle). Any
 * other failure leaves it stopped. */
int container_start(const struct container_env *env, const char *id, struct err *err);

/* all: every process of the container's cgroup. Not running: -ESRCH with the
 * text "container not running". */
int container_kill(const struct container_env *env, const char *id, int sig, bool all, struct err *err);

/* force: kill it first, and no error when there is no such container. */
int container_delete(const struct container_env *env, const char *id, bool force, struct err *err);

/* Freezes and thaws the container's cgroup, which may take 10 s (-ETIMEDOUT). A container
 * without one, or that is not running (-ESRCH), or paused already, or not paused, is an
 * error. */
int container_pause(const struct container_env *env, const char *id, struct err *err);
int container_resume(const struct container_env *env, const char *id, struct err *err);

/* Pids of all processes in the container's cgroup, in the runtime's pid namespace;
 * of its init alone when it has no cgroup. Memory from env->arena. */
int container_processes(const struct container_env *env, const char *id, struct err *err, pid_t **ret_pids,
			size_t *ret_n);

/* Writes new limits to the container's cgroup; what resources leaves out stays.
 * Its device rules are ignored. rdt, if not NULL: lines for the schemata of its group
 * of resctrl. Errors as of create: a limit whose controller is missing is one. */
int container_update(const struct container_env *env, const char *id, const struct spec_resources *resources,
		     const struct spec_intel_rdt *rdt, struct err *err);

/* What checkpoint and restore let CRIU do; criu(8). */
struct container_criu_options {
	const char *image_path;		 /* directory of the image; NULL: "checkpoint" */
	const char *work_path;		 /* directory of logs and sockets; NULL: image_path */
	const char *parent_path;	 /* of an earlier pre-dump, relative to image_path; NULL: none */
	const char *page_server;	 /* ADDRESS:PORT that memory is sent to; NULL: none */
	const char *manage_cgroups_mode; /* soft, full, strict, ignore; NULL: soft */
	const char *network_lock;	 /* iptables, nftables, skip; NULL: what this system has */
	const char *empty_ns;		 /* "network": its contents are left out; NULL: none */
	const char *lsm_profile, *lsm_mount_context;
	int status_fd; /* told when lazy pages can be fetched; -1: none */
	bool leave_running, pre_dump, tcp_established, tcp_skip_in_flight, tcp_close, ext_unix_sk, shell_job,
		file_locks, lazy_pages, auto_dedup, link_remap;
};

/* checkpoint: writes an image of a running or paused container and deletes it,
 * unless the options say that it stays. After an error it runs on. */
int container_checkpoint(const struct container_env *env, const char *id, const struct container_criu_options *options,
			 struct err *err);

/* restore: run, from an image; config and bundle are the caller's. */
int container_restore(const struct container_env *env, const struct container_create_options *options,
		      const struct container_criu_options *criu, struct err *err, int *ret_exit);

/* State and status of a container; memory from env->arena. */
int container_state(const struct container_env *env, const char *id, struct err *err, struct state **ret_state,
		    enum container_status *ret_status);

/* Its state alone, as it is saved. */
int container_saved_state(const struct container_env *env, const char *id, struct err *err, struct state **ret_state);

/* Whether a container can be made from a config, as far as the config alone tells: everything
 * that run and create refuse or warn of goes to options->report (never NULL), with its place.
 * Compiles for the reference host; nothing but the config is looked at. 0 or -errno; an error
 * that is in the report, too, is -EINVAL. */
int container_check(const struct container_env *env, const struct container_create_options *options, struct err *err);

/* Compiles only: for `knarr plan` and golden tests. host NULL: probe. The caller frees
 * *ret_plan with plan_free(). */
int container_plan(const struct container_env *env, const struct container_create_options *options,
		   const struct host *host, struct err *err, struct plan **ret_plan);

#endif
