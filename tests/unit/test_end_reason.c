/* libcontainer/state/end_reason.h, end_watch.h and oom_log.h: the words for what was counted, and
 * that it stays known when the cgroup goes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/keyed.h"
#include "libcontainer/state/end_reason.h"
#include "libcontainer/state/oom_log.h"
#include "tests/unit/check.h"

#define KILLED	    137
#define SIGSYS_CODE 159
#define MIB	    (1024 * 1024)

static const struct {
	struct end_watch seen;
	int code;
	const char *reason;
} cases[] = {
	{ { .own = true, .memory_max = KEYED_MAX, .pids_max = KEYED_MAX }, KILLED, NULL },
	{ { .own = true, .oom_kills = 1, .oom = 1, .own_oom = 1, .memory_max = 64 * MIB },
	  KILLED,
	  "out of memory (memory.max 64 MiB)" },
	/* Also when the init went on and ended by itself, and when its status is not known. */
	{ { .own = true, .oom_kills = 3, .oom = 3, .own_oom = 3, .memory_max = 64 * MIB },
	  0,
	  "out of memory (memory.max 64 MiB; 3 processes killed)" },
	{ { .own = true, .oom_kills = 1, .oom = 1, .memory_max = KEYED_MAX },
	  END_CODE_UNKNOWN,
	  "out of memory (a limit of a cgroup in it)" },
	{ { .own = true, .oom_kills = 1, .memory_max = KEYED_MAX },
	  KILLED,
	  "out of memory (of the host or of a cgroup above)" },
	/* systemd removed the cgroup before the kill was read. */
	{ { .own = true, .gone = true, .oom = 1, .own_oom = 1, .memory_max = 64 * MIB },
	  KILLED,
	  "out of memory (memory.max 64 MiB)" },
	{ { .own = true, .gone = true, .oom = 1, .own_oom = 1, .memory_max = 64 * MIB }, 1, NULL },
	{ { .own = true, .oom = 1, .own_oom = 1, .memory_max = 64 * MIB }, KILLED, NULL },
	/* In somebody else's cgroup the kill may have been another's. */
	{ { .own = false, .oom_kills = 1, .oom = 1, .own_oom = 1, .memory_max = 64 * MIB }, 1, NULL },
	{ { .own = false, .oom_kills = 1, .oom = 1, .own_oom = 1, .memory_max = 64 * MIB },
	  KILLED,
	  "out of memory (memory.max 64 MiB)" },
	{ { .own = true, .forks_refused = 2, .pids_max = 20 }, 1, "PID limit reached (pids.max 20)" },
	{ { .own = true, .forks_refused = 2, .pids_max = 20 }, 0, NULL },
	{ { .own = true, .forks_refused = 2, .pids_max = KEYED_MAX },
	  1,
	  "PID limit reached (a pids.max of a cgroup above)" },
	{ { .own = false, .forks_refused = 2, .pids_max = 20 }, 1, NULL },
	{ { .own = false }, SIGSYS_CODE, "seccomp violation (SIGSYS)" },
};

static void
words(void)
{
	auto_arena struct arena a = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *reason = end_reason(&cases[i].seen, cases[i].code, &a), *wanted = cases[i].reason;

		CHECK(!reason == !wanted && (!reason || !strcmp(reason, wanted)), "case %zu: %s", i,
		      reason ? reason : "none");
	}
}

static void
put(int dirfd, const char *name, const char *text)
{
	auto_close int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s", name);
}

/* A directory stands for the cgroup; its files go away as those of a removed one. */
static void
counters_outlive_the_cgroup(void)
{
	static const char *const files[] = { "memory.events", "memory.events.local", "memory.max", "pids.events",
					     "pids.max" };
	char directory[] = "/tmp/test_end_reason.XXXXXX";
	struct end_watch w = END_WATCH_NONE;
	struct pollfd p[END_WATCH_FILES];

	end_watch_read(&w);
	CHECK(w.oom_kills == 0);
	NEED(mkdtemp(directory));
	w.dirfd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(w.dirfd, "memory.events", "low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\n");
	put(w.dirfd, "memory.events.local", "low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\n");
	put(w.dirfd, "memory.max", "4096\n");
	put(w.dirfd, "pids.events", "max 7\n");
	put(w.dirfd, "pids.max", "20\n");
	end_watch_read(&w);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(w.dirfd, files[i], 0);
	end_watch_read(&w);
	CHECK(w.oom_kills == 1 && w.oom == 2 && w.own_oom == 2 && w.memory_max == 4096);
	CHECK(w.forks_refused == 7 && w.pids_max == 20 && w.gone);
	/* It goes between two reads. */
	put(w.dirfd, "memory.events", "oom 3\noom_kill 2\n");
	w.own_oom = 0;
	end_watch_read(&w);
	CHECK(w.oom_kills == 2 && w.own_oom == 3 && w.memory_max == 4096 && !w.gone);
	unlinkat(w.dirfd, "memory.events", 0);
	end_watch_poll(&w, p);
	CHECK(p[0].fd == -1 && p[1].fd == -1);
	end_watch_close(&w);
	CHECK(w.dirfd == -1 && w.oom_kills == 2);
	rmdir(directory);
}

/* ---- the kernel's log ------------------------------------------------- */

#define SCOPE "/system.slice/knarr,a.scope"
#define KILL(memcg, task)                                                                                              \
	"6,812,97264,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=" memcg  \
	",task_memcg=" task ",task=dd,pid=7,uid=0\n SUBSYSTEM=memory\n"

static const struct {
	const char *record;
	struct oom_log_counts counts;
} records[] = {
	{ KILL(SCOPE "/container", SCOPE "/container"), { 1, 1, 1 } },
	{ KILL(SCOPE, SCOPE "/container"), { 1, 1, 1 } },
	{ KILL(SCOPE, SCOPE "/container/inner"), { 1, 1, 1 } },
	{ KILL(SCOPE "/container/inner", SCOPE "/container/inner"), { 1, 1, 0 } },
	{ KILL("/system.slice", SCOPE "/container"), { 1, 0, 0 } },
	/* Others: of a name that begins alike, beside the container, not of the kernel. */
	{ KILL(SCOPE "/container2", SCOPE "/container2"), { 0, 0, 0 } },
	{ KILL(SCOPE, SCOPE "/other"), { 0, 0, 0 } },
	{ KILL("/x" SCOPE "/container", "/x" SCOPE "/container"), { 0, 0, 0 } },
	{ "14,1,1,-;oom-kill:x,oom_memcg=" SCOPE "/container,task_memcg=" SCOPE "/container,task=a", { 0, 0, 0 } },
	{ "6,1,1,-;Killed oom-kill:,task_memcg=" SCOPE "/container,", { 0, 0, 0 } },
	{ "6,1,1,-;oom-kill:,task_memcg=" SCOPE, { 0, 0, 0 } },
	/* No cgroup's limit: the machine has no more. */
	{ "6,1,1,-;oom-kill:constraint=CONSTRAINT_NONE,global_oom,task_memcg=" SCOPE "/container,task=a", { 1, 0, 0 } },
};

/* A socket that keeps records apart stands for /dev/kmsg. */
static void
log_records(void)
{
	int ends[2];

	NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		const struct oom_log_counts *wanted = &records[i].counts;
		struct oom_log_counts c = { 9, 9, 9 };

		NEED(write(ends[1], records[i].record, strlen(records[i].record)) > 0);
		oom_log_read(ends[0], SCOPE "/container", strlen(SCOPE), &c);
		CHECK(c.kills == wanted->kills && c.below == wanted->below && c.own == wanted->own, "case %zu", i);
	}
	close(ends[0]);
	close(ends[1]);
}

/* The scope is gone and nothing was read of its counters. */
static void
log_outlives_the_cgroup(void)
{
	static const char kill[] = KILL(SCOPE, SCOPE "/container");
	auto_arena struct arena a = { 0 };
	char directory[] = "/tmp/test_end_reason.XXXXXX";
	struct end_watch w = END_WATCH_NONE;
	int ends[2];

	NEED(mkdtemp(directory) && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	w = (struct end_watch){ .dirfd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				.scope_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				.files = { -1, -1 },
				.log_fd = ends[0],
				.own = true,
				.memory_max = 32 * MIB,
				.path = SCOPE "/container" };
	NEED(write(ends[1], kill, sizeof(kill) - 1) > 0);
	end_watch_read(&w);
	CHECK(w.gone && w.oom_kills == 1 && w.oom == 1 && w.own_oom == 1);
	CHECK(end_reason(&w, KILLED, &a) && !strcmp(end_reason(&w, KILLED, &a), "out of memory (memory.max 32 MiB)"));
	end_watch_read(&w);
	CHECK(w.oom_kills == 1 && w.log_fd == -1);
	end_watch_close(&w);
	close(ends[1]);
	rmdir(directory);
}

int
main(void)
{
	words();
	counters_outlive_the_cgroup();
	log_records();
	log_outlives_the_cgroup();
	return failed;
}
