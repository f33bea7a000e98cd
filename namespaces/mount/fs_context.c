/* After a failing call the context descriptor can be read: each read gives one
 * line, "e overlay: …" for an error, "w …" for a warning. Those lines tell far
 * more than EINVAL, but not every file system writes any. */
#include "namespaces/mount/fs_context.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/mount/mount_api.h"

static const struct {
	int code;
	const char *type; /* NULL: any */
	const char *text;
} hints[] = {
	{ EPERM, "proc", "in a user namespace it needs a pid namespace of its own and an unmasked /proc around it" },
	{ EPERM, "sysfs", "in a user namespace it needs a network namespace of its own" },
	{ EPERM, "mqueue", "in a user namespace it needs an ipc namespace of its own" },
	{ EPERM, "cgroup2", "in a user namespace it needs a cgroup namespace of its own" },
	{ ENOSYS, NULL, "the mount API of Linux 5.2 is missing or blocked" },
};

static const char *
find_hint(const char *type, int code)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].code == code && (!hints[i].type || strcmp(hints[i].type, type) == 0))
			return hints[i].text;
	return NULL;
}

/* Collects the kernel's error lines as ": line: line", or "". */
static void
read_messages(int fd, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned i = 0; fd >= 0 && i < 8; i++) {
		char line[256];
		ssize_t n = read(fd, line, sizeof(line) - 1);

		if (n <= 0)
			break;
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "e ", 2) == 0 && len < size)
			len += (size_t)snprintf(buf + len, size - len, ": %s", line + 2);
	}
}

int
fs_context_fail(const struct fs_context *context, int code, const char *option)
{
	const char *hint = find_hint(context->type, code);
	char kernel[400];

	read_messages(context->fd, kernel, sizeof(kernel));
	return err_set(context->err, code, "mount '%s' on '%s'%s%s%s%s%s%s%s", context->type, context->dest,
		       option ? ": option '" : "", option ? option : "", option ? "'" : "", kernel, hint ? " (" : "",
		       hint ? hint : "", hint ? ")" : "");
}

int
fs_context_open(struct fs_context *context, struct err *err, const char *type, const char *dest)
{
	*context = (struct fs_context){ .fd = -1, .err = err, .type = type, .dest = dest };
	context->fd = mount_fsopen(type);
	if (context->fd < 0)
		return fs_context_fail(context, -context->fd, NULL);
	return 0;
}

void
fs_context_close(struct fs_context *context)
{
	context->fd = fd_close(context->fd);
}

int
fs_context_set(struct fs_context *context, const char *key, const char *value)
{
	int r = mount_fsconfig(context->fd, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0);
	char option[FS_CONTEXT_VALUE_MAX + 1];

	if (r >= 0)
		return 0;
	snprintf(option, sizeof(option), "%s%s%s", key, value ? "=" : "", value ? value : "");
	return fs_context_fail(context, -r, option);
}

static int
set_option(struct fs_context *context, const char *option)
{
	char key[FS_CONTEXT_VALUE_MAX + 1];
	size_t len = strcspn(option, "=");

	if (!option[len])
		return fs_context_set(context, option, NULL);
	if (len >= sizeof(key))
		return fs_context_fail(context, EINVAL, option);
	memcpy(key, option, len);
	key[len] = '\0';
	return fs_context_set(context, key, option + len + 1);
}

int
fs_context_set_all(struct fs_context *context, const struct plan *plan, struct plan_strv options)
{
	const char *option = plan_first(plan, options);

	for (uint32_t i = 0; i < options.n; i++, option = plan_next(option)) {
		int r = set_option(context, option);

		if (r < 0)
			return r;
	}
	return 0;
}

int
fs_context_mount(struct fs_context *context, uint64_t attrs, int *ret_mount_fd)
{
	int r = mount_fsconfig(context->fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);

	if (r < 0)
		return fs_context_fail(context, -r, NULL);
	r = mount_fsmount(context->fd, (unsigned)attrs);
	if (r < 0)
		return fs_context_fail(context, -r, NULL);
	*ret_mount_fd = r;
	return 0;
}
