/* Hooks: state on stdin, order, environment, failures, timeouts, descriptors;
 * in the runtime (hooks_run) and as a step of the init (hooks_run_step). */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/process/hooks.h"
#include "tests/unit/check.h"
#include "tests/unit/log_capture.h"

static char out[64]; /* file that the hooks write */

/* ---- help ------------------------------------------------------------ */

/* A hook that runs a line of shell; the file for its output is $OUT. */
struct shell_hook {
	char *args[4];
	char *env[2];
	char variable[80];
	struct spec_hook hook;
};

static struct spec_hook *
shell(struct shell_hook *s, const char *line)
{
	snprintf(s->variable, sizeof(s->variable), "OUT=%s", out);
	s->args[0] = (char *)"sh";
	s->args[1] = (char *)"-c";
	s->args[2] = (char *)line;
	s->env[0] = s->variable;
	s->hook = (struct spec_hook){
		.path = (char *)"/bin/sh", .args = { s->args, 3 }, .env = { s->env, 1 }, .has_env = true
	};
	return &s->hook;
}

static int
run(struct spec_hook *hook, const char *state, struct err *err)
{
	struct spec_hooks_list list = { hook, 1 };

	err_clear(err);
	CHECK(truncate(out, 0) == 0);
	return hooks_run("poststart", &list, NULL, state, NULL, -1, false, err);
}

static const char *
output(void)
{
	static char text[65536];

	if (fd_read_small_at(AT_FDCWD, out, text, sizeof(text)) < 0)
		text[0] = '\0';
	return text;
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned
open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* ---- in the runtime -------------------------------------------------- */

static void
test_state(void)
{
	struct shell_hook s;
	struct err err;
	char *big;

	CHECK(run(shell(&s, "cat > $OUT"), "{\"id\":\"x\"}", &err) == 0);
	CHECK(!strcmp(output(), "{\"id\":\"x\"}"));
	CHECK(run(shell(&s, "cat > $OUT"), "", &err) == 0 && !output()[0]);

	/* More than a pipe holds: read in full, late, and not at all. */
	big = malloc(1000001);
	memset(big, 'a', 1000000);
	big[1000000] = '\0';
	CHECK(run(shell(&s, "sleep 0.2; wc -c > $OUT"), big, &err) == 0);
	CHECK(!strcmp(output(), "1000000"));
	CHECK(run(shell(&s, "exec 0<&-; sleep 0.1"), big, &err) == 0);
	CHECK(run(shell(&s, "true"), big, &err) == 0);
	free(big);
}

static void
test_failures(void)
{
	struct spec_hook none = { .path = (char *)"/no/such/hook" }, dir = { .path = (char *)"/tmp" };
	struct shell_hook s;
	struct err err;

	CHECK(run(shell(&s, "exit 3"), "", &err) == -EINVAL);
	CHECK(!strcmp(err.msg, "hooks.poststart[0]: error running hook: '/bin/sh' exited with status 3") && !err.code);
	CHECK(run(shell(&s, "kill -9 $$"), "", &err) == -EINVAL);
	CHECK(!strcmp(err.msg, "hooks.poststart[0]: error running hook: '/bin/sh' was killed by signal 9"));
	CHECK(run(&none, "", &err) == -ENOENT && err.code == ENOENT);
	CHECK(!strcmp(err.msg, "hooks.poststart[0]: error running hook: '/no/such/hook'"));
	CHECK(run(&dir, "", &err) == -EACCES);
}

static void
test_order(void)
{
	struct shell_hook s[3];
	struct spec_hook hooks[3];
	struct spec_hooks_list list = { hooks, 3 };
	struct err err;

	hooks[0] = *shell(&s[0], "echo a >> $OUT");
	hooks[1] = *shell(&s[1], "echo b >> $OUT; exit 1");
	hooks[2] = *shell(&s[2], "echo c >> $OUT");
	err_clear(&err);
	CHECK(truncate(out, 0) == 0);
	CHECK(hooks_run("createRuntime", &list, NULL, "", NULL, -1, false, &err) == -EINVAL);
	CHECK(!strcmp(output(), "a\nb") && !strncmp(err.msg, "hooks.createRuntime[1]: ", 24));

	CHECK(truncate(out, 0) == 0);
	log_captured[0] = '\0';
	CHECK(hooks_run("poststop", &list, NULL, "", NULL, -1, true, &err) == 0);
	CHECK(!strcmp(output(), "a\nb\nc"));
	CHECK(!strcmp(log_captured, "hooks.poststop[1]: error running hook: '/bin/sh' exited with status 1\n"));
}

static void
test_timeout(void)
{
	struct shell_hook s;
	struct err err;
	double begin = seconds();
	pid_t survivor;

	shell(&s, "sleep 30 & echo $! > $OUT; wait");
	s.hook.timeout = (struct opt_i64){ true, 1 };
	CHECK(run(&s.hook, "", &err) == -EINVAL);
	CHECK(strstr(err.msg, "'/bin/sh' was killed after its timeout of 1 seconds"));
	CHECK(seconds() - begin > 0.9 && seconds() - begin < 10);
	survivor = (pid_t)strtol(output(), NULL, 10);
	/* What it started is dead too, or a zombie of somebody else. */
	for (int i = 0; i < 50 && kill(survivor, 0) == 0; i++) {
		char stat[64], text[512];

		snprintf(stat, sizeof(stat), "/proc/%d/stat", (int)survivor);
		if (fd_read_small_at(AT_FDCWD, stat, text, sizeof(text)) < 0 || strstr(text, ") Z "))
			break;
		usleep(20000);
		CHECK(i < 49);
	}

	shell(&s, "true");
	s.hook.timeout = (struct opt_i64){ true, INT64_MAX };
	CHECK(run(&s.hook, "", &err) == 0);
}

static void
test_environment(void)
{
	char *args[] = { (char *)"zero", (char *)"-c", (char *)"echo $0 ${INHERITED-unset} > /proc/self/fd/1; exit 0" };
	struct spec_hook hook = { .path = (char *)"/usr/bin/env" };
	struct shell_hook s;
	struct err err;
	int saved = dup(2), fd = open(out, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	setenv("INHERITED", "yes", 1);
	dup2(fd, 2);
	/* What hooks print goes there. No args: argv[0] is the path. No env: the runtime's. */
	CHECK(run(&hook, "", &err) == 0 && strstr(output(), "INHERITED=yes"));
	hook.has_env = true;
	CHECK(run(&hook, "", &err) == 0 && !output()[0]);
	shell(&s, "");
	s.hook.args.items = args;
	s.hook.has_env = false;
	s.hook.env.n = 0;
	lseek(2, 0, SEEK_SET);
	CHECK(run(&s.hook, "", &err) == 0 && !strcmp(output(), "zero yes"));
	dup2(saved, 2);
	close(saved);
	close(fd);
}

/* Ignored and blocked signals, and a descriptor that somebody left open. */
static void
test_inheritance(void)
{
	struct sigaction action;
	struct shell_hook s;
	struct err err;
	sigset_t all, old;
	int leak = dup(1);

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	CHECK(run(shell(&s, "exec grep -E 'Sig(Blk|Ign)' /proc/self/status > $OUT"), "", &err) == 0);
	CHECK(!strcmp(output(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000"));
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGPIPE, NULL, &action);
	CHECK(action.sa_handler == SIG_IGN);
	sigaction(SIGCHLD, NULL, &action);
	CHECK(action.sa_handler == SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);

	CHECK(run(shell(&s, "cd /proc/self/fd; echo * > $OUT"), "", &err) == 0);
	CHECK(!strncmp(output(), "0 1 2", 5) && strlen(output()) <= 7); /* the shell's own */
	close(leak);
}

/* ---- as a step ------------------------------------------------------- */

static struct plan_ctx ctx;
static const char *argv_room[16], *envp_room[16];

static int
run_step(const char *line, struct err *err, void (*change)(struct plan_builder *b, struct plan_hook *h))
{
	auto_arena struct arena a = { 0 };
	const char *args[] = { "sh", "-c", line };
	char variable[80];
	const char *env[] = { variable };
	struct plan_hook h = { 0 };
	struct plan_builder b;
	struct plan *plan;
	int r;

	snprintf(variable, sizeof(variable), "OUT=%s", out);
	CHECK(truncate(out, 0) == 0);
	plan_begin(&b, &a);
	h.path = plan_string(&b, "/bin/sh");
	h.args = plan_strings(&b, args, 3);
	h.env = plan_strings(&b, env, 1);
	h.state_head = plan_string(&b, "{\"pid\":");
	h.state_tail = plan_string(&b, "}");
	if (change)
		change(&b, &h);
	plan_add(&b, PLAN_RUN_HOOK, "hooks.createContainer[0]")->u.hook = h;
	if (plan_seal(&b, err, &plan) < 0)
		return -1;
	err_clear(err);
	memset(ctx.fds, -1, sizeof(ctx.fds));
	ctx.plan = plan;
	ctx.err = err;
	ctx.hook_argv = argv_room;
	ctx.hook_envp = envp_room;
	if (!ctx.max_vector)
		ctx.max_vector = 16;
	r = hooks_run_step(&ctx, &plan->steps[0]);
	plan_free(plan);
	return r;
}

static void
with_timeout(struct plan_builder *b, struct plan_hook *h)
{
	(void)b;
	h->timeout = 1;
}

static void
with_own_environment(struct plan_builder *b, struct plan_hook *h)
{
	(void)b;
	h->inherit_env = true;
}

/* chdir(2) is answered by EXDEV; everything else is allowed. */
static void
with_filter(struct plan_builder *b, struct plan_hook *h)
{
	struct sock_filter prog[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_chdir, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	h->seccomp = plan_data(b, prog, sizeof(prog));
	h->no_new_privileges = true;
}

static void
test_step(void)
{
	char expected[64];
	struct err err;

	snprintf(expected, sizeof(expected), "{\"pid\":%d}", (int)getpid());
	CHECK(run_step("cat > $OUT", &err, NULL) == 0 && !strcmp(output(), expected));
	CHECK(run_step("exit 7", &err, NULL) == -EINVAL &&
	      !strcmp(err.msg, "error running hook: '/bin/sh' exited with status 7"));
	CHECK(run_step("sleep 20", &err, with_timeout) == -EINVAL && strstr(err.msg, "timeout of 1 seconds"));
	setenv("OUT", out, 1);
	CHECK(run_step("echo $INHERITED > $OUT", &err, with_own_environment) == 0 && !strcmp(output(), "yes"));
	CHECK(run_step("cd / 2> /dev/null || echo denied > $OUT; grep -E 'NoNew|Seccomp:' /proc/self/status >> $OUT",
		       &err, with_filter) == 0);
	CHECK(!strcmp(output(), "denied\nNoNewPrivs:\t1\nSeccomp:\t2"));
	/* We ourselves are not confined. */
	CHECK(chdir("/") == 0);
	ctx.max_vector = 3;
	CHECK(run_step("true", &err, NULL) == -E2BIG);
}

int
main(void)
{
	unsigned before;
	int fd;

	snprintf(out, sizeof(out), "/tmp/knarr-test-hooks-XXXXXX");
	fd = mkstemp(out);
	if (fd < 0)
		return 1;
	close(fd);
	before = open_fds();
	test_state();
	test_failures();
	test_order();
	test_timeout();
	test_environment();
	test_inheritance();
	test_step();
	CHECK(open_fds() == before);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	unlink(out);
	return failed;
}
