/* Theory of operation: E2BIG says neither of what there is too much nor how much. The
 * limits are execve(2)'s: a quarter of the soft RLIMIT_STACK, but 6 MiB at most, for all
 * strings and their pointers, and 32 pages for each. What can be known before is an
 * error of the config (parse_process.c). */
#include "libcontainer/stage/exec_error.h"

#include <errno.h>
#include <string.h>

#define NAME_SHOWN 64
#define LIMIT	   "(the kernel takes a quarter of RLIMIT_STACK, 6 MiB at most)"

struct total {
	size_t n, bytes; /* strings; with their NULs and pointers */
	const char *longest;
	size_t longest_len;
};

static struct total
add_up(const char *const *strings)
{
	struct total t = { 0, 0, "", 0 };

	for (; strings[t.n]; t.n++) {
		size_t len = strlen(strings[t.n]);

		t.bytes += len + 1 + sizeof(char *);
		if (len > t.longest_len) {
			t.longest = strings[t.n];
			t.longest_len = len;
		}
	}
	return t;
}

/* Of a variable's name, and of that what fits into a message. */
static int
name_length(const char *variable)
{
	size_t len = strcspn(variable, "=");

	return len < NAME_SHOWN ? (int)len : NAME_SHOWN;
}

int
exec_error(struct plan_ctx *c, int code)
{
	struct total args, env;

	if (code != E2BIG)
		return err_set(c->err, code, "exec: \"%s\"", c->program);
	args = add_up(c->argv);
	env = add_up(c->envp);
	if (args.bytes > env.bytes)
		return err_set(c->err, E2BIG,
			       "process.args: exec: \"%s\": %zu bytes of arguments, the longest has %zu, and %zu of "
			       "environment " LIMIT,
			       c->program, args.bytes, args.longest_len, env.bytes);
	return err_set(c->err, E2BIG,
		       "process.env: exec: \"%s\": %zu bytes of environment in %zu variables, the longest is %.*s with "
		       "%zu, and %zu of arguments " LIMIT,
		       c->program, env.bytes, env.n, name_length(env.longest), env.longest, env.longest_len,
		       args.bytes);
}
