/* A label is read back after it was written: what stands in for /proc here is a directory of
 * plain files, which keep what is behind the text that is written, and of /dev/null,
 * which takes everything and has nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/process/credentials.h"
#include "tests/unit/check.h"

#define SELINUX	 "thread-self/attr/exec"
#define APPARMOR "thread-self/attr/apparmor/exec"

static int proc = -1;

static void
make_proc(char *dir)
{
	NEED(mkdtemp(dir));
	proc = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	NEED(proc >= 0 && mkdirat(proc, "thread-self", 0755) == 0 && mkdirat(proc, "thread-self/attr", 0755) == 0 &&
	     mkdirat(proc, "thread-self/attr/apparmor", 0755) == 0);
}

static void
remove_proc(const char *dir)
{
	unlinkat(proc, APPARMOR, 0);
	unlinkat(proc, SELINUX, 0);
	unlinkat(proc, "thread-self/attr/apparmor", AT_REMOVEDIR);
	unlinkat(proc, "thread-self/attr", AT_REMOVEDIR);
	unlinkat(proc, "thread-self", AT_REMOVEDIR);
	fd_close(proc);
	rmdir(dir);
}

/* before: what the file holds; NULL: it is /dev/null. */
static void
put_file(const char *path, const char *before)
{
	auto_close int fd = -1;

	unlinkat(proc, path, 0);
	if (!before) {
		NEED(symlinkat("/dev/null", proc, path) == 0);
		return;
	}
	fd = openat(proc, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	NEED(fd >= 0 && fd_write_all(fd, before, strlen(before)) == 0);
}

/* The step that writes text to the file below attr. */
static int
run_label(const char *file, const char *text, struct err *e)
{
	static struct plan_ctx c; /* large */
	auto_arena struct arena a = { 0 };
	struct plan_builder b;
	struct plan_label label;
	struct plan *p;
	int r;

	plan_begin(&b, &a);
	label.file = plan_string(&b, file + strlen("thread-self/attr/"));
	label.text = plan_string(&b, text);
	plan_add(&b, PLAN_SET_LABEL, "label")->u.label = label;
	NEED(plan_seal(&b, e, &p) == 0, "%s", e->msg);
	c.plan = p;
	c.err = e;
	for (size_t i = 0; i < PLAN_FD_MAX; i++)
		c.fds[i] = -1;
	c.fds[PLAN_FD_PROC] = proc;
	r = attributes_run_label(&c, &p->steps[0]);
	plan_free(p);
	return r;
}

static const struct {
	const char *file, *before, *text, *error;
} rows[] = {
	{ SELINUX, "", "u:r:t:s0", NULL },
	/* The policy writes the level in its own way. */
	{ SELINUX, "........-s0:c1", "u:r:t:s0", NULL },
	{ SELINUX, ".....:s0", "u:r:t", NULL },
	{ SELINUX, ".....other", "u:r:t", "wrote 'u:r:t' to /proc/" SELINUX ", but the kernel took 'u:r:tother'" },
	{ SELINUX, NULL, "u:r:t:s0", "wrote 'u:r:t:s0' to /proc/" SELINUX ", but the kernel took ''" },
	/* The kernel gives a name back without the command that it was written with. */
	{ APPARMOR, "", "exec name", "wrote 'name' to /proc/" APPARMOR ", but the kernel took 'exec name'" },
	{ APPARMOR, NULL, "exec name", "wrote 'name' to /proc/" APPARMOR ", but the kernel took ''" },
	{ APPARMOR, "", "exec one//&two", NULL },
	{ APPARMOR, NULL, "exec one//&two", "wrote 'one//&two' to /proc/" APPARMOR ", but the kernel took ''" },
};

static void
test_read_back(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		int r;

		put_file(rows[i].file, rows[i].before);
		r = run_label(rows[i].file, rows[i].text, &e);
		if (rows[i].error)
			CHECK(r < 0 && strcmp(e.msg, rows[i].error) == 0, "row %zu: %d %s", i, r, e.msg);
		else
			CHECK(r == 0, "row %zu: %s", i, e.msg);
	}
}

static void
test_no_file(void)
{
	struct err e = { 0 };

	unlinkat(proc, SELINUX, 0);
	CHECK(run_label(SELINUX, "u:r:t:s0", &e) == -ENOENT && strstr(e.msg, "write 'u:r:t:s0' to /proc/" SELINUX),
	      "%s", e.msg);
}

int
main(void)
{
	char dir[] = "/tmp/test_labels.XXXXXX";

	make_proc(dir);
	test_read_back();
	test_no_file();
	remove_proc(dir);
	return failed;
}
