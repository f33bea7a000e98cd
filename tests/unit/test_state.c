/* State directories: ids, locks and their races, state.json there and back. Needs no root. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/state/state.h"
#include "libcontainer/state/state_json.h"
#include "tests/unit/check.h"

static struct arena arena;
static struct err err;
static char dir[] = "/tmp/knarr-test-state.XXXXXX";
static char *root;

static enum container_status
status_of(const struct state *state)
{
	enum container_status status = STATUS_PAUSED;

	CHECK(state_status(state, &err, &status) == 0, "%s", err.msg);
	return status;
}

static enum container_status
dir_status_of(const struct state_dir *d, const struct state *state)
{
	enum container_status status = STATUS_PAUSED;

	CHECK(state_dir_status(d, state, &err, &status) == 0, "%s", err.msg);
	return status;
}

/* ---- ids -------------------------------------------------------------------- */

static void
test_ids(void)
{
	static const char *const good[] = { "a", "A-b_c.d+e", "..a", "...", "-x", "0123456789abcdef" };
	static const char *const bad[] = { "", ".", "..", "a/b", "a b", "@seccomp", "\xc3\xa9", "a\n", "a:b", "*" };
	char longest[257];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (state_check_id(good[i], &err) < 0) {
			printf("%s:%d: '%s' was refused\n", __FILE__, __LINE__, good[i]);
			failed = 1;
		}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (state_check_id(bad[i], &err) == 0) {
			printf("%s:%d: '%s' was accepted\n", __FILE__, __LINE__, bad[i]);
			failed = 1;
		}
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	CHECK(state_check_id(longest, &err) < 0);
	longest[255] = '\0';
	CHECK(state_check_id(longest, &err) == 0);
}

static void
test_default_root(void)
{
	char *path;

	setenv("XDG_RUNTIME_DIR", "/run/user/77", 1);
	CHECK(state_default_root(&arena, true, &err, &path) == 0 && !strcmp(path, "/run/user/77/knarr"));
	if (geteuid() == 0) {
		CHECK(state_default_root(&arena, false, &err, &path) == 0 && !strcmp(path, "/run/knarr"));
		setenv("XDG_RUNTIME_DIR", "", 1);
		CHECK(state_default_root(&arena, false, &err, &path) == 0 && !strcmp(path, "/run/knarr"));
	}
	unsetenv("XDG_RUNTIME_DIR");
}

/* ---- directories ----------------------------------------------------------------- */

static void
test_directories(void)
{
	struct state_dir d, other;
	struct stat st;
	char **ids;
	size_t n = 99;

	CHECK(state_list(root, &arena, &err, &ids, &n) == 0 && n == 0); /* no such root */
	CHECK(state_open(root, "c", true, &arena, &err, &d) == -ENOENT);
	CHECK(!strcmp(err.msg, "container \"c\" does not exist"));
	CHECK(state_create(root, "../c", &arena, &err, &d) == -EINVAL);
	CHECK(access(root, F_OK) < 0); /* a bad id makes nothing */

	CHECK(state_create(root, "c", &arena, &err, &d) == 0);
	CHECK(stat(root, &st) == 0 && (st.st_mode & 07777) == 0700);
	CHECK(stat(d.path, &st) == 0 && (st.st_mode & 07777) == 0700);
	CHECK(state_create(root, "c", &arena, &err, &other) == -EEXIST);
	CHECK(!strcmp(err.msg, "container \"c\" already exists"));
	CHECK(state_open(root, "c", false, &arena, &err, &other) == 0);
	state_close(&other);
	mkdir(arena_printf(&arena, "%s/@cache", root), 0700);
	fd_close(open(arena_printf(&arena, "%s/file", root), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	mkdir(arena_printf(&arena, "%s/b", root), 0700);
	CHECK(state_list(root, &arena, &err, &ids, &n) == 0 && n == 2 && !strcmp(ids[0], "b") && !strcmp(ids[1], "c"));

	fd_close(openat(d.fd, ".state.json.1", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	CHECK(state_remove(&d, &err) == 0 && d.fd == -1 && d.lock_fd == -1);
	CHECK(state_open(root, "c", true, &arena, &err, &d) == -ENOENT);
	CHECK(rmdir(arena_printf(&arena, "%s/b", root)) == 0);
	CHECK(rmdir(arena_printf(&arena, "%s/@cache", root)) == 0);
	CHECK(unlink(arena_printf(&arena, "%s/file", root)) == 0);

	/* A link is not a container: it could lead anywhere. */
	CHECK(symlink(dir, arena_printf(&arena, "%s/link", root)) == 0);
	CHECK(state_open(root, "link", false, &arena, &err, &d) < 0);
	CHECK(state_list(root, &arena, &err, &ids, &n) == 0 && n == 0);
	CHECK(unlink(arena_printf(&arena, "%s/link", root)) == 0);
}

/* state_remove() removes what knarr made, and nothing that is a directory. */
static void
test_foreign_directory(void)
{
	struct state_dir d;

	CHECK(state_create(root, "c", &arena, &err, &d) == 0);
	CHECK(mkdirat(d.fd, "data", 0700) == 0);
	CHECK(state_remove(&d, &err) < 0 && strstr(err.msg, "remove the state directory"));
	CHECK(unlinkat(d.fd, "data", AT_REMOVEDIR) == 0);
	CHECK(state_remove(&d, &err) == 0);
}

/* ---- locks ------------------------------------------------------------------- */

struct waiter {
	struct arena arena;
	struct err err;
	int result;
};

static void *
wait_for_lock(void *arg)
{
	struct waiter *w = arg;
	struct state_dir d;

	w->result = state_open(root, "c", /* lock= */ true, &w->arena, &w->err, &d);
	if (w->result == 0)
		state_close(&d);
	return NULL;
}

/* Until somebody waits for the lock of that directory, as proc_locks(5) tells it. */
static void
wait_for_waiter(int fd)
{
	char line[256], inode[32];
	struct stat st;
	bool waits = false;

	CHECK(fstat(fd, &st) == 0);
	snprintf(inode, sizeof(inode), ":%lu ", (unsigned long)st.st_ino);
	for (unsigned i = 0; i < 5000 && !waits; i++) {
		FILE *f = fopen("/proc/locks", "re");

		while (f && fgets(line, sizeof(line), f))
			waits = waits || (strstr(line, "-> FLOCK") && strstr(line, inode));
		if (f)
			fclose(f);
		poll(NULL, 0, 2);
	}
	CHECK(waits);
}

/* Who waits for the lock of a container that is removed gets "does not exist",
 * also when another container has got the name meanwhile and is locked. */
static void
test_lock_race(bool recreate)
{
	struct state_dir d, next = { .fd = -1, .lock_fd = -1 };
	struct waiter w = { .result = 99 };
	pthread_t thread;

	CHECK(state_create(root, "c", &arena, &err, &d) == 0);
	if (pthread_create(&thread, NULL, wait_for_lock, &w) != 0)
		exit(1);
	wait_for_waiter(d.fd);
	CHECK(w.result == 99);
	if (recreate) {
		int fd = openat(d.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		CHECK(rmdir(d.path) == 0);
		CHECK(state_create(root, "c", &arena, &err, &next) == 0);
		fd_close(fd);
		state_close(&d);
	} else {
		CHECK(state_remove(&d, &err) == 0);
	}
	pthread_join(thread, NULL);
	CHECK(w.result == -ENOENT);
	arena_free(&w.arena);
	if (recreate)
		CHECK(state_remove(&next, &err) == 0);
}

/* A child that inherited the descriptor does not keep the lock. */
static void
test_inherited_lock(void)
{
	struct state_dir d, again;
	pid_t child;

	CHECK(state_create(root, "c", &arena, &err, &d) == 0);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	state_close(&d);
	CHECK(state_open(root, "c", false, &arena, &err, &again) == 0);
	CHECK(flock(again.fd, LOCK_EX | LOCK_NB) == 0);
	state_close(&again);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK(state_open(root, "c", true, &arena, &err, &d) == 0);
	CHECK(state_remove(&d, &err) == 0);
}

/* Two processes make and remove the same id all the time: each succeeds or is
 * told that it exists (or not), and nothing is left. */
static int
churn(void)
{
	struct state_dir d;

	for (unsigned i = 0; i < 300; i++) {
		int r = state_create(root, "c", &arena, &err, &d);

		if (r == 0)
			r = state_remove(&d, &err);
		else if (r == -EEXIST && (r = state_open(root, "c", true, &arena, &err, &d)) == 0)
			r = state_remove(&d, &err);
		if (r < 0 && r != -ENOENT && r != -EEXIST)
			return 1;
	}
	return 0;
}

static void
test_churn(void)
{
	pid_t children[3];
	int status;

	for (unsigned i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(churn());
	}
	for (unsigned i = 0; i < 3; i++)
		CHECK(waitpid(children[i], &status, 0) > 0 && status == 0);
	CHECK(rmdir(root) == 0);
}

/* ---- state.json ---------------------------------------------------------------- */

static bool
same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void
test_json(void)
{
	struct spec_pair pairs[] = { { (char[]){ "a\"b" }, (char[]){ "c\nd" } }, { (char[]){ "e" }, (char[]){ "" } } };
	char bundle[] = "/b \xc3\xa9", created[] = "2026-01-02T03:04:05Z", mount[] = "/m", path[] = "/p/q";
	struct state s = { .id = arena_strdup(&arena, "c"), .bundle = bundle, .created = created };
	struct state *t;
	struct state_dir d;

	CHECK(state_create(root, "c", &arena, &err, &d) == 0);
	CHECK(state_load(&d, "c", &arena, &err, &t) == 0);
	CHECK(same(t->id, "c") && t->pid == 0 && !t->bundle && status_of(t) == STATUS_CREATING);

	s.cgroup_mount = mount;
	s.cgroup_path = path;
	s.cgroup_made = 2;
	s.pid = 0x7fffffff;
	s.pid_start_time = UINT64_MAX;
	s.started = s.rootless = s.has_poststop = true;
	s.owner = 4294967294;
	s.annotations = (struct spec_pairs){ pairs, 2 };
	CHECK(state_save(&d, &s, &err) == 0);
	CHECK(state_load(&d, "c", &arena, &err, &t) == 0);
	CHECK(same(t->bundle, bundle) && same(t->created, created) && !t->rootfs && !t->oci_version);
	CHECK(same(t->cgroup_mount, mount) && same(t->cgroup_path, path) && t->cgroup_made == 2);
	CHECK(t->pid == s.pid && t->pid_start_time == UINT64_MAX && t->owner == s.owner);
	CHECK(t->started && t->rootless && t->has_poststop && !t->has_poststart && !t->has_listener);
	CHECK(t->annotations.n == 2 && same(t->annotations.items[0].key, "a\"b") &&
	      same(t->annotations.items[0].value, "c\nd"));
	CHECK(state_load(&d, "other", &arena, &err, &t) < 0); /* a state that was copied */
	CHECK(state_remove(&d, &err) == 0);
}

/* What state_json_read() makes of a text, written again; NULL: it is damaged. */
static const char *
read_and_write(const char *text, size_t len)
{
	struct state s = { 0 };
	const char *written;

	if (state_json_read("f", text, len, "c", &arena, &err, &s) < 0)
		return NULL;
	state_json_write(&s, &arena, &written);
	return written;
}

/* What is written like this version writes it is scanned, the same behind a blank is parsed. */
static void
test_scan(void)
{
#define TEXT(text, good)                                                                                               \
	{                                                                                                              \
		text, sizeof(text) - 1, good                                                                           \
	}
	static const struct {
		const char *text;
		size_t len;
		bool good;
	} cases[] = {
		TEXT("{\"id\":\"c\"}", true),
		TEXT("{\"id\":\"c\"}   \n", true),
		TEXT("{\"id\":\"c\"}\n", true),
		TEXT("{\"id\":\"c\"} \t\n", true),
		TEXT("{\"id\":\"c\"} \t", true),
		TEXT("{\"id\":\"c\"} x \n", false),
		TEXT("{\"id\":\"c\"}}\n", false),
		TEXT("{\"id\":\"c\"}\0\0\0\n", false),
		TEXT("{\"id\":\"c\"}\0\0\0", false),
		TEXT("{\"id\":\"c\"} \0\n", false),
		TEXT("{\"id\":\"c\",\"pid\":1\0}", false),
		TEXT("{\"id\":\"c\",\"pid\":", false),
		TEXT("{\"id\":\"c", false),
		TEXT("{\"id\":\"c\\", false),
		TEXT("{\"id\":\"c\",}", false),
		TEXT("{,\"id\":\"c\"}", false),
		TEXT("{\"id\":\"d\"}", false),
		TEXT("{\"pid\":1}", false),
		TEXT("{}", false),
		TEXT("{\"id\":\"c\",\"pid\":2147483647,\"started\":true}", true),
		TEXT("{\"id\":\"c\",\"pid\":2147483648}", false),
		TEXT("{\"id\":\"c\",\"pid\":-1}", false),
		TEXT("{\"id\":\"c\",\"pid\":01}", false),
		TEXT("{\"id\":\"c\",\"pid\":0}", true),
		TEXT("{\"id\":\"c\",\"pid\":1.5}", false),
		TEXT("{\"id\":\"c\",\"pid\":}", false),
		TEXT("{\"id\":\"c\",\"pidStartTime\":18446744073709551615}", true),
		TEXT("{\"id\":\"c\",\"pidStartTime\":18446744073709551616}", false),
		TEXT("{\"id\":\"c\",\"pidStartTime\":28446744073709551615}", false),
		TEXT("{\"pid\":7,\"id\":\"c\"}", true),
		TEXT("{\"id\":\"c\",\"id\":\"c\"}", false),
		TEXT("{\"id\":\"c\",\"new\":[1,{}],\"bundle\":\"/b\"}", true),
		TEXT("{\"id\":\"c\",\"bundle\":null}", true),
		TEXT("{\"id\":\"c\",\"bundle\":7}", false),
		TEXT("{\"id\":\"c\",\"started\":truE}", false),
		TEXT("{\"id\":\"c\",\"started\":false,\"bundle\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t \x7f\"}", true),
		TEXT("{\"id\":\"c\",\"bundle\":\"\\u0041\\u00e9 \xc3\xa9\"}", true),
		TEXT("{\"id\":\"c\",\"bundle\":\"\\u0000\"}", false),
		TEXT("{\"id\":\"c\",\"bundle\":\"\\x\"}", false),
		TEXT("{\"id\":\"c\",\"bundle\":\"\xff\"}", false),
		TEXT("{\"id\":\"c\",\"bundle\":\"a\nb\"}", false),
		TEXT("{\"id\":\"c\",\"annotations\":{}}", true),
		TEXT("{\"id\":\"c\",\"annotations\":{\"a\":\"b\",\"\":\"\\\"x\"}}", true),
		TEXT("{\"id\":\"c\",\"annotations\":{\"a\":\"b\",\"a\":\"b\"}}", false),
		TEXT("{\"id\":\"c\",\"annotations\":{\"a\":\"b\",\"b\":\"\",\"a\":\"c\"}}", false),
		TEXT("{\"id\":\"c\",\"annotations\":{\"c\":\"b\",\"b\":\"\",\"a\":\"c\"}}", true),
		TEXT("{\"id\":\"c\",\"annotations\":{\"a\":\"b\",\"\\u0061\":\"b\"}}", false),
		TEXT("{\"id\":\"c\",\"annotations\":{\"a\":\"b\",}}", false),
		TEXT("{\"id\":\"c\",\"annotations\":{\"a\":1}}", false),
		TEXT("{\"id\":\"c\",\"annotations\":{\"a\"}}", false),
		TEXT("{\"id\":\"c\",\"annotations\":[]}", false),
	};
#undef TEXT

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = cases[i].len;
		char *parsed = arena_alloc(&arena, len + 2), *scanned = arena_strndup(&arena, cases[i].text, len);
		const char *one, *other;

		parsed[0] = ' ';
		memcpy(parsed + 1, cases[i].text, len);
		one = read_and_write(scanned, len);
		other = read_and_write(parsed, len + 1);
		if (same(one, other) && (one != NULL) == cases[i].good && !memcmp(scanned, cases[i].text, len))
			continue;
		printf("%s:%d: %s: scanned %s, parsed %s\n", __FILE__, __LINE__, cases[i].text, one ? one : "(damaged)",
		       other ? other : "(damaged)");
		failed = 1;
	}
}

/* Some annotations and many, and a long one, which state_glance() leaves to state_load(). */
static void
test_glance(void)
{
	struct spec_pair pairs[40];
	struct state s = { .id = arena_strdup(&arena, "c"), .boot_id = arena_strdup(&arena, "b") };
	struct state_root open_root = { .fd = -1 }, other;
	enum container_status status;
	struct state *t = NULL;
	struct state_dir d;

	CHECK(state_create(root, "c", &arena, &err, &d) == 0);
	CHECK(state_root_open(root, &arena, &err, &open_root) == 0);
	CHECK(!state_glance(&open_root, "c", &arena, &t)); /* nothing is saved yet */
	for (size_t i = 0; i < 40; i++)
		pairs[i] = (struct spec_pair){ arena_printf(&arena, "k%zu", i), arena_strdup(&arena, "v") };
	for (size_t n = 0; n <= 40; n += 8) {
		s.annotations = (struct spec_pairs){ pairs, n };
		CHECK(state_save(&d, &s, &err) == 0 && state_glance(&open_root, "c", &arena, &t));
		CHECK(t->annotations.n == n && (n == 0 || same(t->annotations.items[n - 1].key, pairs[n - 1].key)));
	}
	CHECK(t->other_boot);
	other = open_root;
	other.boot_id = s.boot_id;
	CHECK(state_glance(&other, "c", &arena, &t) && !t->other_boot);
	CHECK(!state_glance(&open_root, "d", &arena, &t));
	/* Whoever was to make its init is gone with the other kernel. */
	t->pid = 0;
	t->other_boot = true;
	CHECK(state_unlocked_status(t, &err, &status) == 0 && status == STATUS_STOPPED);
	t->other_boot = false;
	CHECK(state_unlocked_status(t, &err, &status) == 1);
	pairs[0].value = arena_alloc(&arena, 9001);
	memset(pairs[0].value, 'x', 9000);
	s.annotations.n = 1;
	CHECK(state_save(&d, &s, &err) == 0 && !state_glance(&open_root, "c", &arena, &t));
	CHECK(state_load(&d, "c", &arena, &err, &t) == 0 && strlen(t->annotations.items[0].value) == 9000);
	state_root_close(&open_root);
	CHECK(state_remove(&d, &err) == 0);
}

static void
test_damage(void)
{
	static const char *const texts[] = {
		"",
		"{",
		"{}",
		"[]",
		"null",
		"{\"id\":5}",
		"{\"id\":\"c\",\"pid\":\"1\"}",
		"{\"id\":\"c\",\"pid\":-1}",
		"{\"id\":\"c\",\"pid\":1.5}",
		"{\"id\":\"c\",\"pid\":4294967296}",
		"{\"id\":\"c\",\"pid\":2147483648}",
		"{\"id\":\"c\",\"started\":1}",
		"{\"id\":\"c\",\"annotations\":[]}",
		"{\"id\":\"c\",\"annotations\":{\"a\":1}}",
		"{\"id\":\"c\",\"id\":\"c\"}",
	};
	struct state_dir d;
	struct state *s;

	CHECK(state_create(root, "c", &arena, &err, &d) == 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CHECK(fd_replace_file_at(d.fd, "state.json", texts[i], strlen(texts[i]), 0600) == 0);
		if (state_load(&d, "c", &arena, &err, &s) == 0 || !strstr(err.msg, "is damaged")) {
			printf("%s:%d: damaged state was loaded: %s\n", __FILE__, __LINE__, texts[i]);
			failed = 1;
		}
	}
	/* written by a later version */
	CHECK(fd_replace_file_at(d.fd, "state.json", "{\"id\":\"c\",\"x\":[1]}", 18, 0600) == 0);
	CHECK(state_load(&d, "c", &arena, &err, &s) == 0);
	CHECK(state_remove(&d, &err) == 0);
}

static off_t
size_of(const struct state_dir *d, const char *name)
{
	struct stat st;

	return fstatat(d->fd, name, &st, 0) == 0 ? st.st_size : -1;
}

/* Both files are whole blocks and stay so; the copy is what is left. */
static void
test_copy(void)
{
	struct state s = { .id = arena_strdup(&arena, "c"), .boot_id = arena_strdup(&arena, "another") }, *t;
	enum state_finding finding;
	struct state_dir d;
	char long_text[6000];

	CHECK(state_create(root, "c", &arena, &err, &d) == 0);
	CHECK(state_salvage(&d, "c", &arena, &err, &finding, &t) == 0 && finding == STATE_NEVER_SAVED && !t);
	CHECK(state_save_first(&d, &s, &err) == 0);
	CHECK(size_of(&d, "state.json") == 4096 && size_of(&d, STATE_COPY) == 4096);
	s.pid = 7;
	CHECK(state_save(&d, &s, &err) == 0);
	memset(long_text, 'x', sizeof(long_text));
	s.exit_reason = long_text;
	long_text[sizeof(long_text) - 1] = '\0';
	CHECK(state_save(&d, &s, &err) == 0);
	CHECK(size_of(&d, "state.json") == 8192 && size_of(&d, STATE_COPY) == 8192);
	s.exit_reason = NULL;
	CHECK(state_save(&d, &s, &err) == 0);
	CHECK(size_of(&d, "state.json") == 8192 && size_of(&d, STATE_COPY) == 8192);
	CHECK(state_load(&d, "c", &arena, &err, &t) == 0 && t->pid == 7 && !t->exit_reason && t->other_boot);
	CHECK(state_pidfd(t) == -ESRCH && status_of(t) == STATUS_STOPPED && !state_cgroup(t).path);

	CHECK(unlinkat(d.fd, "state.json", 0) == 0);
	err_clear(&err);
	CHECK(state_load(&d, "c", &arena, &err, &t) < 0 && strstr(err.msg, "state.json' is missing") && !err.code);
	CHECK(state_salvage(&d, "c", &arena, &err, &finding, &t) == 0 && finding == STATE_LOST && t->pid == 7);
	CHECK(fd_replace_file_at(d.fd, "state.json", "", 0, 0600) == 0);
	CHECK(state_salvage(&d, "c", &arena, &err, &finding, &t) == 0 && finding == STATE_DAMAGED && t->pid == 7);
	CHECK(fd_replace_file_at(d.fd, STATE_COPY, "{}", 2, 0600) == 0);
	CHECK(state_salvage(&d, "c", &arena, &err, &finding, &t) == 0 && finding == STATE_DAMAGED && !t);
	/* What cannot be read is neither. */
	CHECK(unlinkat(d.fd, "state.json", 0) == 0 && symlinkat("state.json", d.fd, "state.json") == 0);
	CHECK(state_load(&d, "c", &arena, &err, &t) == -ELOOP && err.code == ELOOP);
	CHECK(state_salvage(&d, "c", &arena, &err, &finding, &t) == -ELOOP);
	CHECK(state_remove(&d, &err) == 0);
}

/* ---- processes ---------------------------------------------------------------- */

/* Creating, as long as somebody holds the lock. */
static void
test_dead_creator(void)
{
	struct state_dir d, other;
	struct state *s;

	CHECK(state_create(root, "c", &arena, &err, &d) == 0);
	CHECK(state_open(root, "c", false, &arena, &err, &other) == 0);
	CHECK(state_load(&other, "c", &arena, &err, &s) == 0);
	CHECK(dir_status_of(&other, s) == STATUS_CREATING);
	state_close(&d);
	CHECK(dir_status_of(&other, s) == STATUS_STOPPED);
	state_close(&other);
	CHECK(state_open(root, "c", true, &arena, &err, &d) == 0);
	CHECK(dir_status_of(&d, s) == STATUS_STOPPED);
	CHECK(state_remove(&d, &err) == 0);
}

/* So is one whose process that joins namespaces has ended, before its init is in the state. */
static void
test_joining(void)
{
	struct state s = { .id = arena_strdup(&arena, "c"), .pid = 0x7fffffff, .pid_start_time = 1, .joining = true };
	enum container_status status;
	struct state_dir d, other;
	struct state *t;

	CHECK(state_create(root, "c", &arena, &err, &d) == 0);
	CHECK(state_save(&d, &s, &err) == 0);
	CHECK(state_open(root, "c", false, &arena, &err, &other) == 0);
	CHECK(state_load_status(&other, "c", &arena, &err, &t, &status) == 0);
	CHECK(t->joining && status == STATUS_CREATING);
	s.joining = false;
	CHECK(state_save(&d, &s, &err) == 0);
	CHECK(state_load_status(&other, "c", &arena, &err, &t, &status) == 0);
	CHECK(!t->joining && status == STATUS_STOPPED);
	CHECK(dir_status_of(&d, &s) == STATUS_STOPPED);
	state_close(&other);
	CHECK(state_remove(&d, &err) == 0);
}

int
main(void)
{
	if (!mkdtemp(dir))
		return 1;
	root = arena_printf(&arena, "%s/a/b", dir);
	test_ids();
	test_default_root();
	test_directories();
	test_foreign_directory();
	test_lock_race(/* recreate= */ false);
	test_lock_race(/* recreate= */ true);
	test_inherited_lock();
	test_json();
	test_scan();
	test_glance();
	test_damage();
	test_copy();
	test_dead_creator();
	test_joining();
	test_churn();
	rmdir(arena_printf(&arena, "%s/a", dir));
	CHECK(rmdir(dir) == 0);
	arena_free(&arena);
	return failed;
}
