/* knarr spec: writes a config.json to start from. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "oci-spec/documents.h"
#include "runtime/command.h"

struct values {
	const char *bundle, *file;
	bool rootless;
};

static const struct option_row rows[] = {
	{ "bundle", 'b', OPTION_TEXT, "DIR", offsetof(struct values, bundle),
	  "directory to write config.json to (default: the current directory)" },
	{ "file", 'f', OPTION_TEXT, "FILE", offsetof(struct values, file),
	  "name of the file, relative to the directory of --bundle unless absolute (default: config.json)" },
	{ "rootless", 0, OPTION_FLAG, NULL, offsetof(struct values, rootless),
	  "for an unprivileged user: with a user namespace" },
	{ 0 },
};

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	const char *name = v->file ? v->file : "config.json";
	const char *path = v->bundle && name[0] != '/' ? arena_printf(cli->arena, "%s/%s", v->bundle, name) : name;
	const char *text = document_default_config(cli->arena, v->rootless, geteuid(), getegid());
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int r;

	(void)operands;
	if (fd < 0 && errno == EEXIST)
		return err_plain(cli->err, "'%s' exists, remove it first", path);
	if (fd < 0)
		return err_set(cli->err, errno, "create '%s'", path);
	r = fd_write_all(fd, text, strlen(text));
	if (r < 0) {
		unlink(path);
		return err_set(cli->err, -r, "write '%s'", path);
	}
	return 0;
}

const struct command command_spec = {
	.name = "spec",
	.summary = "write a config.json to start from",
	.text = "The config runs `sh` with the directory \"rootfs\" beside it as root file system.\n"
		"An existing config.json is not overwritten.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
