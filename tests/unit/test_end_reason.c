/* libcontainer/end_reason.h and end_watch.h: the words for what was counted, and that
 * counters stay known when the cgroup goes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/keyed.h"
#include "libcontainer/end_reason.h"
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
	{ { .own = true, .forks_refused = 2, .pids_max = 20 }, 1, "no more tasks (pids.max 20)" },
	{ { .own = true, .forks_refused = 2, .pids_max = 20 }, 0, NULL },
	{ { .own = true, .forks_refused = 2, .pids_max = KEYED_MAX },
	  1,
	  "no more tasks (a pids.max of a cgroup above)" },
	{ { .own = false, .forks_refused = 2, .pids_max = 20 }, 1, NULL },
	{ { .own = false }, SIGSYS_CODE, "a forbidden system call (seccomp, SIGSYS)" },
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

/* A folder stands for the cgroup; its files go away as those of a removed one. */
static void
counters_outlive_the_cgroup(void)
{
	static const char *const files[] = { "memory.events", "memory.events.local", "memory.max", "pids.events",
					     "pids.max" };
	char folder[] = "/tmp/test_end_reason.XXXXXX";
	struct end_watch w = END_WATCH_NONE;
	struct pollfd p[END_WATCH_FILES];

	end_watch_read(&w);
	CHECK(w.oom_kills == 0);
	NEED(mkdtemp(folder));
	w.dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
	rmdir(folder);
}

int
main(void)
{
	words();
	counters_outlive_the_cgroup();
	return failed;
}
