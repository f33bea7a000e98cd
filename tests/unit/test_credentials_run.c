/* Credentials: what a program has after the steps have run and it was executed.
 * Needs root. What the plan says is in test_credentials.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/credentials_fixture.h"

typedef int step_fn(struct plan_ctx *c, const struct plan_step *s);

static step_fn *const runners[PLAN_KIND_COUNT] = {
	[PLAN_SET_RLIMIT] = attributes_run_rlimit,
	[PLAN_SET_OOM_SCORE] = attributes_run_oom_score,
	[PLAN_SET_SCHEDULER] = attributes_run_scheduler,
	[PLAN_SET_IO_PRIORITY] = attributes_run_io_priority,
	[PLAN_SET_PERSONALITY] = attributes_run_personality,
	[PLAN_SET_MEMORY_POLICY] = attributes_run_memory_policy,
	[PLAN_SET_IDS] = credentials_run_ids,
	[PLAN_CHANGE_DIR] = credentials_run_change_dir,
	[PLAN_SET_CAPABILITIES] = credentials_run_capabilities,
};

static void
run_all(struct fixture *f, struct err *err)
{
	static struct plan_ctx c;

	c.plan = f->plan;
	c.err = err;
	memset(c.fds, -1, sizeof(c.fds));
	for (uint32_t i = 0; i < f->plan->n_steps; i++)
		if (runners[f->plan->steps[i].kind](&c, &f->plan->steps[i]) < 0)
			_exit(1);
}

/* Runs the plan in a child which then executes a program that prints file. err
 * is shared with the child. */
static int
output_of(struct fixture *f, const char *file, char *buf, size_t size)
{
	struct err *err = mmap(NULL, sizeof(*err), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fds[2], status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	err_clear(err);
	if (compile(f) < 0) {
		printf("compile: %s\n", f->err.msg);
		return -1;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		run_all(f, err);
		execl("/bin/cat", "cat", file, NULL);
		_exit(2);
	}
	close(fds[1]);
	while ((n = read(fds[0], buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	f->err = *err;
	munmap(err, sizeof(*err));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
check_line(const char *text, const char *line, int at)
{
	if (strstr(text, line))
		return;
	printf("%s:%d: no line \"%s\" in:\n%s", __FILE__, at, line, text);
	failed = 1;
}

struct caps_case {
	uint32_t uid;
	bool seccomp; /* keeps CAP_SYS_ADMIN until execve */
	uint64_t bounding, effective, permitted, inheritable, ambient;
	uint64_t bnd, eff, prm, inh, amb; /* of the program: measured with runc 1.1.5 */
	int line;
};

#define N CAP(NET_BIND)
#define K CAP(KILL)
static const struct caps_case caps_cases[] = {
	{ 0, false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, __LINE__ },
	{ 0, true, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, __LINE__ },
	{ 0, false, N | K, N | K, N | K, 0, 0, N | K, N | K, N | K, 0, 0, __LINE__ },
	{ 0, true, N | K, N | K, N | K, 0, 0, N | K, N | K, N | K, 0, 0, __LINE__ },
	{ 0, false, N | K, 0, 0, 0, 0, N | K, N | K, N | K, 0, 0, __LINE__ },
	{ 0, true, N, N, N, N, N, N, N, N, N, N, __LINE__ },
	{ 1000, false, N | K, N | K, N | K, 0, 0, N | K, 0, 0, 0, 0, __LINE__ },
	{ 1000, true, N | K, N | K, N | K, 0, 0, N | K, 0, 0, 0, 0, __LINE__ },
	{ 1000, false, N | K, N, N, N, N, N | K, N, N, N, N, __LINE__ },
	{ 1000, true, N | K, N, N, N, N, N | K, N, N, N, N, __LINE__ },
	{ 1000, true, N | K, N | K, N | K, N | K, 0, N | K, 0, 0, N | K, 0, __LINE__ },
};
#undef N
#undef K

static void
test_capabilities_after_exec(void)
{
	struct spec_seccomp seccomp = { 0 };

	for (size_t i = 0; i < sizeof(caps_cases) / sizeof(caps_cases[0]); i++) {
		const struct caps_case *t = &caps_cases[i];
		char text[8192], line[64];
		struct fixture f;

		fixture_init(&f);
		f.process.user.uid = f.process.user.gid = t->uid;
		f.capabilities = (struct spec_capabilities){ t->bounding, t->effective, t->inheritable, t->permitted,
							     t->ambient };
		if (t->seccomp)
			f.spec.linux_.seccomp = &seccomp;
		CHECK(output_of(&f, "/proc/self/status", text, sizeof(text)) == 0);
		if (f.err.msg[0])
			printf("%s\n", f.err.msg);
		snprintf(line, sizeof(line), "CapBnd:\t%016llx\n", (unsigned long long)t->bnd);
		check_line(text, line, t->line);
		snprintf(line, sizeof(line), "CapEff:\t%016llx\n", (unsigned long long)t->eff);
		check_line(text, line, t->line);
		snprintf(line, sizeof(line), "CapPrm:\t%016llx\n", (unsigned long long)t->prm);
		check_line(text, line, t->line);
		snprintf(line, sizeof(line), "CapInh:\t%016llx\n", (unsigned long long)t->inh);
		check_line(text, line, t->line);
		snprintf(line, sizeof(line), "CapAmb:\t%016llx\n", (unsigned long long)t->amb);
		check_line(text, line, t->line);
		snprintf(line, sizeof(line), "Uid:\t%u\t%u\t%u\t%u\n", t->uid, t->uid, t->uid, t->uid);
		check_line(text, line, t->line);
		fixture_free(&f);
	}
}

static void
test_ids_after_exec(void)
{
	uint32_t gids[] = { 5, 4294967294U, 6 };
	char text[8192];
	struct fixture f;

	fixture_init(&f);
	f.process.user = (struct spec_user){ 1234, 5678, { true, 027 }, { gids, 3 } };
	CHECK(output_of(&f, "/proc/self/status", text, sizeof(text)) == 0);
	check_line(text, "Gid:\t5678\t5678\t5678\t5678\n", __LINE__);
	check_line(text, "Groups:\t5 6 4294967294 \n", __LINE__);
	check_line(text, "Umask:\t0027\n", __LINE__);
	fixture_free(&f);

	fixture_init(&f);
	CHECK(output_of(&f, "/proc/self/status", text, sizeof(text)) == 0);
	check_line(text, "Groups:\t \n", __LINE__);
	fixture_free(&f);
}

static void
test_limits_after_exec(void)
{
	struct spec_rlimit limits[] = { { RLIMIT_NOFILE, NULL, 20, 30 }, { RLIMIT_CORE, NULL, 1, 2 } };
	char text[8192];
	struct fixture f;

	fixture_init(&f);
	f.process.rlimits = limits;
	f.process.n_rlimits = 2;
	CHECK(output_of(&f, "/proc/self/limits", text, sizeof(text)) == 0);
	check_line(text, "Max open files            20                   30 ", __LINE__);
	check_line(text, "Max core file size        1                    2 ", __LINE__);
	fixture_free(&f);

	fixture_init(&f);
	f.process.oom_score_adj = (struct opt_i64){ true, 321 };
	CHECK(output_of(&f, "/proc/self/oom_score_adj", text, sizeof(text)) == 0);
	check_line(text, "321\n", __LINE__);
	fixture_free(&f);

	fixture_init(&f);
	f.spec.linux_.personality.set = true;
	f.spec.linux_.personality.domain = 8; /* PER_LINUX32 */
	CHECK(output_of(&f, "/proc/self/personality", text, sizeof(text)) == 0);
	check_line(text, "00000008\n", __LINE__);
	fixture_free(&f);
}

static void
test_scheduler_after_exec(void)
{
	struct spec_scheduler sched = { .policy = SCHED_BATCH, .nice = { true, 5 } };
	struct spec_io_priority io = { 3, 0 };
	struct spec_memory_policy mem = { MPOL_BIND, (char *)"0", 0 };
	char text[65536];
	struct fixture f;

	fixture_init(&f);
	f.process.scheduler = &sched;
	f.process.io_priority = &io;
	CHECK(output_of(&f, "/proc/self/stat", text, sizeof(text)) == 0);
	CHECK(strstr(text, " 25 5 1 0 ")); /* priority, nice, threads */
	fixture_free(&f);

	fixture_init(&f);
	f.spec.linux_.memory_policy = &mem;
	if (output_of(&f, "/proc/self/numa_maps", text, sizeof(text)) == 0)
		check_line(text, " bind:0 ", __LINE__);
	else
		CHECK(f.err.code == ENOSYS || !f.err.msg[0]); /* no NUMA in the kernel */
	fixture_free(&f);
}

/* In a root of its own, where descriptor 100 is a directory outside of it. */
static void
enter_root(const char *root, const char *outside)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(root, root, NULL, MS_BIND, NULL) < 0 || chdir(root) < 0 || mkdir("proc", 0755) < 0 ||
	    mount("proc", "proc", "proc", 0, NULL) < 0 ||
	    dup2(open(outside, O_PATH | O_DIRECTORY | O_CLOEXEC), 100) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		_exit(3);
}

/* CVE-2024-21626: a cwd that is a descriptor left open on a directory outside. */
static void
check_cwd(const char *cwd, int expected_exit, const char *text)
{
	struct err *err = mmap(NULL, sizeof(*err), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char dir[] = "/tmp/knarr-test-XXXXXX", root[64], proc[80];
	static struct plan_ctx c;
	struct fixture f;
	int status = 0;
	pid_t pid;

	fixture_init(&f);
	f.process.cwd = (char *)cwd;
	CHECK(mkdtemp(dir) != NULL);
	snprintf(root, sizeof(root), "%s/root", dir);
	snprintf(proc, sizeof(proc), "%s/proc", root);
	CHECK(mkdir(root, 0755) == 0 && compile(&f) == 0);
	err_clear(err);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		enter_root(root, dir);
		c.plan = f.plan;
		c.err = err;
		_exit(credentials_run_change_dir(&c, find(&f, PLAN_CHANGE_DIR)) < 0 ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == expected_exit);
	CHECK(strstr(err->msg, text));
	CHECK(rmdir(proc) == 0 && rmdir(root) == 0 && rmdir(dir) == 0);
	munmap(err, sizeof(*err));
	fixture_free(&f);
}

static void
test_cwd(void)
{
	check_cwd("/proc", 0, "");
	check_cwd("/proc/self/fd/100", 1, "outside the container's root");
	check_cwd("/none", 1, "chdir to cwd '/none'");
}

int
main(void)
{
	if (geteuid() != 0) {
		printf("SKIP: running the steps needs root\n");
		return SKIP;
	}
	test_capabilities_after_exec();
	test_ids_after_exec();
	test_limits_after_exec();
	test_scheduler_after_exec();
	test_cwd();
	return failed;
}
