/* CRIU's names for what is outside are
 * "pipe:[INODE]" and "socket:[INODE]", as readlink(2) shows them, and
 * "file[MOUNT:INODE]" in hexadecimal for a file that lies in no mount of the
 * container; criu(8), --inherit-fd. */
#include "libcontainer/checkpoint/criu_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_out.h"
#include "base/log.h"
#include "libcontainer/checkpoint/criu_rpc.h"
#include "oci-spec/json_text.h"

#define FILE_NAME "descriptors.json"
#define FILE_MAX  ((size_t)64 * 1024)
#define N_FDS	  3

enum { INHERIT_KEY = 1, INHERIT_FD = 2 };

/* ---- names ----------------------------------------------------------- */

static bool
is_between(const char *name, const char *head, const char *inside)
{
	size_t len = strlen(head);
	const char *rest = name + len;

	if (strncmp(name, head, len) != 0)
		return false;
	len = strspn(rest, inside);
	return len > 0 && !strcmp(rest + len, "]");
}

static bool
is_inheritable(const char *name)
{
	return is_between(name, "pipe:[", "0123456789") || is_between(name, "socket:[", "0123456789") ||
	       is_between(name, "file[", "0123456789abcdef:");
}

/* ---- dump ------------------------------------------------------------ */

/* The mount that a descriptor's file is in; 0: unknown. */
static uint64_t
mount_of(pid_t pid, int fd)
{
	char path[64], text[1024], *found;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	if (fd_read_small_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	found = strstr(text, "mnt_id:");
	return found ? strtoull(found + strlen("mnt_id:"), NULL, 10) : 0;
}

/* What the descriptor is; "" when it is closed. */
static const char *
describe(struct arena *a, const struct mountinfo *info, pid_t pid, int fd)
{
	char *path = arena_printf(a, "/proc/%d/fd/%d", (int)pid, fd), link[4096];
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	uint64_t mount = mount_of(pid, fd);
	struct stat st;

	if (n < 0)
		return "";
	link[n] = '\0';
	if (is_inheritable(link) || mount == 0 || mountinfo_find(info, mount) || stat(path, &st) < 0)
		return arena_strdup(a, link);
	/* A terminal is CRIU's --shell-job. */
	if (S_ISCHR(st.st_mode) && !strncmp(link, "/dev/pts/", 9))
		return arena_strdup(a, link);
	return arena_printf(a, "file[%" PRIx64 ":%" PRIx64 "]", mount, (uint64_t)st.st_ino);
}

int
criu_stdio_dump(pid_t pid, int image_fd, struct err *err, struct protobuf *options)
{
	struct arena *a = options->arena;
	struct mountinfo info;
	struct json_out j;
	int r = mountinfo_read(pid, a, err, &info);

	if (r < 0)
		return r;
	json_out_init(&j, a, /* pretty= */ false);
	json_out_open(&j, '[');
	for (int fd = 0; fd < N_FDS; fd++) {
		const char *name = describe(a, &info, pid, fd);

		if (!strncmp(name, "file[", 5))
			protobuf_put_string(options, CRIU_OPT_EXTERNAL, name);
		json_out_string(&j, name);
	}
	json_out_close(&j, ']');
	r = fd_replace_file_at(image_fd, FILE_NAME, j.text, j.len, 0600);
	return r < 0 ? err_set(err, -r, "write " FILE_NAME " in the image path") : 0;
}

/* ---- restore --------------------------------------------------------- */

static void
inherit(const char *name, int fd, struct protobuf *options)
{
	struct protobuf m = { .arena = options->arena };

	protobuf_put_string(&m, INHERIT_KEY, name);
	protobuf_put_number(&m, INHERIT_FD, (uint64_t)fd);
	protobuf_put_message(options, CRIU_OPT_INHERIT_FD, &m);
}

static bool
is_mapped(const struct spec_id_mappings *mappings, uint32_t id)
{
	for (size_t i = 0; i < mappings->n; i++)
		if (id >= mappings->items[i].host_id && id - mappings->items[i].host_id < mappings->items[i].size)
			return true;
	return false;
}

/* Root of a user namespace has power over files whose owner and group are in it;
 * of others the permissions count, capabilities(7). */
static bool
may_open(int flags, const struct stat *st, const struct spec_linux *section)
{
	/* Not O_ACCMODE, which has a large bit more in musl. */
	static const mode_t wanted[4] = { [O_RDONLY] = 4, [O_WRONLY] = 2, [O_RDWR] = 6 };
	mode_t mode = wanted[flags & 3];
	bool owner = is_mapped(&section->uid_mappings, st->st_uid);

	if (section->uid_mappings.n == 0 || (owner && is_mapped(&section->gid_mappings, st->st_gid)))
		return true;
	return (st->st_mode >> (owner ? 6 : 0) & mode) == mode;
}

/* For a file CRIU opens /proc/self/fd/N anew, as root of the container's user
 * namespace, and sets the position that it had. */
static int
check_file(int fd, const struct spec *spec, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "descriptor %d", fd);
	if (lseek(fd, 0, SEEK_CUR) < 0)
		return err_plain(err,
				 "descriptor %d was a file or a device when the image was made: it must be one again, "
				 "and not a pipe, socket or terminal (hint: </dev/null, >FILE)",
				 fd);
	if (!may_open(flags, &st, &spec->linux_))
		return err_plain(err,
				 "descriptor %d is a file that root of the container's user namespace may not open, as "
				 "CRIU does",
				 fd);
	return 0;
}

static bool
was_named(const struct json_value *array, const struct json_value *value)
{
	for (const struct json_value *o = array->first; o != value; o = o->next)
		if (o->type == JSON_STRING && !strcmp(o->text, value->text))
			return true;
	return false;
}

int
criu_stdio_restore(int image_fd, const struct spec *spec, struct err *err, struct protobuf *options)
{
	struct arena *a = options->arena;
	struct json_value *array;
	struct issues issues;
	char *text;
	size_t len;
	int fd = 0, r = fd_read_file_at(image_fd, FILE_NAME, FILE_MAX, &text, &len);

	if (r == -ENOENT) {
		log_debug("the image has no " FILE_NAME);
		return 0;
	}
	if (r < 0)
		return err_set(err, -r, "read " FILE_NAME " in the image path");
	issues_init(&issues, a, text, len);
	array = json_parse(text, len, a, &issues);
	free(text);
	if (!array || array->type != JSON_ARRAY)
		return err_plain(err, FILE_NAME " in the image path is not a JSON array");
	r = 0;
	for (const struct json_value *v = array->first; r == 0 && v && fd < N_FDS; v = v->next, fd++) {
		if (v->type != JSON_STRING || !is_inheritable(v->text) || was_named(array, v))
			continue;
		if (v->text[0] == 'f')
			r = check_file(fd, spec, err);
		inherit(v->text, fd, options);
	}
	return r;
}
