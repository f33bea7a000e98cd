/* What the kernel's log says of kills when out of memory, for when the cgroup whose
 * counters would say it is gone already. Format: dump_oom_summary() of the kernel since
 * Linux 5.0, as records of Documentation/ABI/testing/dev-kmsg. */
#ifndef KNARR_LIBCONTAINER_STATE_OOM_LOG_H
#define KNARR_LIBCONTAINER_STATE_OOM_LOG_H

#include <stddef.h>
#include <stdint.h>

struct oom_log_counts {
	uint64_t kills; /* of processes of the cgroup or of one below it */
	uint64_t below; /* of these: at a limit of the cgroup, of its scope, or of one below */
	uint64_t own;	/* of these: at a limit of the cgroup or of its scope */
};

/* Opens the log behind its last record. Its descriptor, for the caller to close, or -1:
 * whoever may not read the log (dmesg_restrict, a container) has none. */
int oom_log_open(void);

/* Counts the records since. cgroup: the path from the root of cgroup2; scope_len: how much
 * of it is the scope of systemd around it, the whole when there is none. Never waits. */
void oom_log_read(int fd, const char *cgroup, size_t scope_len, struct oom_log_counts *ret_counts);

#endif
