/* CRIU's remote procedure calls: `criu swrk FD` serves one request over a
 * SOCK_SEQPACKET socket, in Protocol Buffers, and asks back meanwhile
 * (notifications). https://criu.org/RPC
 *
 * The numbers below are those of CRIU's interface, images/rpc.proto. CRIU skips
 * fields that it does not know. */
#ifndef KNARR_LIBCONTAINER_CHECKPOINT_CRIU_RPC_H
#define KNARR_LIBCONTAINER_CHECKPOINT_CRIU_RPC_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/protobuf.h"

enum criu_request { CRIU_DUMP = 1, CRIU_RESTORE = 2, CRIU_PRE_DUMP = 4, CRIU_NOTIFY = 6 };

/* Fields of criu_opts. */
enum criu_option {
	CRIU_OPT_IMAGES_DIR_FD = 1, /* descriptors of CRIU's process, which opens them anew through /proc */
	CRIU_OPT_PID = 2,
	CRIU_OPT_LEAVE_RUNNING = 3,
	CRIU_OPT_EXT_UNIX_SK = 4,
	CRIU_OPT_TCP_ESTABLISHED = 5,
	CRIU_OPT_EVASIVE_DEVICES = 6,
	CRIU_OPT_SHELL_JOB = 7,
	CRIU_OPT_FILE_LOCKS = 8,
	CRIU_OPT_LOG_LEVEL = 9,
	CRIU_OPT_LOG_FILE = 10,
	CRIU_OPT_PAGE_SERVER = 11,
	CRIU_OPT_NOTIFY_SCRIPTS = 12,
	CRIU_OPT_ROOT = 13,
	CRIU_OPT_PARENT_IMG = 14,
	CRIU_OPT_TRACK_MEM = 15,
	CRIU_OPT_AUTO_DEDUP = 16,
	CRIU_OPT_WORK_DIR_FD = 17,
	CRIU_OPT_LINK_REMAP = 18,
	CRIU_OPT_MANAGE_CGROUPS = 24,
	CRIU_OPT_CG_ROOT = 25,
	CRIU_OPT_RST_SIBLING = 26,
	CRIU_OPT_INHERIT_FD = 27,
	CRIU_OPT_MANAGE_CGROUPS_MODE = 34,
	CRIU_OPT_EXTERNAL = 37,
	CRIU_OPT_EMPTY_NS = 38,
	CRIU_OPT_JOIN_NS = 39,
	CRIU_OPT_FREEZE_CGROUP = 44,
	CRIU_OPT_TCP_SKIP_IN_FLIGHT = 46,
	CRIU_OPT_LAZY_PAGES = 48,
	CRIU_OPT_ORPHAN_PTS_MASTER = 50,
	CRIU_OPT_CONFIG_FILE = 51,
	CRIU_OPT_TCP_CLOSE = 52,
	CRIU_OPT_LSM_PROFILE = 53,
	CRIU_OPT_LSM_MOUNT_CONTEXT = 63,
	CRIU_OPT_NETWORK_LOCK = 64,
};

/* One call. */
struct criu_call {
	struct arena *arena;
	const char *program; /* of criu_find() */
	enum criu_request type;
	const struct protobuf *options;
	const char *log_dir, *log_file; /* where CRIU leaves its messages; removed before the call */
	const int *inherit;		/* descriptors that CRIU is to have under the same number */
	size_t n_inherit;
	void *data; /* for the two functions */

	/* In CRIU's process before its exec; NULL: nothing to do. 0 or -errno with err. */
	int (*prepare)(void *data, struct err *err);
	/* A notification ("post-restore") with the pid of the container's init, or 0,
	 * and a descriptor, or -1: to be taken with fd_take() if it is to stay. An
	 * error makes CRIU give up and undo. */
	int (*notify)(void *data, const char *event, pid_t pid, int *fd, struct err *err);
};

/* Runs `criu` and makes one call. 0 or -errno with err: what CRIU's log calls
 * errors, and where that log is. *ret_pid: the restored init, a child of the
 * caller; else 0. */
int criu_call(const struct criu_call *call, struct err *err, pid_t *ret_pid);

/* Where `criu` is: helper_find(). To be called before anything is changed. 0 or -errno with
 * err; -ENOENT or -EACCES: not installed. */
int criu_find(struct arena *a, struct err *err, const char **ret_program);

/* criu_log.c: adds to err the errors of that log, or else message (NULL: none), and
 * the log's name if there is one. */
void criu_log_add_errors(struct arena *a, const char *dir, const char *file, const char *message, struct err *err);

#endif
