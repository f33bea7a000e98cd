/* The one table of namespace kinds: what the specification calls each, its file below
 * /proc/PID/ns, and the kernel's flag. Parser, features, plan, exec and checkpoint ask it; a
 * new kind is a line here, and one in checkpoint/criu_namespaces.c for what CRIU can do. */
#ifndef KNARR_BASE_NS_H
#define KNARR_BASE_NS_H

#include <sched.h>
#include <stdint.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* The user namespace is the first: it is joined first, for the privileges that it gives. */
#define NS_KINDS(row)                                                                                                  \
	row(NS_USER, "user", "user", CLONE_NEWUSER) row(NS_PID, "pid", "pid", CLONE_NEWPID)                            \
		row(NS_NETWORK, "network", "net", CLONE_NEWNET) row(NS_MOUNT, "mount", "mnt", CLONE_NEWNS)             \
			row(NS_IPC, "ipc", "ipc", CLONE_NEWIPC) row(NS_UTS, "uts", "uts", CLONE_NEWUTS)                \
				row(NS_CGROUP, "cgroup", "cgroup", CLONE_NEWCGROUP)                                    \
					row(NS_TIME, "time", "time", CLONE_NEWTIME)

#define NS_ENUMERATOR(kind, word, file, flag) kind,
enum ns_kind { NS_KINDS(NS_ENUMERATOR) NS_COUNT };
#undef NS_ENUMERATOR

struct ns {
	const char *word; /* config-linux.md#namespaces */
	const char *file; /* below /proc/PID/ns: namespaces(7) */
	uint64_t flag;	  /* CLONE_NEW* */
};

/* By enum ns_kind. */
extern const struct ns ns_kinds[NS_COUNT];

/* What tells two namespaces apart. */
struct ns_id {
	uint64_t device, inode;
};

/* Of this process. 0 or -errno; -ENOENT: the kernel has none of that kind. */
int ns_own_id(enum ns_kind kind, struct ns_id *ret_id);

/* Whether path names the namespace of that kind that this process is in: 1, 0, or -errno. */
int ns_is_own(enum ns_kind kind, const char *path);

#endif
