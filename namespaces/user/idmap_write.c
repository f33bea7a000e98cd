/* Theory of operation: each map is one write(2) of lines "CONTAINER HOST SIZE"
 * to /proc/PID/uid_map and gid_map; a namespace takes each only once.
 * newuidmap(1) and newgidmap(1) get the same numbers as arguments, run at the
 * same time, and say on stderr what they dislike: their last words become the
 * error. Where they are is in the plan. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/user/idmap.h"
#include "namespaces/user/idmap_subid.h"

#define MAX_TEXT  4096
#define MAX_WORDS 512 /* bytes of a helper's stderr that are kept */
#define NUMBER	  12  /* room for an id and its NUL */
#define NO_EXEC	  127

static const struct plan_id_map *
maps_of(const struct plan *plan, struct plan_bytes bytes, size_t *ret_n)
{
	*ret_n = bytes.len / sizeof(struct plan_id_map);
	return (const struct plan_id_map *)(const void *)(plan->blob + bytes.off);
}

/* ---- by the runtime itself --------------------------------------------- */

static int
write_proc(pid_t pid, const char *file, const char *text, struct err *err)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	r = fd_write_file_at(AT_FDCWD, path, text);
	if (r == -EPERM)
		return err_set(err, -r, "write '%s' (is every host id mapped in the runtime's own user namespace?)",
			       path);
	return r < 0 ? err_set(err, -r, "write '%s'", path) : 0;
}

static int
write_map(const struct idmap_kind *kind, const struct plan *plan, struct plan_bytes bytes, pid_t pid, struct err *err)
{
	char text[MAX_TEXT];
	size_t n, len = 0;
	const struct plan_id_map *m = maps_of(plan, bytes, &n);

	for (size_t i = 0; i < n; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u %u %u\n", m[i].container, m[i].host,
					m[i].size);
		if (len >= sizeof(text))
			return err_set(err, E2BIG, "%s", kind->property);
	}
	return write_proc(pid, kind->proc, text, err);
}

int
idmap_write_maps(const struct plan *plan, struct plan_bytes uids, struct plan_bytes gids, pid_t pid, struct err *err)
{
	int r = write_map(&idmap_gids, plan, gids, pid, err);

	return r < 0 ? r : write_map(&idmap_uids, plan, uids, pid, err);
}

static int
write_direct(const struct plan *plan, pid_t pid, struct err *err)
{
	int r = 0;

	/* Without privilege the kernel takes a gid_map only after this. */
	if (plan->spawn.deny_setgroups)
		r = write_proc(pid, "setgroups", "deny", err);
	return r < 0 ? r : idmap_write_maps(plan, plan->spawn.uid_maps, plan->spawn.gid_maps, pid, err);
}

/* ---- by newuidmap and newgidmap ---------------------------------------- */

struct helper {
	const struct idmap_kind *kind;
	plan_str path;
	pid_t pid;
	int words; /* its stderr; -1: none */
};

/* argv: NAME PID (CONTAINER HOST SIZE)…; one block, freed by the caller. */
static char **
make_argv(const char *name, pid_t pid, const struct plan_id_map *map, size_t n)
{
	size_t argc = 2 + 3 * n;
	char **argv = calloc(1, (argc + 1) * sizeof(*argv) + (argc - 1) * NUMBER);
	char *text;

	if (!argv)
		abort();
	text = (char *)(argv + argc + 1);
	argv[0] = (char *)(uintptr_t)name;
	for (size_t i = 1; i < argc; i++, text += NUMBER) {
		const struct plan_id_map *row = i > 1 ? &map[(i - 2) / 3] : NULL;
		uint32_t v[] = { row ? row->container : 0, row ? row->host : 0, row ? row->size : 0 };

		snprintf(text, NUMBER, "%u", row ? v[(i - 2) % 3] : (unsigned)pid);
		argv[i] = text;
	}
	return argv;
}

static void __attribute__((noreturn)) exec_helper(const char *path, char **argv, int words)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup3(words, STDERR_FILENO, 0) < 0) {
		dprintf(words, "its standard error: %s", err_reason(errno));
		_exit(NO_EXEC);
	}
	if (path)
		execv(path, argv);
	dprintf(STDERR_FILENO, "%s (package uidmap)", err_reason(path ? errno : ENOENT));
	_exit(NO_EXEC);
}

static int
start_helper(struct helper *helper, const struct plan *plan, struct plan_bytes bytes, pid_t pid, struct err *err)
{
	size_t n;
	const struct plan_id_map *m = maps_of(plan, bytes, &n);
	int pipe_fds[2];
	char **argv;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe for %s", helper->kind->helper);
	argv = make_argv(helper->kind->helper, pid, m, n);
	helper->pid = fork();
	if (helper->pid == 0)
		exec_helper(plan_text(plan, helper->path), argv, pipe_fds[1]);
	if (helper->pid < 0)
		err_set(err, errno, "fork for %s", helper->kind->helper);
	free(argv);
	fd_close(pipe_fds[1]);
	helper->words = pipe_fds[0];
	return helper->pid < 0 ? -err->code : 0;
}

/* What the helper said, on one line. */
static void
read_words(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;
	char rest[256];

	while ((n = read(fd, buf + len, size - 1 - len)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && (len += (size_t)n) == size - 1)
			break;
	while (read(fd, rest, sizeof(rest)) > 0)
		; /* or it dies of SIGPIPE */
	while (len > 0 && (buf[len - 1] == '\n' || buf[len - 1] == ' '))
		len--;
	buf[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (buf[i] == '\n')
			buf[i] = ' ';
}

static int
finish_helper(struct helper *helper, struct err *err)
{
	char words[MAX_WORDS] = "";
	int status;
	pid_t r;

	read_words(helper->words, words, sizeof(words));
	helper->words = fd_close(helper->words);
	do
		r = waitpid(helper->pid, &status, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(err, errno, "wait for %s", helper->kind->helper);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_EXEC)
		return err_plain(err, "%s: cannot run %s: %s", helper->kind->property, helper->kind->helper, words);
	if (WIFSIGNALED(status))
		return err_plain(err, "%s: %s was killed by signal %d", helper->kind->property, helper->kind->helper,
				 WTERMSIG(status));
	return err_plain(err, "%s: %s failed: %s%s", helper->kind->property, helper->kind->helper, words,
			 strstr(words, "Operation not permitted") ? " (is it set-uid root?)" : "");
}

static int
write_by_helpers(const struct plan *plan, pid_t pid, struct err *err)
{
	struct helper uids = { &idmap_uids, plan->spawn.uid_helper, 0, -1 };
	struct helper gids = { &idmap_gids, plan->spawn.gid_helper, 0, -1 };
	struct err second;
	int r = start_helper(&uids, plan, plan->spawn.uid_maps, pid, err), r2;

	if (r < 0) {
		fd_close(uids.words);
		return r;
	}
	r = start_helper(&gids, plan, plan->spawn.gid_maps, pid, err);
	if (r < 0) {
		fd_close(gids.words);
		finish_helper(&uids, &second);
		return r;
	}
	r = finish_helper(&uids, err);
	r2 = finish_helper(&gids, r < 0 ? &second : err);
	return r < 0 ? r : r2;
}

int
idmap_write(const struct plan *plan, pid_t pid, struct err *err)
{
	switch ((enum plan_map_how)plan->spawn.map_how) {
	case PLAN_MAP_DIRECT:
		return write_direct(plan, pid, err);
	case PLAN_MAP_HELPERS:
		return write_by_helpers(plan, pid, err);
	case PLAN_MAP_NONE:
		break;
	}
	return 0;
}
