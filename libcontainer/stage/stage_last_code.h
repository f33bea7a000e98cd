/* The code of the last steps. It runs with nothing of the host's files mapped, neither the
 * runtime nor the C library, so it calls no function and touches nothing but this struct and
 * what that points to. Internal to stage_last.c. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_LAST_CODE_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_LAST_CODE_H

#include <linux/filter.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "libcontainer/process/exe_guard_maps.h"
#include "libcontainer/stage/stage.h"
#include "libcontainer/stage/stage_ask.h"

struct last {
	struct stage_status *status;
	/* Mappings to be removed first. */
	const struct exe_range *files;
	size_t n_files;
	/* The process. */
	bool makes_process, waits_for_runtime, may_leave_cgroup, has_left_cgroup;
	bool takes_terminal;
	bool has_limit;
	struct rlimit64 limit; /* RLIMIT_NPROC */
	/* create */
	bool waits_for_start;
	int channel, start_fd, status_fd;
	char wait_name[16];
	struct msghdr *hello; /* STAGE_STATUS, with status_fd */
	struct stage_packet packet;
	/* The program. */
	bool has_filter;
	uint32_t filter_flags;
	struct sock_fprog filter;
	bool has_outlived; /* the check whether the runtime is there was made before */
	char *listen_pid;  /* where the digits of the program's pid go; or NULL */
	const char *program;
	char *const *argv, *const *envp;
};

typedef void last_code(struct last *last);

/* Everything up to the moment when hooks of startContainer would run. Returns in the new
 * process; a step that fails ends it. */
void last_run_begin(struct last *last);

/* The filter and execve. Never returns, but is not said to be such a function: before a call of
 * one, the address sanitizer makes a system call, for which a filter may be waiting. */
void last_run_program(struct last *last);

/* Both. */
void last_run_all(struct last *last);

/* Ends the first process of a pid namespace (base/signals.h). */
void last_end_by_signal(int sig, siginfo_t *info, void *context);

#ifdef __x86_64__
/* What it returns to: the kernel of this machine has nothing of its own for that. */
#define LAST_RETURN_FROM_SIGNAL last_return_from_signal
void last_return_from_signal(void);
#else
#define LAST_RETURN_FROM_SIGNAL NULL
#endif

/* The section that they are in. */
extern const char __start_stage_last_code[], __stop_stage_last_code[];

#endif
